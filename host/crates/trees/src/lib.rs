//! What needs no command: sources, operations on trees, images, and reading.
//!
//! Every backend does these in the same way, over the store of this machine, so that a definition means the
//! same tree wherever its commands run. [`Trees`] belongs to one session.

pub mod failure;
pub mod images;
mod ops;
mod read;

use std::sync::Arc;

use backend::{EventSink, Failure, SessionIo};
use graph::{ContentDigest, Op, TreePath};
use store::Store;

use images::Images;

/// The trees of a session.
#[derive(Clone)]
pub struct Trees {
    store: Store,
    events: EventSink,
    images: Arc<Images>,
    is_dry: bool,
}

/// What an input of a vertex selects: a file or a directory in a tree.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The digest of the tree.
    pub tree: ContentDigest,
    /// Where in it.
    pub path: &'a TreePath,
}

impl Trees {
    /// Makes the trees of a session.
    #[must_use]
    pub fn new(store: Store, io: &SessionIo) -> Self {
        let (events, secrets) = (Arc::clone(&io.events), Arc::clone(&io.secrets));
        let images = Images::new(store.clone(), io.images.clone(), secrets, Arc::clone(&events));
        Self { store, events, images: Arc::new(images), is_dry: io.is_dry }
    }

    /// Returns the images of the session.
    #[must_use]
    pub fn images(&self) -> &Arc<Images> {
        &self.images
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
    /// The call blocks its thread.
    pub fn evaluate(&self, op: &Op, inputs: &[Input<'_>]) -> Result<ContentDigest, Failure> {
        ops::evaluate(self, op, inputs)
    }

    /// Refuses what reaches outside where the session is a dry one.
    ///
    /// # Errors
    /// `Planned`, with what would be done.
    pub fn check_outward(&self, what: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.is_dry { Err(Failure::planned(what())) } else { Ok(()) }
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
