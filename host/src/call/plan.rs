//! The words after the stage: its flags, and methods with theirs.

use std::collections::VecDeque;

use api::{Signature, Type, Value};
use module::{ApiFunction, Documentation, api_methods_of, suggestion};

use super::flags::{FlagSet, usage};
use super::places::Places;
use super::values;
use crate::args::specs::RUN_OPTIONS;
use crate::args::{self, Options};
use crate::engine::Component;
use crate::report::{Report, Result};

/// What is called, with which values.
pub(crate) struct Plan {
    /// The name of the stage.
    pub(crate) stage: String,
    /// Its arguments.
    pub(crate) args: Vec<Value>,
    /// The methods called on its result, one on what the one before it returns.
    pub(crate) steps: Vec<Step>,
    /// The type of what the last of them returns; none if it is nothing.
    pub(crate) result: Option<Type>,
}

/// A method that is called on what the step before it returns.
pub(crate) struct Step {
    pub(crate) function: &'static ApiFunction,
    /// Without the object.
    pub(crate) args: Vec<Value>,
}

/// What the words ask for.
pub(crate) enum Asked {
    /// To call something.
    Run(Plan),
    /// To show the help of the stage.
    StageHelp,
    /// To show the help of a method.
    MethodHelp(&'static ApiFunction),
}

/// Finds the stage of a name, in whatever case it is written.
pub(crate) fn find_stage<'a>(component: &'a dyn Component, module: &str, name: &str) -> Result<&'a Signature> {
    let stages = component.stages();
    let kebab = values::kebab(name);
    stages.iter().find(|stage| stage.name == kebab).ok_or_else(|| {
        let names: Vec<&str> = stages.iter().map(|stage| stage.name.as_str()).collect();
        Report::usage(format!("module `{module}` has no stage `{name}`"))
            .with_hint(suggestion(&kebab, &names, "it has"))
    })
}

/// Returns the type of the value that `result<T, E>` and `option<T>` have in them.
pub(crate) fn unwrapped(ty: Option<&Type>) -> Option<&Type> {
    match ty {
        Some(Type::Result(ok, _)) => unwrapped(ok.as_deref()),
        Some(Type::Option(item)) => unwrapped(Some(item)),
        other => other,
    }
}

/// What is being parsed.
enum At<'a> {
    Stage(&'a Signature),
    Method(&'static ApiFunction),
}

impl At<'_> {
    fn result(&self) -> Option<&Type> {
        match self {
            Self::Stage(signature) => signature.result.as_ref(),
            Self::Method(function) => function.signature.result.as_ref(),
        }
    }

    fn flags(&self) -> FlagSet {
        match self {
            Self::Stage(signature) => FlagSet::of_stage(signature, None),
            Self::Method(function) => FlagSet::of_method(function),
        }
    }

    fn usage(&self, flags: &FlagSet) -> String {
        match self {
            Self::Stage(signature) => usage(&format!("host call {}", signature.name), flags),
            Self::Method(function) => usage(&format!("... {}", function.name), flags),
        }
    }
}

