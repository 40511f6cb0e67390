//! The files of an image in a directory or in a tar file.

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

/// The reason why a directory or a tar file with an image cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The file cannot be opened or read, or there is no space to decompress it.
    #[error("cannot {action} `{path}`")]
    Io {
        /// The operation that failed, such as "open".
        action: &'static str,
        /// The path of the file or directory.
        path: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file cannot be decompressed.
    #[error("`{path}` is unreadable: {source}")]
    Read {
        /// The path of the file.
        path: String,
        /// The error of the decoder.
        source: DecodeError,
    },
    /// The file is damaged, or is not a tar file.
    #[error("`{path}` is not a tar file with an image, or is damaged: {source}")]
    Tar {
        /// The path of the file.
        path: String,
        /// The error of the tar reader.
        source: TarError,
    },
    /// The tar file has an entry that is not allowed.
    #[error("`{path}` has a bad entry `{name}`: {source}")]
    Entry {
        /// The path of the tar file.
        path: String,
        /// The name of the entry, escaped.
        name: String,
        /// The reason why the entry is not allowed.
        source: EntryError,
    },
    /// The tar file exceeds a limit.
    #[error("`{path}` is refused: {what}")]
    Limit {
        /// The path of the tar file.
        path: String,
        /// The limit and its value.
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
