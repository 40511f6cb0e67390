//! Values of whole graphs: an unchanged graph of many vertices costs one look-up.
//!
//! What the vertices of a graph give is decided by their definitions, by the contents of the vertices that
//! they read from, and by the results in the store. The key has the first two; the store answers only while
//! none of the results can have changed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use backend::Outcome;
use graph::{CacheKey, KeyHasher};
use solver::Graph;
use store::{Losses, NewResult};

use crate::engine::{Began, Engine, is_never_reused, reason_of_found};
use crate::value::Value;

/// The graphs that were not found, with what the store had lost when they were looked up.
#[derive(Default)]
pub(crate) struct MissedGraphs(Mutex<HashMap<CacheKey, Losses>>);

impl Engine {
    /// Returns the values of the roots of a graph, if they are known, and tells that all of it was found.
    pub(crate) fn find_graph(&self, graph: &Graph<'_, Value>) -> Option<Vec<Value>> {
        if !self.is_graph_reusable(graph) {
            return None;
        }
        let key = self.graph_key(graph);
        // An error of the store shows again when the vertices are looked up, and is told then.
        let losses = self.store.losses().ok()?;
        let found = self.store.graph_value(key).ok()?.and_then(|bytes| Value::decode_all(&bytes));
        let Some(values) = found.filter(|values| values.len() == graph.roots.len()) else {
            self.missed_graphs.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, losses);
            return None;
        };
        for vertex in graph.vertices {
            self.announce(vertex, Outcome::Cached, reason_of_found(vertex), Began::now());
        }
        Some(values)
    }

    /// Remembers the values of the roots of a graph that was not found.
    pub(crate) fn keep_graph(&self, graph: &Graph<'_, Value>, values: &[Value]) {
        if self.io.is_dry || values.iter().any(|value| value.not_evaluated().is_some()) {
            return;
        }
        let key = self.graph_key(graph);
        let missed = self.missed_graphs.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        let Some(losses) = missed else { return };
        let result = NewResult {
            key,
            value: &Value::encode_all(values),
            trees: &values.iter().flat_map(Value::trees).collect::<Vec<_>>(),
            blobs: &values.iter().flat_map(Value::blobs).collect::<Vec<_>>(),
        };
        // Without it the next run looks the vertices up one by one.
        let _ = self.store.put_graph_value(&result, losses);
    }

    fn is_graph_reusable(&self, graph: &Graph<'_, Value>) -> bool {
        self.io.is_cache_used
            && !graph.vertices.iter().any(|vertex| is_never_reused(vertex))
            && graph.frontier.iter().all(|(_, value)| value.not_evaluated().is_none())
    }

    fn graph_key(&self, graph: &Graph<'_, Value>) -> CacheKey {
        let mut hasher = KeyHasher::new("graph/1");
        // It is part of the key of every command.
        hasher.flag(self.io.is_network_allowed);
        hasher.list(graph.roots.iter(), |h, root| h.bytes(root.digest().as_bytes()));
        hasher.list(graph.frontier.iter(), |h, (vertex, value)| {
            h.bytes(vertex.digest().as_bytes());
            h.list(value.trees().iter(), |h, tree| h.bytes(tree.as_bytes()));
        });
        hasher.cache_key()
    }
}