impl Plan {
    /// Parses the words after the name of a stage. Options of runs among them go to `options`.
    pub(crate) fn parse(
        component: &dyn Component,
        stage: &Signature,
        mut words: VecDeque<String>,
        options: &mut Options,
        places: &mut Places<'_>,
    ) -> Result<Asked> {
        let wave = |param: &str, text: &str| component.parse_wave(&stage.name, param, text);
        let mut done: Vec<(At<'_>, Vec<Value>)> = Vec::new();
        let mut at = At::Stage(stage);
        let mut flags = at.flags();
        loop {
            let word = flag_words(&at, &mut flags, &mut words, options)?;
            if let Some("--help" | "-h") = word.as_deref() {
                return Ok(match at {
                    At::Stage(_) => Asked::StageHelp,
                    At::Method(function) => Asked::MethodHelp(function),
                });
            }
            let next = match &word {
                Some(method) => Some(find_method(&at, &flags, method)?),
                None => None,
            };
            let wave: Option<super::reader::Wave<'_>> = if done.is_empty() { Some(&wave) } else { None };
            let args = flags.values(places, wave, &at.usage(&flags))?;
            done.push((at, args));
            let Some(next) = next else { break };
            at = At::Method(next);
            flags = at.flags();
        }
        Ok(Asked::Run(Self::of(stage, done)))
    }

    fn of(stage: &Signature, done: Vec<(At<'_>, Vec<Value>)>) -> Self {
        let result = done.last().and_then(|(at, _)| at.result()).cloned();
        let mut plan = Self { stage: stage.name.clone(), args: Vec::new(), steps: Vec::new(), result };
        for (at, args) in done {
            match at {
                At::Stage(_) => plan.args = args,
                At::Method(function) => plan.steps.push(Step { function, args }),
            }
        }
        plan
    }
}

/// Takes flags up to the next word that is none, or that asks for help, and returns that.
fn flag_words(
    at: &At<'_>,
    flags: &mut FlagSet,
    words: &mut VecDeque<String>,
    options: &mut Options,
) -> Result<Option<String>> {
    while let Some(word) = words.pop_front() {
        let long = word.strip_prefix("--").map(|long| long.split_once('=').map_or((long, None), |(n, v)| (n, Some(v))));
        if let Some((name, joined)) = long
            && let Some(flag) = flags.find(name)
        {
            let text = match joined {
                Some(text) => Some(text.to_owned()),
                None if flags.is_switch(flag) => Some("true".to_owned()),
                None => words.pop_front(),
            };
            let usage = at.usage(flags);
            flags.give(
                flag,
                text.ok_or_else(|| {
                    Report::usage(format!("flag `--{name}` of {} needs a value", flags.what)).with_usage(usage)
                })?,
            );
        } else if word == "--help" || word == "-h" || !word.starts_with('-') || word == "-" {
            return Ok(Some(word));
        } else if let Some((spec, joined)) = args::find_option(RUN_OPTIONS, &word) {
            let value = args::take_value(spec, joined, words)?;
            options.push(spec.long, value);
        } else if word == "-m" || word.starts_with("--module") {
            return Err(Report::usage("`-m MODULE` stands before the stage, whose flags depend on it"));
        } else {
            let name = long.map_or(word.trim_start_matches('-'), |(name, _)| name);
            return Err(flags.unknown(name, &at.usage(flags)));
        }
    }
    Ok(None)
}

/// Finds the method of a name on what was called last.
fn find_method(at: &At<'_>, flags: &FlagSet, name: &str) -> Result<&'static ApiFunction> {
    let Some(Type::Object(object)) = unwrapped(at.result()) else {
        let returns = unwrapped(at.result()).map_or("nothing".to_owned(), |ty| format!("`{ty}`"));
        return Err(Report::usage(format!("{} returns {returns}, which has no method `{name}`", flags.what))
            .with_hint(
                "a chain goes on with a container, a directory, a file or another object; flags begin with `--`",
            ));
    };
    let methods = api_methods_of(object);
    let kebab = values::kebab(name);
    methods.iter().find(|method| method.name == kebab).copied().ok_or_else(|| {
        let names: Vec<&str> = methods.iter().map(|method| method.name.as_str()).collect();
        let near = module::near(&kebab, names.iter().copied());
        let report = Report::usage(format!("a {object} has no method `{name}`"));
        match near.as_slice() {
            // All of a container's would fill the screen.
            [] => report.with_hint(match at {
                At::Stage(stage) => format!("`host call {} --help` lists its methods", stage.name),
                At::Method(function) => format!("`--help` behind `{}` lists its methods", function.name),
            }),
            _ => report.with_hint(suggestion(&kebab, &names, "it has")),
        }
    })
}

/// Returns what is known of the stage for its help.
pub(super) fn stage_flags(stage: &Signature, docs: Option<&Documentation>) -> FlagSet {
    FlagSet::of_stage(stage, docs.and_then(|docs| docs.stages.get(&stage.name)))
}
