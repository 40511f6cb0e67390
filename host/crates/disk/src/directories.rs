//! Directories below a root that are opened one after the other.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};

use crate::open_beneath;

/// The number of directories at the end of the way that stay open.
const N_LAST: usize = 32;
/// The distance in levels between the directories further up that stay open.
const SPACING: usize = 128;

/// Opens directories below a root. The last ones on the way stay open, and some in regular distances above them. The
/// next directory is found from the nearest of them, so that a walk over a tree, in the order of its paths or in the
/// opposite one, takes a few steps for each directory, however deep it is.
///
/// No link is followed.
#[derive(Debug)]
pub struct Directories<'a> {
    root: BorrowedFd<'a>,
    flags: OFlags,
    /// The path of the directory that was opened last.
    path: Vec<u8>,
    /// The open directories on the way to it, the highest first. The root is not one of them.
    open: Vec<Open>,
}

/// A directory that stays open.
#[derive(Debug)]
struct Open {
    /// The number of names in its path.
    level: usize,
    /// The length of its path in bytes.
    end: usize,
    fd: OwnedFd,
}

/// Returns whether a directory stays open on the way to one at the level `last`.
fn stays_open(level: usize, last: usize) -> bool {
    level + N_LAST > last || level.is_multiple_of(SPACING)
}

impl<'a> Directories<'a> {
    /// Opens directories below `root` so that other files can be opened from there, and no more.
    #[must_use]
    pub fn new(root: &'a impl AsFd) -> Self {
        Self::with_flags(root, OFlags::PATH)
    }

    /// Opens directories below `root` so that they can be listed.
    #[must_use]
    pub fn readable(root: &'a impl AsFd) -> Self {
        Self::with_flags(root, OFlags::RDONLY)
    }

    fn with_flags(root: &'a impl AsFd, flags: OFlags) -> Self {
        let flags = flags | OFlags::DIRECTORY;
        Self { root: root.as_fd(), flags, path: Vec::new(), open: Vec::new() }
    }

    /// Opens the directory at a path; the empty path is the root.
    ///
    /// # Errors
    /// If the directory cannot be opened, or a part of the path is a link.
    pub fn open(&mut self, path: &[u8]) -> rustix::io::Result<BorrowedFd<'_>> {
        while self.open.last().is_some_and(|open| !is_on_the_way(&self.path[..open.end], path)) {
            self.open.pop();
        }
        let (above, done) = self.open.last().map_or((0, 0), |open| (open.level, open.end));
        let names = path[done..].iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'/');
        let mut ends: Vec<usize> = names.map(|(at, _)| done + at).collect();
        ends.extend((done < path.len()).then_some(path.len()));
        let last = above + ends.len();
        self.path.truncate(done);
        for (level, end) in (above + 1..).zip(ends).filter(|(level, _)| stays_open(*level, last)) {
            let from = self.open.last().map_or(self.root, |open| open.fd.as_fd());
            let rest = &path[self.path.len()..end];
            let fd = open_beneath(from, rest.strip_prefix(b"/").unwrap_or(rest), self.flags, Mode::empty())?;
            self.open.push(Open { level, end, fd });
            self.path.extend_from_slice(&path[self.path.len()..end]);
        }
        self.open.retain(|open| stays_open(open.level, last));
        Ok(self.open.last().map_or(self.root, |open| open.fd.as_fd()))
    }

    /// Opens the directory that has the entry at a path, and returns it with the name of the entry.
    ///
    /// # Errors
    /// As [`Directories::open`].
    pub fn parent<'p>(&mut self, path: &'p [u8]) -> rustix::io::Result<(BorrowedFd<'_>, &'p [u8])> {
        let (parent, name) = match path.iter().rposition(|&b| b == b'/') {
            Some(cut) => (&path[..cut], &path[cut + 1..]),
            None => (&b""[..], path),
        };
        Ok((self.open(parent)?, name))
    }
}

