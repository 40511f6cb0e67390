//! The directory into which a layer is unpacked, and the way to directories in it.
//!
//! A path is resolved as if the root were `/`: symbolic links of the layer are followed, and none
//! leads out. Most paths have no links, and one `openat2` finds their directory.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::rc::Rc;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use super::error::{EntryError, LayerError};
use super::name::{escape, join, push, split};
use super::{Limits, Lower};

/// The properties of a directory, which are set at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DirectoryMeta {
    pub(super) mode: u32,
    /// The user and the group, or `None` for the current user.
    pub(super) owner: Option<(u32, u32)>,
    pub(super) mtime_ns: Option<i64>,
}

/// An open directory, with `O_PATH`.
#[derive(Debug, Clone)]
pub(super) struct OpenDirectory {
    pub(super) fd: Rc<OwnedFd>,
    /// The path without symbolic links.
    pub(super) path: Vec<u8>,
}

pub(super) struct Root<'a> {
    fd: Rc<OwnedFd>,
    limits: Limits,
    lower: Option<Lower<'a>>,
    /// The last directory and the path by which it was found. Most entries are in the same
    /// directory as the entry before them.
    last: Option<(Vec<u8>, OpenDirectory)>,
    /// The properties of all created directories, by their paths without links.
    pub(super) directories: BTreeMap<Vec<u8>, DirectoryMeta>,
    n_directory_bytes: u64,
    has_openat2: bool,
}

const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);

pub(super) fn io(action: &'static str, path: &[u8], errno: Errno) -> LayerError {
    LayerError::Io { action, name: escape(path), source: errno.into() }
}

/// Returns whether the entry is a removal in the format of overlayfs.
pub(super) fn is_whiteout(directory: &OpenDirectory, name: &[u8], stat: &Stat) -> bool {
    disk::is_whiteout(&*directory.fd, name, stat)
}

/// Returns the properties of an entry of a directory, or `None` if it does not exist.
pub(super) fn stat(directory: &OpenDirectory, name: &[u8]) -> Result<Option<Stat>, LayerError> {
    match rustix::fs::statat(&directory.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(io("stat", &join(&directory.path, name), errno)),
    }
}

impl<'a> Root<'a> {
    pub(super) fn open(dir: &Path, limits: Limits, lower: Option<Lower<'a>>) -> Result<Self, LayerError> {
        let fd = rustix::fs::open(dir, DIRECTORY, Mode::empty()).map_err(|errno| LayerError::Io {
            action: "open directory",
            name: dir.display().to_string(),
            source: errno.into(),
        })?;
        let mut root = Self {
            fd: Rc::new(fd),
            limits,
            lower,
            last: None,
            directories: BTreeMap::new(),
            n_directory_bytes: 0,
            has_openat2: true,
        };
        root.directories.insert(Vec::new(), root.meta_below(b""));
        Ok(root)
    }

    pub(super) fn top(&self) -> OpenDirectory {
        OpenDirectory { fd: Rc::clone(&self.fd), path: Vec::new() }
    }

    /// Finds a directory, and creates its missing parts.
    pub(super) fn make(&mut self, path: &[u8]) -> Result<OpenDirectory, LayerError> {
        let entry = |source| LayerError::Entry { name: escape(path), source };
        self.resolve(path, true)?.ok_or_else(|| entry(EntryError::NotDirectory(escape(path))))
    }

    /// Finds a directory, and returns `None` if it does not exist.
    pub(super) fn find(&mut self, path: &[u8]) -> Result<Option<OpenDirectory>, LayerError> {
        self.resolve(path, false)
    }

    /// Forgets the last directory, because something was removed.
    pub(super) fn forget(&mut self) {
        self.last = None;
    }

    fn resolve(&mut self, path: &[u8], makes: bool) -> Result<Option<OpenDirectory>, LayerError> {
        if path.is_empty() {
            return Ok(Some(self.top()));
        }
        if let Some((last, directory)) = &self.last
            && last == path
        {
            return Ok(Some(directory.clone()));
        }
        let found = match self.open_below_last(path).or_else(|| self.open_direct(path)) {
            Some(directory) => Some(directory),
            None => self.walk(path, makes)?,
        };
        if let Some(directory) = &found {
            self.last = Some((path.to_vec(), directory.clone()));
        }
        Ok(found)
    }

