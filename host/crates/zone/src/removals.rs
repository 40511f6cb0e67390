//! What layers remove, where the store's file system cannot say it in the words of overlays.
//!
//! On an overlay, as the root of a container is one, empty files stand for whiteouts ([`disk::removals`]). Linux 6.7 has
//! a format for that, too, in which it refuses to remove a directory that has such files. So a layer that has any is
//! mounted below a directory in memory with the same directories and real whiteouts in them.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use disk::Directories;
use rustix::fs::{Gid, Mode, OFlags, Timespec, Timestamps, Uid};

use super::fault::{Context as _, Fault};

/// The directory of the zone's memory file system with them.
pub(super) const REMOVALS: &str = "removals";

/// Adds to layers, the lowest first, the directories with the whiteouts that they lack. They are below `memory` and stay
/// there for other steps.
pub(super) fn with_removals<'a>(memory: &Path, layers: impl Iterator<Item = &'a Path>) -> Result<Vec<PathBuf>, Fault> {
    let mut all = Vec::new();
    for layer in layers {
        all.push(layer.to_owned());
        all.extend(whiteouts_of(memory, layer)?);
    }
    Ok(all)
}

/// Returns the directory with the whiteouts that a layer lacks, if it lacks any.
fn whiteouts_of(memory: &Path, layer: &Path) -> Result<Option<PathBuf>, Fault> {
    let what = || format!("cannot find what the layer `{}` removes", layer.display());
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::open(layer, flags, Mode::empty()).context(what)?;
    let name = layer.file_name().unwrap_or_default();
    let done = memory.join(name);
    if done.exists() {
        return Ok(Some(done));
    }
    let removed = disk::removals(&root).context(what)?;
    if removed.is_empty() {
        return Ok(None);
    }
    // Other steps may be at the same layer.
    let temporary = memory.join(format!("{}-{}", name.display(), std::process::id()));
    fill(&root, &removed, layer, &temporary).context(what)?;
    match std::fs::rename(&temporary, &done) {
        Ok(()) => Ok(Some(done)),
        Err(_) if done.exists() => {
            let _ = disk::remove_all(&temporary);
            Ok(Some(done))
        }
        Err(error) => Err(Fault::system(what(), error)),
    }
}

/// Makes the directories of the paths, and whiteouts at the paths.
fn fill(root: &OwnedFd, removed: &[Vec<u8>], layer: &Path, to: &Path) -> rustix::io::Result<()> {
    rustix::fs::mkdir(to, Mode::RWXU)?;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let to_root = rustix::fs::open(to, flags, Mode::empty())?;
    let above = |path: &Vec<u8>| {
        let ends: Vec<usize> = (0..path.len()).filter(|at| path[*at] == b'/').collect();
        ends.into_iter().map(|end| path[..end].to_vec()).collect::<Vec<_>>()
    };
    let directories: BTreeSet<Vec<u8>> = removed.iter().flat_map(above).collect();
    let (mut from, mut made) = (Directories::new(root), Directories::new(&to_root));
    for path in &directories {
        let (parent, name) = made.parent(path)?;
        rustix::fs::mkdirat(parent, name, Mode::RWXU)?;
    }
    for path in removed {
        let (parent, name) = made.parent(path)?;
        disk::make_whiteout(&to_root, parent, name)?;
    }
    // The deepest ones first: each entry that is made in a directory changes its time.
    for path in directories.iter().rev() {
        copy_attributes(from.open(path)?, made.open(path)?)?;
    }
    let layer = rustix::fs::open(layer, flags, Mode::empty())?;
    copy_attributes(layer, &to_root)
}

/// Gives a directory the mode, the owner and the times of another.
pub(super) fn copy_attributes(from: impl AsFd, to: impl AsFd) -> rustix::io::Result<()> {
    let stat = rustix::fs::fstat(from)?;
    // The descriptors of directories that only lead to others take no changes themselves.
    let to = rustix::fs::openat(to, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::fs::fchown(&to, Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)))?;
    rustix::fs::fchmod(&to, Mode::from_raw_mode(stat.st_mode & 0o7777))?;
    let time = |seconds, nanoseconds| Timespec { tv_sec: seconds, tv_nsec: nanoseconds };
    let times = Timestamps {
        last_access: time(stat.st_atime, stat.st_atime_nsec as _),
        last_modification: time(stat.st_mtime, stat.st_mtime_nsec as _),
    };
    rustix::fs::futimens(&to, &times)
}
