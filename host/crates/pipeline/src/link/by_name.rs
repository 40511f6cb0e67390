//! Links by name: the stage that has the name of a parameter and makes its type feeds the parameter.

use api::Type;

use super::linker::Linker;
use crate::graph::{How, Link, Param, StageId};
use crate::library::{fits, made_by};

/// The result of looking for a stage with the name of a parameter.
pub(super) enum ByName {
    /// The stage makes the type of the parameter.
    Fits(Link),
    /// The stage makes another type. The text says which.
    WrongType(String),
    /// There is no stage with that name.
    Nothing,
}

impl Linker<'_> {
    /// Looks for another stage with the name of a parameter.
    pub(super) fn by_name(&self, id: StageId, param: &Param) -> ByName {
        let Some(&other) = self.names.get(&param.name).filter(|other| **other != id) else { return ByName::Nothing };
        let stage = &self.stages[other];
        // An optional parameter is not linked by name: only the manifest or a flag gives it a value.
        if matches!(param.ty, Type::Option(_)) {
            return ByName::Nothing;
        }
        if self.has_known_result[other] && !fits(stage.result.as_ref(), &param.ty) {
            let makes = made_by(stage.result.as_ref()).map_or("nothing".to_owned(), |ty| format!("`{ty}`"));
            let path = format!("{}.{} <- {}", self.stages[id].name, param.name, stage.name);
            return ByName::WrongType(format!("`{path}` does not fit: it makes {makes}, not `{}`", param.ty));
        }
        ByName::Fits(Link { stage: other, steps: Vec::new(), how: How::ByName })
    }
}
