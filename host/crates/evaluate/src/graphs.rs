//! Values of whole graphs: an unchanged graph of many vertices costs one look-up.
//!
//! The values of a graph are decided by the definitions of its vertices, by the contents of the vertices that they read
//! from, and by the results in the store. The key has the first two. The store answers only as long as none of the results
//! can have changed.
//!
//! A graph is only found if it is the one that its roots had the last time. Otherwise its vertices are looked up one by
//! one, which notes their inputs: the next change is explained by a comparison with them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use engine::{Failure, Rules, SessionIo};
use graph::{CacheKey, DefinitionDigest, KeyHasher, Op, Reuse};
use serde::Serialize;
use serde::de::DeserializeOwned;
use solver::Graph;
use store::{Losses, NewResult, Store};

use crate::secrets::SecretHasher;
use crate::value::Value;

/// The graphs of a session.
pub(crate) struct Graphs {
    store: Store,
    /// The domain of the keys of what the runner makes.
    domain: &'static str,
    is_cache_used: bool,
    rules: Rules,
    is_dry: bool,
    secrets: Arc<SecretHasher>,
    /// The graphs that were not found, with what the store had lost when they were looked up.
    missed: Mutex<HashMap<CacheKey, Losses>>,
}

impl Graphs {
    /// Makes the graphs of a session.
    pub(crate) fn new(store: Store, io: &SessionIo, domain: &'static str, secrets: Arc<SecretHasher>) -> Self {
        let SessionIo { is_cache_used, rules, is_dry, .. } = *io;
        Self { store, domain, is_cache_used, rules, is_dry, secrets, missed: Mutex::default() }
    }

    /// Returns the values of the roots of a graph, if they are known.
    pub(crate) fn find<F>(&self, graph: &Graph<'_, Value<F>>) -> Option<Vec<Value<F>>>
    where
        F: Clone + Default + Serialize + DeserializeOwned,
    {
        if !self.is_reusable(graph) {
            return None;
        }
        // An error of the store or of a secret shows again when the vertices are looked up, and is told then.
        let key = self.key(graph).ok()?;
        let losses = self.store.losses().ok()?;
        let is_last = self.is_dry || self.store.last_key(roots(graph)).ok()? == Some(key);
        let found = if is_last { self.store.graph_value(key).ok()? } else { None };
        let found = found.and_then(|bytes| Value::decode_all(&bytes));
        let found = found.filter(|values| values.len() == graph.roots.len());
        if found.is_none() {
            self.missed.lock().unwrap_or_else(PoisonError::into_inner).insert(key, losses);
        }
        found
    }

    /// Records the values of the roots of a graph that was not found.
    pub(crate) fn record<F>(&self, graph: &Graph<'_, Value<F>>, values: &[Value<F>])
    where
        F: Clone + Default + Serialize + DeserializeOwned,
    {
        if self.is_dry || values.iter().any(|value| value.not_evaluated().is_some()) {
            return;
        }
        let Ok(key) = self.key(graph) else { return };
        let missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        let Some(losses) = missed else { return };
        let result = NewResult {
            key,
            value: &Value::encode_all(values),
            trees: &values.iter().flat_map(Value::trees).collect::<Vec<_>>(),
            blobs: &values.iter().flat_map(Value::blobs).collect::<Vec<_>>(),
        };
        // Without it the next run looks the vertices up one by one.
        if self.store.put_graph_value(&result, losses).is_ok() {
            let _ = self.store.note_history(roots(graph), key, &[], &[]);
        }
    }

    fn is_reusable<F: Clone + Default>(&self, graph: &Graph<'_, Value<F>>) -> bool {
        let is_never_reused = |op: &Op| matches!(op, Op::Exec(op) if op.reuse == Reuse::Never);
        self.is_cache_used
            && !graph.vertices.iter().any(|vertex| is_never_reused(vertex.op()))
            && graph.frontier.iter().all(|(_, value)| value.not_evaluated().is_none())
    }

    fn key<F: Clone + Default>(&self, graph: &Graph<'_, Value<F>>) -> Result<CacheKey, Failure> {
        let mut hasher = KeyHasher::new("graph/3");
        hasher.text(self.domain);
        // They are part of the key of every command.
        self.rules.hash_into(&mut hasher);
        hasher.list(graph.roots.iter(), |h, root| h.bytes(root.digest().as_bytes()));
        hasher.list(graph.frontier.iter(), |h, (vertex, value)| {
            h.bytes(vertex.digest().as_bytes());
            h.list(value.trees().iter(), |h, tree| h.bytes(tree.as_bytes()));
        });
        for vertex in graph.vertices {
            let Op::Exec(op) = vertex.op() else { continue };
            let secrets = self.secrets.parts(op)?;
            if !secrets.is_empty() {
                hasher.bytes(vertex.digest().as_bytes());
                secrets.hash_into(&mut hasher);
            }
        }
        Ok(hasher.cache_key())
    }
}

/// Returns the identity of the roots of a graph, under which the history of the store has its last key.
fn roots<V>(graph: &Graph<'_, V>) -> DefinitionDigest {
    let mut hasher = KeyHasher::new("graph-roots/1");
    hasher.list(graph.roots.iter(), |h, root| h.bytes(root.digest().as_bytes()));
    hasher.definition()
}
