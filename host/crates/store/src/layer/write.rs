//! Writes a layer. All functions take paths and no store, because they also run in another process and user
//! namespace.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use graph::{Blame, ContentDigest, Diagnostic};
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;

use crate::blob::{Stamp, blob_path, hash_file, nanoseconds};
use crate::fs::{self, Directories, IoError};
use crate::layer::{IdMap, LayerPlan, MAX_LINKS, PlanEntry, PlanKind, Written};
use crate::tree::node::Owned;

/// Why a layer could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The file system reports an error.
    #[error(transparent)]
    Io(#[from] IoError),
    /// The contents of a blob do not have its digest.
    #[error("contents {digest} are damaged in the store, in `{}`", path.display())]
    Corrupt {
        /// The digest of the blob.
        digest: ContentDigest,
        /// The file of the blob.
        path: PathBuf,
    },
    /// A file of this machine was changed after it was scanned.
    #[error("`{}` changed while it was read", path.display())]
    Changed {
        /// The path of the file.
        path: PathBuf,
    },
    /// Something of another kind exists at the path.
    #[error("`{}` is in the way: it is not {wanted}", path.display())]
    InTheWay {
        /// The path of what exists.
        path: PathBuf,
        /// What is needed there, such as "a directory".
        wanted: &'static str,
    },
}

impl Diagnostic for WriteError {
    fn blame(&self) -> Blame {
        match self {
            Self::InTheWay { .. } => Blame::User,
            _ => Blame::Environment,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Io(error) => error.hint(),
            Self::Corrupt { .. } => Some("run again: they are made again".to_owned()),
            Self::Changed { .. } => Some("run again".to_owned()),
            Self::InTheWay { .. } => Some("remove it, or choose another directory".to_owned()),
        }
    }
}

/// Writes a layer into a directory. A directory that exists has to be empty; one that is missing is made. A
/// file shares the inode of its blob if that has the right mode, owner and time. Other files are copies, which
/// share blocks if the file system can. All contents are verified.
///
/// # Errors
/// If the disk is full, contents are missing or damaged, or a file of this machine was changed.
pub fn write_layer(plan: &LayerPlan, dir: &Path, blobs_dir: &Path, ids: &IdMap) -> Result<Written, WriteError> {
    let made = std::fs::DirBuilder::new().mode(0o755).create(dir);
    if let Err(error) = made.or_else(|e| if e.kind() == std::io::ErrorKind::AlreadyExists { Ok(()) } else { Err(e) }) {
        return Err(IoError::new("make directory", dir, error).into());
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::open(dir, flags, Mode::empty()).map_err(|e| IoError::new("open directory", dir, e))?;
    let blobs = rustix::fs::open(blobs_dir, flags, Mode::empty());
    let blobs = blobs.map_err(|e| IoError::new("open directory", blobs_dir, e))?;
    let own = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let place = Place { dir, root: &root, blobs_dir, blobs: &blobs, ids, own };
    let machine = open_machine()?;
    let writer = || Writer {
        place: &place,
        written: Written::default(),
        directories: Directories::new(&root),
        sources: Directories::new(&machine),
    };
    let mut first = writer();
    let (files, others): (Vec<_>, Vec<_>) = plan.entries.iter().partition(|e| matches!(e.what, PlanKind::File { .. }));
    others.iter().try_for_each(|entry| first.entry(entry))?;
    if files.len() < PARALLEL_FILES {
        files.iter().try_for_each(|entry| first.entry(entry))?;
    } else {
        write_in_parallel(&files, &writer)?.into_iter().for_each(|part| first.written.add(part));
    }
    // Directories get their times and modes last: each entry made in one changes its time, and a mode can forbid
    // making entries.
    for entry in others.into_iter().rev().filter(|entry| matches!(entry.what, PlanKind::Directory { .. })) {
        first.finish_directory(entry)?;
    }
    let mut written = first.written;
    place.finish(root.as_fd(), b".", b"", plan.root, None, &mut written)?;
    Ok(written)
}

/// The number of files from which on several threads write them. The threads are started here and do not belong
/// to a pool, because this also runs in a forked process, in which the threads of a pool do not exist.
const PARALLEL_FILES: usize = 64;
/// The number of files that a thread takes at once. They are neighbours, which share a directory.
const BATCH: usize = 32;
/// The largest number of threads.
const MAX_THREADS: usize = 8;

fn write_in_parallel<'a>(
    files: &[&PlanEntry],
    writer: &(impl Fn() -> Writer<'a> + Sync),
) -> Result<Vec<Written>, WriteError> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut writer = writer();
        while let Some(batch) = files.chunks(BATCH).nth(next.fetch_add(1, Ordering::Relaxed)) {
            batch.iter().try_for_each(|entry| writer.entry(entry))?;
        }
        Ok(writer.written)
    };
    let n_threads = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    thread::scope(|scope| {
        let others: Vec<_> =
            (1..n_threads).filter_map(|_| thread::Builder::new().spawn_scoped(scope, work).ok()).collect();
        let mut parts = vec![work()];
        parts.extend(others.into_iter().map(|t| t.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))));
        parts.into_iter().collect()
    })
}

