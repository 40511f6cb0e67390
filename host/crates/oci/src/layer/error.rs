//! The errors of layers.

use std::io;

use graph::{Blame, Diagnostic};

use super::tar::TarError;
use super::tar::reader::ReadError;
use crate::Digest;
use crate::compression::DecodeError;

/// The reason why a stream of uncompressed bytes stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StreamError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error("it has more than {0} bytes uncompressed")]
    TooLarge(u64),
    #[error("it becomes more than {0} times larger when it is uncompressed")]
    Bomb(u64),
}

/// The reason why a layer cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// The layer cannot be read or decompressed.
    #[error("layer is unreadable {at}: {source}")]
    Read {
        /// The place, such as "after `usr/bin/x`".
        at: String,
        /// The error of the decoder.
        source: DecodeError,
    },
    /// The layer is not a valid tar file.
    #[error("layer is damaged {at}: {source}")]
    Archive {
        /// The place, such as "after `usr/bin/x`".
        at: String,
        /// The error of the tar reader.
        source: TarError,
    },
    /// The layer has an entry that is not allowed.
    #[error("layer has a bad entry `{name}`: {source}")]
    Entry {
        /// The name of the entry, escaped.
        name: String,
        /// The reason why the entry is not allowed.
        source: EntryError,
    },
    /// The layer exceeds a limit.
    #[error("layer is refused {at}: {what}")]
    Limit {
        /// The place, such as "at `usr/bin/x`".
        at: String,
        /// The limit and its value.
        what: String,
    },
    /// The layer does not have the digest in the configuration of the image.
    #[error("layer has the digest {found} uncompressed, but the configuration of the image says {expected}")]
    DiffId {
        /// The digest in the configuration.
        expected: Digest,
        /// The digest of the uncompressed bytes.
        found: Digest,
    },
    /// An operation of the file system failed.
    #[error("cannot {action} `{name}` of a layer")]
    Io {
        /// The operation, such as "create".
        action: &'static str,
        /// The path from the root of the layer, escaped.
        name: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A thread cannot be started.
    #[error("cannot start a thread to unpack a layer")]
    Thread(#[source] io::Error),
}

/// The reason why an entry is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// The path contains `..`.
    #[error("it leads out of the layer")]
    Outside,
    /// The name or the target contains a NUL.
    #[error("its name or target has a NUL in it")]
    Nul,
    /// The path, or the target of a link, is too long.
    #[error("its path or target has more than {0} bytes")]
    LongPath(usize),
    /// A component of the path is too long.
    #[error("a name in its path has more than {0} bytes")]
    LongName(usize),
    /// The entry is a `.wh.` that cannot remove anything, or that is a directory.
    #[error("it does not name an entry that can be removed")]
    Whiteout,
    /// The entry is at the root and is not a directory.
    #[error("the root of a layer can only be a directory")]
    Root,
    /// A parent of the entry is not a directory.
    #[error("`{0}` above it is not a directory")]
    NotDirectory(String),
    /// The links in the path form a circle.
    #[error("more than {0} symbolic links above it lead to each other")]
    Loop(usize),
    /// The entry is a symbolic link with an empty target.
    #[error("its target is empty")]
    NoTarget,
    /// The entry is a hard link that leads out of the layer.
    #[error("its target `{0}` leads out of the layer")]
    LinkOutside(String),
    /// The entry is a hard link to a file that does not exist.
    #[error("its target `{0}` is neither in the layer before it nor in a layer below")]
    LinkMissing(String),
    /// The entry is a hard link to a directory.
    #[error("its target `{0}` is a directory")]
    LinkDirectory(String),
}

impl LayerError {
    /// Returns the error for a stream that stopped at this place.
    pub(crate) fn stopped(at: &str, error: ReadError) -> Self {
        let at = at.to_owned();
        match error {
            ReadError::Tar(source) => Self::Archive { at, source },
            ReadError::Stream(StreamError::Decode(source)) => Self::Read { at, source },
            ReadError::Stream(limit) => Self::Limit { at, what: limit.to_string() },
        }
    }
}

impl Diagnostic for LayerError {
    fn blame(&self) -> Blame {
        match self {
            Self::Read { source: DecodeError::Read(_), .. } | Self::Io { .. } | Self::Thread(_) => Blame::Environment,
            _ => Blame::User,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Read { source: DecodeError::Truncated(_), .. } | Self::DiffId { .. } => {
                Some("get the image again".to_owned())
            }
            Self::Read { .. } | Self::Thread(_) | Self::Io { .. } => None,
            Self::Archive { .. } | Self::Entry { .. } | Self::Limit { .. } => {
                Some("do not use this image: no usual tool makes such a layer".to_owned())
            }
        }
    }
}