fn is_on_the_way(directory: &[u8], path: &[u8]) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

#[cfg(test)]
mod tests {
    use rustix::fs::{Mode, OFlags};

    use super::*;

    /// Makes directories that are `n` deep, and returns the open root and the path of the last one.
    fn deep(path: &std::path::Path, n: usize) -> (OwnedFd, Vec<u8>) {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let root = rustix::fs::open(path, flags, Mode::empty()).unwrap();
        let mut at = rustix::fs::openat(&root, ".", flags, Mode::empty()).unwrap();
        for _ in 0..n {
            rustix::fs::mkdirat(&at, "d", Mode::RWXU).unwrap();
            at = rustix::fs::openat(&at, "d", flags, Mode::empty()).unwrap();
        }
        (root, vec![&b"d"[..]; n].join(&b'/'))
    }

    fn inode(fd: impl AsFd) -> u64 {
        rustix::fs::fstat(fd).unwrap().st_ino
    }

    #[test]
    fn each_directory_is_found_on_the_way_down_and_up_and_across() {
        let dir = tempfile::tempdir().unwrap();
        let (root, last) = deep(dir.path(), 100);
        for name in ["d/other", "d/other/x", "d/dd"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
        }
        let mut paths: Vec<Vec<u8>> = (0..=last.len()).filter(|n| n % 2 == 1).map(|n| last[..n].to_vec()).collect();
        paths.extend(paths.clone().into_iter().rev());
        paths.extend([&b"d/other/x"[..], b"d/dd", b"d/d/d", b"d/other", b"", b"d"].map(<[u8]>::to_vec));
        let mut directories = Directories::new(&root);
        for path in paths {
            let expected = open_beneath(&root, &path, OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).unwrap();
            assert_eq!(inode(directories.open(&path).unwrap()), inode(expected), "{path:?}");
            assert!(directories.open.len() <= N_LAST + 100 / SPACING);
        }
    }

    #[test]
    fn a_directory_that_is_missing_or_a_link_is_an_error_and_the_next_one_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let (root, _) = deep(dir.path(), 3);
        std::os::unix::fs::symlink("d", dir.path().join("d/link")).unwrap();
        let mut directories = Directories::new(&root);
        for wrong in ["d/none/d", "d/link", "none", "d/d/d/d"] {
            directories.open(wrong.as_bytes()).unwrap_err();
            directories.open(b"d/d").unwrap();
        }
        let (parent, name) = directories.parent(b"d/d/file").unwrap();
        assert_eq!(name, b"file");
        rustix::fs::mkdirat(parent, name, Mode::RWXU).unwrap();
        assert!(dir.path().join("d/d/file").exists());
    }

    #[test]
    fn a_walk_up_finds_each_directory_from_one_that_is_near() {
        let dir = tempfile::tempdir().unwrap();
        let (root, last) = deep(dir.path(), 1000);
        let mut directories = Directories::new(&root);
        for level in (1..=1000).rev() {
            directories.open(&last[..level * 2 - 1]).unwrap();
            let levels: Vec<usize> = directories.open.iter().map(|open| open.level).collect();
            let expected: Vec<usize> = (1..=level).filter(|n| n.is_multiple_of(SPACING)).collect();
            assert!(expected.iter().all(|level| levels.contains(level)), "{level}: {levels:?}");
            assert!(levels.len() <= N_LAST + expected.len());
        }
        crate::remove_all(&dir.path().join("d")).unwrap();
    }

    #[test]
    fn a_path_may_be_longer_than_the_kernel_takes() {
        let dir = tempfile::tempdir().unwrap();
        let (root, last) = deep(dir.path(), 5000);
        let mut directories = Directories::readable(&root);
        directories.open(&last).unwrap();
        directories.open(&last[..6001]).unwrap();
        crate::remove_all(&dir.path().join("d")).unwrap();
    }
}
