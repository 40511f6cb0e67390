//! The values of edges, and what is read from them.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use graph::ContentDigest;

/// A tree of files that an engine holds.
#[derive(Clone)]
pub struct Snapshot {
    /// The engine finds the tree by this value.
    pub handle: Arc<dyn Any + Send + Sync>,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Snapshot")
    }
}

/// The value of one edge.
#[derive(Debug, Clone)]
pub struct Solved {
    /// The tree of the edge.
    pub snapshot: Snapshot,
    /// What the command left besides files, if the vertex is a command.
    pub exec: Option<Arc<ExecResult>>,
}

/// What a command left besides files that ended as expected.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ExecResult {
    /// The exit code.
    pub exit_code: i32,
    /// Everything that it wrote to standard output, with secrets replaced.
    pub stdout: OutputRef,
    /// Everything that it wrote to standard error, with secrets replaced.
    pub stderr: OutputRef,
    /// Both streams, in the order in which the bytes arrived.
    pub combined: OutputRef,
}

/// Bytes that a command printed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OutputRef {
    /// The digest of the bytes.
    pub digest: ContentDigest,
    /// The number of bytes.
    pub size_bytes: u64,
}

/// A description of a file, directory or link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStat {
    /// The last component of the path; empty for the root.
    pub name: String,
    /// The kind of the entry.
    pub kind: EntryKind,
    /// The number of bytes of a file or of a link's target; 0 for a directory.
    pub size_bytes: u64,
    /// The permission bits.
    pub mode: u32,
}

/// The kind of an entry of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// The entry is a directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A pipe, a socket or a device.
    Other,
}

/// A search in the files of a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchQuery {
    /// A regular expression, or plain text if `is_literal`.
    pub pattern: String,
    /// Whether the pattern is plain text.
    pub is_literal: bool,
    /// Whether upper and lower case are the same.
    pub is_insensitive: bool,
    /// The globs of the paths of files that are searched. All files are searched if there is none.
    pub globs: Vec<String>,
    /// The number of matches after which the search ends.
    pub limit: Option<u32>,
    /// Whether only the first match in each file is returned.
    pub files_only: bool,
    /// Whether files are left out whose name, or that of a directory above them, begins with a dot.
    pub skip_hidden: bool,
}

/// A match of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchMatch {
    /// The path of the file, from the directory that was searched.
    pub path: String,
    /// The number of the line; the first line is 1.
    pub line: u32,
    /// The text of the whole line.
    pub text: String,
    /// The number of bytes of the file before the line.
    pub offset: u64,
    /// The parts of the line that match: their first byte in it, and the byte behind them.
    pub parts: Vec<(u32, u32)>,
}
