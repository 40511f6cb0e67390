//! Copies an upper directory from memory to the store, marks of the overlay included.
//!
//! For stores on a file system that cannot hold upper directories itself. Directories may be of any depth, and their
//! paths of any length.

use std::collections::HashMap;
use std::ffi::{CStr, OsStr};
use std::fs::{File, Metadata};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use disk::Directories;
use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags};

use super::fault::{Context as _, Fault};
use super::sys::xattrs;

/// Copies what is in `from` to the empty directory `to`, and its own attributes.
pub(super) fn copy_tree(from: &Path, to: &Path) -> Result<(), Fault> {
    let open = |path: &Path| {
        let opened = rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        opened.context(|| format!("cannot open `{}`", path.display()))
    };
    let (from_root, to_root) = (open(from)?, open(to)?);
    let mut copier = Copier {
        from: Directories::new(&from_root),
        to: Directories::new(&to_root),
        to_root: &to_root,
        links: HashMap::new(),
    };
    let mut todo = entries(&from_root, b"")?;
    while let Some(next) = todo.pop() {
        match next {
            Todo::Entry(path) => {
                if copier.entry(&path)? {
                    let below = entries(copier.from.open(&path).context(|| shown("open", &path))?, &path)?;
                    todo.push(Todo::Attributes(path));
                    todo.extend(below);
                }
            }
            Todo::Attributes(path) => {
                let (from, to) = copier.places(&path)?;
                copy_attributes(&from, &to, &path)?;
            }
        }
    }
    copy_attributes(from, to, b"")
}

/// What is to be done at a path from the root.
enum Todo {
    /// Copy what is there.
    Entry(Vec<u8>),
    /// Copy the attributes of a directory: when everything in it is copied.
    Attributes(Vec<u8>),
}

struct Copier<'a> {
    from: Directories<'a>,
    to: Directories<'a>,
    to_root: &'a OwnedFd,
    /// The paths of the files that have several names, by their inodes.
    links: HashMap<u64, Vec<u8>>,
}

impl Copier<'_> {
    /// Returns where an entry is and where it goes, as paths that are short.
    fn places(&mut self, path: &[u8]) -> Result<(PathBuf, PathBuf), Fault> {
        let what = || shown("open", path);
        let (from, name) = self.from.parent(path).context(what)?;
        let from = place(from, name);
        let (to, name) = self.to.parent(path).context(what)?;
        Ok((from, place(to, name)))
    }

    /// Copies an entry, and returns whether it is a directory, of which it makes an empty one.
    fn entry(&mut self, path: &[u8]) -> Result<bool, Fault> {
        let what = || shown("copy", path);
        let (from, to) = self.places(path)?;
        let metadata = from.symlink_metadata().context(what)?;
        let kind = metadata.file_type();
        if kind.is_dir() {
            std::fs::create_dir(&to).context(what)?;
            return Ok(true);
        }
        if kind.is_char_device() && metadata.rdev() == 0 {
            // Before the names of one inode: an overlay has one for all of its whiteouts.
            let (parent, name) = self.to.parent(path).context(what)?;
            disk::make_whiteout(self.to_root, parent, name).context(|| shown("record the deletion of", path))?;
            return Ok(false);
        }
        if metadata.nlink() > 1 {
            if let Some(first) = self.links.get(&metadata.ino()) {
                let (parent, name) = split(first);
                let flags = OFlags::PATH | OFlags::DIRECTORY;
                let parent = disk::open_beneath(self.to_root, parent, flags, Mode::empty()).context(what)?;
                rustix::fs::linkat(&parent, name, CWD, &to, AtFlags::empty()).context(what)?;
                return Ok(false);
            }
            self.links.insert(metadata.ino(), path.to_vec());
        }
        if kind.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(&from).context(what)?, &to).context(what)?;
        } else if kind.is_file() {
            let (from, to) = (File::open(&from).context(what)?, File::create_new(&to).context(what)?);
            disk::copy_contents(&from, &to).context(what)?;
        } else {
            make_special(&to, &metadata, path)?;
        }
        copy_attributes(&from, &to, path)?;
        Ok(false)
    }
}

