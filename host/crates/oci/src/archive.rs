//! Where the files of an image are: a directory, or a tar file.

mod directory;
mod index;
mod write;

use std::io;

use graph::{Blame, Diagnostic};

pub use directory::DirectoryFiles;
pub use index::TarFiles;
pub use write::write_tar;

use crate::compression::DecodeError;
use crate::layer::{EntryError, TarError};

/// Why a directory or a tar file with an image cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It cannot be opened, or read, or there is no room to decompress it.
    #[error("cannot {action} `{path}`")]
    Io {
        /// As in "open".
        action: &'static str,
        /// The file or directory.
        path: String,
        /// What the system answered.
        source: io::Error,
    },
    /// It cannot be decompressed.
    #[error("`{path}` is unreadable: {source}")]
    Read {
        /// The file.
        path: String,
        /// What is wrong.
        source: DecodeError,
    },
    /// It is not a tar file, or a damaged one.
    #[error("`{path}` is not a tar file with an image, or is damaged: {source}")]
    Tar {
        /// The file.
        path: String,
        /// What is wrong.
        source: TarError,
    },
    /// An entry that must not be there.
    #[error("`{path}` has a bad entry `{name}`: {source}")]
    Entry {
        /// The file.
        path: String,
        /// The entry, escaped.
        name: String,
        /// What is wrong.
        source: EntryError,
    },
    /// It is larger than anybody needs.
    #[error("`{path}` is refused: {what}")]
    Limit {
        /// The file.
        path: String,
        /// Which limit, and how much it is.
        what: String,
    },
}

impl Diagnostic for ArchiveError {
    fn blame(&self) -> Blame {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => Blame::User,
            Self::Io { .. } | Self::Read { source: DecodeError::Read(_), .. } => Blame::Environment,
            _ => Blame::User,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { .. } => None,
            _ => Some("write the image again, with `docker save` or `skopeo copy`".to_owned()),
        }
    }
}
