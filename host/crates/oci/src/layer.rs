//! Layers: tar files of changes, and the directories that they become.
//!
//! [`unpack()`] writes a layer as a directory in the format of overlayfs: what an overlay takes as one
//! of its layers. A name that the layer removes is a character device 0:0, and a directory that hides
//! what is below it has the attribute `user.overlay.opaque` set to `y`. [`LayerWriter`] is the way back:
//! the same entries always give the same bytes.
//!
//! Sources: OCI image-spec 1.1, `layer.md`; Linux, Documentation/filesystems/overlayfs.rst, "whiteouts
//! and opaque directories". Where the specification leaves a choice, containerd's `archive` package
//! decides, as images are made to suit it. What is different here:
//!
//! - A name with `..` in it is an error, and is not cut off at the root.
//! - Devices are left out and named, unless they are asked for; 0:0 is always left out, as it would
//!   be a removal that no `.wh.` says.
//! - Attributes other than `user.*` and `security.capability` are left out, `user.overlay.*` among them.

mod contents;
mod error;
mod hard_link;
mod name;
mod owned;
mod pack;
mod pipeline;
mod remove;
mod root;
mod tar;
mod unpack;

/// What archives of images share with layers.
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
pub use tar::TarError;
pub use unpack::unpack;

use crate::Digest;

/// What may not be exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Limits {
    /// Entries of the tar file.
    pub max_entries: u64,
    /// Bytes of a path.
    pub max_path_bytes: usize,
    /// Bytes of one name in a path.
    pub max_name_bytes: usize,
    /// Bytes of the uncompressed tar file, and bytes of all files, holes included.
    pub max_bytes: u64,
    /// How many times more there may be than was compressed.
    pub max_ratio: u64,
    /// Uncompressed bytes from which on the ratio counts.
    pub ratio_from_bytes: u64,
    /// Symbolic links that are followed to find the directory of one entry.
    pub max_links: usize,
    /// Bytes of the paths of all directories: they are kept in memory until the end.
    pub max_directory_bytes: u64,
}

impl Limits {
    /// Says whether a stream has become too large, or too much larger than what was compressed.
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
            // What the kernel takes, less the NUL at its end.
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

/// Finds what the layers below have at a path, which has no leading `/`; empty is the root. It returns
/// where that is on the disk, and none if there is nothing. It must not lead out of those layers by
/// symbolic links.
pub type Lower<'a> = &'a dyn Fn(&Path) -> Option<PathBuf>;

/// How a layer is unpacked.
#[derive(Clone, Copy, Default)]
pub struct UnpackOptions<'a> {
    /// What the uncompressed tar file has to be.
    pub diff_id: Option<Digest>,
    /// What may not be exceeded.
    pub limits: Limits,
    /// What the layers below have: directories that the layer does not mention but has files in keep
    /// the mode and owner that they have there, and hard links to files there become copies.
    pub lower: Option<Lower<'a>>,
    /// Whether devices are made; without privileges that fails.
    pub is_device_allowed: bool,
}

/// What was unpacked.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Unpacked {
    /// Of the uncompressed tar file.
    pub diff_id: Digest,
    /// How many entries it has.
    pub n_entries: u64,
    /// Bytes that were read.
    pub n_compressed: u64,
    /// Bytes of the tar file.
    pub n_uncompressed: u64,
    /// Whether the layer hides everything below it. An overlay cannot say that of its root: whoever
    /// puts layers together has to leave the lower ones out.
    pub is_opaque: bool,
    /// How many things could not be given to their owner: they belong to whoever unpacked.
    pub n_not_owned: u64,
    /// How many extended attributes were left out.
    pub n_xattrs_skipped: u64,
    /// How many entries were left out.
    pub n_skipped: u64,
    /// The first of them.
    pub skipped: Vec<Skipped>,
}

/// How many entries that were left out are named.
const MAX_SKIPPED: usize = 100;

/// An entry that was left out.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Skipped {
    /// Its name; what is not UTF-8 is escaped.
    pub name: String,
    /// Why.
    pub why: SkipReason,
}

/// Why an entry was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum SkipReason {
    /// A device.
    Device,
    /// A device that overlays take for a removal.
    WhiteoutDevice,
    /// A socket: it is nothing without the program that made it.
    Socket,
    /// The bookkeeping of an older file system, AUFS.
    Metadata,
    /// A type that is not known.
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
