//! Access to the file system, with the path in every error.
//!
//! No other module of this crate calls `std::fs`, because an `io::Error` does not name its path, and because a full
//! disk has to be reported as such by every operation.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use graph::{Blame, Diagnostic};

pub(crate) use disk::{Directories, copy_contents, open_beneath, read_up_to, unique_name, with_buffer};

/// Why an operation on a path failed.
#[derive(Debug)]
pub struct IoError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl IoError {
    /// Makes the error of an operation on a path. `action` is a verb, such as "read" or "make directory".
    pub(crate) fn new(action: &'static str, path: impl AsRef<Path>, source: impl Into<io::Error>) -> Self {
        Self { action, path: path.as_ref().to_owned(), source: source.into() }
    }

    /// Returns the path of the failed operation.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the kind of the error of the system.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }

    /// Returns whether the disk is full, or the quota of the user is used up.
    #[must_use]
    pub fn is_no_space(&self) -> bool {
        graph::is_no_space(&self.source)
    }
}

impl std::fmt::Display for IoError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match store_root_of(&self.path) {
            _ if !self.is_no_space() => write!(f, "cannot {} `{}`", self.action, self.path.display()),
            Some(root) => write!(f, "no space left for store at `{}`", root.display()),
            None => write!(f, "no space left for `{}`", self.path.display()),
        }
    }
}

impl std::error::Error for IoError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

impl Diagnostic for IoError {
    fn blame(&self) -> Blame {
        Blame::Environment
    }

    fn hint(&self) -> Option<String> {
        match self.source.kind() {
            _ if self.is_no_space() => Some(match store_root_of(&self.path) {
                Some(_) => NO_SPACE_HINT.to_owned(),
                None => graph::NO_SPACE_HINT.to_owned(),
            }),
            io::ErrorKind::ReadOnlyFilesystem => Some(STORE_HINT.to_owned()),
            _ => None,
        }
    }
}

/// The hint for a full disk of the store.
pub(crate) const NO_SPACE_HINT: &str =
    "free some with `host cache clear`, or put the store on another disk with HOST_STORE";
/// The hint for a store of a newer version.
pub(crate) const NEWER_HINT: &str = "update this program, name another directory with HOST_STORE for this version, or \
    empty the store with `host cache clear`";
/// The hint for a part of the store that is damaged.
pub(crate) const DAMAGED_HINT: &str =
    "run again, for it is made anew; `host cache clear` empties the store in any case";
/// The hint for a store that cannot be written.
pub(crate) const STORE_HINT: &str = "name a directory that you may write to with HOST_STORE";

/// Returns the directory of the store that a path is in: the parent of a directory with a version in its name.
fn store_root_of(path: &Path) -> Option<&Path> {
    path.ancestors().find(|a| a.file_name().is_some_and(|n| n.as_bytes().ends_with(b"-v1"))).and_then(Path::parent)
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, IoError> {
    std::fs::read(path).map_err(|e| IoError::new("read", path, e))
}

/// Reads a file; returns none if it is missing.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, IoError> {
    let mut file = match open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|e| IoError::new("read", path, e))?;
    Ok(Some(bytes))
}

/// Opens a file. The path can be longer than the kernel takes, if it has no links.
pub(crate) fn open(path: &Path) -> Result<File, IoError> {
    disk::open(path).map_err(|e| IoError::new("open", path, e))
}

pub(crate) fn create_new(path: &Path, mode: u32) -> Result<File, IoError> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(mode);
    options.open(path).map_err(|e| IoError::new("create", path, e))
}

pub(crate) fn write_all(file: &mut File, bytes: &[u8], path: &Path) -> Result<(), IoError> {
    file.write_all(bytes).map_err(|e| IoError::new("write", path, e))
}

pub(crate) fn lstat(path: &Path) -> Result<Metadata, IoError> {
    std::fs::symlink_metadata(path).map_err(|e| IoError::new("stat", path, e))
}

/// Returns the metadata of a path without following a link; none if the path is missing.
pub(crate) fn lstat_if_there(path: &Path) -> Result<Option<Metadata>, IoError> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(IoError::new("stat", path, error)),
    }
}

pub(crate) fn read_link(path: &Path) -> Result<Vec<u8>, IoError> {
    let target = std::fs::read_link(path).map_err(|e| IoError::new("read link", path, e))?;
    Ok(target.into_os_string().into_encoded_bytes())
}

pub(crate) fn canonicalize(path: &Path) -> Result<PathBuf, IoError> {
    std::fs::canonicalize(path).map_err(|e| IoError::new("find", path, e))
}

/// Makes a directory and its parents. Directories that exist are left as they are.
pub(crate) fn make_dirs(path: &Path, mode: u32) -> Result<(), IoError> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(mode).create(path);
    made.map_err(|e| IoError::new("make directory", path, e))
}

pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), IoError> {
    std::fs::rename(from, to).map_err(|e| IoError::new("move into place", to, e))
}

/// Removes a file. A missing file is no error.
pub(crate) fn remove_file(path: &Path) -> Result<(), IoError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(IoError::new("remove", path, error)),
        _ => Ok(()),
    }
}

/// Removes a directory and everything in it, or a file. What is missing is no error.
pub(crate) fn remove_all(path: &Path) -> Result<(), IoError> {
    disk::remove_all(path).map_err(|e| IoError::new("remove", path, e))
}

/// Removes as [`remove_all`] does, and changes the modes of directories that forbid it.
pub(crate) fn remove_all_by_force(path: &Path) -> Result<(), IoError> {
    disk::remove_all_by_force(path).map_err(|e| IoError::new("remove", path, e))
}

/// Returns the sorted names in a directory. A missing directory has no names.
pub(crate) fn names(path: &Path) -> Result<Vec<std::ffi::OsString>, IoError> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(IoError::new("list", path, error)),
    };
    let names: Result<Vec<_>, io::Error> = entries.map(|entry| entry.map(|e| e.file_name())).collect();
    let mut names = names.map_err(|e| IoError::new("list", path, e))?;
    names.sort();
    Ok(names)
}

/// Writes a file so that it is either complete or not there. `temporary` is a directory on the same file system.
pub(crate) fn write_atomic(path: &Path, bytes: &[u8], temporary: &Path) -> Result<(), IoError> {
    let new = temporary.join(unique_name());
    let mut file = create_new(&new, 0o600)?;
    let written = write_all(&mut file, bytes, &new).and_then(|()| rename(&new, path));
    if written.is_err() {
        // The error of the write is the one that is returned.
        let _ = std::fs::remove_file(&new);
    }
    written
}

/// Returns bytes as a path.
pub(crate) fn path_of(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}
