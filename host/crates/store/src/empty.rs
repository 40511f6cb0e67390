//! Empties a store that cannot be opened, whatever is damaged in it.

use std::path::Path;

use rustix::fs::FlockOperation;

use crate::db;
use crate::fs::{self, IoError};
use crate::lock::remove_stubborn;
use crate::store::{MARKER, OpenError, Store, open_lock};

/// The result of [`empty`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Emptied {
    /// The freed space in bytes.
    pub size_bytes: u64,
    /// Whether everything but the database was left, because another process uses the store.
    pub is_deferred: bool,
}

/// Removes everything that a store can have, of this version or of a newer one, and makes the store anew. Files of a
/// directory that are not those of a store stay. While another process uses the store, only its database is removed; the
/// files that the process uses stay where they are.
///
/// # Errors
/// If something cannot be removed, or the store cannot be made.
pub fn empty(root: &Path) -> Result<Emptied, OpenError> {
    let lock_path = root.join("use.lock");
    if fs::lstat_if_there(&lock_path)?.is_some_and(|metadata| !metadata.is_file()) {
        fs::remove_all(&lock_path)?;
    }
    let lock = open_lock(&lock_path)?;
    let is_alone = rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok();
    let mut emptied = Emptied { size_bytes: 0, is_deferred: !is_alone };
    for name in fs::names(root)? {
        let Some(name) = name.to_str() else { continue };
        if is_database(name) || name == MARKER || (is_alone && is_directory(name)) {
            emptied.size_bytes += crate::gc::disk_size(&root.join(name));
            remove(&root.join(name))?;
        }
    }
    drop(lock);
    Store::open(root)?;
    Ok(emptied)
}

/// Returns whether a file is one of the database, of whatever version.
fn is_database(name: &str) -> bool {
    name == db::DAMAGED || (name.starts_with("db-v") && name.contains(".sqlite"))
}

/// Returns whether a directory is one of a store: its name ends with its version.
fn is_directory(name: &str) -> bool {
    const KNOWN: [&str; 10] =
        ["blobs", "layers", "stamps", "caches", "locks", "stat-cache", "tmp", "trash", "compiled", "zone"];
    let Some((name, version)) = name.rsplit_once("-v") else { return false };
    KNOWN.contains(&name) && !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit())
}

fn remove(path: &Path) -> Result<(), IoError> {
    match remove_stubborn(path) {
        // What other users of a container own is removed by the next run, which can.
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => set_aside(path).map_err(|_| error),
        removed => removed,
    }
}

/// Gives a directory another name, under which nothing looks for it but the next run, which removes it.
fn set_aside(path: &Path) -> Result<(), IoError> {
    let trash = path.with_file_name("trash-v1");
    fs::make_dirs(&trash, 0o700)?;
    fs::rename(path, &trash.join(fs::unique_name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_store_has_is_known() {
        let known = ["blobs-v1", "layers-v2", "stat-cache-v13", "db-v1.sqlite-wal", "db-v2.sqlite", "db-damaged"];
        assert!(known.iter().all(|name| is_directory(name) || is_database(name)));
        let others = ["blobs", "blobs-v", "blobs-v1x", "src-v1", "db.sqlite", "host.toml", "use.lock", "photos-v1"];
        assert!(!others.iter().any(|name| is_directory(name) || is_database(name)));
    }
}
