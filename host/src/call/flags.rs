//! The flags of a stage or of a method, made from its parameters.

use std::collections::BTreeMap;

use api::{Signature, Type, Value};
use module::{ApiFunction, StageDocs, api_functions, api_methods_of, suggestion};
use pipeline::{Source, Stage, StageGraph};

use super::places::{Patterns, Places};
use super::reader::{Reader, Wave};
use super::shapes::{can_make, cannot_make_type, is_directory, options_of, type_placeholder};
use super::values;
use crate::report::{Report, Result};

/// One flag.
#[derive(Debug)]
pub(super) struct Flag {
    /// In kebab case.
    pub(super) name: String,
    /// What its value is.
    pub(super) ty: Type,
    /// What it is for.
    pub(super) docs: String,
    /// Whether it must be given.
    pub(super) is_required: bool,
    pub(super) kind: FlagKind,
}

/// What a flag stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FlagKind {
    /// A parameter.
    Param,
    /// Patterns for the directory of the parameter of this index.
    Include(usize),
    /// As above.
    Exclude(usize),
    /// A method of the options, by its position in the resource.
    Builder(usize),
}

/// The flags of a stage or of a method, and what was given for them.
pub(super) struct FlagSet {
    /// As in ``stage `build` ``.
    pub(super) what: String,
    pub(super) flags: Vec<Flag>,
    params: Vec<FlagParam>,
    given: BTreeMap<usize, Vec<String>>,
}

/// A parameter of what is called.
struct FlagParam {
    name: String,
    ty: Type,
    docs: String,
    is_required: bool,
    /// Why the stage of its name does not feed it.
    why: Option<String>,
    /// What is left out of a directory, beside what a flag says.
    exclude: Vec<String>,
}

impl FlagSet {
    /// The flags of a stage. What its parameters are without them is in the graph.
    pub(super) fn of_stage(graph: &StageGraph, stage: &Stage, docs: Option<&StageDocs>) -> Self {
        let docs_of = |name: &str| docs.and_then(|docs| docs.params.get(name)).cloned().unwrap_or_default();
        let params = stage.params.iter().map(|param| FlagParam {
            name: param.name.clone(),
            ty: param.ty.clone(),
            docs: with_source(docs_of(&param.name), &param.source, graph),
            is_required: matches!(param.source, Source::Missing(_)),
            why: match &param.source {
                Source::Missing(why) => why.clone(),
                _ => None,
            },
            exclude: param.exclude.clone(),
        });
        Self::new(format!("stage `{}`", stage.name), params.collect())
    }

    /// The flags of a method of `pipeline:api`.
    pub(super) fn of_method(function: &ApiFunction) -> Self {
        Self::of_signature(&function.signature)
    }

    /// The flags of a method; the first parameter is the object.
    pub(super) fn of_signature(signature: &Signature) -> Self {
        let params = signature.params.iter().skip(1).map(|(name, ty)| FlagParam {
            name: name.clone(),
            ty: ty.clone(),
            docs: String::new(),
            // A switch that is not given is off.
            is_required: !matches!(ty, Type::Option(_) | Type::Bool),
            why: None,
            exclude: Vec::new(),
        });
        Self::new(format!("method `{}`", signature.name), params.collect())
    }

    fn new(what: String, params: Vec<FlagParam>) -> Self {
        let mut flags = Vec::new();
        for (index, param) in params.iter().enumerate() {
            match options_of(&param.ty) {
                Some(resource) => flags.extend(builder_flags(resource)),
                None => flags.push(Flag {
                    name: param.name.clone(),
                    ty: param.ty.clone(),
                    docs: param.docs.clone(),
                    is_required: param.is_required,
                    kind: FlagKind::Param,
                }),
            }
            if is_directory(&param.ty) {
                flags.extend(pattern_flags(&param.name, index));
            }
        }
        Self { what, flags, params, given: BTreeMap::new() }
    }

