//! What a vertex evaluates to, in memory and in the result cache.

use std::fmt;
use std::sync::Arc;

use engine::ExecResult;
use graph::ContentDigest;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::empty_tree;

/// A tree of the store, with what the runner knows of it besides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tree<F> {
    /// The digest of the tree.
    pub digest: ContentDigest,
    /// What the runner knows of it; the default if that is nothing.
    pub form: F,
    /// Trees that are likely to be laid out and to differ little from this one, the likeliest first.
    #[serde(skip)]
    pub near: Vec<ContentDigest>,
}

impl<F: Default> Tree<F> {
    /// Makes a tree of which the runner knows nothing yet.
    #[must_use]
    pub fn of(digest: ContentDigest) -> Self {
        Self { digest, form: F::default(), near: Vec::new() }
    }
}

/// The value of a vertex. Cheap to clone.
pub(crate) struct Value<F>(Arc<Inner<F>>);

impl<F> Clone for Value<F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<F: fmt::Debug> fmt::Debug for Value<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(Debug)]
struct Inner<F> {
    outputs: Vec<Tree<F>>,
    exec: Option<Arc<ExecResult>>,
    /// The operation that a dry session did not evaluate. The outputs are not known then.
    planned: Option<Arc<str>>,
}

/// The form in the result cache.
#[derive(Serialize, Deserialize)]
struct Stored<F> {
    outputs: Vec<Tree<F>>,
    exec: Option<ExecResult>,
}

impl<F: Clone + Default> Value<F> {
    /// Makes the value of anything but a command.
    pub(crate) fn tree(tree: Tree<F>) -> Self {
        Self(Arc::new(Inner { outputs: vec![tree], exec: None, planned: None }))
    }

    /// Makes the value of a command.
    pub(crate) fn exec(outputs: Vec<Tree<F>>, exec: ExecResult) -> Self {
        Self(Arc::new(Inner { outputs, exec: Some(Arc::new(exec)), planned: None }))
    }

    /// Makes the value of a vertex that a dry session does not evaluate because of `operation`.
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
    pub(crate) fn output(&self, index: u32) -> Tree<F> {
        self.output_ref(index).cloned().unwrap_or_else(|| Tree::of(empty_tree()))
    }

    /// Returns the digest of an output.
    pub(crate) fn digest(&self, index: u32) -> ContentDigest {
        self.output_ref(index).map_or_else(empty_tree, |tree| tree.digest)
    }

    fn output_ref(&self, index: u32) -> Option<&Tree<F>> {
        usize::try_from(index).ok().and_then(|index| self.0.outputs.get(index))
    }

    /// Returns what the command left besides files.
    pub(crate) fn exec_result(&self) -> Option<Arc<ExecResult>> {
        self.0.exec.clone()
    }

    /// Returns the trees that it names.
    pub(crate) fn trees(&self) -> Vec<ContentDigest> {
        self.0.outputs.iter().map(|tree| tree.digest).collect()
    }

    /// Returns the blobs that it names: what the command printed.
    pub(crate) fn blobs(&self) -> Vec<ContentDigest> {
        let exec = self.0.exec.as_ref();
        exec.map_or_else(Vec::new, |exec| vec![exec.stdout.digest, exec.stderr.digest, exec.combined.digest])
    }
}

impl<F: Clone + Default + Serialize + DeserializeOwned> Value<F> {
    /// Writes it for the result cache, with what the runner knows.
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
            let Stored { mut outputs, exec } = postcard::from_bytes::<Stored<F>>(&bytes).ok()?;
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

    /// Writes the tree alone, as every runner can read it.
    pub(crate) fn encode_shared(&self) -> Vec<u8> {
        self.digest(0).as_bytes().to_vec()
    }

    /// Reads a tree back; none for bytes that are no tree.
    pub(crate) fn decode_shared(bytes: &[u8]) -> Option<Self> {
        Some(Self::tree(Tree::of(ContentDigest::from_bytes(bytes.try_into().ok()?))))
    }
}
