//! Layers: directories in the format of an overlay's upper, and snapshots made of them.
//!
//! What is written to a disk for a tree is planned here from the digests ([`plan`]), written by
//! [`write_layer`] and, after a command wrote over it, read back by [`ingest_layer`] and turned into a
//! tree ([`apply`]). Writing and reading take only paths and plain values: they run in whatever
//! process and user namespace the executor has.
//!
//! Source of the format: Linux, Documentation/filesystems/overlayfs.rst, "whiteouts and opaque
//! directories". A whiteout is a character device 0:0, an opaque directory has the attribute
//! `user.overlay.opaque` (or `trusted.overlay.opaque`) set to `y`.

use std::path::{Path, PathBuf};

use graph::ContentDigest;

use crate::blob::{Stamp, blob_path};
use crate::fs::{self, IoError};
use crate::tree::node::{Mtime, Owned};

pub(crate) mod apply;
pub(crate) mod ingest;
pub(crate) mod plan;
pub(crate) mod record;
#[cfg(test)]
mod tests;
pub(crate) mod write;

/// What has to be written so that an overlay of a base and a new layer is a tree. Parents precede
/// what is in them.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LayerPlan {
    /// The root directory's own mode and owner; the directory of the layer gets them.
    pub root: Owned,
    /// What is written, in this order.
    pub entries: Vec<PlanEntry>,
}

/// One entry of a layer.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PlanEntry {
    /// From the root of the layer, without a leading `/`; bytes.
    pub path: Vec<u8>,
    /// What is there.
    pub what: PlanKind,
    /// Its permission bits and owner.
    pub owned: Owned,
    /// Nanoseconds since 1970; none for the time at which it is written.
    pub mtime_ns: Option<i64>,
}

/// What an entry of a layer is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum PlanKind {
    /// A directory.
    Directory {
        /// It hides what the layers below have under it.
        is_opaque: bool,
    },
    /// A file.
    File {
        /// Of its contents.
        digest: ContentDigest,
        /// Bytes.
        size: u64,
        /// The file of this machine that has them; none if they are in the directory of the blobs.
        external: Option<(PathBuf, Stamp)>,
    },
    /// A symbolic link.
    Symlink {
        /// What it points to.
        target: Vec<u8>,
    },
    /// A named pipe.
    Fifo,
    /// It hides what the layers below have there.
    Whiteout,
}

/// What is in a layer that a command wrote.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LayerContents {
    /// The mode and owner of the layer's directory, which are those of the root.
    pub root: Owned,
    /// Sorted by path, component by component; parents precede what is in them.
    pub changes: Vec<Change>,
    /// Bytes of all files.
    pub size_bytes: u64,
    /// How many sockets and devices were left out: they are in no tree.
    pub n_skipped: usize,
}

/// One entry that a command made, changed or removed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Change {
    /// From the root of the layer, without a leading `/`; bytes.
    pub path: Vec<u8>,
    /// What is there now.
    pub what: ChangeKind,
    /// Its permission bits and owner.
    pub owned: Owned,
    /// Nanoseconds since 1970.
    pub mtime_ns: i64,
}

/// What a command left at a path.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ChangeKind {
    /// A directory.
    Directory {
        /// Nothing of what was under it is there any more.
        is_opaque: bool,
    },
    /// A file; its contents are a blob.
    File {
        /// Of its contents.
        digest: ContentDigest,
        /// Bytes.
        size: u64,
    },
    /// A symbolic link.
    Symlink {
        /// What it points to.
        target: Vec<u8>,
    },
    /// A named pipe.
    Fifo,
    /// Nothing is there any more.
    Whiteout,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Written {
    /// Bytes of all files, shared ones included.
    pub size_bytes: u64,
    /// How many files share an inode with a blob.
    pub n_linked: usize,
    /// How many files were copied.
    pub n_copied: usize,
    /// How many things could not be given to their owner, as a user namespace with a single user
    /// cannot: they belong to whoever wrote them.
    pub n_not_owned: usize,
}

/// Which owners in a tree are which on a disk. Without a range, owners are what they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct IdMap {
    /// For users.
    pub uids: Vec<IdRange>,
    /// For groups.
    pub gids: Vec<IdRange>,
}

/// Consecutive ids in a tree, and the consecutive ids that they are on a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct IdRange {
    /// The first in a tree.
    pub inside: u32,
    /// The first on a disk.
    pub outside: u32,
    /// How many.
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

/// The attributes that make a directory opaque; unprivileged overlays have the first.
const OPAQUE: [&str; 2] = ["user.overlay.opaque", "trusted.overlay.opaque"];

/// Makes a file that is not written to any more a blob by a hard link; returns whether it did.
pub(crate) fn link_blob(path: &Path, blobs_dir: &Path, digest: &ContentDigest) -> Result<bool, IoError> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::lstat(path)?;
    let own = rustix::process::geteuid().as_raw();
    if metadata.uid() != own || metadata.mode() & 0o400 == 0 || metadata.nlink() >= MAX_LINKS {
        return Ok(false);
    }
    // An inode has its capabilities under all of its names: another tree must not get them with the contents.
    if rustix::fs::lgetxattr(path, CAPABILITY, &mut [0_u8; 0]).is_ok() {
        return Ok(false);
    }
    let target = blob_path(blobs_dir, digest);
    // Over what is there: only a blob that cannot be believed is replaced.
    let temporary = target.with_extension(fs::unique_name());
    let linked = match fs::hard_link(path, &temporary) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            fs::make_dirs(target.parent().unwrap_or(blobs_dir), 0o700)?;
            fs::hard_link(path, &temporary)
        }
        done => done,
    };
    match linked {
        Ok(()) => {
            fs::rename(&temporary, &target)?;
            // A rename between two links of one file does nothing and leaves both.
            fs::remove_file(&temporary)?;
            Ok(true)
        }
        Err(error) if error.is_no_space() => Err(error),
        // Another file system, too many links, a file system without them: it is copied.
        Err(_) => Ok(false),
    }
}

/// The attribute that gives capabilities to whoever executes a file.
const CAPABILITY: &str = "security.capability";

/// How many names a file may get; ext4 stops at 65,000.
const MAX_LINKS: u64 = 60_000;
