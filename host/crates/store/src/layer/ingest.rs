//! Reads the changes that a command made. All functions take paths and no store, because they also run in
//! another process and namespace.

use std::ffi::CString;
use std::fs::File;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use graph::{Blame, ContentDigest, Diagnostic};
use rustix::fs::{AtFlags, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::blob::{blob_path, hash_file, nanoseconds, settle};
use crate::budget::Limits;
use crate::fs::{self, Directories, IoError};
use crate::layer::{Change, ChangeKind, IdMap, LayerContents, link_blob};
use crate::store::Store;
use crate::tree::node::Owned;

/// The number of files from which on several threads hash them. The threads are started here and do not belong
/// to a pool, because this also runs in a forked process, in which the threads of a pool do not exist.
const PARALLEL_FILES: usize = 64;
/// The largest number of threads.
const MAX_THREADS: usize = 16;

/// Why a layer could not be read.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The file system reports an error.
    #[error(transparent)]
    Io(#[from] IoError),
    /// A directory is too deep.
    #[error("the command made directories that are more than {limit} deep, below `{}`", start(path))]
    TooDeep {
        /// The path of the directory from the root of the layer, as bytes.
        path: Vec<u8>,
        /// The largest depth.
        limit: usize,
    },
    /// The holes of files are too large.
    #[error("the command made files with holes of more than {limit} bytes together, with `{}`", start(path))]
    Holes {
        /// The path of a file from the root of the layer, as bytes.
        path: Vec<u8>,
        /// The largest number of bytes.
        limit: u64,
    },
}

/// The limits for what a command leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct IngestLimits {
    /// The number of directories in each other.
    pub max_depth: usize,
    /// The number of bytes of all holes of files. They take no space, and as long to hash as data.
    pub max_hole_bytes: u64,
}

impl Default for IngestLimits {
    fn default() -> Self {
        let limits = Limits::default();
        Self { max_depth: limits.max_depth, max_hole_bytes: limits.max_bytes }
    }
}

impl Store {
    /// Returns the limits of the store for what a command leaves.
    #[must_use]
    pub fn ingest_limits(&self) -> IngestLimits {
        IngestLimits { max_depth: self.limits().max_depth, max_hole_bytes: self.limits().max_bytes }
    }
}

/// Returns the first names of a long path.
fn start(path: &[u8]) -> String {
    let names: Vec<&[u8]> = path.split(|&b| b == b'/').take(3).collect();
    format!("/{}", crate::tree::resolve::escape(&names.join(&b'/')))
}

impl Diagnostic for IngestError {
    fn blame(&self) -> Blame {
        match self {
            Self::Io(_) => Blame::Environment,
            Self::TooDeep { .. } | Self::Holes { .. } => Blame::User,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Io(error) => error.hint(),
            Self::TooDeep { .. } => {
                Some("let the command remove them, or raise the limit with `--max-depth`".to_owned())
            }
            Self::Holes { .. } => Some("let the command remove them, or raise the limit with `--max-bytes`".to_owned()),
        }
    }
}

/// Reads the changes that a command made, from the upper directory of an overlay, and makes blobs of the contents
/// of its files: by hard links where the files belong to this user and are readable, and by copies otherwise.
/// Whiteouts take the place of devices and sockets, which are in no tree.
/// Nobody may write to the directory any more. `ids` maps the owners on the disk to those in the tree.
///
/// # Errors
/// If something cannot be read, the disk is full, or the directory exceeds a limit.
pub fn ingest_layer(
    dir: &Path,
    blobs_dir: &Path,
    ids: &IdMap,
    limits: &IngestLimits,
) -> Result<LayerContents, IngestError> {
    let metadata = fs::lstat(dir)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = &rustix::fs::open(dir, flags, Mode::empty()).map_err(|e| IoError::new("open directory", dir, e))?;
    let directories = Directories::readable(root);
    let (changes, files) = (Vec::new(), Vec::new());
    let mut reader = Reader { dir, root, directories, ids, limits, changes, files, n_skipped: 0, n_hole_bytes: 0 };
    reader.walk()?;
    let Reader { mut changes, files, n_skipped, .. } = reader;
    let digests = hash_all(dir, root, blobs_dir, &changes, &files)?;
    let mut size_bytes = 0;
    for (index, (found, n)) in files.into_iter().zip(digests) {
        size_bytes += n;
        changes[index].what = ChangeKind::File { digest: found, size: n };
    }
    let root = owned_of(ids, metadata.mode(), metadata.uid(), metadata.gid());
    Ok(LayerContents { root, changes, size_bytes, n_skipped })
}

