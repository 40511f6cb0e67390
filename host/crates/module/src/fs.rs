//! File system functions whose errors name the path.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;

use graph::{Blame, Diagnostic};

/// The reason why a file could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} `{}`", path.display())]
pub struct FsError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl FsError {
    /// Returns whether the path does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self.source.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
    }
}

impl Diagnostic for FsError {
    fn blame(&self) -> Blame {
        let is_wrong = self.is_not_found() || self.source.kind() == io::ErrorKind::InvalidData;
        if is_wrong { Blame::User } else { Blame::Environment }
    }

    fn hint(&self) -> Option<String> {
        graph::is_no_space(&self.source).then(|| graph::NO_SPACE_HINT.to_owned())
    }
}

fn wrap(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FsError {
    move |source| FsError { action, path: path.to_owned(), source }
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, FsError> {
    fs::read(path).map_err(wrap("read", path))
}

pub(crate) fn read_text(path: &Path) -> Result<String, FsError> {
    fs::read_to_string(path).map_err(wrap("read", path))
}

pub(crate) fn metadata(path: &Path) -> Result<fs::Metadata, FsError> {
    fs::metadata(path).map_err(wrap("look at", path))
}

/// Returns the absolute path without links in it.
pub(crate) fn canonicalize(path: &Path) -> Result<PathBuf, FsError> {
    fs::canonicalize(path).map_err(wrap("look at", path))
}

pub(crate) fn create_dir_all(path: &Path) -> Result<(), FsError> {
    fs::create_dir_all(path).map_err(wrap("make the directory", path))
}

/// Returns the sorted entries of a directory; none if it does not exist.
pub(crate) fn read_dir(path: &Path) -> Result<Vec<PathBuf>, FsError> {
    let entries = match fs::read_dir(path).map_err(wrap("read", path)) {
        Ok(entries) => entries,
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let paths: io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths.map_err(wrap("read", path))?;
    paths.sort();
    Ok(paths)
}

/// Returns the files in a directory and in all directories below it. Links to directories are not followed.
pub(crate) fn files_below(path: &Path) -> Result<Vec<PathBuf>, FsError> {
    let mut files = Vec::new();
    for entry in read_dir(path)? {
        match is_directory_itself(&entry)? {
            true => files.extend(files_below(&entry)?),
            false => files.push(entry),
        }
    }
    Ok(files)
}

/// Returns whether an entry is a directory, and no link to one.
pub(crate) fn is_directory_itself(path: &Path) -> Result<bool, FsError> {
    fs::symlink_metadata(path).map(|metadata| metadata.is_dir()).map_err(wrap("look at", path))
}

/// Locks a file, which is made if it does not exist, until the result is dropped. Returns whether another process had
/// to give the lock up first.
pub(crate) fn lock(path: &Path) -> Result<(fs::File, bool), FsError> {
    let file = fs::File::create(path).map_err(wrap("write", path))?;
    let has_waited = match file.try_lock() {
        Ok(()) => false,
        Err(fs::TryLockError::WouldBlock) => file.lock().map(|()| true).map_err(wrap("lock", path))?,
        Err(fs::TryLockError::Error(error)) => return Err(wrap("lock", path)(error)),
    };
    Ok((file, has_waited))
}

pub(crate) fn remove_file(path: &Path) -> Result<(), FsError> {
    fs::remove_file(path).map_err(wrap("remove", path))
}

/// Removes a directory if it is empty.
pub(crate) fn remove_dir_if_empty(path: &Path) {
    // A directory that is not empty has files of somebody else.
    let _ = fs::remove_dir(path);
}

/// Writes a file that must not exist yet.
pub(crate) fn write_new(path: &Path, contents: &str) -> Result<(), FsError> {
    let write = || -> io::Result<()> { io::Write::write_all(&mut fs::File::create_new(path)?, contents.as_bytes()) };
    write().map_err(wrap("write", path))
}

/// Replaces a file at once: a reader sees either the old or the new contents.
pub(crate) fn replace(path: &Path, contents: &[u8]) -> Result<(), FsError> {
    let temporary = path.with_extension(format!("tmp-{}", process::id()));
    fs::write(&temporary, contents).map_err(wrap("write", &temporary))?;
    fs::rename(&temporary, path).map_err(|source| {
        // The name of the temporary file is unique for this process, and the first error is the one that matters.
        let _ = fs::remove_file(&temporary);
        wrap("write", path)(source)
    })
}
