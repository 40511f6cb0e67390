//! What a layer was on the disk when it was finished, so that damage shows before a command uses it.
//!
//! Every entry has its mode, owner, size, times and inode. As long as they are the same, nobody has written to the entry:
//! the kernel changes the time of the inode with every change. A file that shares its inode with a blob gets another time
//! of the inode whenever a link to it comes or goes. Therefore, where only the times of the inode or its number differ,
//! the contents are compared, and the new stamp is kept if they are right.
//!
//! All functions take paths and no store, because they run in the process and the user namespace of the executor: an
//! ordinary user can neither list nor read what other users of a container own.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::thread;

use graph::ContentDigest;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::blob::{Stamp, hash_file, nanoseconds};
use crate::fs::{self, IoError};
use crate::layer::{CAPABILITY, ChangeKind, LayerContents, LayerPlan, PlanKind};

/// The number of entries from which on several threads look at them.
const PARALLEL_ENTRIES: usize = 4096;
/// The largest number of threads.
const MAX_THREADS: usize = 8;

/// The entries of a layer with their stamps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamps {
    root: Seen,
    /// The directories, sorted by path. The first one is the root.
    directories: Vec<Directory>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Directory {
    path: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    name: Vec<u8>,
    seen: Seen,
    contents: Contents,
}

/// What a stat of an entry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    mode: u32,
    uid: u32,
    gid: u32,
    stamp: Stamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Contents {
    Directory {
        is_opaque: bool,
        /// The digest of the names in it.
        names: ContentDigest,
    },
    File {
        digest: ContentDigest,
        /// The value of the attribute that gives capabilities; empty without one.
        capability: Vec<u8>,
    },
    Symlink {
        target: Vec<u8>,
    },
    /// A whiteout, a pipe, or something that trees do not have. It has no contents.
    Other,
}

impl Seen {
    fn of(stat: &rustix::fs::Stat) -> Self {
        let stamp = Stamp {
            size: u64::try_from(stat.st_size).unwrap_or(0),
            mtime_ns: nanoseconds(stat.st_mtime, stat.st_mtime_nsec as i64),
            ctime_ns: nanoseconds(stat.st_ctime, stat.st_ctime_nsec as i64),
            inode: stat.st_ino,
        };
        Self { mode: stat.st_mode, uid: stat.st_uid, gid: stat.st_gid, stamp }
    }

    /// Returns whether two stamps are those of the same entry, whose inode may have been changed or copied.
    fn is_alike(&self, other: &Self) -> bool {
        // The size of a directory depends on what was in it before.
        let has_size = FileType::from_raw_mode(self.mode) != FileType::Directory;
        (self.mode, self.uid, self.gid) == (other.mode, other.uid, other.gid)
            && self.stamp.mtime_ns == other.stamp.mtime_ns
            && (!has_size || self.stamp.size == other.stamp.size)
    }
}

impl Stamps {
    /// Takes the stamps of a layer whose contents were read.
    ///
    /// # Errors
    /// If an entry cannot be looked at.
    pub fn of_contents(dir: &Path, contents: &LayerContents) -> Result<Self, IoError> {
        let items = contents.changes.iter().map(|change| {
            let contents = match &change.what {
                ChangeKind::Directory { is_opaque } => {
                    Contents::Directory { is_opaque: *is_opaque, names: digest_of(Vec::new()) }
                }
                ChangeKind::File { digest, .. } => {
                    Contents::File { digest: *digest, capability: capability(&dir.join(fs::path_of(&change.path))) }
                }
                ChangeKind::Symlink { target } => Contents::Symlink { target: target.clone() },
                ChangeKind::Fifo | ChangeKind::Whiteout => Contents::Other,
            };
            (&*change.path, contents)
        });
        Self::take(dir, items)
    }

    /// Takes the stamps of a layer that was written.
    ///
    /// # Errors
    /// If an entry cannot be looked at.
    pub fn of_plan(dir: &Path, plan: &LayerPlan) -> Result<Self, IoError> {
        let items = plan.entries.iter().map(|entry| {
            let contents = match &entry.what {
                PlanKind::Directory { is_opaque } => {
                    Contents::Directory { is_opaque: *is_opaque, names: digest_of(Vec::new()) }
                }
                PlanKind::File { digest, .. } => Contents::File { digest: *digest, capability: Vec::new() },
                PlanKind::Symlink { target } => Contents::Symlink { target: target.clone() },
                PlanKind::Fifo | PlanKind::Whiteout => Contents::Other,
            };
            (&*entry.path, contents)
        });
        Self::take(dir, items)
    }

