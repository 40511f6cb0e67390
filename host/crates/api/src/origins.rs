//! The origins of commands: the functions that asked for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use graph::DefinitionDigest;

/// Keeps the function that asked for each command first, as in `shop.build`.
#[derive(Debug, Default)]
pub struct Origins {
    by_vertex: Mutex<HashMap<DefinitionDigest, Arc<str>>>,
}

impl Origins {
    /// Notes the function that asked for a vertex, unless another function did so before.
    pub fn note(&self, vertex: DefinitionDigest, function: &Arc<str>) {
        let mut by_vertex = self.by_vertex.lock().unwrap_or_else(PoisonError::into_inner);
        by_vertex.entry(vertex).or_insert_with(|| Arc::clone(function));
    }

    /// Returns the function that asked for a vertex first, if it was noted.
    #[must_use]
    pub fn of(&self, vertex: DefinitionDigest) -> Option<Arc<str>> {
        self.by_vertex.lock().unwrap_or_else(PoisonError::into_inner).get(&vertex).cloned()
    }
}
