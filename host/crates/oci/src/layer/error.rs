//! What can be wrong with a layer.

use std::io;

use graph::{Blame, Diagnostic};

use super::tar::TarError;
use super::tar::reader::ReadError;
use crate::Digest;
use crate::compression::DecodeError;

/// Why a stream of uncompressed bytes stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StreamError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error("it has more than {0} bytes uncompressed")]
    TooLarge(u64),
    #[error("it becomes more than {0} times larger when it is uncompressed")]
    Bomb(u64),
}

/// Why a layer could not be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// It cannot be read or decompressed.
    #[error("layer is unreadable {at}: {source}")]
    Read {
        /// As in "after `usr/bin/x`".
        at: String,
        /// What is wrong.
        source: DecodeError,
    },
    /// It is not the tar file that it should be.
    #[error("layer is damaged {at}: {source}")]
    Archive {
        /// As in "after `usr/bin/x`".
        at: String,
        /// What is wrong.
        source: TarError,
    },
    /// An entry that must not be there.
    #[error("layer has a bad entry `{name}`: {source}")]
    Entry {
        /// Its name, escaped.
        name: String,
        /// What is wrong.
        source: EntryError,
    },
    /// It is larger than anybody needs.
    #[error("layer is refused {at}: {what}")]
    Limit {
        /// As in "at `usr/bin/x`".
        at: String,
        /// Which limit, and how much it is.
        what: String,
    },
    /// It is not the layer that was wanted.
    #[error("layer is not what its configuration says: it has the digest {found} uncompressed, not {expected}")]
    DiffId {
        /// By the configuration of the image.
        expected: Digest,
        /// Of what was read.
        found: Digest,
    },
    /// The file system does not do it.
    #[error("cannot {action} `{name}` of a layer")]
    Io {
        /// As in "create".
        action: &'static str,
        /// From the root of the layer, escaped.
        name: String,
        /// What the system answered.
        source: io::Error,
    },
    /// No thread could be started.
    #[error("cannot start a thread to unpack a layer")]
    Thread(#[source] io::Error),
}

/// What is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Its path has `..` in it.
    #[error("it leads out of the layer")]
    Outside,
    /// A NUL is in its name or target.
    #[error("its name or target has a NUL in it")]
    Nul,
    /// Its path, or a link's target, is too long.
    #[error("its path or target has more than {0} bytes")]
    LongPath(usize),
    /// One name in its path is too long.
    #[error("a name in its path has more than {0} bytes")]
    LongName(usize),
    /// A `.wh.` that removes nothing that can be, or that is a directory.
    #[error("it removes nothing that can be there")]
    Whiteout,
    /// Something else than a directory is at the root.
    #[error("the root of a layer can only be a directory")]
    Root,
    /// It is in something that is no directory.
    #[error("`{0}` above it is not a directory")]
    NotDirectory(String),
    /// Links above it lead in a circle.
    #[error("more than {0} symbolic links above it lead to each other")]
    Loop(usize),
    /// A symbolic link to nothing.
    #[error("its target is empty")]
    NoTarget,
    /// A hard link out of the layer.
    #[error("its target `{0}` leads out of the layer")]
    LinkOutside(String),
    /// A hard link to what is not there.
    #[error("its target `{0}` is neither in the layer before it nor in a layer below")]
    LinkMissing(String),
    /// A hard link to a directory.
    #[error("its target `{0}` is a directory")]
    LinkDirectory(String),
}

impl LayerError {
    /// Says where reading stopped.
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
