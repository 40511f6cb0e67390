//! What a vertex evaluates to: trees of the store, in memory and in the result cache.

use std::sync::Arc;

use backend::ExecResult;
use graph::ContentDigest;
use serde::{Deserialize, Serialize};
use store::empty_tree;

/// The value of a vertex. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Value(Arc<Inner>);

#[derive(Debug, Serialize, Deserialize)]
struct Inner {
    outputs: Vec<ContentDigest>,
    exec: Option<Arc<ExecResult>>,
    /// What a dry session did not evaluate; the outputs are then not known.
    #[serde(skip)]
    planned: Option<Arc<str>>,
}

impl Value {
    /// The value of anything but a command.
    pub(crate) fn tree(tree: ContentDigest) -> Self {
        Self(Arc::new(Inner { outputs: vec![tree], exec: None, planned: None }))
    }

    /// The value of a command.
    pub(crate) fn exec(outputs: Vec<ContentDigest>, exec: ExecResult) -> Self {
        Self(Arc::new(Inner { outputs, exec: Some(Arc::new(exec)), planned: None }))
    }

    /// The value of what a dry session does not evaluate; of what needs `operation`, which it does not.
    pub(crate) fn planned(operation: Arc<str>) -> Self {
        Self(Arc::new(Inner { outputs: Vec::new(), exec: None, planned: Some(operation) }))
    }

    /// Returns what was not evaluated, if this is no value for that reason.
    pub(crate) fn not_evaluated(&self) -> Option<&Arc<str>> {
        self.0.planned.as_ref()
    }

    /// Returns an output. A vertex has as many as its operation says, so that another one is empty.
    pub(crate) fn output(&self, index: u32) -> ContentDigest {
        let found = usize::try_from(index).ok().and_then(|index| self.0.outputs.get(index));
        found.copied().unwrap_or_else(empty_tree)
    }

    /// Returns what the command left besides files.
    pub(crate) fn exec_result(&self) -> Option<Arc<ExecResult>> {
        self.0.exec.clone()
    }

    /// Returns the trees that it names.
    pub(crate) fn trees(&self) -> &[ContentDigest] {
        &self.0.outputs
    }

    /// Returns the blobs that it names besides: what the command printed.
    pub(crate) fn blobs(&self) -> Vec<ContentDigest> {
        let exec = self.0.exec.as_ref();
        exec.map_or_else(Vec::new, |exec| vec![exec.stdout.digest, exec.stderr.digest, exec.combined.digest])
    }

    /// Writes it for the result cache.
    pub(crate) fn encode(&self) -> Vec<u8> {
        // Postcard fails only on types that it cannot write, and these it can.
        postcard::to_stdvec(&*self.0).unwrap_or_default()
    }

    /// Reads it back; none for bytes that are no value, which is a miss.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        Some(Self(Arc::new(postcard::from_bytes(bytes).ok()?)))
    }
}
