//! From functions and a manifest to a graph of stages.

mod by_manifest;
mod by_name;
mod collect;
mod linker;

use std::collections::HashMap;
use std::path::Path;

use module::{Argument, ModuleManifest, Setting, StageEntry};

use crate::error::{LinkError, LinkProblem};
use crate::graph::{Param, Source, StageGraph, StageId};
use crate::library::{Library, LiteralContext, Literals, objects_by_type, omitted};
use by_name::ByName;
use linker::{Linker, is_name_of};

impl StageGraph {
    /// Links stages. `manifest` comes with its path, which errors show.
    ///
    /// # Errors
    /// Fails if the manifest names something that does not exist, or gives a value of a wrong type.
    pub fn new(
        library: &Library,
        manifest: Option<(&Path, &ModuleManifest)>,
        literals: &mut dyn Literals,
    ) -> Result<Self, LinkError> {
        link(library, manifest, literals)
    }
}

fn link(
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

impl Linker<'_> {
    /// Finds the source of each parameter of a stage.
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

    /// Returns the source of a parameter that the manifest does not set.
    fn unset(&self, id: StageId, param: &Param) -> Source {
        match (self.by_name(id, param), omitted(&param.ty)) {
            (ByName::Fits(link), _) => Source::Link(link),
            (_, Some(_)) => Source::Omitted,
            (ByName::Nothing, None) => Source::Missing(None),
            (ByName::WrongType(why), None) => Source::Missing(Some(why)),
        }
    }

    /// Returns the source of a parameter that the manifest sets.
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
                    self.error(setting.position, LinkProblem::Literal { stage, param, ty, problem })
                })
            }
        }
    }
}

/// Finds the setting of a parameter.
fn setting_of<'s>(settings: &'s [Setting], param: &Param) -> Option<&'s Setting> {
    settings.iter().find(|setting| is_name_of(&setting.param, &param.name))
}