fn owned_of(ids: &IdMap, mode: u32, uid: u32, gid: u32) -> Owned {
    let (uid, gid) = ids.inside(uid, gid);
    Owned { mode: mode & 0o7777, uid, gid }
}

struct Reader<'a> {
    dir: &'a Path,
    root: &'a OwnedFd,
    directories: Directories<'a>,
    ids: &'a IdMap,
    limits: &'a IngestLimits,
    changes: Vec<Change>,
    /// The indexes of the regular files in `changes`.
    files: Vec<usize>,
    n_skipped: usize,
    n_hole_bytes: u64,
}

/// A directory whose entries are being read.
struct Level {
    path: Vec<u8>,
    /// The entries that are not read yet, the last one first.
    entries: Vec<Listed>,
}

/// The name of an entry, its stat, and whether it is a whiteout.
type Listed = (CString, Stat, bool);

impl Reader<'_> {
    fn error(&self, action: &'static str, path: &[u8], errno: Errno) -> IoError {
        IoError::new(action, self.dir.join(fs::path_of(path)), errno)
    }

    /// Walks over all directories, each before the entries in it, in the order of their names. It uses no recursion on
    /// the stack.
    fn walk(&mut self) -> Result<(), IngestError> {
        let mut levels = vec![self.list(Vec::new(), None)?];
        while let Some(level) = levels.last_mut() {
            let Some(listed) = level.entries.pop() else {
                levels.pop();
                continue;
            };
            let path = match level.path.is_empty() {
                true => listed.0.to_bytes().to_vec(),
                false => [&level.path, listed.0.to_bytes()].join(&b'/'),
            };
            if let Some(below) = self.entry(&listed, path)? {
                if levels.len() > self.limits.max_depth {
                    return Err(IngestError::TooDeep { path: below, limit: self.limits.max_depth });
                }
                levels.push(self.list(below, Some(self.changes.len() - 1))?);
            }
        }
        Ok(())
    }

    /// Lists a directory. `index` is that of its change.
    fn list(&mut self, path: Vec<u8>, index: Option<usize>) -> Result<Level, IoError> {
        let failed = |dir: &Path, action, name: &[u8], errno| IoError::new(action, dir.join(fs::path_of(name)), errno);
        let dir = self.dir;
        let fd = self.directories.open(&path).map_err(|e| failed(dir, "open directory", &path, e))?;
        if let Some(change) = index.and_then(|index| self.changes.get_mut(index))
            && disk::is_opaque(fd)
        {
            change.what = ChangeKind::Directory { is_opaque: true };
        }
        let mut entries = Vec::new();
        for entry in rustix::fs::Dir::read_from(fd).map_err(|e| failed(dir, "list", &path, e))? {
            let entry = entry.map_err(|e| failed(dir, "list", &path, e))?;
            let name = entry.file_name();
            if !matches!(name.to_bytes(), b"." | b"..") {
                let stat = rustix::fs::statat(fd, name, AtFlags::SYMLINK_NOFOLLOW);
                let stat = stat.map_err(|e| failed(&dir.join(fs::path_of(&path)), "stat", name.to_bytes(), e))?;
                entries.push((name.to_owned(), stat, disk::is_whiteout(fd, name, &stat)));
            }
        }
        entries.sort_by(|(a, ..), (b, ..)| b.cmp(a));
        Ok(Level { path, entries })
    }

    /// Adds an entry; returns its path if it is a directory.
    fn entry(&mut self, (name, stat, is_removed): &Listed, path: Vec<u8>) -> Result<Option<Vec<u8>>, IngestError> {
        use rustix::fs::FileType;
        let mut below = None;
        let what = match FileType::from_raw_mode(stat.st_mode) {
            _ if *is_removed => ChangeKind::Whiteout,
            FileType::RegularFile => {
                let (size, n_blocks) = (stat.st_size.try_into().unwrap_or(0), stat.st_blocks.try_into().unwrap_or(0));
                self.n_hole_bytes = self.n_hole_bytes.saturating_add(disk::hole_bytes(size, n_blocks));
                if self.n_hole_bytes > self.limits.max_hole_bytes {
                    return Err(IngestError::Holes { path, limit: self.limits.max_hole_bytes });
                }
                self.files.push(self.changes.len());
                // The entry becomes a file when its digest is known.
                ChangeKind::Fifo
            }
            FileType::Directory => {
                below = Some(path.clone());
                ChangeKind::Directory { is_opaque: false }
            }
            FileType::Symlink => {
                let parent = self.directories.parent(&path);
                let target = parent.and_then(|(fd, _)| rustix::fs::readlinkat(fd, name, Vec::new()));
                ChangeKind::Symlink { target: target.map_err(|e| self.error("read link", &path, e))?.into_bytes() }
            }
            FileType::Fifo => ChangeKind::Fifo,
            _ => {
                self.n_skipped += 1;
                let hidden = self.directories.parent(&path).and_then(|(fd, _)| hide(self.root, fd, name));
                hidden.map_err(|e| self.error("replace", &path, e))?;
                ChangeKind::Whiteout
            }
        };
        let owned = owned_of(self.ids, stat.st_mode, stat.st_uid, stat.st_gid);
        let mtime_ns = nanoseconds(stat.st_mtime, stat.st_mtime_nsec as i64);
        self.changes.push(Change { path, what, owned, mtime_ns });
        Ok(below)
    }
}