    /// Finds the flag of a name, in whatever case it is written.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        let name = values::kebab(name);
        let is_short = |flag: &Flag| {
            matches!(flag.kind, FlagKind::Builder(_)) && flag.name.strip_prefix("with-") == Some(name.as_str())
        };
        let exact = self.flags.iter().position(|flag| flag.name == name);
        exact.or_else(|| self.flags.iter().position(is_short))
    }

    /// Returns whether a flag stands alone.
    pub(super) fn is_switch(&self, flag: usize) -> bool {
        self.flags.get(flag).is_some_and(|flag| match &flag.ty {
            Type::Bool => true,
            Type::Option(inner) => **inner == Type::Bool,
            _ => false,
        })
    }

    /// Remembers what was given for a flag.
    pub(super) fn give(&mut self, flag: usize, text: String) {
        self.given.entry(flag).or_default().push(text);
    }

    /// Returns the error for a flag that is none.
    pub(super) fn unknown(&self, name: &str, usage: &str) -> Report {
        let known: Vec<String> = self.flags.iter().map(|flag| format!("--{}", flag.name)).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        Report::usage(format!("{} has no flag `--{name}`", self.what))
            .with_hint(match known.as_slice() {
                [] => "it takes no flags".to_owned(),
                known => suggestion(&format!("--{name}"), known, "it has"),
            })
            .with_usage(usage)
    }

    /// Returns the values of all parameters, in their order.
    pub(super) fn values(&self, places: &mut Places<'_>, wave: Option<Wave<'_>>, usage: &str) -> Result<Vec<Value>> {
        self.check_given(usage)?;
        let given = self.given_values(places, wave)?.into_iter().zip(&self.params);
        Ok(given
            .map(|(given, param)| match (given, &param.ty) {
                (Some(value), _) => value,
                (None, Type::Bool) => Value::Bool(false),
                (None, _) => Value::Option(None),
            })
            .collect())
    }

    /// Refuses what lacks a flag.
    pub(super) fn check_given(&self, usage: &str) -> Result<()> {
        let missing: Vec<String> = self.missing().map(|flag| format!("`--{}`", flag.name)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let report = Report::usage(format!("{} needs {}", self.what, missing.join(" and "))).with_usage(usage);
        let why = self.params.iter().find_map(|param| param.why.as_deref());
        Err(match (why, self.missing().find(|flag| !can_make(&flag.ty))) {
            (Some(why), _) => report.caused_by(why),
            (None, Some(flag)) => report.with_hint(cannot_make(flag)),
            (None, None) => report,
        })
    }

    /// Returns the values of the parameters that were given one, in the order of all.
    pub(super) fn given_values(&self, places: &mut Places<'_>, wave: Option<Wave<'_>>) -> Result<Vec<Option<Value>>> {
        let params = self.params.iter().enumerate();
        params.map(|(index, param)| self.param(index, param, places, wave)).collect()
    }

    fn missing(&self) -> impl Iterator<Item = &Flag> {
        self.flags
            .iter()
            .enumerate()
            .filter(|(n, flag)| flag.is_required && !self.given.contains_key(n))
            .map(|(_, f)| f)
    }

    fn param(
        &self,
        index: usize,
        param: &FlagParam,
        places: &mut Places<'_>,
        wave: Option<Wave<'_>>,
    ) -> Result<Option<Value>> {
        if let Some(resource) = options_of(&param.ty) {
            return self.options(resource, places).map(Some);
        }
        let flag = self.flags.iter().position(|flag| flag.kind == FlagKind::Param && flag.name == param.name);
        let Some(texts) = flag.and_then(|flag| self.given.get(&flag)) else { return Ok(None) };
        let patterns = Patterns {
            include: self.patterns(FlagKind::Include(index)),
            exclude: [param.exclude.clone(), self.patterns(FlagKind::Exclude(index))].concat(),
        };
        self.reader(&param.name, patterns, wave).read(&param.ty, texts, places).map(Some)
    }

    fn reader<'w>(&self, flag: &str, patterns: Patterns, wave: Option<Wave<'w>>) -> Reader<'w> {
        Reader { flag: flag.to_owned(), what: self.what.clone(), patterns, wave }
    }

    fn patterns(&self, kind: FlagKind) -> Vec<String> {
        let flag = self.flags.iter().position(|flag| flag.kind == kind);
        flag.and_then(|flag| self.given.get(&flag)).cloned().unwrap_or_default()
    }

    /// Makes options by calling their constructor, and the method of each flag that was given.
    fn options(&self, resource: &str, places: &mut Places<'_>) -> Result<Value> {
        let constructor = api_functions()
            .iter()
            .find(|function| function.resource.as_deref() == Some(resource) && function.name == "new");
        let constructor = constructor.ok_or_else(|| Report::bug(format!("`{resource}` has no constructor")))?;
        let mut options = make(constructor, Vec::new())?;
        let methods = api_methods_of(resource);
        for (n, flag) in self.flags.iter().enumerate() {
            let (FlagKind::Builder(method), Some(texts)) = (flag.kind, self.given.get(&n)) else { continue };
            let Some(method) = methods.get(method) else { continue };
            for args in builder_args(method, texts, &self.reader(&flag.name, Patterns::default(), None), places)? {
                options = make(method, [vec![options], args].concat())?;
            }
        }
        Ok(options)
    }
}

fn make(function: &ApiFunction, args: Vec<Value>) -> Result<Value> {
    make_named(&function.interface, &function.wit_name, args)
}

/// Calls a function that makes a value out of values.
pub(super) fn make_named(interface: &str, function: &str, args: Vec<Value>) -> Result<Value> {
    match api::find(interface, function) {
        Some(api::Function::Lazy(lazy)) => {
            lazy.call(&NoBridge, args).map_err(|error| Report::bug(format!("cannot call `{function}`: {error}")))
        }
        _ => Err(Report::bug(format!("`{function}` cannot be called here"))),
    }
}

