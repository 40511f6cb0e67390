//! Reads the changes that a command made. All functions take paths and no store, because they also run in
//! another process and namespace.

use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use graph::{Blame, ContentDigest, Diagnostic};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use crate::blob::{blob_path, hash_file, nanoseconds, settle};
use crate::budget::MAX_DEPTH;
use crate::fs::{self, IoError};
use crate::layer::{Change, ChangeKind, IdMap, LayerContents, OPAQUE, link_blob};
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
    #[error("the command made directories that are more than {MAX_DEPTH} deep, below `{}`", start(path))]
    TooDeep {
        /// The path of the directory from the root of the layer, as bytes.
        path: Vec<u8>,
    },
}

/// Returns the first names of a long path.
fn start(path: &[u8]) -> String {
    let names: Vec<&[u8]> = path.split(|&b| b == b'/').take(3).collect();
    format!("/{}", crate::tree::resolve::escape(&names.join(&b'/')))
}

impl Diagnostic for IngestError {
    fn blame(&self) -> Blame {
        Blame::Environment
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Io(error) => error.hint(),
            Self::TooDeep { .. } => Some("let the command remove them, or put them into a file".to_owned()),
        }
    }
}

/// Reads the changes that a command made, from the upper directory of an overlay, and makes blobs of the contents
/// of its files: by hard links where the files belong to this user and are readable, and by copies otherwise.
/// Nobody may write to the directory any more. `ids` maps the owners on the disk to those in the tree.
///
/// # Errors
/// If something cannot be read, or the disk is full.
pub fn ingest_layer(dir: &Path, blobs_dir: &Path, ids: &IdMap) -> Result<LayerContents, IngestError> {
    let metadata = fs::lstat(dir)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::open(dir, flags, Mode::empty()).map_err(|e| IoError::new("open directory", dir, e))?;
    let mut reader = Reader { dir, root, ids, changes: Vec::new(), files: Vec::new(), n_skipped: 0 };
    reader.walk()?;
    let Reader { root, mut changes, files, n_skipped, .. } = reader;
    let digests = hash_all(dir, &root, blobs_dir, &changes, &files)?;
    let mut size_bytes = 0;
    for (index, (found, n)) in files.into_iter().zip(digests) {
        size_bytes += n;
        changes[index].what = ChangeKind::File { digest: found, size: n };
    }
    let root = owned_of(ids, metadata.mode(), metadata.uid(), metadata.gid());
    changes.sort_by(|a, b| a.path.split(|&b| b == b'/').cmp(b.path.split(|&b| b == b'/')));
    Ok(LayerContents { root, changes, size_bytes, n_skipped })
}

fn owned_of(ids: &IdMap, mode: u32, uid: u32, gid: u32) -> Owned {
    let (uid, gid) = ids.inside(uid, gid);
    Owned { mode: mode & 0o7777, uid, gid }
}

struct Reader<'a> {
    dir: &'a Path,
    root: OwnedFd,
    ids: &'a IdMap,
    changes: Vec<Change>,
    /// The indexes of the regular files in `changes`.
    files: Vec<usize>,
    n_skipped: usize,
}