/// Puts a whiteout in the place of an entry that a tree cannot have. It hides an entry of a lower layer, and is no entry
/// itself. Otherwise the layer would show more than its tree has, to every step over a tree with that digest.
fn hide(root: &OwnedFd, parent: BorrowedFd<'_>, name: &CString) -> rustix::io::Result<()> {
    rustix::fs::unlinkat(parent, name, AtFlags::empty())?;
    disk::make_whiteout(root, parent, name.as_bytes())
}

fn hash_all(
    dir: &Path,
    root: &OwnedFd,
    blobs_dir: &Path,
    changes: &[Change],
    files: &[usize],
) -> Result<Vec<(ContentDigest, u64)>, IoError> {
    let one = |directories: &mut Directories<'_>, index: &usize| {
        let path = &changes[*index].path;
        let shown = || dir.join(fs::path_of(path));
        let (parent, name) = directories.parent(path).map_err(|e| IoError::new("open the directory of", shown(), e))?;
        put(parent, name, &shown(), blobs_dir)
    };
    if files.len() < PARALLEL_FILES {
        let mut directories = Directories::new(root);
        return files.iter().map(|index| one(&mut directories, index)).collect();
    }
    let n_threads = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        let mut directories = Directories::new(root);
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(index) = files.get(i) else { return Ok(done) };
            done.push((i, one(&mut directories, index)?));
        }
    };
    let parts: Vec<Result<Vec<_>, IoError>> = thread::scope(|scope| {
        let others: Vec<_> =
            (1..n_threads).filter_map(|_| thread::Builder::new().spawn_scoped(scope, work).ok()).collect();
        let mut parts = vec![work()];
        parts.extend(others.into_iter().map(|t| t.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))));
        parts
    });
    let mut all = parts.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
    all.sort_by_key(|(i, _)| *i);
    Ok(all.into_iter().map(|(_, found)| found).collect())
}

/// Makes a blob of a file, and returns its digest and its size. `shown` is its path in messages.
fn put(parent: BorrowedFd<'_>, name: &[u8], shown: &Path, blobs_dir: &Path) -> Result<(ContentDigest, u64), IoError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(parent, name, flags, Mode::empty());
    let mut file = File::from(opened.map_err(|e| IoError::new("open", shown, e))?);
    let (digest, size) = hash_file(&mut file).map_err(|e| IoError::new("read", shown, e))?;
    let target = blob_path(blobs_dir, &digest);
    if fs::lstat_if_there(&target)?.is_some_and(|metadata| metadata.len() == size) {
        return Ok((digest, size));
    }
    if !link_blob(parent, fs::path_of(name), &file, shown, blobs_dir, &digest)? {
        copy(&file, shown, &target)?;
    }
    Ok((digest, size))
}

fn copy(from: &File, path: &Path, target: &Path) -> Result<(), IoError> {
    use std::io::{Seek, SeekFrom};
    let parent = target.parent().unwrap_or(target);
    fs::make_dirs(parent, 0o700)?;
    let temporary: PathBuf = target.with_extension(fs::unique_name());
    let to = fs::create_new(&temporary, 0o644)?;
    let mut from = from;
    let copied = from
        .seek(SeekFrom::Start(0))
        .and_then(|_| fs::copy_contents(from, &to))
        .map_err(|e| IoError::new("copy", path, e))
        .and_then(|_| settle(&temporary, target));
    if copied.is_err() {
        // The error of the copy is the one that is returned.
        let _ = fs::remove_file(&temporary);
    }
    copied
}
