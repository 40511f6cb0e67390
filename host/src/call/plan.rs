//! Parses the words after the stage: its flags, and methods with their flags.

use api::{CustomType, Signature, Type, Value};
use clap::builder::StyledStr;
use module::{ApiFunction, ApiMethod, methods_of, suggestion};
use pipeline::{Library, Stage, StageBody, StageGraph, StageId};

use super::feeding::Feeding;
use super::flags::{FlagKind, FlagSet, usage};
use super::help::{custom_help, method_help};
use super::line::{line, next, take};
use super::places::Places;
use super::shapes::{is_path, object_type, unwrapped};
use super::values;
use crate::args::{self, Options, Parse};
use crate::platform::Component;
use crate::report::{Report, Result};

/// A stage, and the methods that are called on its result.
pub(crate) struct Plan {
    /// The stage. Its arguments are in the graph.
    pub(crate) stage: StageId,
    /// The methods, each called on the result of the one before.
    pub(crate) steps: Vec<Step>,
    /// The type of the last result; none if nothing is returned.
    pub(crate) result: Option<Type>,
    /// The usage of the stage, for errors.
    usage: String,
}

/// A method that is called on the result of the step before it.
pub(crate) struct Step {
    /// The name of the method, such as `with-exec`.
    pub(crate) name: String,
    pub(crate) callee: Callee,
    /// The arguments without the object.
    pub(crate) args: Vec<Value>,
}

/// The function behind a method.
pub(crate) enum Callee {
    /// A method of an object of `pipeline:api`.
    Api(&'static ApiFunction),
    /// A method of a custom object, by its name in the component.
    Custom(String),
}

/// The request that the words make.
pub(crate) enum Asked {
    /// To call something.
    Run(Plan),
    /// To show the help of the stage.
    StageHelp,
    /// To show the help of a method.
    MethodHelp(StyledStr),
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

/// The stage or method whose flags are being parsed.
pub(super) enum Target<'a> {
    Stage(&'a StageGraph, &'a Stage),
    Method(ApiMethod),
    Custom(CustomType, &'a Signature),
}

impl Target<'_> {
    pub(super) fn result(&self) -> Option<&Type> {
        match self {
            Self::Stage(_, stage) => stage.result.as_ref(),
            Self::Method(method) => method.plain.signature.result.as_ref(),
            Self::Custom(_, signature) => signature.result.as_ref(),
        }
    }

    pub(super) fn flags(&self) -> FlagSet {
        match self {
            Self::Stage(graph, stage) => FlagSet::of_stage(graph, stage, None),
            Self::Method(method) => FlagSet::of_method(*method),
            Self::Custom(_, signature) => FlagSet::of_signature(signature),
        }
    }

    fn usage(&self, flags: &FlagSet) -> String {
        match self {
            Self::Stage(_, stage) => usage(&format!("host call {}", stage.name), flags),
            Self::Method(method) => usage(&format!("... {}", method.name()), flags),
            Self::Custom(_, signature) => usage(&format!("... {}", signature.name), flags),
        }
    }

    fn help(&self) -> Asked {
        match self {
            Self::Stage(..) => Asked::StageHelp,
            Self::Method(method) => Asked::MethodHelp(method_help(*method)),
            Self::Custom(_, signature) => Asked::MethodHelp(custom_help(signature)),
        }
    }

