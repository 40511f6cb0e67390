//! Walks over a directory for a scan: level by level, and the directories of a level in parallel.
//!
//! It uses no recursion on the stack. Each thread has one open directory at a time, and the directories of a small level
//! stay open until those in them are, so that a deep directory is not looked up from the root each time.

use std::cell::RefCell;
use std::ffi::CStr;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use graph::ContentDigest;
use rayon::prelude::*;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, Stat as RawStat};
use rustix::io::Errno;

use super::cache::{DIRECTORY, Dir, FILE, Image, Record, SYMLINK, TAKEN};
use super::{Holes, ScanError};
use crate::blob::{Stamp, hash_file};
use crate::fs::{self, IoError};
use crate::tree::pattern::{Above, Selector};

/// The number of directories of a level up to which they stay open until those in them are.
const FEW: usize = 64;
/// The number of files from which on the files of one directory are hashed in parallel.
const PARALLEL_FILES: usize = 8;

/// The size in bytes from which on the holes of a file count.
const MIN_HOLES_BYTES: u64 = 1 << 20;

/// Why a walk stopped.
pub(super) enum Stop {
    /// A file changed during the walk. Another attempt can succeed.
    Disturbed(PathBuf),
    /// Another attempt would fail, too.
    Error(ScanError),
}

/// An entry of a directory that changed since the last scan.
pub(super) struct Item {
    pub(super) name: Box<[u8]>,
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) mode: u32,
    pub(super) target: Box<[u8]>,
    pub(super) stamp: Stamp,
    pub(super) digest: ContentDigest,
    is_hashed: bool,
}

impl Item {
    pub(super) fn record(&self, child: u32) -> Record<'_> {
        Record {
            name: &self.name,
            kind: self.kind,
            flags: self.flags,
            mode: self.mode,
            child,
            target: &self.target,
            stamp: self.stamp,
            digest: self.digest,
        }
    }
}

/// The entries of a directory.
pub(super) enum Listing {
    /// The entries are the same as in the cache.
    Same(Dir),
    /// The entries differ from those in the cache.
    Fresh(Vec<Item>),
}

/// A directory that was walked.
pub(super) struct Walked {
    pub(super) mode: u32,
    pub(super) stamp: Stamp,
    pub(super) listing: Listing,
    /// The index of its first directory. The others follow in the order of their names.
    pub(super) first_child: usize,
    pub(super) n_hashed: usize,
    pub(super) n_files: usize,
    pub(super) skipped: Vec<Box<[u8]>>,
    /// The open directory, until its directories are known.
    fd: Option<Arc<OwnedFd>>,
}

/// A directory that is to be walked.
struct Todo {
    /// The open parent, where few directories are walked at a time. The way from there is short.
    parent: Option<Arc<OwnedFd>>,
    path: Vec<u8>,
    cached: Option<u32>,
    above: Above,
}

pub(super) struct Walk<'a> {
    pub(super) root: &'a Path,
    pub(super) fd: OwnedFd,
    pub(super) selector: &'a Selector,
    pub(super) image: Option<&'a Image>,
    pub(super) max_depth: usize,
    pub(super) holes: Holes,
}

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(Vec::with_capacity(32 << 10));
}

