//! The words after the stage: its flags, and methods with theirs.

use std::collections::VecDeque;

use api::{CustomType, ObjectType, Signature, Type, Value};
use module::{ApiFunction, StageDocs, api_methods_of, suggestion};
use pipeline::{Library, Stage, StageBody, StageGraph, StageId};

use super::flags::{FlagSet, usage};
use super::places::Places;
use super::values;
use crate::args::specs::CALL_OPTIONS;
use crate::args::{self, Options};
use crate::platform::Component;
use crate::report::{Report, Result};

/// What is called on the result of a stage.
pub(crate) struct Plan {
    /// The stage. What it was given is in the graph.
    pub(crate) stage: StageId,
    /// The methods called on its result, one on what the one before it returns.
    pub(crate) steps: Vec<Step>,
    /// The type of what the last of them returns; none if it is nothing.
    pub(crate) result: Option<Type>,
    /// How the stage is called.
    usage: String,
}

/// A method that is called on what the step before it returns.
pub(crate) struct Step {
    /// Its own name, as in `with-exec`.
    pub(crate) name: String,
    pub(crate) callee: Callee,
    /// Without the object.
    pub(crate) args: Vec<Value>,
}

/// Which method.
pub(crate) enum Callee {
    /// Of an object of `pipeline:api`.
    Api(&'static ApiFunction),
    /// Of a custom object, as components name it.
    Custom(String),
}

/// What the words ask for.
pub(crate) enum Asked {
    /// To call something.
    Run(Plan),
    /// To show the help of the stage.
    StageHelp,
    /// To show the help of a method.
    MethodHelp(String),
}

/// Finds the stage of a name, in whatever case it is written.
pub(crate) fn find_stage(graph: &StageGraph, module: &str, name: &str) -> Result<StageId> {
    graph.find(name).ok_or_else(|| {
        let names: Vec<&str> = graph.stages().iter().map(|stage| stage.name.as_str()).collect();
        Report::usage(format!("module `{module}` has no stage `{name}`")).with_hint(suggestion(
            &values::kebab(name),
            &names,
            "it has",
        ))
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
    Stage(&'a StageGraph, &'a Stage),
    Method(&'static ApiFunction),
    Custom(CustomType, &'a Signature),
}

impl At<'_> {
    fn result(&self) -> Option<&Type> {
        match self {
            Self::Stage(_, stage) => stage.result.as_ref(),
            Self::Method(function) => function.signature.result.as_ref(),
            Self::Custom(_, signature) => signature.result.as_ref(),
        }
    }

    fn flags(&self) -> FlagSet {
        match self {
            Self::Stage(graph, stage) => FlagSet::of_stage(graph, stage, None),
            Self::Method(function) => FlagSet::of_method(function),
            Self::Custom(_, signature) => FlagSet::of_signature(signature),
        }
    }

    fn usage(&self, flags: &FlagSet) -> String {
        match self {
            Self::Stage(_, stage) => usage(&format!("host call {}", stage.name), flags),
            Self::Method(function) => usage(&format!("... {}", function.name), flags),
            Self::Custom(_, signature) => usage(&format!("... {}", signature.name), flags),
        }
    }

    fn help(&self) -> Asked {
        match self {
            Self::Stage(..) => Asked::StageHelp,
            Self::Method(function) => Asked::MethodHelp(super::help::method_help(function)),
            Self::Custom(_, signature) => Asked::MethodHelp(super::help::custom_help(signature)),
        }
    }

    fn step(&self, args: Vec<Value>) -> Option<Step> {
        match self {
            Self::Stage(..) => None,
            Self::Method(function) => Some(Step { name: function.name.clone(), callee: Callee::Api(function), args }),
            Self::Custom(ty, signature) => {
                let function = format!("[method]{}.{}", ty.name, signature.name);
                Some(Step { name: signature.name.clone(), callee: Callee::Custom(function), args })
            }
        }
    }
}

impl Plan {
    /// Parses the words after the name of a stage. Options of runs among them go to `options`, values of flags to the
    /// graph. That the stage has all that it needs is for [`check_given`](Self::check_given).
    pub(crate) fn parse(
        component: &dyn Component,
        graph: &mut StageGraph,
        id: StageId,
        mut words: VecDeque<String>,
        options: &mut Options,
        places: &mut Places<'_>,
    ) -> Result<Asked> {
        let library = component.library();
        let stage = graph.stage(id).clone();
        let wave = wave_of(component, &stage);
        let mut at = At::Stage(graph, &stage);
        let mut flags = at.flags();
        let stage_usage = at.usage(&flags);
        let (mut given, mut steps) = (Vec::new(), Vec::new());
        let result = loop {
            let word = flag_words(&at, &mut flags, &mut words, options)?;
            if let Some("--help" | "-h") = word.as_deref() {
                return Ok(at.help());
            }
            let next = match &word {
                Some(method) => Some(find_method(&library, &at, &flags, method)?),
                None => None,
            };
            let usage = at.usage(&flags);
            match at {
                At::Stage(..) => given = flags.given_values(places, Some(&wave))?,
                _ => steps.extend(at.step(flags.values(places, None, &usage)?)),
            }
            match next {
                None => break at.result().cloned(),
                Some(next) => at = next,
            }
            flags = at.flags();
        };
        for (param, value) in given.into_iter().enumerate() {
            if let Some(value) = value {
                graph.give(id, param, value);
            }
        }
        Ok(Asked::Run(Self { stage: id, steps, result, usage: stage_usage }))
    }

    /// Refuses a stage that lacks a value, as one that lacks a flag.
    pub(crate) fn check_given(&self, graph: &StageGraph) -> Result<()> {
        FlagSet::of_stage(graph, graph.stage(self.stage), None).check_given(&self.usage)
    }
}

/// Returns what reads values of a stage's parameters as WAVE.
pub(super) fn wave_of(component: &dyn Component, stage: &Stage) -> impl Fn(&str, &str) -> Result<Value, String> {
    move |param, text| match &stage.body {
        StageBody::Call { dependency: None, function } => component.parse_wave(function, param, text),
        _ => Err("it is no JSON".to_owned()),
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
        } else if let Some((spec, joined)) = args::find_option(CALL_OPTIONS, &word) {
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
fn find_method<'a>(library: &'a Library, at: &At<'_>, flags: &FlagSet, name: &str) -> Result<At<'a>> {
    let kebab = values::kebab(name);
    match unwrapped(at.result()) {
        Some(Type::Object(object)) => {
            let methods = api_methods_of(object);
            let found = methods.iter().find(|method| method.name == kebab).copied().map(At::Method);
            found.ok_or_else(|| unknown_method(at, object, name, methods.iter().map(|method| method.name.as_str())))
        }
        Some(Type::Custom(ty)) => {
            let methods = object_type(library, ty).map(|object| object.methods.as_slice()).unwrap_or_default();
            let found = methods.iter().find(|method| method.name == kebab);
            found
                .map(|method| At::Custom(ty.clone(), method))
                .ok_or_else(|| unknown_method(at, &ty.name, name, methods.iter().map(|method| method.name.as_str())))
        }
        other => {
            let returns = other.map_or("nothing".to_owned(), |ty| format!("`{ty}`"));
            Err(Report::usage(format!("{} returns {returns}, which has no method `{name}`", flags.what)).with_hint(
                "a chain goes on with a container, a directory, a file or another object; flags begin with `--`",
            ))
        }
    }
}

fn unknown_method<'n>(at: &At<'_>, object: &str, name: &str, methods: impl Iterator<Item = &'n str>) -> Report {
    let names: Vec<&str> = methods.collect();
    let kebab = values::kebab(name);
    let near = module::near(&kebab, names.iter().copied());
    let report = Report::usage(format!("a {object} has no method `{name}`"));
    match near.as_slice() {
        // All of a container's would fill the screen.
        [] => report.with_hint(match at {
            At::Stage(_, stage) => format!("`host call {} --help` lists its methods", stage.name),
            At::Method(ApiFunction { name, .. }) | At::Custom(_, Signature { name, .. }) => {
                format!("`--help` behind `{name}` lists its methods")
            }
        }),
        _ => report.with_hint(suggestion(&kebab, &names, "it has")),
    }
}

/// Finds what a library says of a type of custom objects.
pub(crate) fn object_type<'a>(library: &'a Library, ty: &CustomType) -> Option<&'a ObjectType> {
    let takes = |method: &Signature| matches!(method.params.first(), Some((_, Type::Custom(this))) if this == ty);
    let modules = library.own.iter().chain(library.dependencies.values());
    modules.flat_map(|module| &module.objects).find(|object| object.name == ty.name && object.methods.iter().any(takes))
}

/// Returns what is known of the stage for its help.
pub(super) fn stage_flags(graph: &StageGraph, stage: &Stage, docs: Option<&StageDocs>) -> FlagSet {
    FlagSet::of_stage(graph, stage, docs)
}
