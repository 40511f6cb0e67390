//! Linking: from functions and a manifest to a graph of stages.

mod by_manifest;
mod by_name;
mod collect;

use std::collections::HashMap;
use std::path::Path;

use api::{CustomType, ObjectType};
use module::{Argument, ModuleManifest, Place, Setting, StageEntry};

use crate::error::{LinkError, LinkProblem};
use crate::graph::{Param, Source, Stage, StageGraph, StageId};
use crate::library::{Library, LiteralContext, Literals, objects_by_type, omitted};
use by_name::ByName;

/// Links stages.
pub(crate) fn link(
    library: &Library,
    manifest: Option<(&Path, &ModuleManifest)>,
    literals: &mut dyn Literals,
) -> Result<StageGraph, LinkError> {
    let (path, entries) = match manifest {
        Some((path, manifest)) => (path, manifest.stages.as_slice()),
        None => (Path::new(module::MANIFEST_NAME), &[] as &[StageEntry]),
    };
    let mut linker = Linker {
        path,
        library,
        objects: objects_by_type(library),
        stages: Vec::new(),
        entries: Vec::new(),
        names: HashMap::new(),
        has_known_result: Vec::new(),
    };
    linker.collect(entries)?;
    linker.resolve_parts()?;
    for id in 0..linker.stages.len() {
        let sources = linker.sources(id, literals)?;
        for (param, source) in linker.stages[id].params.iter_mut().zip(sources) {
            param.source = source;
        }
    }
    Ok(StageGraph { stages: linker.stages, names: linker.names })
}

/// What is known while stages are linked.
struct Linker<'a> {
    /// The manifest's, for errors.
    path: &'a Path,
    library: &'a Library,
    objects: HashMap<&'a CustomType, &'a ObjectType>,
    stages: Vec<Stage>,
    /// What the manifest says of each stage.
    entries: Vec<Option<&'a StageEntry>>,
    names: HashMap<String, StageId>,
    /// Of each stage, whether its result has a type: what is only ever a part of itself has none.
    has_known_result: Vec<bool>,
}

impl Linker<'_> {
    /// Finds where the values of a stage's parameters come from.
    fn sources(&self, id: StageId, literals: &mut dyn Literals) -> Result<Vec<Source>, LinkError> {
        let stage = &self.stages[id];
        let Some(entry) = self.entries[id] else {
            return Ok(stage.params.iter().map(|param| self.unset(id, param)).collect());
        };
        self.check_names(stage, entry)?;
        stage.params.iter().map(|param| self.source(id, param, entry, literals)).collect()
    }

    fn source(
        &self,
        id: StageId,
        param: &Param,
        entry: &StageEntry,
        literals: &mut dyn Literals,
    ) -> Result<Source, LinkError> {
        if let Some(setting) = setting_of(&entry.args, param) {
            return self.set(id, param, setting, literals, Source::Set);
        }
        match (self.unset(id, param), setting_of(&entry.defaults, param)) {
            (Source::Omitted | Source::Missing(_), Some(default)) => {
                self.set(id, param, default, literals, Source::Default)
            }
            (source, _) => Ok(source),
        }
    }

    /// Returns the source of a parameter of which the manifest says nothing.
    fn unset(&self, id: StageId, param: &Param) -> Source {
        match (self.by_name(id, param), omitted(&param.ty)) {
            (ByName::Fits(link), _) => Source::Link(link),
            (_, Some(_)) => Source::Omitted,
            (ByName::Nothing, None) => Source::Missing(None),
            (ByName::WrongType(why), None) => Source::Missing(Some(why)),
        }
    }

    /// Takes what the manifest says of a parameter.
    fn set(
        &self,
        id: StageId,
        param: &Param,
        setting: &Setting,
        literals: &mut dyn Literals,
        source: fn(api::Value) -> Source,
    ) -> Result<Source, LinkError> {
        let stage = &self.stages[id].name;
        match &setting.argument {
            Argument::From(expression) => self.by_manifest(id, param, expression).map(Source::Link),
            Argument::Literal(literal) => {
                let context = LiteralContext { stage, param: &param.name, exclude: &param.exclude };
                literals.value(&param.ty, literal, &context).map(source).map_err(|problem| {
                    let (stage, param, ty) = (stage.clone(), param.name.clone(), param.ty.clone());
                    self.error(setting.place, LinkProblem::Literal { stage, param, ty, problem })
                })
            }
        }
    }

    fn error(&self, place: Place, problem: LinkProblem) -> LinkError {
        LinkError::Manifest { path: self.path.to_owned(), place, problem: Box::new(problem) }
    }
}

/// Finds what is said of a parameter.
fn setting_of<'s>(settings: &'s [Setting], param: &Param) -> Option<&'s Setting> {
    settings.iter().find(|setting| is_name_of(&setting.param, &param.name))
}

/// Returns whether what was written, in whatever case, is a name in kebab case.
fn is_name_of(written: &str, name: &str) -> bool {
    written == name || api::json::kebab(written) == name
}
