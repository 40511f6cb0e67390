//! What needs no command: sources, operations on trees, images, and reading.
//!
//! Every backend does these in the same way, over the store of this machine, so that a definition means the
//! same tree wherever its commands run. [`Trees`] belongs to one session.

pub mod failure;
mod ops;
mod read;

use backend::{EventSink, Failure};
use graph::{ContentDigest, Op, TreePath};
use store::Store;

/// The trees of a session.
#[derive(Clone)]
pub struct Trees {
    store: Store,
    events: EventSink,
}

/// What an input of a vertex selects: a file or a directory in a tree.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The tree.
    pub tree: ContentDigest,
    /// Where in it.
    pub path: &'a TreePath,
}

impl Trees {
    /// Makes the trees of a session; warnings go to `events`.
    #[must_use]
    pub fn new(store: Store, events: EventSink) -> Self {
        Self { store, events }
    }

    /// Returns where everything is kept.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Evaluates what is no command: a source that is on this machine, or an operation on trees.
    ///
    /// # Errors
    /// What [`store`] says of the operation; `Bug` for a command or an image.
    ///
    /// Blocks.
    pub fn evaluate(&self, op: &Op, inputs: &[Input<'_>]) -> Result<ContentDigest, Failure> {
        ops::evaluate(self, op, inputs)
    }

    /// Runs something that blocks on a thread of its own.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let store = self.store.clone();
        let task = tokio::task::spawn_blocking(move || work(&store));
        task.await.unwrap_or_else(|error| Err(Failure::bug(format!("work on trees panicked: {error}"))))
    }
}
