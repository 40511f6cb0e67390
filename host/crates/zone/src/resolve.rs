//! Follows paths inside of a container's root, before anything runs in it.
//!
//! Links are followed by hand, so that a path whose end is missing resolves too. What is then opened is
//! opened with `RESOLVE_IN_ROOT`: should a shared cache change in between, the path still stays inside.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::fault::{Context as _, Fault};

/// How many links one path may lead over. Source: Linux, `MAXSYMLINKS`.
const MAX_LINKS: u32 = 40;

/// The kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Directory,
    /// Any other kind.
    Other,
}

/// The end of a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resolved {
    /// From the root, without links and dots.
    pub path: PathBuf,
    /// The kind of the file at the path; none if there is no file.
    pub found: Option<Kind>,
}

/// Follows a path of the container.
pub(super) fn resolve(root: BorrowedFd<'_>, path: &str) -> Result<Resolved, Fault> {
    let refused = |error| Fault::system(format!("cannot follow `{path}` in the container"), error);
    let mut names: VecDeque<String> = path.split('/').map(str::to_owned).collect();
    let mut at = PathBuf::new();
    let mut found = Some(Kind::Directory);
    let mut n_links = 0;
    while let Some(name) = names.pop_front() {
        match name.as_str() {
            "" | "." => continue,
            ".." => {
                at.pop();
                found = Some(Kind::Directory);
                continue;
            }
            _ => {}
        }
        if found == Some(Kind::Other) {
            return Err(Fault::spec(format!("`{path}`: `/{}` in the container is not a directory", at.display())));
        }
        at.push(&name);
        if found.is_none() {
            continue;
        }
        let fd = match open_in_root(root, &at, OFlags::PATH | OFlags::NOFOLLOW, 0) {
            Ok(fd) => fd,
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {
                found = None;
                continue;
            }
            Err(error) => return Err(refused(error)),
        };
        let stat = rustix::fs::fstat(&fd).context(|| format!("cannot follow `{path}` in the container"))?;
        found = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => Some(Kind::Directory),
            FileType::Symlink => {
                n_links += 1;
                if n_links > MAX_LINKS {
                    return Err(refused(Errno::LOOP.into()));
                }
                let target = rustix::fs::readlinkat(&fd, c"", Vec::new())
                    .context(|| format!("cannot follow `{path}` in the container"))?;
                let target = target.to_string_lossy().into_owned();
                at.pop();
                if target.starts_with('/') {
                    at.clear();
                }
                for name in target.split('/').rev() {
                    names.push_front(name.to_owned());
                }
                Some(Kind::Directory)
            }
            _ => Some(Kind::Other),
        };
    }
    Ok(Resolved { path: at, found })
}

/// Opens a path, which never leads out of the root.
pub(super) fn open_in_root(root: BorrowedFd<'_>, path: &Path, flags: OFlags, mode: u32) -> io::Result<OwnedFd> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    loop {
        let mode = if flags.contains(OFlags::CREATE) { Mode::from_raw_mode(mode) } else { Mode::empty() };
        match rustix::fs::openat2(root, path, flags | OFlags::CLOEXEC, mode, resolve) {
            // Something was renamed meanwhile.
            Err(Errno::AGAIN | Errno::INTR) => {}
            result => return result.map_err(Into::into),
        }
    }
}

/// Makes a directory and those above it. `path` is from the root and resolved.
pub(super) fn make_directories(root: BorrowedFd<'_>, path: &Path) -> Result<(), Fault> {
    let what = || format!("cannot make the directory `/{}` in the container", path.display());
    let mut above = PathBuf::new();
    for name in path.iter() {
        let parent = open_in_root(root, &above, OFlags::PATH | OFlags::DIRECTORY, 0).context(what)?;
        match rustix::fs::mkdirat(&parent, name, Mode::from_raw_mode(0o755)) {
            Ok(()) => {
                // Whatever the mask of `host` was.
                rustix::fs::chmodat(&parent, name, Mode::from_raw_mode(0o755), AtFlags::empty()).context(what)?;
            }
            Err(Errno::EXIST) => {}
            Err(error) => return Err(Fault::system(what(), error)),
        }
        above.push(name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_followed_inside_of_the_root() {
        let directory = tempfile::tempdir().unwrap();
        let base = directory.path();
        std::fs::create_dir_all(base.join("a/b")).unwrap();
        std::fs::write(base.join("a/file"), "").unwrap();
        symlink("/a", base.join("abs")).unwrap();
        symlink("../../../../a/b", base.join("a/up")).unwrap();
        symlink("/gone/x", base.join("dangling")).unwrap();
        symlink("loop", base.join("loop")).unwrap();
        let root = rustix::fs::open(base, OFlags::PATH, Mode::empty()).unwrap();
        let check = |path: &str, expect: &str, found: Option<Kind>| {
            let resolved = resolve(root.as_fd(), path).unwrap();
            assert_eq!(resolved, Resolved { path: expect.into(), found }, "{path}");
        };
        check("/", "", Some(Kind::Directory));
        check("/abs/b", "a/b", Some(Kind::Directory));
        check("/abs/up/..", "a", Some(Kind::Directory));
        check("/a/file", "a/file", Some(Kind::Other));
        check("/../../etc/passwd", "etc/passwd", None);
        check("/dangling/y", "gone/x/y", None);
        assert!(resolve(root.as_fd(), "/loop").is_err());
        assert!(resolve(root.as_fd(), "/a/file/x").is_err());
    }
}
