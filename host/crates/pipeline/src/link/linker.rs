//! The state of linking.

use std::collections::HashMap;
use std::path::Path;

use api::{CustomType, ObjectType};
use module::{Place, StageEntry};

use crate::error::{LinkError, LinkProblem};
use crate::graph::{Stage, StageId};
use crate::library::Library;

/// What is known while stages are linked.
pub(super) struct Linker<'a> {
    /// The manifest's, for errors.
    pub(super) path: &'a Path,
    pub(super) library: &'a Library,
    pub(super) objects: HashMap<&'a CustomType, &'a ObjectType>,
    pub(super) stages: Vec<Stage>,
    /// What the manifest says of each stage.
    pub(super) entries: Vec<Option<&'a StageEntry>>,
    pub(super) names: HashMap<String, StageId>,
    /// Of each stage, whether its result has a type: what is only ever a part of itself has none.
    pub(super) has_known_result: Vec<bool>,
}

impl Linker<'_> {
    pub(super) fn error(&self, place: Place, problem: LinkProblem) -> LinkError {
        LinkError::Manifest { path: self.path.to_owned(), place, problem: Box::new(problem) }
    }
}

/// Returns whether what was written, in whatever case, is a name in kebab case.
pub(super) fn is_name_of(written: &str, name: &str) -> bool {
    written == name || api::json::kebab(written) == name
}