impl Written {
    fn add(&mut self, other: Self) {
        let Self { size_bytes, n_linked, n_copied, n_not_owned } = other;
        self.size_bytes += size_bytes;
        self.n_linked += n_linked;
        self.n_copied += n_copied;
        self.n_not_owned += n_not_owned;
    }
}

/// Where a layer is written.
struct Place<'a> {
    dir: &'a Path,
    root: &'a OwnedFd,
    blobs_dir: &'a Path,
    blobs: &'a OwnedFd,
    ids: &'a IdMap,
    own: (u32, u32),
}

/// One thread that writes.
struct Writer<'a> {
    place: &'a Place<'a>,
    written: Written,
    directories: Directories<'a>,
    /// The directories of this machine that files are copied from.
    sources: Directories<'a>,
}

/// Opens the root of this machine, for [`Source::copy_to`].
pub(crate) fn open_machine() -> Result<OwnedFd, IoError> {
    let root = rustix::fs::open("/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    root.map_err(|e| IoError::new("open directory", "/", e))
}

impl Writer<'_> {
    fn entry(&mut self, entry: &PlanEntry) -> Result<(), WriteError> {
        let opened = self.directories.parent(&entry.path);
        let (parent, name) = opened.map_err(|e| self.place.error("open the directory of", &entry.path, e))?;
        self.place.entry(parent, name, entry, &mut self.sources, &mut self.written)
    }

    fn finish_directory(&mut self, entry: &PlanEntry) -> Result<(), WriteError> {
        let opened = self.directories.parent(&entry.path);
        let (parent, name) = opened.map_err(|e| self.place.error("open the directory of", &entry.path, e))?;
        self.place.finish(parent, name, &entry.path, entry.owned, entry.mtime_ns, &mut self.written)
    }
}

