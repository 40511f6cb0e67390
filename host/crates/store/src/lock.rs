//! Locks between processes, and cache volumes, which processes lock.
//!
//! A lock is a `flock` on a file, so that the kernel releases it when the process ends.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use graph::{CacheKey, ContentDigest};
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::db::now;
use crate::fs::{self, IoError};
use crate::lease::{self, Leased};
use crate::process;
use crate::results::SyncError;
use crate::store::{Store, open_lock};

/// The age from which on a temporary directory is removed if its process seems to be dead. A younger one can
/// belong to a process in another namespace that has not locked it yet.
const MIN_AGE_NS: i64 = 60_000_000_000;

/// The right to evaluate a key, which ends when this is dropped.
#[derive(Debug)]
pub struct KeyLock(#[allow(dead_code, reason = "it is only held")] NamedLock);

/// A lock whose file is removed when it is dropped.
#[derive(Debug)]
pub(crate) struct NamedLock {
    path: PathBuf,
    // The lock is released after the file was removed.
    _file: File,
}

impl Drop for NamedLock {
    fn drop(&mut self) {
        // The file is removed while the lock is held, so that a process that waits for it notices.
        let _ = fs::remove_file(&self.path);
    }
}

/// A lock on a file, which stays when the lock is released.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
}

impl Store {
    /// Waits for the right to evaluate a key, which one caller in one process has at a time.
    ///
    /// # Errors
    /// If the file cannot be made or locked.
    pub fn lock_key(&self, key: CacheKey) -> Result<KeyLock, IoError> {
        loop {
            if let Some(lock) = self.lock_once(key, FlockOperation::LockExclusive)? {
                return Ok(lock);
            }
        }
    }

    /// Takes the right to evaluate a key; returns none if somebody else has it.
    ///
    /// # Errors
    /// If the file cannot be made or locked.
    pub fn try_lock_key(&self, key: CacheKey) -> Result<Option<KeyLock>, IoError> {
        // It is tried twice, because the holder may have removed the first file at this moment.
        for _ in 0..2 {
            if let Some(lock) = self.lock_once(key, FlockOperation::NonBlockingLockExclusive)? {
                return Ok(Some(lock));
            }
        }
        Ok(None)
    }

    fn lock_once(&self, key: CacheKey, operation: FlockOperation) -> Result<Option<KeyLock>, IoError> {
        Ok(self.lock_path_once(self.root().join("locks-v1").join(key.to_hex()), operation)?.map(KeyLock))
    }

    /// Locks a file of the directory of locks; returns none if somebody else has it, or has just removed it.
    pub(crate) fn lock_path_once(
        &self,
        path: PathBuf,
        operation: FlockOperation,
    ) -> Result<Option<NamedLock>, IoError> {
        let file = open_lock(&path)?;
        if !flock(&file, operation, &path)? {
            return Ok(None);
        }
        // A file that the holder has removed locks nobody out.
        let is_current = fs::lstat_if_there(&path)?.zip(file.metadata().ok()).is_some_and(|(a, b)| a.ino() == b.ino());
        Ok(is_current.then(|| NamedLock { path, _file: file }))
    }

    /// Returns a cache volume, and makes its directory if it is missing. The volume is leased.
    ///
    /// # Errors
    /// If the directory cannot be made.
    pub fn volume(&self, key: &str) -> Result<Volume, SyncError> {
        let digest = ContentDigest::of(key.as_bytes());
        let dir = self.root().join("caches-v1").join(digest.to_hex());
        let data = dir.join("data");
        let is_new = fs::lstat_if_there(&data)?.is_none();
        fs::make_dirs(&dir, 0o700)?;
        fs::make_dirs(&data, 0o755)?;
        let run = self.run()?;
        let leased = Leased::Volume(digest);
        let fresh: Vec<Leased> = (!self.leases().has(&leased)).then_some(leased).into_iter().collect();
        self.db().transaction("note a cache volume", |db| {
            let sql = "INSERT INTO volumes(digest, key, created_at, last_used_at) VALUES (?1, ?2, ?3, ?3)
                       ON CONFLICT(digest) DO UPDATE SET last_used_at = ?3";
            db.prepare_cached(sql)?.execute((digest.as_bytes(), key, now()))?;
            lease::insert(db, run, &fresh)
        })?;
        self.leases().note(fresh);
        Ok(Volume { digest, data, lock: dir.join("lock"), is_new })
    }

