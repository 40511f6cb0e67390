//! The tar format: headers, their extensions, and a reader of streams.
//!
//! Sources: POSIX.1-2017, `pax`, "ustar Interchange Format" and "pax Interchange Format"; GNU tar
//! 1.35, "Basic Tar Format" and "Storing Sparse Files". Where they leave a choice, Go's
//! `archive/tar` decides, as that is what containerd and Docker read layers with.

pub(crate) mod header;
pub(crate) mod pax;
pub(crate) mod reader;
pub(crate) mod sparse;
pub(crate) mod write;

pub(crate) use reader::{Source, TarReader};

/// The size of a block in a tar file.
pub(crate) const BLOCK_BYTES: usize = 512;

/// A mistake in a tar file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TarError {
    /// A header has a wrong checksum, or there is no header.
    #[error("there is no tar header at byte {offset}: the checksum is wrong")]
    Checksum {
        /// The offset in the uncompressed file.
        offset: u64,
    },
    /// The file ends within an entry.
    #[error("the tar file ends too early, at byte {offset}")]
    Truncated {
        /// The offset in the uncompressed file.
        offset: u64,
    },
    /// A field is not a valid number.
    #[error("the {field} in a header is not a valid number")]
    Number {
        /// The name of the field, such as "size".
        field: &'static str,
    },
    /// An extended header is not valid.
    #[error("an extended header is damaged: {0}")]
    Extended(&'static str),
    /// A name or an extended header exceeds the maximum size.
    #[error("an extended header has {size} bytes; at most {max} are read")]
    LongExtended {
        /// The size in bytes.
        size: u64,
        /// The maximum size in bytes.
        max: u64,
    },
    /// The map of a sparse file is not valid.
    #[error("the map of a sparse file is wrong: {0}")]
    Sparse(&'static str),
}

/// The kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    HardLink,
    Symlink,
    CharacterDevice,
    BlockDevice,
    Directory,
    Fifo,
    /// A type that is unknown or that only backups use.
    Other(u8),
}

/// A part of a sparse file that the archive contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

/// An entry, with its extended headers applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    pub(crate) link: Vec<u8>,
    pub(crate) kind: Kind,
    /// All mode bits, including those of the file type.
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) mtime_ns: i64,
    /// The size of a file in bytes, holes included; 0 for other kinds.
    pub(crate) size: u64,
    /// The major and minor number of a device.
    pub(crate) device: (u32, u32),
    /// The names and values of extended attributes.
    pub(crate) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// The existing parts of a sparse file, in order; `None` for a file without holes.
    pub(crate) sparse: Option<Vec<Segment>>,
    /// The offset of the data in the tar file.
    pub(crate) data_offset: u64,
}