impl Reader<'_> {
    fn error(&self, action: &'static str, path: &[u8], errno: Errno) -> IoError {
        IoError::new(action, self.dir.join(fs::path_of(path)), errno)
    }

    /// Walks over all directories. It uses no recursion on the stack.
    fn walk(&mut self) -> Result<(), IngestError> {
        // The path of each directory, its depth, and the index of its change.
        let mut pending = vec![(Vec::new(), 0, None)];
        let mut last: Option<(Vec<u8>, OwnedFd)> = None;
        while let Some((at, depth, index)) = pending.pop() {
            if depth > MAX_DEPTH {
                return Err(IngestError::TooDeep { path: at });
            }
            let flags = OFlags::RDONLY | OFlags::DIRECTORY;
            // Most directories are in the one that was listed last, from which the way is short.
            let below = last.as_ref().and_then(|(path, fd)| Some((at.strip_prefix(&**path)?.strip_prefix(b"/")?, fd)));
            let fd = match below {
                Some((rest, from)) => fs::open_beneath(from, rest, flags, Mode::empty()),
                None => fs::open_beneath(&self.root, &at, flags, Mode::empty()),
            };
            let fd = fd.map_err(|e| self.error("open directory", &at, e))?;
            if let Some(index) = index
                && is_opaque(&fd)
            {
                let change: &mut Change = &mut self.changes[index];
                change.what = ChangeKind::Directory { is_opaque: true };
            }
            let entries = rustix::fs::Dir::read_from(&fd).map_err(|e| self.error("list", &at, e))?;
            for entry in entries {
                let entry = entry.map_err(|e| self.error("list", &at, e))?;
                let name = entry.file_name();
                if !matches!(name.to_bytes(), b"." | b"..") {
                    let mut path = at.clone();
                    if !path.is_empty() {
                        path.push(b'/');
                    }
                    path.extend_from_slice(name.to_bytes());
                    let stat = rustix::fs::statat(&fd, name, AtFlags::SYMLINK_NOFOLLOW);
                    let stat = stat.map_err(|e| self.error("stat", &path, e))?;
                    let index: usize = self.changes.len();
                    if let Some(below) = self.entry(&fd, name, path, &stat)? {
                        pending.push((below, depth + 1, Some(index)));
                    }
                }
            }
            last = Some((at, fd));
        }
        Ok(())
    }

    /// Adds an entry; returns its path if it is a directory.
    fn entry(
        &mut self,
        fd: &OwnedFd,
        name: &std::ffi::CStr,
        path: Vec<u8>,
        stat: &rustix::fs::Stat,
    ) -> Result<Option<Vec<u8>>, IoError> {
        use rustix::fs::FileType;
        let mut below = None;
        let what = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {
                self.files.push(self.changes.len());
                // The entry becomes a file when its digest is known.
                ChangeKind::Fifo
            }
            FileType::Directory => {
                below = Some(path.clone());
                ChangeKind::Directory { is_opaque: false }
            }
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(fd, name, Vec::new());
                ChangeKind::Symlink { target: target.map_err(|e| self.error("read link", &path, e))?.into_bytes() }
            }
            FileType::Fifo => ChangeKind::Fifo,
            FileType::CharacterDevice if stat.st_rdev == 0 => ChangeKind::Whiteout,
            _ => {
                self.n_skipped += 1;
                // A whiteout hides an entry of a lower layer, and is no entry itself.
                ChangeKind::Whiteout
            }
        };
        let owned = owned_of(self.ids, stat.st_mode, stat.st_uid, stat.st_gid);
        let mtime_ns = nanoseconds(stat.st_mtime, stat.st_mtime_nsec as i64);
        self.changes.push(Change { path, what, owned, mtime_ns });
        Ok(below)
    }
}

fn is_opaque(fd: &OwnedFd) -> bool {
    OPAQUE.iter().any(|name| {
        let mut value = [0; 8];
        rustix::fs::fgetxattr(fd, *name, &mut value[..]).is_ok_and(|n| value[..n] == *b"y")
    })
}

fn hash_all(
    dir: &Path,
    root: &OwnedFd,
    blobs_dir: &Path,
    changes: &[Change],
    files: &[usize],
) -> Result<Vec<(ContentDigest, u64)>, IoError> {
    let one = |index: &usize| {
        let path = dir.join(fs::path_of(&changes[*index].path));
        if path.as_os_str().len() < MAX_PATH_BYTES {
            put(&path, blobs_dir)
        } else {
            put_deep(root, &path, blobs_dir, &changes[*index].path)
        }
    };
    if files.len() < PARALLEL_FILES {
        return files.iter().map(one).collect();
    }
    let n_threads = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(index) = files.get(i) else { return Ok(done) };
            done.push((i, one(index)?));
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

/// The longest path in bytes that the kernel takes, with the zero byte at its end.
const MAX_PATH_BYTES: usize = 4096;

/// Makes a blob of a file whose path is too long for the kernel. The directory of the file is opened, and the file is
/// named from there.
fn put_deep(root: &OwnedFd, shown: &Path, blobs_dir: &Path, path: &[u8]) -> Result<(ContentDigest, u64), IoError> {
    let cut = path.iter().rposition(|&b| b == b'/').unwrap_or(0);
    let (parent, name) = (&path[..cut], &path[cut..]);
    let fd = fs::open_beneath(root, parent, OFlags::PATH | OFlags::DIRECTORY, Mode::empty());
    let fd = fd.map_err(|e| IoError::new("open directory", shown, e))?;
    let name = name.strip_prefix(b"/").unwrap_or(name);
    put(&PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd())).join(fs::path_of(name)), blobs_dir)
}

/// Makes a blob of a file, and returns its digest and its size.
fn put(path: &Path, blobs_dir: &Path) -> Result<(ContentDigest, u64), IoError> {
    let mut file = fs::open(path)?;
    let (digest, size) = hash_file(&mut file).map_err(|e| IoError::new("read", path, e))?;
    let target = blob_path(blobs_dir, &digest);
    if fs::lstat_if_there(&target)?.is_some_and(|metadata| metadata.len() == size) {
        return Ok((digest, size));
    }
    if !link_blob(path, blobs_dir, &digest)? {
        copy(&file, path, &target)?;
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
