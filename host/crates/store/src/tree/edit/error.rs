//! Why an operation on files failed.

use graph::{Blame, Diagnostic};

use crate::blob::BlobError;
use crate::nodes::NodeError;
use crate::tree::pattern::PatternError;
use crate::tree::resolve::ReadError;

/// Why an operation on files failed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// A tree cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An entry exists at the path of a new link.
    #[error("something is already at `{path}`")]
    Exists {
        /// The path, as the caller wrote it.
        path: String,
    },
    /// A directory exists at the path of a new file.
    #[error("`{path}` is a directory")]
    IsADirectory {
        /// The path, as the caller wrote it.
        path: String,
    },
    /// The operation removes files, and its pattern matches a directory.
    #[error("`{path}` is a directory, not a file")]
    MatchedDirectory {
        /// The path of the directory.
        path: String,
    },
    /// The operation removes a directory, and something else is at its path.
    #[error("`{path}` is not a directory")]
    MatchedFile {
        /// The path, as the caller wrote it.
        path: String,
    },
    /// The path leads into a view of a directory of this machine.
    #[error("`{path}` is read-only: it is a directory of this machine")]
    ReadOnly {
        /// The path, as the caller wrote it.
        path: String,
    },
    /// The tree has no user or group of this name.
    #[error("nobody is called `{owner}` in `{file}` of the tree")]
    UnknownOwner {
        /// The name, as the caller wrote it.
        owner: String,
        /// The file in which the name was searched.
        file: &'static str,
    },
    /// The text does not name an owner.
    #[error("`{owner}` is not an owner")]
    BadOwner {
        /// The text, as the caller wrote it.
        owner: String,
    },
    /// No file can have this name.
    #[error("`{name}` is not the name of a file")]
    BadName {
        /// The name, as the caller wrote it.
        name: String,
    },
    /// The file does not have the text that is to be replaced.
    #[error("`{search}` is not in file `{name}`")]
    NoMatch {
        /// The text that was searched.
        search: String,
        /// The name of the file.
        name: String,
    },
    /// The file has the text that is to be replaced more than once.
    #[error("`{search}` is {n_matches} times in file `{name}`, on lines {lines}")]
    ManyMatches {
        /// The text that was searched.
        search: String,
        /// The name of the file.
        name: String,
        /// The number of matches.
        n_matches: usize,
        /// The numbers of the first lines that match, as text.
        lines: String,
    },
    /// The text that is to be replaced is empty.
    #[error("the text to replace in file `{name}` is empty")]
    EmptySearch {
        /// The name of the file.
        name: String,
    },
    /// The caller gave no tree to copy from.
    #[error("operation `{op}` has nothing to copy from")]
    NoSource {
        /// What the operation does, in one line.
        op: &'static str,
    },
}

impl From<NodeError> for EditError {
    fn from(error: NodeError) -> Self {
        Self::Read(error.into())
    }
}

impl From<BlobError> for EditError {
    fn from(error: BlobError) -> Self {
        Self::Read(error.into())
    }
}

impl From<PatternError> for EditError {
    fn from(error: PatternError) -> Self {
        Self::Read(error.into())
    }
}

impl Diagnostic for EditError {
    fn blame(&self) -> Blame {
        match self {
            Self::Read(error) => error.blame(),
            Self::NoSource { .. } => Blame::Bug,
            _ => Blame::User,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Read(error) => return error.hint(),
            Self::Exists { .. } => "remove it first".to_owned(),
            Self::MatchedDirectory { .. } => "use `without-directory` to remove it".to_owned(),
            Self::MatchedFile { .. } => "use `without-file` to remove it".to_owned(),
            Self::ReadOnly { .. } => "put files elsewhere, or start from an image".to_owned(),
            Self::UnknownOwner { .. } => "give numbers, as in `1000:1000`".to_owned(),
            Self::BadOwner { .. } => "an owner is `user`, `user:group`, `uid` or `uid:gid`".to_owned(),
            Self::ManyMatches { .. } => "give more of the text around it, or replace all".to_owned(),
            _ => return None,
        })
    }
}
