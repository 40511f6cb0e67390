//! The flags of a stage or a method, made from its parameters.

use std::collections::BTreeMap;

use api::{Signature, Type, Value};
use module::{ApiFunction, ApiMethod, StageDocs, api_functions, api_methods_of};
use pipeline::{Param, Source, Stage, StageGraph};

use super::make::make;
use super::places::{Patterns, Places};
use super::reader::{Reader, Wave};
use super::shapes::{can_make, cannot_make_type, is_directory, options_of, type_placeholder};
use super::values;
use crate::args::{Noun, Subject};
use crate::report::{Report, Result};

/// A flag of a stage or a method.
#[derive(Debug)]
pub(super) struct Flag {
    /// The name in kebab case.
    pub(super) name: String,
    /// The type of its value.
    pub(super) ty: Type,
    /// What its author wrote about it.
    pub(super) docs: String,
    /// Where its value comes from if it is not given, if that is not obvious.
    pub(super) default: Option<String>,
    /// Whether it must be given.
    pub(super) is_required: bool,
    pub(super) kind: FlagKind,
}

/// The meaning of a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FlagKind {
    /// A parameter of the stage.
    Param,
    /// Patterns of files to take from the directory parameter at this position.
    Include(usize),
    /// Patterns of files to leave out of the directory parameter at this position.
    Exclude(usize),
    /// The method of the options at this position in their resource.
    Builder(usize),
}

/// The flags of a stage or a method, and the texts that were given for them.
pub(super) struct FlagSet {
    /// The name for messages, such as ``stage `build` ``.
    pub(super) what: String,
    pub(super) flags: Vec<Flag>,
    params: Vec<FlagParam>,
    given: BTreeMap<usize, Vec<String>>,
}

/// A parameter of a stage or a method.
struct FlagParam {
    name: String,
    ty: Type,
    docs: String,
    default: Option<String>,
    is_required: bool,
    /// The reason why the stage of its name does not feed it, if there is such a stage.
    why: Option<String>,
    /// Patterns of files that are always left out of a directory.
    exclude: Vec<String>,
}

impl FlagSet {
    /// Returns the flags of a stage. The graph knows the values of parameters whose flags are not given.
    pub(super) fn of_stage(graph: &StageGraph, stage: &Stage, docs: Option<&StageDocs>) -> Self {
        let docs_of = |name: &str| docs.and_then(|docs| docs.params.get(name)).cloned().unwrap_or_default();
        let params = stage.params.iter().map(|param| FlagParam {
            name: param.name.clone(),
            ty: param.ty.clone(),
            docs: docs_of(&param.name),
            default: default(param, graph).or_else(|| docs?.defaults.get(&param.name).cloned()),
            is_required: matches!(param.source, Source::Missing(_)),
            why: match &param.source {
                Source::Missing(why) => why.clone(),
                _ => None,
            },
            exclude: param.exclude.clone(),
        });
        Self::new(format!("stage `{}`", stage.name), params.collect())
    }

    /// Returns the flags of a method of `pipeline:api`, with those of its options.
    pub(super) fn of_method(method: ApiMethod) -> Self {
        Self::of_function(method.name(), &method.widest().signature)
    }

    /// Returns the function that these flags of a method are for, and the flags of that function: the options of the
    /// method are left out if none of them was given.
    pub(super) fn chosen(self, method: ApiMethod) -> (&'static ApiFunction, Self) {
        let is_option = |flag: &usize| matches!(self.flags.get(*flag), Some(Flag { kind: FlagKind::Builder(_), .. }));
        if method.twin.is_none() || self.given.keys().any(is_option) {
            return (method.widest(), self);
        }
        let mut plain = Self::of_function(method.name(), &method.plain.signature);
        for (flag, texts) in &self.given {
            let found = self.flags.get(*flag).and_then(|flag| plain.find(&flag.name));
            plain.given.extend(found.map(|flag| (flag, texts.clone())));
        }
        (method.plain, plain)
    }

    /// Returns the flags of a method. The first parameter is the object and has no flag.
    pub(super) fn of_signature(signature: &Signature) -> Self {
        Self::of_function(&signature.name, signature)
    }

    fn of_function(name: &str, signature: &Signature) -> Self {
        let params = signature.params.iter().skip(1).map(|(name, ty)| FlagParam {
            name: name.clone(),
            ty: ty.clone(),
            docs: String::new(),
            default: None,
            // A switch that is not given is off.
            is_required: !matches!(ty, Type::Option(_) | Type::Bool),
            why: None,
            exclude: Vec::new(),
        });
        Self::new(format!("method `{name}`"), params.collect())
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
                    default: param.default.clone(),
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

    /// Adds a text for a flag.
    pub(super) fn give(&mut self, flag: usize, text: String) {
        self.given.entry(flag).or_default().push(text);
    }

    /// Returns whether a flag was given.
    pub(super) fn is_given(&self, flag: usize) -> bool {
        self.given.contains_key(&flag)
    }

    /// Returns whether any flag was given.
    pub(super) fn is_any_given(&self) -> bool {
        !self.given.is_empty()
    }

    /// Returns the subject of messages about these flags.
    pub(super) fn subject(&self, usage: String) -> Subject {
        let known = self.flags.iter().map(|flag| format!("--{}", flag.name)).collect();
        Subject { what: self.what.clone(), noun: Noun::Flag, known, usage }
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

    /// Returns an error if a required flag is missing.
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

    /// Returns the value of each parameter; none for a parameter whose flag was not given.
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

/// Returns a flag with its placeholder, such as `--jobs NUMBER`.
pub(super) fn placeholder(flag: &Flag) -> String {
    match &flag.ty {
        Type::Bool => format!("--{}", flag.name),
        Type::Option(inner) if **inner == Type::Bool => format!("--{}", flag.name),
        ty => format!("--{} {}", flag.name, type_placeholder(ty)),
    }
}

/// Returns the usage of a stage: its required flags, then the others in brackets.
pub(crate) fn stage_usage(graph: &StageGraph, stage: &Stage) -> String {
    usage(&format!("host call {}", stage.name), &FlagSet::of_stage(graph, stage, None))
}

/// Returns where the value of a parameter comes from if its flag is not given.
fn default(param: &Param, graph: &StageGraph) -> Option<String> {
    match &param.source {
        Source::Link(_) | Source::List(_) => graph.feeding_text(param).map(|text| format!("the result of `{text}`")),
        Source::Set(_) | Source::Default(_) => Some(format!("set in `{}`", module::MANIFEST_NAME)),
        Source::Given(_) | Source::Omitted | Source::Missing(_) => None,
    }
}

/// Returns the usage of a stage or a method with these flags.
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
        default: None,
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
        default: None,
        is_required: false,
        kind,
    };
    [
        flag("include", "Takes only files that match this pattern; can be repeated.", FlagKind::Include(index)),
        flag("exclude", "Leaves out files that match this pattern; can be repeated.", FlagKind::Exclude(index)),
    ]
}
