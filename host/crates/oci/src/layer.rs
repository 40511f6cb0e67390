//! Layers: tar files of changes, and the directories that they become.
//!
//! [`unpack()`] writes a layer as a directory in the format of overlayfs, so that an overlay can use it as
//! one of its layers. A name that the layer removes is a character device 0:0. A directory that hides
//! the layers below has the attribute `user.overlay.opaque` with the value `y`. [`LayerWriter`] does the
//! reverse; the same entries always give the same bytes. [`read()`] passes the entries one by one to a
//! [`Sink`], for a caller that keeps files in another form.
//!
//! Sources: OCI image-spec 1.1, `layer.md`; Linux, Documentation/filesystems/overlayfs.rst, "whiteouts
//! and opaque directories". Where the specification leaves a choice, this crate does what containerd's
//! package `archive` does, because images are made for it, with these differences:
//!
//! - A name with `..` is an error, and is not limited to the root.
//! - Device files are left out and reported, unless they are asked for. The device 0:0 is always left
//!   out, because an overlay would take it for a removal.
//! - Extended attributes other than `user.*` and `security.capability` are left out, and so is
//!   `user.overlay.*`.

mod contents;
mod error;
mod hard_link;
mod name;
mod owned;
mod pack;
mod pipeline;
mod read;
mod remove;
mod root;
mod tar;
mod unpack;
mod walk;

/// The part of a layer that archives of images use as well.
pub(crate) mod entry {
    pub(crate) use super::error::StreamError;
    pub(crate) use super::name::{clean, push, split};
    pub(crate) use super::tar::reader::ReadError;
    pub(crate) use super::tar::write::{NewEntry, data, end, header};
    pub(crate) use super::tar::{Kind, Source, TarReader};
}

use std::path::{Path, PathBuf};

pub use error::{EntryError, LayerError};
pub use name::escape;
pub use pack::{LayerWriter, Meta, PackError, Packed, SpecialFile};
pub use read::{ArchiveEntry, ArchiveKind, Contents, ReadLayer, Sink, read, read_plain};
pub use tar::TarError;
pub use unpack::unpack;

use crate::Digest;

/// The limits for unpacking a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Limits {
    /// The number of entries of the tar file.
    pub max_entries: u64,
    /// The bytes of a path.
    pub max_path_bytes: usize,
    /// The bytes of one component of a path.
    pub max_name_bytes: usize,
    /// The bytes of the uncompressed tar file, and also the bytes of all files, holes included.
    pub max_bytes: u64,
    /// The number of uncompressed bytes for each compressed byte.
    pub max_ratio: u64,
    /// The number of uncompressed bytes from which on the ratio is checked.
    pub ratio_from_bytes: u64,
    /// The number of symbolic links that are followed to find the directory of one entry.
    pub max_links: usize,
    /// The bytes of the paths of all directories, which are kept in memory until the end.
    pub max_directory_bytes: u64,
}

impl Limits {
    /// Returns an error if a stream has become too large, or too large for its compressed size.
    pub(crate) fn check_stream(&self, n_compressed: u64, n_uncompressed: u64) -> Result<(), error::StreamError> {
        if n_uncompressed > self.max_bytes {
            return Err(error::StreamError::TooLarge(self.max_bytes));
        }
        let allowed = n_compressed.saturating_mul(self.max_ratio).max(self.ratio_from_bytes);
        if n_uncompressed > allowed { Err(error::StreamError::Bomb(self.max_ratio)) } else { Ok(()) }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_entries: 2_000_000,
            // The kernel's limit without the NUL at the end.
            max_path_bytes: 4095,
            max_name_bytes: 255,
            max_bytes: 64 << 30,
            max_ratio: 1000,
            ratio_from_bytes: 1 << 30,
            max_links: 40,
            max_directory_bytes: 256 << 20,
        }
    }
}

/// Finds an entry of the layers below. The path has no leading `/`, and the empty path is the root.
/// The function returns the path of the entry on the disk, or `None` if there is no entry. It must
/// not follow symbolic links out of those layers.
pub type Lower<'a> = &'a dyn Fn(&Path) -> Option<PathBuf>;

/// Options for unpacking a layer.
#[derive(Clone, Copy, Default)]
pub struct UnpackOptions<'a> {
    /// The expected digest of the uncompressed tar file.
    pub diff_id: Option<Digest>,
    /// The limits that the layer must not exceed.
    pub limits: Limits,
    /// The layers below. A directory that has entries in this layer, and no entry of its own, keeps
    /// the mode and the owner that it has there. A hard link to a file there becomes a copy.
    pub lower: Option<Lower<'a>>,
    /// Whether device files are created, which needs privileges.
    pub is_device_allowed: bool,
}

/// The result of unpacking a layer.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Unpacked {
    /// The digest of the uncompressed tar file.
    pub diff_id: Digest,
    /// The number of entries.
    pub n_entries: u64,
    /// The number of bytes that were read.
    pub n_compressed: u64,
    /// The number of bytes of the tar file.
    pub n_uncompressed: u64,
    /// Whether the layer hides everything below it. An overlay cannot express this for its root, so
    /// the caller must leave out the lower layers.
    pub is_opaque: bool,
    /// The number of entries whose owner could not be set. They belong to the current user.
    pub n_not_owned: u64,
    /// The number of extended attributes that were left out.
    pub n_xattrs_skipped: u64,
    /// The number of entries that were left out.
    pub n_skipped: u64,
    /// The first entries that were left out.
    pub skipped: Vec<Skipped>,
}

/// The number of left-out entries that are recorded with their names.
const MAX_SKIPPED: usize = 100;

/// An entry that was left out.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Skipped {
    /// The name. Bytes that are not UTF-8 are escaped.
    pub name: String,
    /// The reason why it was left out.
    pub why: SkipReason,
}

/// The reason why an entry was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum SkipReason {
    /// The entry is a device file.
    Device,
    /// The entry is a device file that an overlay would take for a removal.
    WhiteoutDevice,
    /// The entry is a socket, which is useless without the process that made it.
    Socket,
    /// The entry is metadata of the old file system AUFS.
    Metadata,
    /// The type of the entry is unknown.
    UnknownType(u8),
}

impl std::fmt::Display for SkipReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Device => f.write_str("it is a device"),
            Self::WhiteoutDevice => f.write_str("it is the device 0:0, which overlays take for a removal"),
            Self::Socket => f.write_str("it is a socket"),
            Self::Metadata => f.write_str("it is metadata of AUFS"),
            Self::UnknownType(type_) => write!(f, "its type `{}` is not known", type_.escape_ascii()),
        }
    }
}
