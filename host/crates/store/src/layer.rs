//! Layers: directories in the format of the upper directory of an overlay.
//!
//! A tree becomes a layer in two steps: [`plan`] compares digests and lists what has to be written, and
//! [`write_layer`] writes it. After a command has written over it, [`ingest_layer`] reads the changes and
//! [`apply`] makes a tree of them. Writing and reading take only paths and plain values, because they run in
//! the process and the user namespace of the executor.
//!
//! Source of the format: Linux, Documentation/filesystems/overlayfs.rst, "whiteouts and opaque
//! directories". A whiteout is a character device 0:0, an opaque directory has the attribute
//! `user.overlay.opaque` (or `trusted.overlay.opaque`) set to `y`.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use graph::ContentDigest;
use rustix::fs::AtFlags;

use crate::blob::{Stamp, blob_path};
use crate::fs::{self, IoError};
use crate::tree::node::{Mtime, Owned};

pub(crate) mod apply;
pub(crate) mod check;
pub(crate) mod ingest;
pub(crate) mod plan;
pub(crate) mod record;
pub(crate) mod stamps;
#[cfg(test)]
mod tests;
pub(crate) mod write;

/// The entries that have to be written so that a new layer over a base shows a tree. A directory comes before
/// the entries in it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LayerPlan {
    /// The mode and the owner of the root, which the directory of the layer gets.
    pub root: Owned,
    /// The entries, in the order in which they are written.
    pub entries: Vec<PlanEntry>,
}

/// An entry of a layer that is to be written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PlanEntry {
    /// The path from the root of the layer, as bytes without a leading `/`.
    pub path: Vec<u8>,
    /// The kind of the entry, with its contents.
    pub what: PlanKind,
    /// The permission bits and the owner.
    pub owned: Owned,
    /// When it was modified, in nanoseconds since 1970. None stands for the time at which it is written.
    pub mtime_ns: Option<i64>,
}

/// The kind of an entry that is to be written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum PlanKind {
    /// A directory, which can hide the one below it.
    Directory {
        /// Whether it hides what the layers below have in it.
        is_opaque: bool,
    },
    /// A regular file.
    File {
        /// The digest of the contents.
        digest: ContentDigest,
        /// The size of the contents in bytes.
        size: u64,
        /// The file of this machine that has the contents; none if they are a blob of the store.
        external: Option<(PathBuf, Stamp)>,
    },
    /// A symbolic link.
    Symlink {
        /// The target of the link, as bytes.
        target: Vec<u8>,
    },
    /// A named pipe.
    Fifo,
    /// A mark that hides what the layers below have at the path.
    Whiteout,
}

/// The changes that a command made, as a layer has them.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LayerContents {
    /// The mode and the owner of the layer's directory, which are those of the root.
    pub root: Owned,
    /// The changes, sorted by path, component by component. A directory comes before the entries in it.
    pub changes: Vec<Change>,
    /// The size of all files in bytes.
    pub size_bytes: u64,
    /// How many sockets and devices were left out, because a tree cannot have them.
    pub n_skipped: usize,
}

/// An entry that a command made, changed or removed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Change {
    /// The path from the root of the layer, as bytes without a leading `/`.
    pub path: Vec<u8>,
    /// What the command left at the path.
    pub what: ChangeKind,
    /// The permission bits and the owner.
    pub owned: Owned,
    /// When it was modified, in nanoseconds since 1970.
    pub mtime_ns: i64,
}

/// What a command left at a path.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ChangeKind {
    /// A directory, which can hide the one below it.
    Directory {
        /// Whether everything that the base had in it is gone.
        is_opaque: bool,
    },
    /// A regular file, whose contents are a blob.
    File {
        /// The digest of the contents.
        digest: ContentDigest,
        /// The size of the contents in bytes.
        size: u64,
    },
    /// A symbolic link.
    Symlink {
        /// The target of the link, as bytes.
        target: Vec<u8>,
    },
    /// A named pipe.
    Fifo,
    /// A mark that the path was removed.
    Whiteout,
}