impl Place<'_> {
    fn error(&self, action: &'static str, path: &[u8], errno: impl Into<std::io::Error>) -> IoError {
        IoError::new(action, self.dir.join(fs::path_of(path)), errno)
    }

    fn entry(
        &self,
        parent: BorrowedFd<'_>,
        name: &[u8],
        entry: &PlanEntry,
        sources: &mut Directories<'_>,
        written: &mut Written,
    ) -> Result<(), WriteError> {
        let path = &entry.path;
        match &entry.what {
            PlanKind::Directory { is_opaque } => {
                // A directory that even its owner may not write to gets that mode last.
                let made = rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o700));
                made.map_err(|e| self.error("make directory", path, e))?;
                if *is_opaque {
                    self.make_opaque(parent, name, path)?;
                }
                return Ok(());
            }
            PlanKind::File { digest, size, external } => {
                written.size_bytes += size;
                let is_linked = self.file(parent, name, entry, (digest, external.as_ref()), sources, written)?;
                *(if is_linked { &mut written.n_linked } else { &mut written.n_copied }) += 1;
                return Ok(());
            }
            PlanKind::Symlink { target } => {
                let made = rustix::fs::symlinkat(&**target, parent, name);
                made.map_err(|e| self.error("make link", path, e))?;
            }
            PlanKind::Fifo => {
                let mode = Mode::from_raw_mode(entry.owned.mode);
                rustix::fs::mknodat(parent, name, FileType::Fifo, mode, 0)
                    .map_err(|e| self.error("make pipe", path, e))?;
                rustix::fs::chmodat(parent, name, mode, AtFlags::empty())
                    .map_err(|e| self.error("set mode of", path, e))?;
            }
            PlanKind::Whiteout => {
                let made =
                    disk::make_whiteout(self.root, parent, name).map_err(|e| self.error("make whiteout", path, e));
                return Ok(made?);
            }
        }
        self.own(parent, name, path, entry.owned, written)?;
        self.set_time(parent, name, path, entry.mtime_ns)
    }

    fn make_opaque(&self, parent: BorrowedFd<'_>, name: &[u8], path: &[u8]) -> Result<(), IoError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let fd =
            fs::open_beneath(parent, name, flags, Mode::empty()).map_err(|e| self.error("open directory", path, e))?;
        let set = rustix::fs::fsetxattr(&fd, disk::OPAQUE, b"y", XattrFlags::empty());
        set.map_err(|e| self.error("make opaque", path, e))
    }

    /// Writes a file, and returns whether it shares the inode of a blob.
    fn file(
        &self,
        parent: BorrowedFd<'_>,
        name: &[u8],
        entry: &PlanEntry,
        (digest, external): (&ContentDigest, Option<&(PathBuf, Stamp)>),
        sources: &mut Directories<'_>,
        written: &mut Written,
    ) -> Result<bool, WriteError> {
        let source = match external {
            Some((path, stamp)) => Source { path: path.clone(), stamp: Some(*stamp), digest },
            None => {
                let hex = digest.to_hex();
                let below = format!("{}/{}", &hex[..2], &hex[2..]);
                if self.link(parent, name, &below, entry, digest)? {
                    return Ok(true);
                }
                Source { path: blob_path(self.blobs_dir, digest), stamp: None, digest }
            }
        };
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let to = rustix::fs::openat(parent, name, flags, Mode::from_raw_mode(0o600));
        let mut to = File::from(to.map_err(|e| self.error("create", &entry.path, e))?);
        let target = self.dir.join(fs::path_of(&entry.path));
        source.copy_to(&mut to, &target, sources)?;
        self.own(parent, name, &entry.path, entry.owned, written)?;
        let mode = std::fs::Permissions::from_mode(entry.owned.mode);
        to.set_permissions(mode).map_err(|e| self.error("set mode of", &entry.path, e))?;
        self.set_time(parent, name, &entry.path, entry.mtime_ns)?;
        Ok(false)
    }

    /// Links the blob, if its inode has the mode, owner and time of the entry. Its contents are compared before, because
    /// a blob can have been damaged since it was stored.
    fn link(
        &self,
        parent: BorrowedFd<'_>,
        name: &[u8],
        blob: &str,
        entry: &PlanEntry,
        digest: &ContentDigest,
    ) -> Result<bool, WriteError> {
        let Ok(stat) = rustix::fs::statat(self.blobs, blob, AtFlags::SYMLINK_NOFOLLOW) else { return Ok(false) };
        let mtime_ns = nanoseconds(stat.st_mtime, stat.st_mtime_nsec as i64);
        let is_fitting = stat.st_mode & 0o7777 == entry.owned.mode
            && self.ids.outside(entry.owned) == Some((stat.st_uid, stat.st_gid))
            && entry.mtime_ns.is_none_or(|wanted| wanted == mtime_ns)
            && u64::try_from(stat.st_size)
                .is_ok_and(|size| matches!(entry.what, PlanKind::File { size: n, .. } if n == size))
            && u64::from(stat.st_nlink as u32) < MAX_LINKS;
        if !is_fitting {
            return Ok(false);
        }
        let path = || blob_path(self.blobs_dir, digest);
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = rustix::fs::openat(self.blobs, blob, flags, Mode::empty());
        let mut file = File::from(file.map_err(|e| IoError::new("open", path(), e))?);
        if hash_file(&mut file).map_err(|e| IoError::new("read", path(), e))?.0 != *digest {
            return Err(WriteError::Corrupt { digest: *digest, path: path() });
        }
        Ok(rustix::fs::linkat(self.blobs, blob, parent, name, AtFlags::empty()).is_ok())
    }

    fn own(
        &self,
        parent: BorrowedFd<'_>,
        name: &[u8],
        path: &[u8],
        owned: Owned,
        written: &mut Written,
    ) -> Result<(), WriteError> {
        let Some((uid, gid)) = self.ids.outside(owned) else {
            written.n_not_owned += 1;
            return Ok(());
        };
        if (uid, gid) == self.own {
            return Ok(());
        }
        let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
        match rustix::fs::chownat(parent, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW) {
            // The namespace has no such user, or this user may not change owners.
            Err(Errno::PERM | Errno::INVAL) => written.n_not_owned += 1,
            done => done.map_err(|e| self.error("set owner of", path, e))?,
        }
        Ok(())
    }

    fn set_time(&self, parent: BorrowedFd<'_>, name: &[u8], path: &[u8], time: Option<i64>) -> Result<(), WriteError> {
        let Some(time) = time else { return Ok(()) };
        let done = rustix::fs::utimensat(parent, name, &timestamps(time), AtFlags::SYMLINK_NOFOLLOW);
        Ok(done.map_err(|e| self.error("set time of", path, e))?)
    }

    /// Gives a directory its owner, its mode and its time.
    fn finish(
        &self,
        parent: BorrowedFd<'_>,
        name: &[u8],
        path: &[u8],
        owned: Owned,
        mtime_ns: Option<i64>,
        written: &mut Written,
    ) -> Result<(), WriteError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let fd = fs::open_beneath(parent, name, flags, Mode::empty());
        let fd = fd.map_err(|e| self.error("open directory", path, e))?;
        if let Some((uid, gid)) = self.ids.outside(owned).filter(|ids| *ids != self.own) {
            match rustix::fs::fchown(&fd, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid))) {
                Err(Errno::PERM | Errno::INVAL) => written.n_not_owned += 1,
                done => done.map_err(|e| self.error("set owner of", path, e))?,
            }
        }
        let mode = Mode::from_raw_mode(owned.mode);
        rustix::fs::fchmod(&fd, mode).map_err(|e| self.error("set mode of", path, e))?;
        if let Some(time) = mtime_ns {
            rustix::fs::futimens(&fd, &timestamps(time)).map_err(|e| self.error("set time of", path, e))?;
        }
        Ok(())
    }
}

