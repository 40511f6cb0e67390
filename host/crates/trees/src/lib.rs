//! Everything that needs no command: sources, operations on trees, images, and reading trees.
//!
//! Every engine does these in the same way, over the store of this machine, so that a definition means the same tree
//! wherever its commands run. [`Trees`] belongs to one session.

pub mod failure;
pub mod images;
mod ops;
mod read;
mod unpack;

use std::sync::Arc;

use engine::{EventSink, Failure, SessionIo};
use graph::{ContentDigest, Contents, Op, TreePath, Vertex};
use store::Store;

use images::Images;
pub use unpack::{Archive, UnpackError, read_archive, read_layer};

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

    /// Keeps the contents of a file in the store.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn keep(&self, contents: &[u8]) -> Result<Contents, Failure> {
        let digest = self.store.put_blob(contents).map_err(Failure::of)?;
        Ok(Contents::Stored { digest, size_bytes: contents.len() as u64 })
    }

    /// Fetches what [`Trees::operate`] needs from elsewhere. Nothing is needed unless an image is packed.
    ///
    /// # Errors
    /// If a layer of the image that is packed over cannot be fetched.
    pub async fn prepare(&self, vertex: &Vertex) -> Result<(), Failure> {
        match vertex.op() {
            Op::Pack(_) => self.prepare_pack(vertex.inputs()).await,
            _ => Ok(()),
        }
    }

    /// Evaluates a vertex that is neither a command nor an image: a source that is on this machine, an operation on
    /// trees, or the packing of an image. `inputs` are the trees that its inputs evaluated to. Blocks.
    ///
    /// # Errors
    /// If the operation cannot be done on these trees; `Bug` for a command or an image.
    pub fn operate(&self, vertex: &Vertex, inputs: &[ContentDigest]) -> Result<ContentDigest, Failure> {
        let selected = vertex.inputs().iter().zip(inputs);
        let selected: Vec<Input<'_>> = selected.map(|(input, tree)| Input { tree: *tree, path: &input.path }).collect();
        match vertex.op() {
            Op::Pack(op) => self.pack(op, vertex.inputs(), &selected),
            op => ops::evaluate(self, op, &selected),
        }
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
        let task = tokio::task::spawn_blocking(move || {
            let done = work(&store);
            // A walk that stopped because the run was cancelled says so in an error of its own.
            if done.is_err() && store.is_cancelled() { Err(Failure::Cancelled) } else { done }
        });
        task.await.unwrap_or_else(|error| Err(Failure::bug(format!("work on trees panicked: {error}"))))
    }
}