    fn take<'a>(dir: &Path, items: impl Iterator<Item = (&'a [u8], Contents)>) -> Result<Self, IoError> {
        let mut directories: BTreeMap<&[u8], Vec<(&[u8], Contents)>> = BTreeMap::from([(&b""[..], Vec::new())]);
        for (path, contents) in items {
            let (parent, name) = split(path);
            if matches!(contents, Contents::Directory { .. }) {
                directories.entry(path).or_default();
            }
            directories.entry(parent).or_default().push((name, contents));
        }
        let names =
            |entries: &Vec<(&[u8], Contents)>| digest_of(entries.iter().map(|(name, _)| name.to_vec()).collect());
        let names: BTreeMap<&[u8], ContentDigest> =
            directories.iter().map(|(path, entries)| (*path, names(entries))).collect();
        let mut opener = Opener::new(dir)?;
        let root = rustix::fs::fstat(&opener.root).map_err(|e| IoError::new("stat", dir, e))?;
        let mut taken = Vec::with_capacity(directories.len());
        for (path, entries) in directories {
            let at = dir.join(fs::path_of(path));
            let fd = opener.open(path).map_err(|e| IoError::new("open directory", &at, e))?;
            let mut all = Vec::with_capacity(entries.len());
            for (name, mut contents) in entries {
                if let Contents::Directory { names: below, .. } = &mut contents {
                    let path = if path.is_empty() { name.to_vec() } else { [path, name].join(&b'/') };
                    *below = names.get(&*path).copied().unwrap_or(*below);
                }
                let stat = rustix::fs::statat(fd, name, AtFlags::SYMLINK_NOFOLLOW);
                let stat = stat.map_err(|e| IoError::new("stat", at.join(fs::path_of(name)), e))?;
                all.push(Entry { name: name.to_vec(), seen: Seen::of(&stat), contents });
            }
            taken.push(Directory { path: path.to_vec(), entries: all });
        }
        Ok(Self { root: Seen::of(&root), directories: taken })
    }

    /// Compares a layer with its stamps, and takes the new stamps of entries whose contents are right. Returns whether
    /// there are any. If `is_thorough`, all contents are compared.
    ///
    /// # Errors
    /// A sentence that says what is damaged.
    pub(crate) fn check(&mut self, dir: &Path, is_thorough: bool) -> Result<bool, String> {
        let opener = Opener::new(dir).map_err(|error| error.to_string())?;
        let root = rustix::fs::fstat(&opener.root).map_err(|_| "it cannot be read".to_owned())?;
        if !Seen::of(&root).is_alike(&self.root) {
            return Err("its directory was changed".to_owned());
        }
        let n_entries: usize = self.directories.iter().map(|directory| directory.entries.len()).sum();
        let n_threads = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
        if n_threads == 1 || (n_entries < PARALLEL_ENTRIES && !is_thorough) {
            return check_all(opener, dir, &mut self.directories, is_thorough);
        }
        let n_each = self.directories.len().div_ceil(n_threads).max(1);
        thread::scope(|scope| {
            let parts: Vec<_> = self
                .directories
                .chunks_mut(n_each)
                .map(|part| {
                    scope.spawn(move || {
                        let opener = Opener::new(dir).map_err(|error| error.to_string())?;
                        check_all(opener, dir, part, is_thorough)
                    })
                })
                .collect();
            let mut is_new = false;
            for part in parts {
                is_new |= part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            }
            Ok(is_new)
        })
    }
}

fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|&b| b == b'/') {
        Some(cut) => (&path[..cut], &path[cut + 1..]),
        None => (b"", path),
    }
}

fn capability(path: &Path) -> Vec<u8> {
    let mut value = [0; 64];
    let n = rustix::fs::lgetxattr(path, CAPABILITY, &mut value[..]).unwrap_or(0);
    value[..n.min(value.len())].to_vec()
}

