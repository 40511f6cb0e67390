//! The tables `[stages.NAME]`.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::escapes;
use super::expression;
use super::keys::{self, NOT_BESIDE_FROM};
use super::names::{is_name, label, parse_duration};
use super::problem::{ManifestError, ManifestProblem};
use super::reader::{KeyValue, Reader, Value, entries};
use super::types::{Argument, CallTarget, Expression, Ignore, Policy, Setting, StageEntry, StageWork};

const PATTERNS: &str = "a list of patterns, or a table with one for each parameter";

impl Reader<'_> {
    pub(super) fn stages(&self, manifest: &DeTable<'_>) -> Result<Vec<StageEntry>, ManifestError> {
        let entries = self.table(manifest, "stages", "a table of stages")?;
        entries.into_iter().map(|entry| self.stage(entry)).collect()
    }

    fn stage(&self, (key, value): KeyValue<'_>) -> Result<StageEntry, ManifestError> {
        let name = key.get_ref().to_string();
        if !is_name(&name) {
            return Err(self.error(key.span(), ManifestProblem::Name { of: "a stage", name }));
        }
        let DeValue::Table(table) = value.get_ref() else {
            return Err(self.wrong_type(&name, "a table, as in `[stages.build]`", value));
        };
        self.check_keys(table, &keys::STAGE)?;
        let args = self.settings(table, "args")?;
        let defaults = self.settings(table, "defaults")?;
        if let Some(twice) = defaults.iter().find(|(_, setting)| args.iter().any(|(_, a)| a.param == setting.param)) {
            return Err(self.error(twice.0.clone(), ManifestProblem::ParamTwice(twice.1.param.clone())));
        }
        Ok(StageEntry {
            name,
            position: self.position(&key.span()),
            description: self.text(table, "description")?.map(|(text, _)| text),
            work: self.work(table)?,
            args: args.into_iter().map(|(_, setting)| setting).collect(),
            defaults: defaults.into_iter().map(|(_, setting)| setting).collect(),
            ignore: self.ignore(table)?,
            env: self.env(table)?,
            policy: self.policy(table)?,
            is_check: table.contains_key("check").then(|| self.flag(table, "check", false)).transpose()?,
        })
    }

    fn work(&self, table: &DeTable<'_>) -> Result<StageWork, ManifestError> {
        let Some(value) = table.get("from") else {
            return Ok(match self.text(table, "call")? {
                Some((text, span)) => StageWork::Call(self.call(&text, span)?),
                None => StageWork::Own,
            });
        };
        if let Some(key) = NOT_BESIDE_FROM.iter().find(|key| table.contains_key(**key)) {
            return Err(self.excluded(table, key, "from"));
        }
        Ok(StageWork::From(self.expression(value)?))
    }

    fn call(&self, text: &str, span: Range<usize>) -> Result<CallTarget, ManifestError> {
        let (dependency, function) = match text.split_once('.') {
            Some((alias, function)) => (Some(alias.to_owned()), function),
            None => (None, text),
        };
        let is_alias = dependency.as_deref().is_none_or(is_name);
        let set_up = function.strip_prefix("stages.").filter(|stage| dependency.is_some() && is_name(stage));
        let name = set_up.map(str::to_owned).or_else(|| label(function));
        let (is_set_up, position) = (set_up.is_some(), self.position(&span));
        match name.filter(|_| is_alias) {
            Some(function) => Ok(CallTarget { dependency, function, is_set_up, position }),
            None => Err(self.error(span, ManifestProblem::Call(text.to_owned()))),
        }
    }

    fn settings(&self, table: &DeTable<'_>, key: &'static str) -> Result<Vec<(Range<usize>, Setting)>, ManifestError> {
        let entries = self.table(table, key, "a table of parameters")?;
        let mut names = BTreeSet::new();
        entries.into_iter().map(|entry| self.setting(entry, &mut names)).collect()
    }

    fn setting(
        &self,
        (key, value): KeyValue<'_>,
        names: &mut BTreeSet<String>,
    ) -> Result<(Range<usize>, Setting), ManifestError> {
        let param = self.param(key.get_ref(), key.span())?;
        if !names.insert(param.clone()) {
            return Err(self.error(key.span(), ManifestProblem::ParamTwice(param)));
        }
        let argument = self.argument(value)?;
        Ok((key.span(), Setting { param, argument, base: None, position: self.position(&key.span()) }))
    }

    fn argument(&self, value: &Value<'_>) -> Result<Argument, ManifestError> {
        Ok(match value.get_ref() {
            // A record with only this field cannot be an argument. So far no function needs one.
            DeValue::Table(table) if table.len() == 1 && table.contains_key("from") => {
                let from = table.get("from").unwrap_or(value);
                Argument::From(self.expression(from)?)
            }
            DeValue::Array(items) => {
                Argument::list(items.iter().map(|item| self.argument(item)).collect::<Result<_, _>>()?)
            }
            _ => Argument::Literal(self.literal(value)?),
        })
    }

    fn param(&self, name: &str, span: Range<usize>) -> Result<String, ManifestError> {
        label(name).ok_or_else(|| self.error(span, ManifestProblem::Param(name.to_owned())))
    }

    fn expression(&self, value: &Value<'_>) -> Result<Expression, ManifestError> {
        let (text, span) = self.string("from", "an expression, as in `build.file(\"app\")`", value)?;
        let raw = self.text.get(span.clone()).unwrap_or_default();
        let at = |offset: usize| {
            let start = span.start + escapes::offset_in_source(raw, &text, offset);
            start..span.end.max(start)
        };
        expression::parse(&text, &|offset| self.position(&at(offset))).map_err(|error| {
            let problem = ManifestProblem::Expression { text: text.clone(), message: error.message };
            self.error(at(error.at), problem)
        })
    }

    fn ignore(&self, table: &DeTable<'_>) -> Result<Vec<Ignore>, ManifestError> {
        let Some(value) = table.get("ignore") else { return Ok(Vec::new()) };
        let patterns = |value: &Value<'_>, param: Option<String>| {
            let patterns = self.strings("ignore", PATTERNS, value)?.into_iter().map(|(pattern, _)| pattern).collect();
            Ok(Ignore { param, patterns, position: self.position(&value.span()) })
        };
        let DeValue::Table(params) = value.get_ref() else { return Ok(vec![patterns(value, None)?]) };
        let mut ignore: Vec<Ignore> = Vec::new();
        for (key, value) in entries(params) {
            let param = self.param(key.get_ref(), key.span())?;
            if ignore.iter().any(|ignore| ignore.param.as_ref() == Some(&param)) {
                return Err(self.error(key.span(), ManifestProblem::ParamTwice(param)));
            }
            ignore.push(patterns(value, Some(param))?);
        }
        Ok(ignore)
    }

    fn env(&self, table: &DeTable<'_>) -> Result<Vec<(String, String)>, ManifestError> {
        let mut env = Vec::new();
        for (key, value) in self.table(table, "env", "a table of variables")? {
            let name = key.get_ref().to_string();
            let (value, _) = self.string(&name, "a string", value)?;
            if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                return Err(self.error(key.span(), ManifestProblem::Variable(name)));
            }
            env.push((name, value));
        }
        Ok(env)
    }

    fn policy(&self, table: &DeTable<'_>) -> Result<Policy, ManifestError> {
        Ok(Policy {
            n_retries: self.n_retries(table)?,
            timeout: table.get("timeout").map(|value| self.timeout(value)).transpose()?,
            is_failure_allowed: self.flag(table, "allow-failure", false)?,
        })
    }

    fn n_retries(&self, table: &DeTable<'_>) -> Result<u32, ManifestError> {
        let Some(value) = table.get("retry") else { return Ok(0) };
        let DeValue::Integer(number) = value.get_ref() else {
            return Err(self.wrong_type("retry", "a number", value));
        };
        u32::from_str_radix(number.as_str(), number.radix())
            .map_err(|_| self.error(value.span(), ManifestProblem::Count(number.to_string())))
    }

    fn timeout(&self, value: &Value<'_>) -> Result<std::time::Duration, ManifestError> {
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            // A whole number is a number of seconds.
            DeValue::Integer(number) => number.to_string(),
            _ => return Err(self.wrong_type("timeout", "a time, as in `10m`", value)),
        };
        parse_duration(&text).ok_or_else(|| self.error(value.span(), ManifestProblem::Time(text)))
    }
}
