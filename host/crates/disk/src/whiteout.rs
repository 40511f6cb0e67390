//! The marks of layers for what they remove.
//!
//! An overlay knows a removal by a character device with the number 0:0, a whiteout. An overlay itself lets nobody make
//! such a device, so that a layer on the root of a container cannot have one. There an empty file with an attribute takes
//! its place, and so do attributes of its directory and of the layer's root, by which [`removals`] finds it without
//! looking at every file. The attributes begin with `user.overlay.`, which no command in an overlay can set.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, XattrFlags};
use rustix::io::{Errno, Result};

use crate::Directories;

/// The attribute of an empty file that stands for a whiteout.
const REMOVED: &str = "user.overlay.removed";

/// The attribute of a directory that has such files, and of the root of the layer.
const REMOVALS: &str = "user.overlay.removals";

/// Makes a whiteout, or an empty file that stands for it where the file system refuses whiteouts. `root` is the root of
/// the layer, and `parent` the directory in it that gets the whiteout.
///
/// # Errors
/// `EXIST` if the name is taken; as `mknod` otherwise, and as `setxattr` on a file system without attributes.
pub fn make_whiteout(root: impl AsFd, parent: impl AsFd, name: &[u8]) -> Result<()> {
    match rustix::fs::mknodat(&parent, name, FileType::CharacterDevice, Mode::empty(), 0) {
        Err(Errno::PERM) => mark_removed(root, parent, name),
        made => made,
    }
}

/// Makes an empty file that stands for a whiteout.
fn mark_removed(root: impl AsFd, parent: impl AsFd, name: &[u8]) -> Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(&parent, name, flags, Mode::RUSR | Mode::WUSR)?;
    rustix::fs::fsetxattr(&file, REMOVED, b"y", XattrFlags::empty())?;
    for directory in [parent.as_fd(), root.as_fd()] {
        // The descriptor may be one that only leads to other files.
        let directory = rustix::fs::openat(directory, ".", DIRECTORY, Mode::empty())?;
        rustix::fs::fsetxattr(&directory, REMOVALS, b"y", XattrFlags::empty())?;
    }
    Ok(())
}

/// The attribute that makes a directory hide what the layers below have in it, in overlays with `userxattr`.
pub const OPAQUE: &str = "user.overlay.opaque";

/// Returns whether a directory of a layer hides what the layers below have in it.
pub fn is_opaque(directory: impl AsFd) -> bool {
    [OPAQUE, "trusted.overlay.opaque"].iter().any(|name| {
        let mut value = [0; 8];
        rustix::fs::fgetxattr(&directory, *name, &mut value[..]).is_ok_and(|n| value[..n] == *b"y")
    })
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Returns whether an entry of a layer is a whiteout, or stands for one. `stat` is what a stat of the entry says.
pub fn is_whiteout(parent: impl AsFd, name: impl rustix::path::Arg, stat: &Stat) -> bool {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::CharacterDevice => stat.st_rdev == 0,
        FileType::RegularFile => stat.st_size == 0 && is_marked(parent, name),
        _ => false,
    }
}

fn is_marked(parent: impl AsFd, name: impl rustix::path::Arg) -> bool {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::empty()).is_ok_and(|file| has(&file, REMOVED))
}

fn has(file: impl AsFd, attribute: &str) -> bool {
    rustix::fs::fgetxattr(file, attribute, &mut [0_u8; 8][..]).is_ok()
}

/// Returns the paths in a layer at which an empty file stands for a whiteout, and no others.
///
/// # Errors
/// If the layer cannot be read.
pub fn removals(root: &OwnedFd) -> Result<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    if !has(root, REMOVALS) {
        return Ok(found);
    }
    let mut directories = Directories::readable(root);
    let mut todo = vec![Vec::new()];
    while let Some(path) = todo.pop() {
        let directory = directories.open(&path)?;
        let is_marked = has(directory, REMOVALS);
        for entry in rustix::fs::Dir::read_from(directory)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            let at = || if path.is_empty() { name.to_vec() } else { [&path, name].join(&b'/') };
            let kind = match entry.file_type() {
                // Not every file system says.
                FileType::Unknown => {
                    let stat = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
                    FileType::from_raw_mode(stat.st_mode)
                }
                kind => kind,
            };
            match kind {
                FileType::Directory => todo.push(at()),
                FileType::RegularFile if is_marked => {
                    let stat = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
                    if is_whiteout(directory, name, &stat) {
                        found.push(at());
                    }
                }
                _ => {}
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn files_that_stand_for_whiteouts_are_found_and_empty_files_are_none() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("a/b")).unwrap();
        for file in ["empty", "a/empty", "a/b/empty"] {
            File::create(dir.path().join(file)).unwrap();
        }
        let root = rustix::fs::open(dir.path(), DIRECTORY, Mode::empty()).unwrap();
        assert_eq!(removals(&root).unwrap(), Vec::<Vec<u8>>::new());
        let inner = rustix::fs::open(dir.path().join("a/b"), OFlags::PATH, Mode::empty()).unwrap();
        mark_removed(&root, &inner, b"gone").unwrap();
        mark_removed(&root, &root, b"gone").unwrap();
        assert_eq!(removals(&root).unwrap(), [b"a/b/gone".to_vec(), b"gone".to_vec()]);
        assert_eq!(mark_removed(&root, &root, b"empty"), Err(Errno::EXIST));
        let is = |name| is_whiteout(&root, name, &rustix::fs::statat(&root, name, AtFlags::empty()).unwrap());
        assert_eq!((is("gone"), is("empty"), is("a")), (true, false, false));
    }
}
