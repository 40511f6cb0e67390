//! Images as files: the layout of the OCI, and the archives that `docker save` writes.
//!
//! [`find_image`] finds an image among [`Files`]: in a directory ([`crate::archive::DirectoryFiles`]), a
//! tar file ([`crate::archive::TarFiles`]), or a tree of a store. [`layout_files`] returns the files of an
//! image. They are an OCI layout and a Docker archive at the same time, so Docker, Podman and containerd
//! can load a tar file of them ([`crate::archive::write_tar`]).
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

/// Files that are found by their paths, which have no leading `/`.
pub trait Files {
    /// Opens a file.
    ///
    /// # Errors
    /// The kind is `NotFound` if the file does not exist.
    fn open(&self, path: &str) -> io::Result<Box<dyn Read + Send>>;

    /// Returns the size of a file in bytes.
    ///
    /// # Errors
    /// The kind is `NotFound` if the file does not exist.
    fn size(&self, path: &str) -> io::Result<u64>;

    /// Reads a small file.
    ///
    /// # Errors
    /// The kind is `NotFound` if the file does not exist, and `FileTooLarge` if it has more than 16
    /// MiB.
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open(path)?.take(MAX_DOCUMENT_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_DOCUMENT_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(bytes)
    }
}

/// The maximum size of a manifest, an index or a configuration. Registries allow 4 MiB.
const MAX_DOCUMENT_BYTES: u64 = 16 << 20;

/// An image among files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundImage {
    /// The digest of the image manifest.
    pub digest: Digest,
    /// The image manifest. For an archive of `docker save` it is computed, always in the same way.
    pub manifest: Manifest,
    /// The image manifest as it was read or computed.
    pub manifest_bytes: Vec<u8>,
    /// The configuration of the image.
    pub config: ConfigFile,
    /// The configuration as it was read.
    pub config_bytes: Vec<u8>,
    /// The layers, the lowest one first. Their digests have not been compared with their contents
    /// yet.
    pub layers: Vec<FoundLayer>,
}

/// A layer among files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundLayer {
    /// The expected media type, digest and size of the file.
    pub descriptor: Descriptor,
    /// The digest of the uncompressed tar file, from the configuration.
    pub diff_id: Digest,
    /// The path of the file.
    pub path: String,
}

/// Finds the image with a tag, or the only image. The manifest and the configuration are compared
/// with their digests.
///
/// # Errors
/// If the files contain no image, or no image or several images with that tag or for that platform,
/// or if a file is missing or does not have its digest.
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

/// Returns the path of the bytes with this digest in a layout.
#[must_use]
pub fn blob_path(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}
