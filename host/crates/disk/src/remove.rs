//! Removes directories of any depth.
//!
//! The recursion is [`LEVELS`] deep at most. A directory further down is moved to the top of what is removed, and is
//! removed from there. So neither the stack, nor the number of open descriptors, nor the length of a path grows with
//! the depth.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

/// The number of directories that are open at a time.
const LEVELS: usize = 32;
/// The number of names that are tried for a directory that is moved to the top.
const TRIES: usize = 100;

/// Removes a directory and everything in it, or a file. What is missing is no error.
///
/// # Errors
/// If something in it cannot be removed.
pub fn remove_all(path: &Path) -> io::Result<()> {
    Ok(remove(CWD, path, false)?)
}

/// Removes as [`remove_all`] does, and changes the modes of directories that forbid it.
///
/// # Errors
/// As [`remove_all`].
pub fn remove_all_by_force(path: &Path) -> io::Result<()> {
    Ok(remove(CWD, path, true)?)
}

/// Removes as [`remove_all`] does. The path begins at `directory`.
///
/// # Errors
/// As [`remove_all`].
pub fn remove_at(directory: impl AsFd, path: &Path) -> io::Result<()> {
    Ok(remove(directory, path, false)?)
}

fn remove(directory: impl AsFd, path: &Path, is_forced: bool) -> Result<(), Errno> {
    let found = match rustix::fs::statat(&directory, path, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
        found => FileType::from_raw_mode(found?.st_mode),
    };
    if found != FileType::Directory {
        return unless_missing(rustix::fs::unlinkat(&directory, path, AtFlags::empty()));
    }
    if is_forced {
        // What belongs to another user is reported below.
        let _ = rustix::fs::chmodat(&directory, path, Mode::RWXU, AtFlags::empty());
    }
    let top = match rustix::fs::openat(&directory, path, DIRECTORY, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(()),
        opened => opened?,
    };
    loop {
        let mut pass = Pass { top: &top, is_forced, n_moved: 0 };
        pass.empty(&top, 1)?;
        if pass.n_moved == 0 {
            break;
        }
    }
    unless_missing(rustix::fs::unlinkat(&directory, path, AtFlags::REMOVEDIR))
}

/// Somebody else can remove the same thing.
fn unless_missing(done: Result<(), Errno>) -> Result<(), Errno> {
    match done {
        Err(Errno::NOENT) => Ok(()),
        done => done,
    }
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);

/// Counts the directories that were moved, so that each gets another name.
static MOVED: AtomicU64 = AtomicU64::new(0);

/// One walk from the top. The directories that it moves there are removed by the next one.
struct Pass<'a> {
    top: &'a OwnedFd,
    is_forced: bool,
    n_moved: usize,
}

impl Pass<'_> {
    fn empty(&mut self, dir: &OwnedFd, level: usize) -> Result<(), Errno> {
        for (name, kind) in entries(dir)? {
            let done = match kind {
                FileType::Directory if level >= LEVELS => self.move_up(dir, &name),
                FileType::Directory => self.directory(dir, &name, level),
                _ => rustix::fs::unlinkat(dir, &name, AtFlags::empty()),
            };
            match done {
                // Another process removes the same directory.
                Err(Errno::NOENT) => {}
                done => done?,
            }
        }
        Ok(())
    }

    fn directory(&mut self, dir: &OwnedFd, name: &CString, level: usize) -> Result<(), Errno> {
        if self.is_forced {
            let _ = rustix::fs::chmodat(dir, name, Mode::RWXU, AtFlags::empty());
        }
        let below = rustix::fs::openat(dir, name, DIRECTORY, Mode::empty())?;
        self.empty(&below, level + 1)?;
        // The kernel takes longer to remove what is still open.
        drop(below);
        rustix::fs::unlinkat(dir, name, AtFlags::REMOVEDIR)
    }

    fn move_up(&mut self, dir: &OwnedFd, name: &CString) -> Result<(), Errno> {
        if self.is_forced {
            let _ = rustix::fs::chmodat(dir, name, Mode::RWXU, AtFlags::empty());
        }
        let mut result = Err(Errno::EXIST);
        for _ in 0..TRIES {
            let target = format!(".deep-{}-{}", std::process::id(), MOVED.fetch_add(1, Ordering::Relaxed));
            result = rustix::fs::renameat(dir, name, self.top, target.as_str());
            if !matches!(result, Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR)) {
                break;
            }
        }
        self.n_moved += usize::from(result.is_ok());
        result
    }
}

fn entries(dir: &OwnedFd) -> Result<Vec<(CString, FileType)>, Errno> {
    let mut found = Vec::new();
    for entry in Dir::read_from(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let kind = match entry.file_type() {
            FileType::Unknown => match rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT) => continue,
                stat => FileType::from_raw_mode(stat?.st_mode),
            },
            kind => kind,
        };
        found.push((name.to_owned(), kind));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes directories in each other, and a file in the last one.
    fn make_deep(path: &Path, n: usize) {
        std::fs::create_dir(path).unwrap();
        let mut at = rustix::fs::open(path, DIRECTORY, Mode::empty()).unwrap();
        for _ in 0..n {
            rustix::fs::mkdirat(&at, "d", Mode::RWXU).unwrap();
            at = rustix::fs::openat(&at, "d", DIRECTORY, Mode::empty()).unwrap();
        }
        rustix::fs::openat(&at, "file", OFlags::CREATE | OFlags::WRONLY, Mode::RUSR).unwrap();
    }

    #[test]
    fn a_directory_of_any_depth_is_removed_with_a_small_stack() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep");
        make_deep(&path, 20_000);
        std::fs::write(path.join("beside"), "").unwrap();
        let removed = path.clone();
        let thread = std::thread::Builder::new().stack_size(256 << 10).spawn(move || remove_all(&removed));
        thread.unwrap().join().unwrap().unwrap();
        assert!(!path.exists());
        remove_all(&path).unwrap();
    }

    #[test]
    fn a_link_is_removed_and_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let kept = dir.path().join("kept");
        make_deep(&kept, 1);
        let removed = dir.path().join("removed");
        std::fs::create_dir(&removed).unwrap();
        std::os::unix::fs::symlink(&kept, removed.join("link")).unwrap();
        remove_all(&removed).unwrap();
        std::os::unix::fs::symlink(&kept, &removed).unwrap();
        remove_all(&removed).unwrap();
        assert!(!removed.exists() && kept.join("d/file").exists());
    }
}
