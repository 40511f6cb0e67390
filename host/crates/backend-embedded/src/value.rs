//! What a vertex evaluates to, in memory and in the result cache.

use std::sync::Arc;

use backend::ExecResult;
use graph::ContentDigest;
use serde::{Deserialize, Serialize};
use store::{LayerId, empty_tree};

/// The value of a vertex. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Value(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    outputs: Vec<Tree>,
    exec: Option<Arc<ExecResult>>,
    /// What a dry session did not evaluate; the outputs are then not known.
    planned: Option<Arc<str>>,
}

/// One output: a tree, and the layers that show it if it was made by a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tree {
    /// What it is.
    pub(crate) digest: ContentDigest,
    /// What shows it, lowest first, with the times that the command left. Empty if nothing was laid
    /// out yet, or if it is not known here.
    pub(crate) layers: Vec<LayerId>,
    /// Trees that are likely to be laid out and to differ little, likeliest first.
    #[serde(skip)]
    pub(crate) near: Vec<ContentDigest>,
}

/// The form in the result cache.
#[derive(Serialize, Deserialize)]
struct Stored {
    outputs: Vec<Tree>,
    exec: Option<ExecResult>,
}

impl Tree {
    /// A tree that nothing has laid out.
    pub(crate) fn of(digest: ContentDigest) -> Self {
        Self { digest, layers: Vec::new(), near: Vec::new() }
    }
}

impl Value {
    /// The value of anything but a command.
    pub(crate) fn tree(tree: Tree) -> Self {
        Self(Arc::new(Inner { outputs: vec![tree], exec: None, planned: None }))
    }

    /// The value of a command.
    pub(crate) fn exec(outputs: Vec<Tree>, exec: ExecResult) -> Self {
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

    /// Returns the same value with likely neighbours of its first output.
    pub(crate) fn near(self, near: Vec<ContentDigest>) -> Self {
        let mut outputs = self.0.outputs.clone();
        if let Some(tree) = outputs.first_mut() {
            tree.near = near;
        }
        Self(Arc::new(Inner { outputs, exec: self.0.exec.clone(), planned: self.0.planned.clone() }))
    }

    /// Returns an output. A vertex has as many as its operation says, so that another one is empty.
    pub(crate) fn output(&self, index: u32) -> Tree {
        let found = usize::try_from(index).ok().and_then(|index| self.0.outputs.get(index));
        found.cloned().unwrap_or_else(|| Tree::of(empty_tree()))
    }

    /// Returns what the command left besides files.
    pub(crate) fn exec_result(&self) -> Option<Arc<ExecResult>> {
        self.0.exec.clone()
    }

    /// Returns the trees that it names.
    pub(crate) fn trees(&self) -> Vec<ContentDigest> {
        self.0.outputs.iter().map(|tree| tree.digest).collect()
    }

    /// Returns the blobs that it names besides: what the command printed.
    pub(crate) fn blobs(&self) -> Vec<ContentDigest> {
        let exec = self.0.exec.as_ref();
        exec.map_or_else(Vec::new, |exec| vec![exec.stdout.digest, exec.stderr.digest, exec.combined.digest])
    }

    /// Writes it for the result cache.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let stored = Stored { outputs: self.0.outputs.clone(), exec: self.0.exec.as_deref().cloned() };
        // Postcard fails only on types that it cannot write, and these it can.
        postcard::to_stdvec(&stored).unwrap_or_default()
    }

    /// Writes several for the result cache, with their likely neighbours.
    pub(crate) fn encode_all(values: &[Self]) -> Vec<u8> {
        let near = |value: &Self| value.0.outputs.iter().map(|tree| tree.near.clone()).collect::<Vec<_>>();
        let stored = values.iter().map(|value| (value.encode(), near(value))).collect::<Vec<_>>();
        postcard::to_stdvec(&stored).unwrap_or_default()
    }

    /// Reads them back; none for bytes that are no values, which is a miss.
    pub(crate) fn decode_all(bytes: &[u8]) -> Option<Vec<Self>> {
        let stored: Vec<(Vec<u8>, Vec<Vec<ContentDigest>>)> = postcard::from_bytes(bytes).ok()?;
        let value = |(bytes, near): (Vec<u8>, Vec<Vec<ContentDigest>>)| {
            let Stored { mut outputs, exec } = postcard::from_bytes(&bytes).ok()?;
            outputs.iter_mut().zip(near).for_each(|(tree, near)| tree.near = near);
            Some(Self(Arc::new(Inner { outputs, exec: exec.map(Arc::new), planned: None })))
        };
        stored.into_iter().map(value).collect()
    }

    /// Reads it back; none for bytes that are no value, which is a miss.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let Stored { outputs, exec } = postcard::from_bytes(bytes).ok()?;
        Some(Self(Arc::new(Inner { outputs, exec: exec.map(Arc::new), planned: None })))
    }
}