    /// Removes the temporary files, unfinished removals and locks that dead processes left. It is made for the
    /// background, once in a process. What cannot be removed stays.
    ///
    /// # Errors
    /// If a directory of the store cannot be listed.
    pub fn sweep(&self) -> Result<(), IoError> {
        for name in fs::names(&self.root().join("tmp-v1"))? {
            let path = self.root().join("tmp-v1").join(&name);
            let owner = name.to_str().and_then(|name| name.split_once('-'));
            let alive = owner.and_then(|(pid, start)| Some(process::is_alive(pid.parse().ok()?, start.parse().ok()?)));
            if alive == Some(false) && self.is_abandoned(&path) {
                let _ = self.discard(&path);
            }
        }
        for name in fs::names(&self.root().join("trash-v1"))? {
            let _ = remove_stubborn(&self.root().join("trash-v1").join(name));
        }
        for name in fs::names(&self.root().join("locks-v1"))? {
            let path = self.root().join("locks-v1").join(name);
            let Ok(file) = open_lock(&path) else { continue };
            if matches!(flock(&file, FlockOperation::NonBlockingLockExclusive, &path), Ok(true)) {
                let _ = fs::remove_file(&path);
            }
        }
        Ok(())
    }

    fn is_abandoned(&self, path: &Path) -> bool {
        let Ok(metadata) = fs::lstat(path) else { return false };
        let is_old = process::now_ns() - crate::blob::Stamp::of(&metadata).ctime_ns > MIN_AGE_NS;
        let Ok(dir) = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) else {
            return metadata.is_dir() && is_old;
        };
        (is_old || metadata.is_dir()) && rustix::fs::flock(&dir, FlockOperation::NonBlockingLockExclusive).is_ok()
    }

    /// Moves a file or directory into the trash of the store, and removes it there.
    pub(crate) fn discard(&self, path: &Path) -> Result<(), IoError> {
        let trash = self.root().join("trash-v1").join(fs::unique_name());
        match fs::rename(path, &trash) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            moved => moved?,
        }
        remove_stubborn(&trash)
    }
}

/// Removes a directory, even if the modes of directories in it forbid that.
///
/// # Errors
/// If an entry in it belongs to another user.
pub fn remove_stubborn(path: &Path) -> Result<(), IoError> {
    if fs::remove_all(path).is_ok() {
        return Ok(());
    }
    fs::remove_all_by_force(path)
}

/// Locks a file; returns false if the operation does not wait and another process has the lock.
fn flock(file: &File, operation: FlockOperation, path: &Path) -> Result<bool, IoError> {
    loop {
        match rustix::fs::flock(file, operation) {
            Ok(()) => return Ok(true),
            Err(Errno::WOULDBLOCK) => return Ok(false),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(IoError::new("lock", path, errno)),
        }
    }
}

/// A directory that steps share and that outlives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// The digest of the key of the volume.
    pub digest: ContentDigest,
    /// The directory that is mounted.
    pub data: PathBuf,
    /// The file that a step locks that does not share the volume.
    lock: PathBuf,
    /// Whether the volume was made by this call and is empty.
    pub is_new: bool,
}

impl Volume {
    /// Waits for the lock of the volume.
    ///
    /// # Errors
    /// If the file cannot be locked.
    pub fn lock(&self) -> Result<FileLock, IoError> {
        let file = open_lock(&self.lock)?;
        flock(&file, FlockOperation::LockExclusive, &self.lock)?;
        Ok(FileLock { _file: file })
    }

    /// Takes the lock of the volume; returns none if somebody else has it.
    ///
    /// # Errors
    /// If the file cannot be locked.
    pub fn try_lock(&self) -> Result<Option<FileLock>, IoError> {
        let file = open_lock(&self.lock)?;
        let is_locked = flock(&file, FlockOperation::NonBlockingLockExclusive, &self.lock)?;
        Ok(is_locked.then_some(FileLock { _file: file }))
    }
}