/// Opens the directories of a layer one after the other.
struct Opener {
    root: OwnedFd,
    last: Option<(Vec<u8>, OwnedFd)>,
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

impl Opener {
    fn new(dir: &Path) -> Result<Self, IoError> {
        let root = rustix::fs::open(dir, DIRECTORY.union(OFlags::NOFOLLOW), Mode::empty());
        Ok(Self { root: root.map_err(|e| IoError::new("open directory", dir, e))?, last: None })
    }

    fn open(&mut self, path: &[u8]) -> Result<&OwnedFd, Errno> {
        // A directory is often in the one that was opened last, from which the way is short.
        let below =
            self.last.as_ref().and_then(|(last, fd)| Some((path.strip_prefix(&**last)?.strip_prefix(b"/")?, fd)));
        let fd = match below {
            Some((rest, from)) => fs::open_beneath(from, rest, DIRECTORY, Mode::empty())?,
            None => fs::open_beneath(&self.root, path, DIRECTORY, Mode::empty())?,
        };
        Ok(&self.last.insert((path.to_vec(), fd)).1)
    }
}

fn check_all(mut opener: Opener, dir: &Path, directories: &mut [Directory], is_thorough: bool) -> Result<bool, String> {
    let mut is_new = false;
    // The stamp of a directory is among those of its parent. The root has none: it was moved to its place afterwards.
    for directory in directories {
        let fd = opener.open(&directory.path).map_err(|_| told(&directory.path, "is missing or cannot be read"))?;
        if directory.path.is_empty() {
            let recorded = directory.entries.iter().map(|entry| entry.name.clone()).collect();
            if names_in(fd).map_err(|_| "it cannot be listed".to_owned())? != digest_of(recorded) {
                return Err("entries were added to it or removed".to_owned());
            }
        }
        let path = &directory.path;
        for entry in &mut directory.entries {
            let name = || if path.is_empty() { entry.name.clone() } else { [path, &*entry.name].join(&b'/') };
            let stat = rustix::fs::statat(fd, &*entry.name, AtFlags::SYMLINK_NOFOLLOW);
            let seen = Seen::of(&stat.map_err(|_| told(&name(), "is missing"))?);
            if seen == entry.seen && !is_thorough {
                continue;
            }
            if !seen.is_alike(&entry.seen) {
                return Err(told(&name(), "was changed"));
            }
            let is_right = is_right(fd, entry, &dir.join(fs::path_of(&name()))).unwrap_or(false);
            if !is_right {
                return Err(told(&name(), "has other contents"));
            }
            is_new |= seen != entry.seen;
            entry.seen = seen;
        }
    }
    Ok(is_new)
}

fn told(path: &[u8], what: &str) -> String {
    format!("`/{}` {what}", crate::tree::resolve::escape(path))
}

/// Returns whether the contents of an entry are those that are recorded.
fn is_right(fd: &OwnedFd, entry: &Entry, path: &Path) -> Result<bool, Errno> {
    match &entry.contents {
        Contents::Other => Ok(true),
        Contents::Symlink { target } => Ok(rustix::fs::readlinkat(fd, &*entry.name, Vec::new())?.to_bytes() == target),
        Contents::File { digest, capability: recorded } => {
            let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
            let mut file = File::from(rustix::fs::openat(fd, &*entry.name, flags, Mode::empty())?);
            let found = hash_file(&mut file).map_err(|_| Errno::IO)?;
            Ok(found.0 == *digest && capability(path) == *recorded)
        }
        Contents::Directory { is_opaque: recorded, names } => {
            let below = rustix::fs::openat(fd, &*entry.name, DIRECTORY.union(OFlags::NOFOLLOW), Mode::empty())?;
            Ok(disk::is_opaque(&below) == *recorded && names_in(&below)? == *names)
        }
    }
}

/// Returns the digest of the names in a directory.
fn names_in(fd: &OwnedFd) -> Result<ContentDigest, Errno> {
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::read_from(fd)? {
        let entry = entry?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            names.push(entry.file_name().to_bytes().to_vec());
        }
    }
    Ok(digest_of(names))
}

fn digest_of(mut names: Vec<Vec<u8>>) -> ContentDigest {
    names.sort_unstable();
    ContentDigest::of(&names.join(&b'/'))
}
