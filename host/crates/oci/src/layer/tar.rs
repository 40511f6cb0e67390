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

/// The unit of a tar file.
pub(crate) const BLOCK_BYTES: usize = 512;

/// What is wrong with a tar file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TarError {
    /// A header whose sum is not its checksum, or no header at all.
    #[error("what is at byte {offset} is not a tar header: its checksum is wrong")]
    Checksum {
        /// From the start of the uncompressed file.
        offset: u64,
    },
    /// The file ends within an entry.
    #[error("the tar file ends too early, at byte {offset}")]
    Truncated {
        /// From the start of the uncompressed file.
        offset: u64,
    },
    /// A field that is no number, or one that makes no sense.
    #[error("the {field} in a header is not a number that it can be")]
    Number {
        /// As in "size".
        field: &'static str,
    },
    /// An extended header that is none.
    #[error("an extended header is damaged: {0}")]
    Extended(&'static str),
    /// A name or an extended header that is longer than anybody needs.
    #[error("an extended header has {size} bytes; at most {max} are read")]
    LongExtended {
        /// Bytes.
        size: u64,
        /// Bytes.
        max: u64,
    },
    /// The map of a sparse file makes no sense.
    #[error("the map of a sparse file is wrong: {0}")]
    Sparse(&'static str),
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    HardLink,
    Symlink,
    CharacterDevice,
    BlockDevice,
    Directory,
    Fifo,
    /// A type that is not known, or one that only backups have.
    Other(u8),
}

/// A part of a sparse file that is in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

/// One entry, with its extended headers applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    pub(crate) link: Vec<u8>,
    pub(crate) kind: Kind,
    /// All bits, those of the file's type included.
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) mtime_ns: i64,
    /// Bytes of the file, holes included; of other kinds nothing.
    pub(crate) size: u64,
    /// Major and minor number.
    pub(crate) device: (u32, u32),
    /// Names and values.
    pub(crate) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// The parts that are there, in order; none for a file without holes.
    pub(crate) sparse: Option<Vec<Segment>>,
    /// Where its data are in the file.
    pub(crate) data_offset: u64,
}
