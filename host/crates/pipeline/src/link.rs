//! From functions and a manifest to a graph of stages.

mod by_manifest;
mod by_name;
mod collect;
mod linker;

use std::collections::HashMap;
use std::path::Path;

use api::Type;
use module::{Argument, ModuleManifest, Position, Setting, StageEntry};

use crate::error::{LinkError, LinkProblem};
use crate::graph::{Input, Param, Source, StageGraph, StageId};
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
        let at = At { stage: &self.stages[id].name, param, position: setting.position, base: setting.base.as_deref() };
        match &setting.argument {
            Argument::From(expression) => self.by_manifest(&at.path(), &param.ty, expression).map(Source::Link),
            Argument::Literal(literal) => self.literal(&at, &param.ty, literal, literals).map(source),
            Argument::List(items) => self.items(&at, &param.ty, items, literals).map(Source::List),
        }
    }

    fn literal(
        &self,
        at: &At<'_>,
        ty: &Type,
        literal: &serde_json::Value,
        literals: &mut dyn Literals,
    ) -> Result<api::Value, LinkError> {
        let context =
            LiteralContext { stage: at.stage, param: &at.param.name, exclude: &at.param.exclude, base: at.base };
        literals.value(ty, literal, &context).map_err(|problem| self.wrong(at, problem))
    }

    /// Makes the items of a list, some of which other stages make.
    fn items(
        &self,
        at: &At<'_>,
        ty: &Type,
        items: &[Argument],
        literals: &mut dyn Literals,
    ) -> Result<Vec<Input>, LinkError> {
        let item = match ty {
            Type::List(item) => item,
            Type::Option(ty) => return self.items(at, ty, items, literals),
            _ => return Err(self.wrong(at, "this is a list".to_owned())),
        };
        let input = |argument: &Argument| match argument {
            Argument::From(expression) => self.input(&at.path(), item, expression),
            Argument::Literal(literal) => self.literal(at, item, literal, literals).map(Input::Value),
            Argument::List(items) => {
                let list = self.items(at, item, items, literals).map(Input::List)?;
                Ok(if matches!(**item, Type::Option(_)) { Input::Some(Box::new(list)) } else { list })
            }
        };
        items.iter().map(input).collect()
    }

    fn wrong(&self, at: &At<'_>, problem: String) -> LinkError {
        let (stage, param, ty) = (at.stage.to_owned(), at.param.name.clone(), at.param.ty.clone());
        self.error(at.position, LinkProblem::Literal { stage, param, ty, problem })
    }
}

/// A parameter that the manifest sets.
struct At<'a> {
    stage: &'a str,
    param: &'a Param,
    position: Position,
    base: Option<&'a Path>,
}

impl At<'_> {
    /// Returns the name of the parameter with its stage, as in `test.build`.
    fn path(&self) -> String {
        format!("{}.{}", self.stage, self.param.name)
    }
}

/// Finds the setting of a parameter.
fn setting_of<'s>(settings: &'s [Setting], param: &Param) -> Option<&'s Setting> {
    settings.iter().find(|setting| is_name_of(&setting.param, &param.name))
}