    /// Returns the call of a method with the values of its flags; none for a stage.
    fn step(&self, flags: FlagSet, places: &mut Places<'_>, usage: &str) -> Result<Option<Step>> {
        Ok(match self {
            Self::Stage(..) => None,
            Self::Method(method) => {
                let (function, flags) = flags.chosen(*method);
                let args = flags.values(places, None, usage)?;
                Some(Step { name: method.name().to_owned(), callee: Callee::Api(function), args })
            }
            Self::Custom(ty, signature) => {
                let function = format!("[method]{}.{}", ty.name, signature.name);
                let args = flags.values(places, None, usage)?;
                Some(Step { name: signature.name.clone(), callee: Callee::Custom(function), args })
            }
        })
    }
}

impl Plan {
    /// Parses the words after the name of a stage. Run options are added to `options`, and values of flags to the graph.
    /// Call [`check_given`](Self::check_given) to check that no argument of the stage is missing.
    pub(crate) fn parse(
        component: &dyn Component,
        graph: &mut StageGraph,
        id: StageId,
        mut words: Vec<String>,
        options: &mut Options,
        places: &mut Places<'_>,
    ) -> Result<Asked> {
        let library = component.library();
        let stage = graph.stage(id).clone();
        let wave = wave_of(component, &stage);
        let mut at = Target::Stage(graph, &stage);
        let mut flags = at.flags();
        let stage_usage = at.usage(&flags);
        let (mut given, mut steps, mut feeding) = (Vec::new(), Vec::new(), Feeding::of(graph, id));
        let result = loop {
            let usage = at.usage(&flags);
            check_module_option(&words, &flags)?;
            let is_stage = matches!(at, Target::Stage(..));
            let (mut line, mut subject) = (line(usage.clone(), &flags), flags.subject(usage.clone()));
            if is_stage {
                (line, subject) = (feeding.add_to(line), feeding.known_to(subject));
            }
            let matches = match args::parse(line, words, || subject)? {
                Parse::Given(matches) => matches,
                Parse::Text(_) => return Ok(at.help()),
            };
            take(&mut flags, &matches);
            if is_stage {
                feeding.take(&matches, &flags)?;
            }
            options.append(Options::new(&matches));
            let (method, rest) = next(&matches).unzip();
            words = rest.unwrap_or_default();
            let next = method.map(|method| find_method(&library, &at, &flags, &method)).transpose()?;
            match at {
                Target::Stage(..) => given = flags.given_values(places, Some(&wave))?,
                _ => steps.extend(at.step(flags, places, &usage)?),
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
        feeding.give(component, graph, id, places)?;
        Ok(Asked::Run(Self { stage: id, steps, result, usage: stage_usage }))
    }

    /// Returns an error if an argument of the stage is missing.
    pub(crate) fn check_given(&self, graph: &StageGraph) -> Result<()> {
        FlagSet::of_stage(graph, graph.stage(self.stage), None).check_given(&self.usage)
    }
}

/// Returns a function that reads values of a stage's parameters as WAVE.
pub(super) fn wave_of(component: &dyn Component, stage: &Stage) -> impl Fn(&str, &str) -> Result<Value, String> {
    move |param, text| match &stage.body {
        StageBody::Call { dependency: None, function } => component.parse_wave(function, param, text),
        _ => Err("it is no JSON".to_owned()),
    }
}

/// Says where `-m` belongs. Without this check it would be reported as an unknown flag.
fn check_module_option(words: &[String], flags: &FlagSet) -> Result<()> {
    let is_it = |word: &String| word == "-m" || word == "--module" || word.starts_with("--module=");
    match words.first().is_some_and(is_it) && flags.find("module").is_none() {
        true => Err(Report::usage("`-m MODULE` stands before the stage, whose flags depend on it")),
        false => Ok(()),
    }
}

/// Finds the method of a name on the result of `at`.
pub(super) fn find_method<'a>(
    library: &'a Library,
    at: &Target<'_>,
    flags: &FlagSet,
    name: &str,
) -> Result<Target<'a>> {
    let kebab = values::kebab(name);
    match unwrapped(at.result()) {
        Some(Type::Object(object)) => {
            let found = module::find_method(object, &kebab).map(Target::Method);
            found.ok_or_else(|| {
                unknown_method((at, flags), object, name, methods_of(object).iter().map(ApiMethod::name))
            })
        }
        Some(Type::Custom(ty)) => {
            let methods = object_type(library, ty).map(|object| object.methods.as_slice()).unwrap_or_default();
            let found = methods.iter().find(|method| method.name == kebab);
            found.map(|method| Target::Custom(ty.clone(), method)).ok_or_else(|| {
                unknown_method((at, flags), &ty.name, name, methods.iter().map(|method| method.name.as_str()))
            })
        }
        other => {
            let returns = other.map_or("nothing".to_owned(), |ty| format!("`{ty}`"));
            let report = Report::usage(format!("{} returns {returns}, which has no method `{name}`", flags.what));
            Err(report.with_hint(meant_as_value(at, flags, name).unwrap_or_else(|| {
                "methods can be called on containers, directories, files and other objects; flags begin with `--`"
                    .into()
            })))
        }
    }
}

/// Returns whether a word behind the name of a stage is a method of what the stage makes.
pub(crate) fn is_method(library: &Library, graph: &StageGraph, stage: StageId, word: &str) -> bool {
    let target = Target::Stage(graph, graph.stage(stage));
    find_method(library, &target, &target.flags(), word).is_ok()
}

/// Returns a hint for a word that is no method and may be the value of a flag: of a flag for paths if it looks like a
/// path, else of a required flag.
fn meant_as_value(at: &Target<'_>, flags: &FlagSet, word: &str) -> Option<String> {
    let looks_like_path = word.contains('/') || word.starts_with('.') || word.starts_with('~');
    let is_it = |(index, flag): &(usize, &super::flags::Flag)| {
        let is_open = flag.kind == FlagKind::Param && !flags.is_given(*index);
        is_open && if looks_like_path { is_path(&flag.ty) } else { flag.is_required && !is_path(&flag.ty) }
    };
    let (_, flag) = flags.flags.iter().enumerate().find(is_it)?;
    let start = match at {
        Target::Stage(_, stage) => format!("host call {}", stage.name),
        Target::Method(method) => format!("... {}", method.name()),
        Target::Custom(_, Signature { name, .. }) => format!("... {name}"),
    };
    Some(format!("a value needs its flag: `{start} --{} {word}`", flag.name))
}

fn unknown_method<'n>(
    (at, flags): (&Target<'_>, &FlagSet),
    object: &str,
    name: &str,
    methods: impl Iterator<Item = &'n str>,
) -> Report {
    let names: Vec<&str> = methods.collect();
    let kebab = values::kebab(name);
    let near = module::near(&kebab, names.iter().copied());
    let report = Report::usage(format!("a {object} has no method `{name}`"));
    if let Some(hint) = near.is_empty().then(|| meant_as_value(at, flags, name)).flatten() {
        return report.with_hint(hint);
    }
    match near.as_slice() {
        // All methods of a container would fill the screen.
        [] => report.with_hint(match at {
            Target::Stage(_, stage) => format!("`host call {} --help` lists its methods", stage.name),
            Target::Method(method) => format!("`--help` behind `{}` lists its methods", method.name()),
            Target::Custom(_, Signature { name, .. }) => format!("`--help` behind `{name}` lists its methods"),
        }),
        _ => report.with_hint(suggestion(&kebab, &names, "it has")),
    }
}
