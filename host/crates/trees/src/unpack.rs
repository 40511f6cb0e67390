//! From layers and other archives to trees of the store, without a directory in between.
//!
//! Files become blobs as they are read; what is at which path is kept until the end, when later entries of the archive
//! have replaced earlier ones. Nothing here is recursive: a path may be as deep as the limits of `oci::layer` let it be.

mod archive;
mod path;

use std::io::Read;

use engine::{Failure, FailureCode};
use graph::ContentDigest;
use oci::layer::{LayerError, Limits, ReadLayer};
use store::{Store, empty_tree};

pub use archive::Archive;

/// Why an archive could not be made a tree.
#[derive(Debug)]
pub enum UnpackError {
    /// It cannot be read, is damaged or exceeds a limit.
    Layer(LayerError),
    /// The store cannot be read or written.
    Store(Failure),
}

impl From<LayerError> for UnpackError {
    fn from(error: LayerError) -> Self {
        Self::Layer(error)
    }
}

impl From<Failure> for UnpackError {
    fn from(failure: Failure) -> Self {
        Self::Store(failure)
    }
}

/// Reads a layer, compressed or not, and lays it over the tree `below`. `diff_id` is the digest that the uncompressed
/// layer has to have. Blocks.
///
/// # Errors
/// If the layer is not what it should be, or the store cannot be written.
pub fn read_layer(
    store: &Store,
    below: ContentDigest,
    layer: impl Read + Send,
    diff_id: oci::Digest,
) -> Result<(ContentDigest, ReadLayer), UnpackError> {
    let limits = Limits::default();
    let mut archive = Archive::new(store, below, limits);
    let read = oci::layer::read(layer, diff_id, &limits, &mut archive)?;
    Ok((archive.put()?, read))
}

/// Reads a tar file that is no layer, and that is not compressed. Blocks.
///
/// There may be as many files in it as there are: it comes from a command whose own disk they were on, and not from
/// somewhere else as layers do. Their bytes are limited, as holes of files are zeros here. Sockets and devices are left
/// out, as they are in no tree.
///
/// # Errors
/// If the tar file is damaged or ends too early, its files have more bytes than the store's limits allow, or the store
/// cannot be written.
pub fn read_archive(store: &Store, tar: impl Read) -> Result<Archive<'_>, UnpackError> {
    let max_bytes = store.limits().max_bytes;
    let limits = Limits { max_entries: u64::MAX, max_bytes, max_directory_bytes: u64::MAX, ..Limits::default() };
    let mut archive = Archive::new(store, empty_tree(), limits);
    oci::layer::read_plain(tar, &limits, &mut archive).map_err(|error| match error {
        UnpackError::Layer(LayerError::Limit { at, .. }) => UnpackError::Store(Failure::Invalid {
            code: FailureCode::InvalidArgument,
            message: format!("files that a command left have more than {max_bytes} bytes, holes included, {at}"),
            hint: Some("let the command remove them, or raise the limit with `--max-bytes`".to_owned()),
        }),
        error => error,
    })?;
    Ok(archive)
}