impl Walk<'_> {
    /// Walks over all directories. The root is the first, and parents come before their children.
    pub(super) fn run(&self) -> Result<Vec<Walked>, Stop> {
        let cached = self.image.map(|_| 0);
        let mut level = vec![Todo { parent: None, path: Vec::new(), cached, above: Above::default() }];
        let mut all: Vec<Walked> = Vec::new();
        let mut depth = 0;
        while !level.is_empty() {
            if depth > self.max_depth {
                let (path, limit) = (self.root.to_owned(), self.max_depth);
                return Err(Stop::Error(ScanError::TooDeep { path, limit }));
            }
            depth += 1;
            let walked: Vec<Walked> =
                level.par_iter().map(|todo| self.list(todo, level.len() <= FEW)).collect::<Result<_, _>>()?;
            let mut next = Vec::new();
            let first_of_next = all.len() + walked.len();
            for (todo, mut walked) in level.iter().zip(walked) {
                walked.first_child = first_of_next + next.len();
                self.children(todo, &walked, &mut next);
                walked.fd = None;
                all.push(walked);
            }
            level = next;
        }
        Ok(all)
    }

    fn children(&self, todo: &Todo, walked: &Walked, next: &mut Vec<Todo>) {
        match (&walked.listing, self.image) {
            (Listing::Same(dir), Some(image)) => {
                for record in image.records(dir).filter(|record| record.kind == DIRECTORY) {
                    next.push(self.child(todo, walked, record.name, Some(record.child)));
                }
            }
            (Listing::Fresh(items), image) => {
                let dir = image.zip(todo.cached).map(|(image, index)| (image, image.dir(index)));
                let mut cached = dir.iter().flat_map(|(image, dir)| image.records(dir)).peekable();
                for item in items.iter().filter(|item| item.kind == DIRECTORY) {
                    while cached.next_if(|record| record.name < &*item.name).is_some() {}
                    let same = cached.next_if(|record| record.name == &*item.name && record.kind == DIRECTORY);
                    next.push(self.child(todo, walked, &item.name, same.map(|record| record.child)));
                }
            }
            (Listing::Same(_), None) => {}
        }
    }

    fn child(&self, parent: &Todo, walked: &Walked, name: &[u8], cached: Option<u32>) -> Todo {
        let parent_fd = walked.fd.as_ref();
        let path = join(&parent.path, name);
        let above = match self.selector.takes_all() {
            true => Above::default(),
            false => self.selector.judge(&path, &parent.above).above,
        };
        Todo { parent: parent_fd.cloned(), path, cached, above }
    }

    fn host_path(&self, dir: &[u8], name: &[u8]) -> PathBuf {
        let below = join(dir, name);
        if below.is_empty() { self.root.to_owned() } else { self.root.join(fs::path_of(&below)) }
    }

    fn stop(&self, action: &'static str, dir: &[u8], name: &[u8], errno: Errno) -> Stop {
        let path = self.host_path(dir, name);
        match errno {
            Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::STALE => Stop::Disturbed(path),
            errno => Stop::Error(IoError::new(action, path, errno).into()),
        }
    }

    fn list(&self, todo: &Todo, is_kept: bool) -> Result<Walked, Stop> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let fd = match &todo.parent {
            Some(parent) => {
                let name = todo.path.rsplit(|&b| b == b'/').next().unwrap_or_default();
                fs::open_beneath(parent, name, flags, Mode::empty())
            }
            None => fs::open_beneath(&self.fd, &todo.path, flags, Mode::empty()),
        };
        let fd = fd.map_err(|e| self.stop("open directory", &todo.path, b"", e))?;
        let own = rustix::fs::fstat(&fd).map_err(|e| self.stop("stat", &todo.path, b"", e))?;
        let (names, text) = self.names(&fd, todo)?;
        let mut walked = Walked {
            mode: own.st_mode & 0o7777,
            stamp: stamp_of(&own),
            listing: Listing::Fresh(Vec::new()),
            first_child: 0,
            n_hashed: 0,
            n_files: 0,
            skipped: Vec::new(),
            fd: None,
        };
        let name_of = |name: &Name| text[name.at..name.at + name.n].as_ref();
        let cached = self.image.zip(todo.cached).map(|(image, index)| (image, image.dir(index)));
        let mut records = cached.iter().flat_map(|(image, dir)| image.records(dir)).peekable();
        // As long as all entries are the same as in the cache, only their number is kept.
        let mut n_same = 0;
        let mut items: Option<Vec<Item>> = cached.is_none().then(|| Vec::with_capacity(names.len()));
        let first = |n: usize| {
            let records = cached.iter().flat_map(|(image, dir)| image.records(dir)).take(n);
            let mut items = Vec::with_capacity(names.len());
            items.extend(records.map(|record| item_of(&record)));
            items
        };
        for name in &names {
            let bytes: &[u8] = name_of(name);
            while records.next_if(|record| record.name < bytes).is_some() {
                items.get_or_insert_with(|| first(n_same));
            }
            let record = records.next_if(|record| record.name == bytes);
            let found = self.look(&fd, todo, bytes, &text[name.at..], name.kind, record.as_ref(), &mut walked)?;
            walked.n_files += usize::from(found.as_ref().is_some_and(|(kind, _)| *kind == FILE));
            match (found, &mut items) {
                (Some((_, None)), None) => n_same += 1,
                (None, None) if record.is_none() => {}
                (None, _) => {
                    items.get_or_insert_with(|| first(n_same));
                }
                (Some((_, fresh)), _) => {
                    let items = items.get_or_insert_with(|| first(n_same));
                    items.extend(fresh.or_else(|| record.as_ref().map(item_of)));
                }
            }
        }
        if records.next().is_some() {
            items.get_or_insert_with(|| first(n_same));
        }
        match (cached, items) {
            (Some((_, dir)), None) => walked.listing = Listing::Same(dir),
            (_, items) => {
                let mut items = items.unwrap_or_default();
                walked.n_hashed = self.hash(&fd, todo, &mut items)?;
                walked.listing = Listing::Fresh(items);
            }
        }
        walked.fd = is_kept.then(|| Arc::new(fd));
        Ok(walked)
    }

    /// Returns the names in a directory, sorted, and the text that has them, with a zero byte after each.
    fn names(&self, fd: &OwnedFd, todo: &Todo) -> Result<(Vec<Name>, Vec<u8>), Stop> {
        BUFFER.with_borrow_mut(|buffer| {
            let mut names: Vec<Name> = Vec::new();
            let mut text = Vec::new();
            let mut entries = RawDir::new(fd, buffer.spare_capacity_mut());
            while let Some(entry) = entries.next() {
                let entry = entry.map_err(|e| self.stop("list", &todo.path, b"", e))?;
                let bytes = entry.file_name().to_bytes();
                if !matches!(bytes, b"." | b"..") {
                    names.push(Name { at: text.len(), n: bytes.len(), kind: entry.file_type() });
                    text.extend_from_slice(entry.file_name().to_bytes_with_nul());
                }
            }
            names.sort_unstable_by(|a, b| text[a.at..a.at + a.n].cmp(&text[b.at..b.at + b.n]));
            Ok((names, text))
        })
    }

    /// Looks at an entry. Returns none if the patterns leave it out. Otherwise returns its kind, and the entry itself
    /// if it differs from the cache.
    #[expect(clippy::too_many_arguments, reason = "it is the inside of a loop, with the loop's variables")]
    fn look(
        &self,
        fd: &OwnedFd,
        todo: &Todo,
        name: &[u8],
        with_nul: &[u8],
        mut kind: FileType,
        record: Option<&Record<'_>>,
        walked: &mut Walked,
    ) -> Result<Option<(u8, Option<Item>)>, Stop> {
        let c_name = CStr::from_bytes_until_nul(with_nul).unwrap_or_default();
        let stat = || {
            let stat = rustix::fs::statat(fd, c_name, AtFlags::SYMLINK_NOFOLLOW);
            stat.map_err(|e| self.stop("stat", &todo.path, name, e))
        };
        if kind == FileType::Unknown {
            kind = FileType::from_raw_mode(stat()?.st_mode);
        }
        let wanted = match kind {
            FileType::RegularFile => FILE,
            FileType::Directory => DIRECTORY,
            FileType::Symlink => SYMLINK,
            _ => u8::MAX,
        };
        // The patterns have decided about a name in the cache in an earlier scan.
        let flags = match record.filter(|record| record.kind == wanted) {
            Some(record) => record.flags,
            None if self.selector.takes_all() => TAKEN,
            None => {
                let verdict = self.selector.judge(&join(&todo.path, name), &todo.above);
                let is_needed =
                    if wanted == DIRECTORY { verdict.may_descend || verdict.is_taken } else { verdict.is_taken };
                if !is_needed {
                    return Ok(None);
                }
                u8::from(verdict.is_taken)
            }
        };
        if wanted == u8::MAX {
            walked.skipped.push(join(&todo.path, name).into());
            return Ok(None);
        }
        let record = record.filter(|record| record.kind == wanted);
        let mut item = Item {
            name: Box::default(),
            kind: wanted,
            flags,
            mode: 0o755,
            target: Box::default(),
            stamp: Stamp { size: 0, mtime_ns: 0, ctime_ns: 0, inode: 0 },
            digest: ContentDigest::from_bytes([0; 32]),
            is_hashed: true,
        };
        match wanted {
            // The mode and the times of a directory are read when it is opened.
            DIRECTORY if record.is_some() => return Ok(Some((wanted, None))),
            DIRECTORY => {}
            _ => {
                let stat = stat()?;
                item.mode = stat.st_mode & 0o7777;
                item.stamp = stamp_of(&stat);
                let is_same = record
                    .zip(self.image)
                    .is_some_and(|(record, image)| record.mode == item.mode && image.trusts(record, &item.stamp));
                if is_same {
                    return Ok(Some((wanted, None)));
                }
                item.is_hashed = false;
            }
        }
        if wanted == SYMLINK {
            let target = rustix::fs::readlinkat(fd, c_name, Vec::new());
            item.target = target.map_err(|e| self.stop("read link", &todo.path, name, e))?.into_bytes().into();
            item.stamp.size = item.target.len() as u64;
            item.is_hashed = true;
        }
        item.name = name.into();
        Ok(Some((wanted, Some(item))))
    }

    fn hash(&self, fd: &OwnedFd, todo: &Todo, items: &mut [Item]) -> Result<usize, Stop> {
        let mut todos: Vec<&mut Item> = items.iter_mut().filter(|item| !item.is_hashed).collect();
        let n = todos.len();
        let fd = fd.as_fd();
        if n < PARALLEL_FILES {
            todos.into_iter().try_for_each(|item| self.hash_one(fd, todo, item))?;
        } else {
            todos.par_iter_mut().try_for_each(|item| self.hash_one(fd, todo, item))?;
        }
        Ok(n)
    }

    fn hash_one(&self, fd: BorrowedFd<'_>, todo: &Todo, item: &mut Item) -> Result<(), Stop> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let opened = rustix::fs::openat(fd, &*item.name, flags, Mode::empty());
        let mut file = File::from(opened.map_err(|e| self.stop("read", &todo.path, &item.name, e))?);
        let path = || self.host_path(&todo.path, &item.name);
        if item.stamp.size >= MIN_HOLES_BYTES {
            self.holes.add(&file, path)?;
        }
        let hashed = hash_file(&mut file);
        let (digest, size) = hashed.map_err(|e| Stop::Error(IoError::new("read", path(), e).into()))?;
        let after = rustix::fs::fstat(&file).map_err(|e| self.stop("stat", &todo.path, &item.name, e))?;
        if stamp_of(&after) != item.stamp || size != item.stamp.size {
            return Err(Stop::Disturbed(path()));
        }
        item.digest = digest;
        item.is_hashed = true;
        Ok(())
    }
}

struct Name {
    at: usize,
    n: usize,
    kind: FileType,
}

fn item_of(record: &Record<'_>) -> Item {
    Item {
        name: record.name.into(),
        kind: record.kind,
        flags: record.flags,
        mode: record.mode,
        target: record.target.into(),
        stamp: record.stamp,
        digest: record.digest,
        is_hashed: true,
    }
}

fn join(dir: &[u8], name: &[u8]) -> Vec<u8> {
    if dir.is_empty() {
        return name.to_vec();
    }
    let mut path = Vec::with_capacity(dir.len() + 1 + name.len());
    path.extend_from_slice(dir);
    if !name.is_empty() {
        path.push(b'/');
        path.extend_from_slice(name);
    }
    path
}

fn stamp_of(stat: &RawStat) -> Stamp {
    Stamp {
        size: u64::try_from(stat.st_size).unwrap_or(0),
        mtime_ns: crate::blob::nanoseconds(stat.st_mtime, stat.st_mtime_nsec as i64),
        ctime_ns: crate::blob::nanoseconds(stat.st_ctime, stat.st_ctime_nsec as i64),
        inode: stat.st_ino,
    }
}
