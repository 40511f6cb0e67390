//! Copies an upper directory from memory to the store, marks of the overlay included.
//!
//! For stores on a file system that cannot hold upper directories itself.

use std::collections::HashMap;
use std::ffi::CStr;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, Timespec, Timestamps, Uid, XattrFlags};

use super::fault::{Context as _, Fault};
use super::sys::xattrs;

/// Copies what is in `from` to the empty directory `to`, and its own attributes.
pub(super) fn copy_tree(from: &Path, to: &Path) -> Result<(), Fault> {
    let mut links = HashMap::new();
    copy_children(from, to, &mut links)?;
    copy_attributes(from, to)
}

fn copy_children(from: &Path, to: &Path, links: &mut HashMap<u64, PathBuf>) -> Result<(), Fault> {
    let what = || format!("cannot read `{}`", from.display());
    for entry in std::fs::read_dir(from).context(what)? {
        let entry = entry.context(what)?;
        copy_entry(&entry.path(), &to.join(entry.file_name()), links)?;
    }
    Ok(())
}

fn copy_entry(from: &Path, to: &Path, links: &mut HashMap<u64, PathBuf>) -> Result<(), Fault> {
    let what = || format!("cannot copy `{}` to `{}`", from.display(), to.display());
    let metadata = from.symlink_metadata().context(what)?;
    let kind = metadata.file_type();
    if !kind.is_dir() && metadata.nlink() > 1 {
        if let Some(first) = links.get(&metadata.ino()) {
            return std::fs::hard_link(first, to).context(what);
        }
        links.insert(metadata.ino(), to.to_owned());
    }
    if kind.is_dir() {
        std::fs::create_dir(to).context(what)?;
        copy_children(from, to, links)?;
    } else if kind.is_symlink() {
        std::os::unix::fs::symlink(std::fs::read_link(from).context(what)?, to).context(what)?;
    } else if kind.is_file() {
        std::fs::copy(from, to).context(what)?;
    } else {
        let kind = match () {
            () if kind.is_char_device() => FileType::CharacterDevice,
            () if kind.is_block_device() => FileType::BlockDevice,
            () if kind.is_socket() => FileType::Socket,
            () => FileType::Fifo,
        };
        let made = rustix::fs::mknodat(CWD, to, kind, Mode::from_raw_mode(metadata.mode() & 0o7777), metadata.rdev());
        // An overlay, as the root of a container is one, refuses the mark that overlays use for what was deleted.
        let is_deletion = kind == FileType::CharacterDevice && metadata.rdev() == 0;
        made.context(|| match is_deletion {
            true => format!("the file system of the store cannot record the deletion of `{}`", to.display()),
            false => what(),
        })?;
    }
    copy_attributes(from, to)
}

fn copy_attributes(from: &Path, to: &Path) -> Result<(), Fault> {
    let what = || format!("cannot copy the attributes of `{}`", from.display());
    let metadata = from.symlink_metadata().context(what)?;
    let (uid, gid) = (Uid::from_raw(metadata.uid()), Gid::from_raw(metadata.gid()));
    rustix::fs::chownat(CWD, to, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW).context(what)?;
    // After the owner: a change of the owner takes capabilities and set-user-id away.
    for (name, value) in xattrs(from).context(what)? {
        if is_own_business(&name) {
            continue;
        }
        rustix::fs::lsetxattr(to, &*name, &value, XattrFlags::empty()).context(what)?;
    }
    if !metadata.file_type().is_symlink() {
        rustix::fs::chmod(to, Mode::from_raw_mode(metadata.mode() & 0o7777)).context(what)?;
    }
    let times = Timestamps {
        last_access: Timespec { tv_sec: metadata.atime(), tv_nsec: metadata.atime_nsec() },
        last_modification: Timespec { tv_sec: metadata.mtime(), tv_nsec: metadata.mtime_nsec() },
    };
    rustix::fs::utimensat(CWD, to, &times, AtFlags::SYMLINK_NOFOLLOW).context(what)
}

/// Returns whether an attribute says where the overlay found a file, which is of no use in another place.
fn is_own_business(name: &CStr) -> bool {
    let name = name.to_bytes();
    name.ends_with(b".overlay.origin") || name.ends_with(b".overlay.impure") || name.ends_with(b".overlay.uuid")
}
