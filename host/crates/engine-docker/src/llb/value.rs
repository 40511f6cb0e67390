//! What a vertex evaluates to: a tree of the store, or one that Docker has or can make.

use std::sync::Arc;

use graph::ContentDigest;
use store::empty_tree;

use super::definition::Out;
use super::step::Step;

/// The value of a vertex. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Value(Arc<Inner>);

struct Inner {
    outputs: Vec<Tree>,
    step: Option<Arc<Step>>,
    /// What a dry session did not evaluate; the outputs are then not known.
    planned: Option<Arc<str>>,
}

/// One output of a vertex.
#[derive(Clone)]
pub(crate) enum Tree {
    /// It is in the store.
    Local(ContentDigest),
    /// Docker has it, or makes it when it is asked for.
    Remote(Remote),
}

/// A tree of Docker.
#[derive(Clone)]
pub(crate) struct Remote {
    /// What has it.
    pub(crate) out: Out,
    /// The directory of `out` that it is; empty for all of it.
    pub(crate) sub: &'static str,
    /// Which of the directories that a step reports on is its root, if a step made it.
    pub(crate) root: Option<usize>,
}

impl Value {
    /// The value of anything but a command.
    pub(crate) fn tree(tree: Tree) -> Self {
        Self(Arc::new(Inner { outputs: vec![tree], step: None, planned: None }))
    }

    /// The value of a command that ran or will run.
    pub(crate) fn step(outputs: Vec<Tree>, step: Arc<Step>) -> Self {
        Self(Arc::new(Inner { outputs, step: Some(step), planned: None }))
    }

    /// The value of what a dry session does not evaluate; of what needs `operation`, which it does not.
    pub(crate) fn planned(operation: Arc<str>) -> Self {
        Self(Arc::new(Inner { outputs: Vec::new(), step: None, planned: Some(operation) }))
    }

    /// Returns what was not evaluated, if this is no value for that reason.
    pub(crate) fn not_evaluated(&self) -> Option<&Arc<str>> {
        self.0.planned.as_ref()
    }

    /// Returns an output. A vertex has as many as its operation says, so that another one is empty.
    pub(crate) fn output(&self, index: u32) -> Tree {
        let found = usize::try_from(index).ok().and_then(|index| self.0.outputs.get(index));
        found.cloned().unwrap_or_else(|| Tree::Local(empty_tree()))
    }

    /// Returns the command, if the vertex is one.
    pub(crate) fn command(&self) -> Option<&Arc<Step>> {
        self.0.step.as_ref()
    }
}
