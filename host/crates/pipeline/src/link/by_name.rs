//! Links by name: a parameter is fed by the stage that has its name and makes its type.

use api::Type;

use super::linker::Linker;
use crate::graph::{How, Link, Param, StageId};
use crate::library::{fits, made_by};

/// What the stage with the name of a parameter is to it.
pub(super) enum ByName {
    /// It makes the parameter's type.
    Fits(Link),
    /// It makes something else.
    WrongType(String),
    /// There is no such stage.
    Nothing,
}

impl Linker<'_> {
    /// Looks for a stage with the name of a parameter, other than the one that has it.
    pub(super) fn by_name(&self, id: StageId, param: &Param) -> ByName {
        let Some(&other) = self.names.get(&param.name).filter(|other| **other != id) else { return ByName::Nothing };
        let stage = &self.stages[other];
        // A parameter that may be left out means to be: only the manifest or a flag gives it a value.
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
