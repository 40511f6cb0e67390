//! Images as files: the layout of the OCI, and what `docker save` writes.
//!
//! [`find_image`] finds one image among some [`Files`], wherever those are: a directory
//! ([`crate::archive::DirectoryFiles`]), a tar file ([`crate::archive::TarFiles`]), or a tree of a store.
//! [`layout_files`] says which files an image is; they are both kinds of image at once, so that the tar
//! file of them ([`crate::archive::write_tar`]) can be loaded by any Docker, Podman or containerd.
//!
//! Sources: OCI image-spec 1.1, `image-layout.md`; Docker image specification 1.2, "Combined Image JSON +
//! Filesystem Changeset Format"; containerd, `images/annotations.go`.

mod docker;
mod error;
mod find;
mod write;

use std::io::{self, Read};

use graph::Platform;

pub use error::LayoutError;
pub use write::{ImageFiles, LayoutContents, LayoutFile, layout_files};

use crate::Digest;
use crate::image::{ConfigFile, Descriptor, Manifest};

/// Some files by their paths, which have no leading `/`.
pub trait Files {
    /// Opens a file.
    ///
    /// # Errors
    /// Of kind `NotFound` if there is none.
    fn open(&self, path: &str) -> io::Result<Box<dyn Read + Send>>;

    /// Returns how many bytes a file has.
    ///
    /// # Errors
    /// Of kind `NotFound` if there is none.
    fn size(&self, path: &str) -> io::Result<u64>;

    /// Reads a small file.
    ///
    /// # Errors
    /// Of kind `NotFound` if there is none, of kind `FileTooLarge` if it has more than 16 MiB.
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open(path)?.take(MAX_DOCUMENT_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_DOCUMENT_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(bytes)
    }
}

/// The most bytes of a manifest, an index or a configuration. Registries allow 4 MiB.
const MAX_DOCUMENT_BYTES: u64 = 16 << 20;

/// An image among files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundImage {
    /// Of the manifest.
    pub digest: Digest,
    /// What it consists of. For an archive of `docker save` it is made here, always in the same way.
    pub manifest: Manifest,
    /// As it was read, or made.
    pub manifest_bytes: Vec<u8>,
    /// What it runs like.
    pub config: ConfigFile,
    /// As it was read.
    pub config_bytes: Vec<u8>,
    /// Lowest first. Their digests are yet to be compared with what is read.
    pub layers: Vec<FoundLayer>,
}

/// A layer among files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundLayer {
    /// What the file has to be.
    pub descriptor: Descriptor,
    /// Of the uncompressed tar file, by the configuration.
    pub diff_id: Digest,
    /// The file.
    pub path: String,
}

/// Finds the image with a tag, or the only one there is. Manifest and configuration are compared with
/// their digests.
///
/// # Errors
/// If the files are no image, have no image or several with that tag or for that platform, or if
/// something is missing or not what its digest says.
pub fn find_image(files: &dyn Files, tag: Option<&str>, platform: &Platform) -> Result<FoundImage, LayoutError> {
    match files.read("index.json") {
        Ok(bytes) => find::find(files, &bytes, tag, platform),
        Err(error) if error.kind() == io::ErrorKind::NotFound => match files.read("manifest.json") {
            Ok(bytes) => docker::find(files, &bytes, tag, platform),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(LayoutError::NoImage),
            Err(source) => Err(LayoutError::Read { path: "manifest.json".to_owned(), source }),
        },
        Err(source) => Err(LayoutError::Read { path: "index.json".to_owned(), source }),
    }
}

/// Returns where a layout has the bytes of a digest.
#[must_use]
pub fn blob_path(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}
