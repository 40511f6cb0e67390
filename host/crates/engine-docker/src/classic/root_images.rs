//! Images of Docker that have the files of a root.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use engine::Failure;
use graph::ContentDigest;
use store::Store;

use crate::images::{TreeImages, archive};

/// The images that a session knows.
pub(crate) struct RootImages {
    uploads: TreeImages,
    /// The images that commands were committed to, by the trees that they left.
    left: Mutex<HashMap<ContentDigest, RootImage>>,
}

/// An image of Docker with the files of a tree.
#[derive(Debug, Clone)]
pub(crate) struct RootImage {
    /// Its name or id.
    pub(crate) reference: String,
    /// Mountpoints in it that are not in the tree.
    pub(crate) stubs: Vec<String>,
    /// How many commands left it, one over the other.
    pub(crate) depth: usize,
}

impl RootImages {
    /// Makes the images of a session, of which there is none yet.
    pub(crate) fn new(uploads: TreeImages) -> Self {
        Self { uploads, left: Mutex::default() }
    }

    /// Returns an image that has a tree. Uploads one if Docker has none.
    pub(crate) async fn get(&self, store: &Store, tree: ContentDigest) -> Result<RootImage, Failure> {
        if let Some(image) = self.left(tree) {
            return Ok(image);
        }
        self.uploads.ensure(store, tree).await?;
        Ok(RootImage { reference: archive::name_of(tree), stubs: Vec::new(), depth: 0 })
    }

    /// Returns the image that a command left, if it has this tree.
    pub(crate) fn left(&self, tree: ContentDigest) -> Option<RootImage> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).get(&tree).cloned()
    }

    /// Keeps the image that a command left.
    pub(crate) fn keep(&self, tree: ContentDigest, image: RootImage) {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).insert(tree, image);
    }
}