/// How much was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Written {
    /// The size of all files in bytes, with those that share an inode with a blob.
    pub size_bytes: u64,
    /// How many files share an inode with a blob.
    pub n_linked: usize,
    /// How many files were copied.
    pub n_copied: usize,
    /// How many entries could not be given to their owner, because the user namespace has no such user. They
    /// belong to the user who wrote them.
    pub n_not_owned: usize,
}

/// The mapping between the owners in a tree and those on a disk. Without a range, both are the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct IdMap {
    /// The ranges of users.
    pub uids: Vec<IdRange>,
    /// The ranges of groups.
    pub gids: Vec<IdRange>,
}

/// A range of ids in a tree, and the range of ids that they have on a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct IdRange {
    /// The first id in a tree.
    pub inside: u32,
    /// The first id on a disk.
    pub outside: u32,
    /// The number of ids.
    pub n: u32,
}

impl IdMap {
    fn map(ranges: &[IdRange], id: u32, from: fn(&IdRange) -> u32, to: fn(&IdRange) -> u32) -> Option<u32> {
        if ranges.is_empty() {
            return Some(id);
        }
        let range = ranges.iter().find(|range| id >= from(range) && id - from(range) < range.n)?;
        to(range).checked_add(id - from(range))
    }

    /// Returns the owner on the disk, if the map has one.
    fn outside(&self, owned: Owned) -> Option<(u32, u32)> {
        let uid = Self::map(&self.uids, owned.uid, |r| r.inside, |r| r.outside)?;
        Some((uid, Self::map(&self.gids, owned.gid, |r| r.inside, |r| r.outside)?))
    }

    /// Returns the owner in a tree; the kernel's "nobody" where the map has none.
    fn inside(&self, uid: u32, gid: u32) -> (u32, u32) {
        let uid = Self::map(&self.uids, uid, |r| r.outside, |r| r.inside);
        let gid = Self::map(&self.gids, gid, |r| r.outside, |r| r.inside);
        (uid.unwrap_or(65534), gid.unwrap_or(65534))
    }
}

pub(crate) fn seen(mtime: Mtime) -> Option<i64> {
    mtime.nanoseconds()
}

/// Makes a blob of a file that nobody writes to any more, by a hard link; returns whether that was possible. The path
/// of the file begins at `parent`, and `shown` is its path in messages.
pub(crate) fn link_blob(
    parent: impl AsFd,
    path: &Path,
    file: &File,
    shown: &Path,
    blobs_dir: &Path,
    digest: &ContentDigest,
) -> Result<bool, IoError> {
    use std::os::unix::fs::MetadataExt;
    let metadata = file.metadata().map_err(|e| IoError::new("stat", shown, e))?;
    let own = rustix::process::geteuid().as_raw();
    if metadata.uid() != own || metadata.mode() & 0o400 == 0 || metadata.nlink() >= MAX_LINKS {
        return Ok(false);
    }
    // The capabilities of a file belong to its inode. Another tree must not get them together with the contents.
    if rustix::fs::fgetxattr(file, CAPABILITY, &mut [0_u8; 0]).is_ok() {
        return Ok(false);
    }
    let target = blob_path(blobs_dir, digest);
    // An existing blob is replaced, because the caller found that its contents cannot be trusted.
    let temporary = target.with_extension(fs::unique_name());
    let link = || {
        let linked = rustix::fs::linkat(&parent, path, rustix::fs::CWD, &temporary, AtFlags::empty());
        linked.map_err(|e| IoError::new("link", &temporary, e))
    };
    let linked = match link() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            fs::make_dirs(target.parent().unwrap_or(blobs_dir), 0o700)?;
            link()
        }
        done => done,
    };
    match linked {
        Ok(()) => {
            fs::rename(&temporary, &target)?;
            // A rename between two links of one file does nothing, and leaves both.
            fs::remove_file(&temporary)?;
            Ok(true)
        }
        Err(error) if error.is_no_space() => Err(error),
        // The file is on another file system, has too many links, or the file system has none. The caller copies it.
        Err(_) => Ok(false),
    }
}

/// The attribute that gives capabilities to a process that executes the file.
const CAPABILITY: &str = "security.capability";

/// The most names that a file gets. ext4 allows 65,000.
const MAX_LINKS: u64 = 60_000;
