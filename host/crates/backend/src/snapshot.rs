//! What an edge evaluates to.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use graph::ContentDigest;

/// A tree of files that a backend holds, wherever that is.
#[derive(Clone)]
pub struct Snapshot {
    /// What the backend finds it by.
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
    /// The tree of the output.
    pub snapshot: Snapshot,
    /// What the command did, if the vertex is one.
    pub exec: Option<Arc<ExecResult>>,
}

/// What a command that did what was expected left besides files.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ExecResult {
    /// How it exited.
    pub exit_code: i32,
    /// What it wrote to standard output, with secrets replaced.
    pub stdout: OutputRef,
    /// What it wrote to standard error, with secrets replaced.
    pub stderr: OutputRef,
    /// Both, in the order in which they arrived.
    pub combined: OutputRef,
}

/// Bytes that a command printed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OutputRef {
    /// The digest of the contents.
    pub digest: ContentDigest,
    /// The size of the contents in bytes.
    pub size_bytes: u64,
}

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStat {
    /// The last component; empty for the root.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes of a file or of a link's target; 0 for a directory.
    pub size_bytes: u64,
    /// The permission bits.
    pub mode: u32,
}

/// What an entry of a directory is.
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

/// What to look for in the files of a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchQuery {
    /// A regular expression, or plain text if `is_literal`.
    pub pattern: String,
    /// Takes the pattern as it is.
    pub is_literal: bool,
    /// Whether upper and lower case are the same.
    pub is_insensitive: bool,
    /// Looks only in files whose path matches one; in all, if empty.
    pub globs: Vec<String>,
    /// Stops after this many.
    pub limit: Option<u32>,
    /// One match a file.
    pub files_only: bool,
}

/// A line that a search has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchMatch {
    /// From the directory searched.
    pub path: String,
    /// Counts from 1.
    pub line: u32,
    /// The whole line.
    pub text: String,
}