/// Returns the arguments of each call of a method of options.
fn builder_args(
    method: &ApiFunction,
    texts: &[String],
    reader: &Reader<'_>,
    places: &mut Places<'_>,
) -> Result<Vec<Vec<Value>>> {
    match method.signature.params.get(1..).unwrap_or_default() {
        [] => Ok(if texts.iter().any(|text| text == "true") { vec![Vec::new()] } else { Vec::new() }),
        [(_, ty)] => Ok(vec![vec![reader.read(ty, texts, places)?]]),
        _ => texts.iter().map(|text| pair(text, reader)).collect(),
    }
}

fn pair(text: &str, reader: &Reader<'_>) -> Result<Vec<Value>> {
    match text.split_once('=') {
        Some((name, value)) => Ok(vec![name.to_owned().into(), value.to_owned().into()]),
        None => Err(reader.mismatch("NAME=VALUE", text, None)),
    }
}

/// Options are values: making them asks nothing of an engine.
struct NoBridge;

impl api::Bridge for NoBridge {
    fn backend(&self) -> &dyn backend::Backend {
        unreachable!("making options evaluates nothing")
    }

    fn start(&self, _object: api::Object) {}

    fn log(&self, _level: api::LogLevel, _message: &str) {}

    fn plaintext(&self, _name: &graph::SecretName) -> Result<String, backend::Failure> {
        Err(backend::Failure::bug("options have no secrets"))
    }

    fn export_target(&self, _path: &str) -> Result<std::path::PathBuf, backend::Failure> {
        Err(backend::Failure::bug("options are not exported"))
    }
}

/// Returns what to type for a flag, as in `--jobs NUMBER`.
pub(super) fn placeholder(flag: &Flag) -> String {
    match &flag.ty {
        Type::Bool => format!("--{}", flag.name),
        Type::Option(inner) if **inner == Type::Bool => format!("--{}", flag.name),
        ty => format!("--{} {}", flag.name, type_placeholder(ty)),
    }
}

/// Returns how a stage is called: its required flags, then the others in brackets.
pub(crate) fn stage_usage(graph: &StageGraph, stage: &Stage) -> String {
    usage(&format!("host call {}", stage.name), &FlagSet::of_stage(graph, stage, None))
}

/// Adds where the value of a parameter comes from without its flag.
fn with_source(docs: String, source: &Source, graph: &StageGraph) -> String {
    let from = match source {
        Source::Link(link) => format!("What `{}` makes, unless given.", super::stages::link_text(link, graph)),
        Source::Set(_) | Source::Default(_) => "The manifest has a value, unless given.".to_owned(),
        Source::Given(_) | Source::Omitted | Source::Missing(_) => return docs,
    };
    format!("{} {from}", docs.trim()).trim_start().to_owned()
}

/// Returns how something with these flags is called.
pub(super) fn usage(start: &str, set: &FlagSet) -> String {
    let mut words = vec![start.to_owned()];
    let params = || set.flags.iter().filter(|flag| flag.kind == FlagKind::Param);
    words.extend(params().filter(|flag| flag.is_required).map(placeholder));
    words.extend(params().filter(|flag| !flag.is_required).map(|flag| format!("[{}]", placeholder(flag))));
    if set.flags.iter().any(|flag| matches!(flag.kind, FlagKind::Builder(_))) {
        words.push("[OPTIONS]".to_owned());
    }
    words.join(" ")
}

fn cannot_make(flag: &Flag) -> String {
    cannot_make_type(&match &flag.ty {
        Type::Object(name) | Type::Other(name) => name.clone(),
        ty => ty.to_string(),
    })
}

fn builder_flags(resource: &str) -> Vec<Flag> {
    let flag = |(n, method): (usize, &&ApiFunction)| Flag {
        name: method.name.clone(),
        ty: match method.signature.params.get(1..).unwrap_or_default() {
            [] => Type::Bool,
            [(_, ty)] => ty.clone(),
            _ => Type::List(Box::new(Type::String)),
        },
        docs: method.docs.clone(),
        is_required: false,
        kind: FlagKind::Builder(n),
    };
    api_methods_of(resource).iter().enumerate().map(flag).collect()
}

fn pattern_flags(name: &str, index: usize) -> [Flag; 2] {
    let flag = |suffix: &str, docs: &str, kind| Flag {
        name: format!("{name}-{suffix}"),
        ty: Type::Option(Box::new(Type::List(Box::new(Type::String)))),
        docs: docs.to_owned(),
        is_required: false,
        kind,
    };
    [
        flag("include", "Takes only files that match this pattern; can be repeated.", FlagKind::Include(index)),
        flag("exclude", "Leaves out files that match this pattern; can be repeated.", FlagKind::Exclude(index)),
    ]
}