fn split(path: &[u8]) -> (&[u8], &[u8]) {
    path.iter().rposition(|&b| b == b'/').map_or((b"", path), |cut| (&path[..cut], &path[cut + 1..]))
}

fn place(directory: BorrowedFd<'_>, name: &[u8]) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd())).join(OsStr::from_bytes(name))
}

fn shown(action: &str, path: &[u8]) -> String {
    format!("cannot {action} `/{}`, which the command wrote", String::from_utf8_lossy(path))
}

/// Returns the entries of the directory at a path.
fn entries(directory: impl AsFd, path: &[u8]) -> Result<Vec<Todo>, Fault> {
    let what = || shown("read", path);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(directory, ".", flags, Mode::empty()).context(what)?;
    let mut found = Vec::new();
    for entry in rustix::fs::Dir::new(opened).context(what)? {
        let entry = entry.context(what)?;
        let name = entry.file_name().to_bytes();
        if !matches!(name, b"." | b"..") {
            let path = if path.is_empty() { name.to_vec() } else { [path, name].join(&b'/') };
            found.push(Todo::Entry(path));
        }
    }
    Ok(found)
}

/// Makes a device, a pipe or a socket.
fn make_special(to: &Path, metadata: &Metadata, path: &[u8]) -> Result<(), Fault> {
    let kind = metadata.file_type();
    let kind = match () {
        () if kind.is_char_device() => FileType::CharacterDevice,
        () if kind.is_block_device() => FileType::BlockDevice,
        () if kind.is_socket() => FileType::Socket,
        () => FileType::Fifo,
    };
    let made = rustix::fs::mknodat(CWD, to, kind, Mode::from_raw_mode(metadata.mode() & 0o7777), metadata.rdev());
    made.context(|| shown("copy", path))
}

fn copy_attributes(from: &Path, to: &Path, path: &[u8]) -> Result<(), Fault> {
    let what = || shown("copy the attributes of", path);
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_directory_of_any_depth_is_copied_with_a_small_stack_and_keeps_its_holes_and_links() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        std::fs::create_dir_all(from.join("d")).unwrap();
        std::fs::create_dir(&to).unwrap();
        let hole = File::create(from.join("hole")).unwrap();
        hole.set_len(1 << 30).unwrap();
        std::fs::hard_link(from.join("hole"), from.join("d/same")).unwrap();
        std::os::unix::fs::symlink("hole", from.join("link")).unwrap();
        std::fs::set_permissions(from.join("d"), std::fs::Permissions::from_mode(0o555)).unwrap();
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        let mut at = rustix::fs::open(&from, flags, Mode::empty()).unwrap();
        for _ in 0..5000 {
            rustix::fs::mkdirat(&at, "deep", Mode::RWXU).unwrap();
            at = rustix::fs::openat(&at, "deep", flags, Mode::empty()).unwrap();
        }
        let copied = std::thread::Builder::new().stack_size(1 << 20).spawn({
            let (from, to) = (from.clone(), to.clone());
            move || copy_tree(&from, &to)
        });
        copied.unwrap().join().unwrap().unwrap();
        let root = rustix::fs::open(&to, flags, Mode::empty()).unwrap();
        disk::open_beneath(&root, &[&b"deep"[..]; 5000].join(&b'/'), flags, Mode::empty()).unwrap();
        let hole = to.join("hole").metadata().unwrap();
        assert_eq!((hole.len(), hole.nlink(), hole.ino()), (1 << 30, 2, to.join("d/same").metadata().unwrap().ino()));
        assert!(hole.blocks() < 2048, "{} blocks", hole.blocks());
        assert_eq!(std::fs::read_link(to.join("link")).unwrap(), Path::new("hole"));
        assert_eq!(to.join("d").metadata().unwrap().mode() & 0o777, 0o555);
        for path in [&from, &to] {
            disk::remove_all_by_force(path).unwrap();
        }
    }
}
