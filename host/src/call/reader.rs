//! Makes a value from the texts that were given for one flag.

use api::json::is_plain;
use api::{Type, Value, csv};

use super::places::{self, Patterns, Places};
use super::shapes::{cannot_make_type, described, is_structure};
use super::{json, values};
use crate::report::{Report, Result};

/// Parses a text as WAVE, with the type of the parameter that it is told.
pub(super) type Wave<'a> = &'a dyn Fn(&str, &str) -> Result<Value, String>;

/// Makes the value of one flag.
pub(super) struct Reader<'a> {
    pub(super) flag: String,
    pub(super) what: String,
    pub(super) patterns: Patterns,
    pub(super) wave: Option<Wave<'a>>,
}

impl Reader<'_> {
    pub(super) fn read(&self, ty: &Type, texts: &[String], places: &mut Places<'_>) -> Result<Value> {
        match ty {
            Type::Option(inner) => Ok(Value::Option(Some(Box::new(self.read(inner, texts, places)?)))),
            Type::List(item) if **item != Type::U8 => self.list(ty, item, texts, places),
            ty => match texts {
                [text] => self.one(ty, text, places),
                _ => Err(Report::usage(format!("flag `--{}` of {} was given more than once", self.flag, self.what))),
            },
        }
    }

    fn list(&self, ty: &Type, item: &Type, texts: &[String], places: &mut Places<'_>) -> Result<Value> {
        if let ([text], true) = (texts, is_plain(ty))
            && text.starts_with('[')
        {
            return self.structure(ty, text);
        }
        let mut items = Vec::new();
        for text in texts {
            if is_structure(item) {
                items.push(self.structure_in_list(ty, item, text)?);
            } else if texts.len() > 1 {
                // Who repeats the flag has separated the items already: `--args sh --args -c --args 'echo a,b'`.
                items.push(self.one(item, text, places)?);
            } else {
                for text in csv::split(text) {
                    items.push(self.one(item, &text, places)?);
                }
            }
        }
        Ok(Value::List(items))
    }

    fn one(&self, ty: &Type, text: &str, places: &mut Places<'_>) -> Result<Value> {
        let number = || values::number(ty, text);
        let value = match ty {
            Type::Bool => text.to_lowercase().parse().ok().map(Value::Bool),
            Type::String => Some(Value::String(text.to_owned())),
            Type::List(_) => Some(Value::Bytes(text.as_bytes().to_vec())),
            Type::Char => values::character(text),
            Type::Enum(cases) => return self.case(cases, text).map(|case| Value::Enum(case.to_owned())),
            Type::Flags(names) => return self.set(names, text),
            Type::Object(name) => return self.object(name, text, places),
            Type::Record(_) | Type::Tuple(_) | Type::Variant(_) | Type::Result(..) => return self.structure(ty, text),
            Type::Custom(custom) => return self.object(&custom.name, text, places),
            Type::Other(_) => None,
            Type::Option(inner) => return Ok(Value::Option(Some(Box::new(self.one(inner, text, places)?)))),
            _ => number(),
        };
        value.ok_or_else(|| self.mismatch(&described(ty), text, None))
    }

    fn case<'c>(&self, cases: &'c [String], text: &str) -> Result<&'c str> {
        values::case_of(cases, text).ok_or_else(|| self.mismatch(&format!("one of {}", cases.join(", ")), text, None))
    }

    fn set(&self, names: &[String], text: &str) -> Result<Value> {
        let flags = csv::split(text).into_iter().map(|text| self.case(names, &text).map(str::to_owned));
        flags.collect::<Result<_>>().map(Value::Flags)
    }

    fn object(&self, name: &str, text: &str, places: &mut Places<'_>) -> Result<Value> {
        let made = match name {
            "directory" => places.directory(text, &self.patterns),
            "file" => places.file(text),
            "container" => super::images::container(places, text),
            "secret" => places.secret(&self.flag, text),
            "cache-volume" => Ok(places::cache_volume(text)),
            other => {
                return Err(Report::usage(format!("flag `--{}` of {} takes a {other}", self.flag, self.what))
                    .with_hint(cannot_make_type(other)));
            }
        };
        made.map_err(|report| report.context(format!("cannot use flag `--{}` of {}", self.flag, self.what)))
    }

    /// Reads a record, a tuple or a variant, as JSON or else as WAVE.
    fn structure(&self, ty: &Type, text: &str) -> Result<Value> {
        if !is_plain(ty) {
            return Err(self.mismatch(&format!("{ty}, which the command line cannot write"), text, None));
        }
        let as_json = match serde_json::from_str(text) {
            Ok(parsed) => json::value(ty, &parsed),
            Err(error) => Err(error.to_string()),
        };
        // What begins like JSON is meant as JSON: WAVE has no quotes around the names of fields.
        let is_json = serde_json::from_str::<serde_json::Value>(text).is_ok() || text.trim_start().starts_with("{\"");
        match (as_json, self.wave) {
            (Ok(value), _) => Ok(value),
            (Err(problem), None) => Err(self.mismatch(&described(ty), text, Some(problem))),
            (Err(problem), Some(wave)) => wave(&self.flag, text)
                .map_err(|other| self.mismatch(&described(ty), text, Some(if is_json { problem } else { other }))),
        }
        .map(|value| match (ty, value) {
            // WAVE is read as the parameter's whole type.
            (ty, Value::Option(Some(value))) if !matches!(ty, Type::Option(_)) => *value,
            (_, value) => value,
        })
    }

    fn structure_in_list(&self, list: &Type, item: &Type, text: &str) -> Result<Value> {
        let alone =
            Reader { wave: None, flag: self.flag.clone(), what: self.what.clone(), patterns: Patterns::default() };
        alone.structure(item, text).or_else(|report| match (self.wave, self.structure(list, &format!("[{text}]"))) {
            (Some(_), Ok(Value::List(mut items))) if items.len() == 1 => items.pop().ok_or(report),
            _ => Err(report),
        })
    }

    pub(super) fn mismatch(&self, expected: &str, text: &str, problem: Option<String>) -> Report {
        let report = Report::usage(format!("flag `--{}` of {} takes {expected}, not `{text}`", self.flag, self.what));
        match problem {
            Some(problem) => report.caused_by(problem),
            None => report,
        }
    }
}