    /// Opens a directory that is in the last one. So a deep one is not looked up from the root each time.
    fn open_below_last(&self, path: &[u8]) -> Option<OpenDirectory> {
        let (last, directory) = self.last.as_ref().filter(|_| self.has_openat2)?;
        let rest = path.strip_prefix(last.as_slice())?.strip_prefix(b"/")?;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        let fd = rustix::fs::openat2(&directory.fd, rest, DIRECTORY, Mode::empty(), resolve).ok()?;
        Some(OpenDirectory { fd: Rc::new(fd), path: join(&directory.path, rest) })
    }

    /// Opens a directory that exists and has no links in its path.
    fn open_direct(&mut self, path: &[u8]) -> Option<OpenDirectory> {
        if !self.has_openat2 {
            return None;
        }
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        match rustix::fs::openat2(&self.fd, path, DIRECTORY, Mode::empty(), resolve) {
            Ok(fd) => Some(OpenDirectory { fd: Rc::new(fd), path: path.to_vec() }),
            Err(errno) => {
                // Old kernels and system call filters do not have the call.
                self.has_openat2 = !matches!(errno, Errno::NOSYS | Errno::PERM);
                None
            }
        }
    }

    /// Resolves a path component by component. A link continues at the root or at the current
    /// directory.
    fn walk(&mut self, path: &[u8], makes: bool) -> Result<Option<OpenDirectory>, LayerError> {
        let names = |path: &[u8]| path.split(|&b| b == b'/').rev().map(<[u8]>::to_vec).collect::<Vec<_>>();
        let mut pending = names(path);
        let mut at = self.top();
        let mut n_links = 0;
        while let Some(name) = pending.pop() {
            match name.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    at = self.walk_plain(split(&at.path).0)?;
                    continue;
                }
                _ => {}
            }
            match rustix::fs::openat(&at.fd, name.as_slice(), DIRECTORY, Mode::empty()) {
                Ok(fd) => {
                    push(&mut at.path, &name);
                    at.fd = Rc::new(fd);
                }
                Err(Errno::NOENT) if makes => at = self.make_missing(&at, &name)?,
                Err(Errno::NOENT) => return Ok(None),
                Err(Errno::NOTDIR | Errno::LOOP) => match self.obstacle(&at, &name, makes)? {
                    Obstacle::Gone => {
                        at = self.make_missing(&at, &name)?;
                        super::owned::make_opaque(&at)?;
                    }
                    Obstacle::Nothing => return Ok(None),
                    Obstacle::Link(target) => {
                        n_links += 1;
                        if n_links > self.limits.max_links {
                            let source = EntryError::Loop(self.limits.max_links);
                            return Err(LayerError::Entry { name: escape(path), source });
                        }
                        if target.starts_with(b"/") {
                            at = self.top();
                        }
                        pending.extend(names(&target));
                    }
                },
                Err(errno) => return Err(io("open directory", &join(&at.path, &name), errno)),
            }
        }
        Ok(Some(at))
    }

    /// Opens an existing directory by its path without links.
    fn walk_plain(&self, path: &[u8]) -> Result<OpenDirectory, LayerError> {
        let mut at = self.top();
        for name in path.split(|&b| b == b'/').filter(|name| !name.is_empty()) {
            let fd = rustix::fs::openat(&at.fd, name, DIRECTORY, Mode::empty());
            at.fd = Rc::new(fd.map_err(|errno| io("open directory", path, errno))?);
            push(&mut at.path, name);
        }
        Ok(at)
    }

    /// Returns what is at a place where a directory is needed.
    fn obstacle(&mut self, at: &OpenDirectory, name: &[u8], makes: bool) -> Result<Obstacle, LayerError> {
        let path = join(&at.path, name);
        let Some(found) = stat(at, name)? else { return Ok(Obstacle::Nothing) };
        match FileType::from_raw_mode(found.st_mode) {
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(&at.fd, name, Vec::new());
                Ok(Obstacle::Link(target.map_err(|errno| io("read link", &path, errno))?.into_bytes()))
            }
            _ if is_whiteout(at, name, &found) && !makes => Ok(Obstacle::Nothing),
            _ if is_whiteout(at, name, &found) => {
                rustix::fs::unlinkat(&at.fd, name, AtFlags::empty()).map_err(|e| io("replace", &path, e))?;
                Ok(Obstacle::Gone)
            }
            _ if !makes => Ok(Obstacle::Nothing),
            _ => {
                let source = EntryError::NotDirectory(escape(&path));
                Err(LayerError::Entry { name: escape(&path), source })
            }
        }
    }

    /// Creates a directory that has entries in the layer and no entry of its own. It gets the
    /// properties that it has in the layers below.
    fn make_missing(&mut self, at: &OpenDirectory, name: &[u8]) -> Result<OpenDirectory, LayerError> {
        let path = join(&at.path, name);
        let meta = self.meta_below(&path);
        rustix::fs::mkdirat(&at.fd, name, Mode::RWXU).map_err(|errno| io("make directory", &path, errno))?;
        let fd = rustix::fs::openat(&at.fd, name, DIRECTORY, Mode::empty());
        let fd = Rc::new(fd.map_err(|errno| io("open directory", &path, errno))?);
        self.note(path.clone(), meta)?;
        Ok(OpenDirectory { fd, path })
    }

    /// Returns the properties of a directory in the layers below.
    fn meta_below(&self, path: &[u8]) -> DirectoryMeta {
        use std::os::unix::ffi::OsStrExt as _;
        let path = Path::new(std::ffi::OsStr::from_bytes(path));
        let below = self.lower.and_then(|lower| lower(path)).and_then(|path| std::fs::symlink_metadata(path).ok());
        match below.filter(std::fs::Metadata::is_dir) {
            Some(found) => DirectoryMeta {
                mode: found.mode() & 0o7777,
                owner: Some((found.uid(), found.gid())),
                mtime_ns: Some(found.mtime().saturating_mul(1_000_000_000).saturating_add(found.mtime_nsec())),
            },
            None => DirectoryMeta { mode: 0o755, owner: None, mtime_ns: None },
        }
    }

    /// Records the properties that a directory gets at the end.
    pub(super) fn note(&mut self, path: Vec<u8>, meta: DirectoryMeta) -> Result<(), LayerError> {
        let n_bytes = path.len() as u64;
        if self.n_directory_bytes + n_bytes > self.limits.max_directory_bytes {
            let what = format!("the paths of its directories have more than {} bytes", self.limits.max_directory_bytes);
            return Err(LayerError::Limit { at: format!("at `{}`", escape(&path)), what });
        }
        if self.directories.insert(path, meta).is_none() {
            self.n_directory_bytes += n_bytes;
        }
        Ok(())
    }

    /// Forgets the properties of directories that are removed.
    pub(super) fn forget_below(&mut self, path: &[u8]) {
        let inside = [path, b"/"].concat();
        let gone: Vec<_> = self
            .directories
            .range(path.to_vec()..)
            .map(|(other, _)| other)
            // Names that sort between a directory and its entries, such as `a-b`, are kept.
            .take_while(|other| other.starts_with(path))
            .filter(|other| *other == path || other.starts_with(&inside))
            .cloned()
            .collect();
        for path in gone {
            self.directories.remove(&path);
            self.n_directory_bytes -= path.len() as u64;
        }
        self.forget();
    }

    /// Opens a directory by its path without links.
    pub(super) fn reopen(&self, path: &[u8]) -> Result<OpenDirectory, LayerError> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        if self.has_openat2
            && !path.is_empty()
            && let Ok(fd) = rustix::fs::openat2(&self.fd, path, DIRECTORY, Mode::empty(), resolve)
        {
            return Ok(OpenDirectory { fd: Rc::new(fd), path: path.to_vec() });
        }
        self.walk_plain(path)
    }
}

/// What is at a place where a directory is needed.
enum Obstacle {
    Link(Vec<u8>),
    /// There was a removal, which has been deleted, so the directory can be created.
    Gone,
    /// There is something that cannot contain entries.
    Nothing,
}