pub(crate) fn timestamps(time: i64) -> Timestamps {
    let (seconds, rest) = (time.div_euclid(1_000_000_000), time.rem_euclid(1_000_000_000));
    let time = Timespec { tv_sec: seconds, tv_nsec: rest };
    Timestamps { last_access: time, last_modification: time }
}

/// The length of a path in bytes from which on it is not followed as a whole.
const LONG_PATH_BYTES: usize = 256;

/// The file that contents are copied from.
pub(crate) struct Source<'a> {
    pub(crate) path: PathBuf,
    /// For a file of this machine, the stamp that it had when it was scanned.
    pub(crate) stamp: Option<Stamp>,
    pub(crate) digest: &'a ContentDigest,
}

impl Source<'_> {
    /// Opens the file. A long path is followed from the nearest directory that is open.
    fn open(&self, sources: &mut Directories<'_>) -> Result<File, IoError> {
        match self.path.as_os_str().as_encoded_bytes() {
            // A file of this machine was found without following links.
            [b'/', below @ ..] if self.stamp.is_some() && below.len() >= LONG_PATH_BYTES => {
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let parent = sources.parent(below);
                let opened = parent.and_then(|(fd, name)| rustix::fs::openat(fd, name, flags, Mode::empty()));
                opened.map(File::from).map_err(|e| IoError::new("open", &self.path, e))
            }
            _ => fs::open(&self.path),
        }
    }

    /// Copies the contents to a new file, and compares the digest of what was written. `sources` begins at the root of
    /// this machine.
    pub(crate) fn copy_to(
        &self,
        to: &mut File,
        target: &Path,
        sources: &mut Directories<'_>,
    ) -> Result<(), WriteError> {
        use std::io::{Seek, SeekFrom};
        let from = match (self.open(sources), self.stamp) {
            (Err(_), Some(_)) => return Err(WriteError::Changed { path: self.path.clone() }),
            (from, _) => from?,
        };
        let mut from = from;
        let read = |e| IoError::new("read", &self.path, e);
        let small = fs::with_buffer(|buffer| -> Result<_, WriteError> {
            let n = fs::read_up_to(&mut from, buffer).map_err(read)?;
            if n == buffer.len() {
                return Ok(false);
            }
            // A small file is read once, and compared before it is written.
            self.compare(ContentDigest::of(&buffer[..n]))?;
            fs::write_all(to, &buffer[..n], target)?;
            Ok(true)
        })?;
        if small {
            return Ok(());
        }
        from.seek(SeekFrom::Start(0)).map_err(read)?;
        fs::copy_contents(&from, to).map_err(|e| IoError::new("copy to", target, e))?;
        to.seek(SeekFrom::Start(0)).map_err(|e| IoError::new("read", target, e))?;
        let (found, _) = hash_file(to).map_err(|e| IoError::new("read", target, e))?;
        self.compare(found)
    }

    fn compare(&self, found: ContentDigest) -> Result<(), WriteError> {
        let path = self.path.clone();
        match (found == *self.digest, self.stamp) {
            (true, _) => Ok(()),
            (false, Some(_)) => Err(WriteError::Changed { path }),
            (false, None) => Err(WriteError::Corrupt { digest: *self.digest, path }),
        }
    }
}
