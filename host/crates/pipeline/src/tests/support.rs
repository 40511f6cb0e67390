//! From text to a graph, and from a graph to text.

use std::fmt::Write;
use std::path::Path;

use api::{CacheVolume, Type, Value};
use expect_test::Expect;
use graph::Diagnostic;
use module::ModuleManifest;

use super::signatures::module;
use crate::draw::of_value;
use crate::{Input, Library, Link, LinkError, LiteralContext, Literals, Param, Source, StageBody, StageGraph};

/// Text as values: JSON, and for an object a volume whose key is the text.
pub(super) struct Texts;

impl Literals for Texts {
    fn value(&mut self, ty: &Type, literal: &serde_json::Value, context: &LiteralContext<'_>) -> Result<Value, String> {
        match (ty, literal) {
            (Type::Object(name), serde_json::Value::String(text)) => {
                let ignored: String = context.exclude.iter().map(|pattern| format!(" without {pattern}")).collect();
                Ok(Value::from(CacheVolume { key: format!("{name} {text}{ignored}") }))
            }
            (Type::Option(item), literal) => {
                self.value(item, literal, context).map(|value| Value::Option(Some(Box::new(value))))
            }
            (ty, literal) => api::json::value_with(ty, literal, module::suggestion),
        }
    }
}

/// Makes a library: the functions before a line `---` are the module's, those after it the dependency `lint`'s.
pub(super) fn library(functions: &str) -> Library {
    let (own, lint) = functions.split_once("---").unwrap_or((functions, ""));
    let own = Some(module(own)).filter(|own| !own.stages.is_empty() || !own.objects.is_empty());
    Library { own, dependencies: [("lint".to_owned(), module(lint))].into() }
}

/// Links functions by a manifest.
pub(crate) fn linked(functions: &str, manifest: &str) -> Result<StageGraph, LinkError> {
    let path = Path::new("host.toml");
    let head = "name = \"test\"\nversion = \"0.1.0\"\nlanguage = \"rust\"\ndependencies.lint = \"../lint\"\n";
    let manifest = ModuleManifest::parse(path, &format!("{head}{manifest}")).unwrap_or_else(|error| panic!("{error}"));
    StageGraph::new(&library(functions), Some((path, &manifest)), &mut Texts)
}

/// Compares all stages.
pub(super) fn check(functions: &str, manifest: &str, expect: &Expect) {
    expect.assert_eq(&match linked(functions, manifest) {
        Ok(graph) => shown(&graph),
        Err(error) => shown_error(&error),
    });
}

/// Compares the order of the stages that some stages need.
pub(super) fn check_order(functions: &str, manifest: &str, wanted: &[&str], expect: &Expect) {
    expect.assert_eq(&match linked(functions, manifest) {
        Ok(graph) => order(&graph, wanted),
        Err(error) => format!("while linking: {}", shown_error(&error)),
    });
}

pub(super) fn order(graph: &StageGraph, wanted: &[&str]) -> String {
    let wanted: Vec<_> = wanted.iter().map(|name| graph.find(name).unwrap()).collect();
    match graph.order(&wanted) {
        Ok(order) => order.iter().map(|id| graph.stage(*id).name.as_str()).collect::<Vec<_>>().join(" "),
        Err(error) => shown_error(&error),
    }
}

pub(super) fn shown_error(error: &LinkError) -> String {
    format!("{error}\nhint: {}", error.hint().unwrap_or_default())
}

fn shown(graph: &StageGraph) -> String {
    let mut out = String::new();
    for stage in graph.stages() {
        let params: Vec<String> = stage.params.iter().map(|param| of_param(graph, param)).collect();
        let work = match &stage.body {
            StageBody::Call { dependency: Some(alias), function } => {
                format!("{alias}.{function}({})", params.join(", "))
            }
            StageBody::Call { dependency: None, function } => format!("{function}({})", params.join(", ")),
            StageBody::From(link) => of_link(graph, link),
        };
        let result = stage.result.as_ref().map_or(String::new(), |ty| format!(" -> {ty}"));
        let _ = writeln!(out, "{} = {work}{result}", stage.name);
    }
    out
}

fn of_param(graph: &StageGraph, param: &Param) -> String {
    let source = match &param.source {
        Source::Given(value) => format!("= {} (given)", of(value)),
        Source::Set(value) => format!("= {}", of(value)),
        Source::Default(value) => format!("= {} (default)", of(value)),
        Source::Link(link) => of_link(graph, link),
        Source::List(items) => of_input(graph, &Input::List(items.clone())),
        Source::Omitted => "omitted".to_owned(),
        Source::Missing(None) => "missing".to_owned(),
        Source::Missing(Some(why)) => format!("missing ({why})"),
    };
    format!("{} {source}", param.name)
}

fn of(value: &Value) -> String {
    match value {
        Value::Object(api::Object::CacheVolume(volume)) => volume.key.clone(),
        Value::Option(Some(value)) => of(value),
        value => of_value(value),
    }
}

fn of_input(graph: &StageGraph, input: &Input) -> String {
    match input {
        Input::Value(value) => of(value),
        Input::Link(link) => of_link(graph, link),
        Input::Some(input) => format!("some {}", of_input(graph, input)),
        Input::List(items) => {
            format!("[{}]", items.iter().map(|item| of_input(graph, item)).collect::<Vec<_>>().join(", "))
        }
    }
}

fn of_link(graph: &StageGraph, link: &Link) -> String {
    let arrow = if link.how == crate::How::ByName { "<-" } else { "<=" };
    let steps = link.steps.iter().map(|step| {
        let name = match &step.method {
            crate::Method::Api(function) => function.wit_name.clone(),
            crate::Method::Custom { function, .. } => function.clone(),
        };
        format!(".{name}({})", step.args.iter().map(|arg| of_input(graph, arg)).collect::<Vec<_>>().join(", "))
    });
    format!("{arrow} {}{}", graph.stage(link.stage).name, steps.collect::<String>())
}
