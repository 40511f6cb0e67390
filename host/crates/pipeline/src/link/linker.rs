//! The state of linking.

use std::collections::HashMap;
use std::path::Path;

use api::{CustomType, ObjectType};
use module::{Position, StageEntry};

use crate::error::{LinkError, LinkProblem};
use crate::graph::{Stage, StageId};
use crate::library::Library;

/// The state of linking.
pub(super) struct Linker<'a> {
    /// The path of the manifest, for errors.
    pub(super) path: &'a Path,
    pub(super) library: &'a Library,
    pub(super) objects: HashMap<&'a CustomType, &'a ObjectType>,
    pub(super) stages: Vec<Stage>,
    /// The entry of each stage in the manifest.
    pub(super) entries: Vec<Option<&'a StageEntry>>,
    pub(super) names: HashMap<String, StageId>,
    /// Whether the result of each stage has a type. A stage that is only ever a part of itself has none.
    pub(super) has_known_result: Vec<bool>,
}

impl Linker<'_> {
    pub(super) fn error(&self, position: Position, problem: LinkProblem) -> LinkError {
        LinkError::Manifest { path: self.path.to_owned(), position, problem: Box::new(problem) }
    }
}

/// Returns whether a name in any case is the same as a name in kebab case.
pub(super) fn is_name_of(written: &str, name: &str) -> bool {
    written == name || api::json::kebab(written) == name
}
