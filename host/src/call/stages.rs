//! Links the stages of a module as its manifest and its types say.

use std::path::{Path, PathBuf};

use api::{Container, Directory, File, Type, Value};
use engine::FailureCode;
use graph::{Diagnostic as _, FailOp, Op, Selection};
use module::{ModuleDirectory, suggestion};
use pipeline::{Input, Library, LinkError, LiteralContext, Literals, Source, StageGraph, StageId};
use serde_json::Value as Json;

use super::places::{self, Patterns, Places};
use crate::report::{Report, Result};

/// Linked stages. A value of the manifest that cannot be made fails the stages that need it and no others.
pub(crate) struct Linked {
    pub(crate) graph: StageGraph,
    problems: Vec<Problem>,
}

/// A value of the manifest that cannot be made.
struct Problem {
    stage: String,
    param: String,
    report: Report,
}

/// Links the stages of a module.
pub(crate) fn link(library: &Library, directory: Option<&ModuleDirectory>, places: &mut Places<'_>) -> Result<Linked> {
    let path = directory.map(|directory| directory.root.join(module::MANIFEST_NAME));
    let manifest = path.as_deref().zip(directory.map(|directory| &directory.manifest));
    let root = directory.map(|directory| directory.root.clone());
    let mut literals = ManifestLiterals { places, root, problems: Vec::new() };
    let graph = StageGraph::new(library, manifest, &mut literals)?;
    Ok(Linked { graph, problems: literals.problems })
}

impl Linked {
    /// Returns what stages need and these themselves, what feeds the others first.
    ///
    /// # Errors
    /// If one of them lacks a value, or has one that cannot be made.
    pub(crate) fn order(&self, wanted: &[StageId]) -> Result<Vec<StageId>> {
        let order = self.graph.order(wanted).map_err(unordered)?;
        self.unmade(&order).map_or(Ok(order), |(_, report)| Err(report))
    }

    /// Returns the first of these stages to which the manifest gives a value that cannot be made, with the reason.
    pub(crate) fn unmade(&self, stages: &[StageId]) -> Option<(StageId, Report)> {
        self.problems.iter().find_map(|Problem { stage, param, report }| {
            let id = self.graph.find(stage).filter(|id| stages.contains(id))?;
            let is_used = |of: &pipeline::Param| {
                of.name == *param && matches!(of.source, Source::Set(_) | Source::Default(_) | Source::List(_))
            };
            let is_used = self.graph.stage(id).params.iter().any(is_used);
            let what = format!("stage `{stage}` cannot use the `{param}` that the manifest gives it");
            is_used.then(|| (id, report.clone().context(what)))
        })
    }
}

/// A missing argument is wrong usage; every other error is one of the module.
fn unordered(error: LinkError) -> Report {
    match &error {
        LinkError::Missing { .. } => error.hint().into_iter().fold(Report::usage(error.to_string()), Report::with_hint),
        _ => error.into(),
    }
}

/// Makes values from the texts of a manifest.
struct ManifestLiterals<'p, 'a> {
    places: &'p mut Places<'a>,
    root: Option<PathBuf>,
    problems: Vec<Problem>,
}

impl Literals for ManifestLiterals<'_, '_> {
    fn value(&mut self, ty: &Type, literal: &Json, context: &LiteralContext<'_>) -> std::result::Result<Value, String> {
        match (ty, literal) {
            (Type::Option(item), literal) => Ok(Value::Option(Some(Box::new(self.value(item, literal, context)?)))),
            (Type::List(item), Json::Array(items)) if !api::json::is_plain(item) => items
                .iter()
                .map(|literal| self.value(item, literal, context))
                .collect::<std::result::Result<_, _>>()
                .map(Value::List),
            (Type::Object(object), Json::String(text)) => self.object(object, text, context),
            (ty, literal) => api::json::value_with(ty, literal, suggestion),
        }
    }
}

impl ManifestLiterals<'_, '_> {
    /// Makes an object. If it cannot be made, the problem is kept for the stages that need it.
    fn object(&mut self, object: &str, text: &str, context: &LiteralContext<'_>) -> std::result::Result<Value, String> {
        let root = context.base.map(Path::to_owned).or_else(|| self.root.clone()).unwrap_or_default();
        let patterns = Patterns { include: Vec::new(), exclude: context.exclude.to_vec() };
        let made = self.places.within(&root, |places| match object {
            "directory" => Some(places.directory(text, &patterns)),
            "file" => Some(places.file(text)),
            "container" => Some(super::images::container(places, text)),
            "secret" => Some(places.secret(context.param, text)),
            "cache-volume" => Some(Ok(places::cache_volume(text))),
            _ => None,
        });
        let made = made.ok_or_else(|| format!("a {object} cannot be written in a manifest"))?;
        made.or_else(|report| {
            let placeholder = failing(object, report.message());
            let (stage, param) = (context.stage.to_owned(), context.param.to_owned());
            self.problems.push(Problem { stage, param, report });
            Ok(placeholder)
        })
    }
}

/// Makes an object whose evaluation fails.
fn failing(object: &str, message: &str) -> Value {
    let selection = || {
        let fail = FailOp { code: "not-found".to_owned(), message: message.to_owned() };
        Selection::of(Op::Fail(fail), Vec::new())
    };
    match object {
        "directory" => Directory::at(selection()).into(),
        "file" => File::at(selection()).into(),
        "secret" => api::Secret { name: graph::SecretName("missing".to_owned()) }.into(),
        _ => Container::default().with_error(FailureCode::NotFound, message).into(),
    }
}

/// A path of this machine that a stage is given.
pub(crate) struct LocalSource {
    /// A directory or a file.
    pub(crate) path: PathBuf,
    /// Patterns of the files of a directory that are taken; all files if there are none.
    pub(crate) include: Vec<String>,
    /// Patterns of files that are left out.
    pub(crate) exclude: Vec<String>,
}

/// Returns the paths of this machine that a stage is given.
pub(crate) fn local_sources(graph: &StageGraph, id: StageId) -> Vec<LocalSource> {
    let mut sources = Vec::new();
    for param in &graph.stage(id).params {
        match &param.source {
            Source::Given(value) | Source::Set(value) | Source::Default(value) => collect(value, &mut sources),
            Source::List(items) => items.iter().for_each(|item| collect_input(item, &mut sources)),
            Source::Link(_) | Source::Omitted | Source::Missing(_) => {}
        }
    }
    sources
}

fn collect_input(input: &Input, sources: &mut Vec<LocalSource>) {
    match input {
        Input::Value(value) => collect(value, sources),
        Input::Some(input) => collect_input(input, sources),
        Input::List(items) => items.iter().for_each(|item| collect_input(item, sources)),
        // Those of the stages that make it are theirs.
        Input::Link(_) => {}
    }
}

fn collect(value: &Value, sources: &mut Vec<LocalSource>) {
    let local = |selection: &Selection| match selection.edge.vertex.op() {
        Op::Source(graph::SourceOp::Local { path, include, exclude }) => {
            Some(LocalSource { path: Path::new(path).to_owned(), include: include.clone(), exclude: exclude.clone() })
        }
        _ => None,
    };
    match value {
        Value::Object(api::Object::Directory(directory)) => sources.extend(local(&directory.selection)),
        Value::Object(api::Object::File(file)) => sources.extend(local(&file.selection)),
        Value::Option(Some(value)) => collect(value, sources),
        Value::List(items) => items.iter().for_each(|item| collect(item, sources)),
        _ => {}
    }
}
