//! Scans a directory of this machine: makes a tree of its contents without copying them.
//!
//! In the tree everything belongs to root. Permission bits and times are kept. Links are kept and never followed. A
//! file with the same stamp as in the last scan of the same directory with the same patterns is not read again, and
//! a directory in which nothing changed is not encoded again.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use graph::{Blame, ContentDigest, Diagnostic, KeyHasher};
use rustix::fs::{Mode, OFlags};

use crate::blob::BlobError;
use crate::db::DbError;
use crate::fs::{self, IoError};
use crate::nodes::{NodeError, SeenNodes, empty_tree};
use crate::process;
use crate::store::Store;
use crate::tree::node::{Entry, Kind, Mtime, Node, Owned};
use crate::tree::pattern::{PatternError, Selector};

mod cache;
#[cfg(test)]
mod tests;
mod walk;

use cache::{Builder, DIRECTORY, FILE, Image, Record, Size, TAKEN, Table};
use walk::{Listing, Stop, Walk, Walked};

/// The number of attempts if files change during the scan.
const TRIES: usize = 2;

/// Why a directory or a file of this machine could not be scanned.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The path does not exist.
    #[error("nothing is at `{}`", path.display())]
    NotFound {
        /// The path that was to be scanned.
        path: PathBuf,
    },
    /// The path is neither that of a file nor that of a directory.
    #[error("`{}` is neither a file nor a directory", path.display())]
    NotScannable {
        /// The path that was to be scanned.
        path: PathBuf,
    },
    /// The directory changed in every attempt to scan it.
    #[error("`{}` changed while it was read", path.display())]
    Changed {
        /// The path that was to be scanned.
        path: PathBuf,
    },
    /// The directory has directories that are too deep.
    #[error("`{}` has directories that are more than {limit} deep", path.display())]
    TooDeep {
        /// The path that was to be scanned.
        path: PathBuf,
        /// The largest depth.
        limit: usize,
    },
    /// The holes of files are too large.
    #[error("the holes of `{}` and of the files before it have more than {limit} bytes", path.display())]
    Holes {
        /// The path of the file.
        path: PathBuf,
        /// The largest number of bytes.
        limit: u64,
    },
    /// A file or a directory cannot be read.
    #[error(transparent)]
    Io(#[from] IoError),
    /// A pattern is not valid.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// A directory of the tree cannot be stored.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The database cannot be used.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The contents of a file cannot be stored.
    #[error(transparent)]
    Blob(#[from] BlobError),
}

impl Diagnostic for ScanError {
    fn blame(&self) -> Blame {
        match self {
            Self::NotScannable { .. } | Self::TooDeep { .. } | Self::Holes { .. } | Self::Pattern(_) => Blame::User,
            // The directory existed when the run began, so that the caller did nothing wrong.
            _ => Blame::Environment,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Changed { .. } => Some("run again when nothing writes to it".to_owned()),
            Self::TooDeep { .. } => {
                Some("leave them out with an exclude pattern, or raise the limit with `--max-depth`".to_owned())
            }
            Self::Holes { .. } => {
                Some("leave it out with an exclude pattern, or raise the limit with `--max-bytes`".to_owned())
            }
            Self::Io(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                Some("leave it out with an exclude pattern, or make it readable".to_owned())
            }
            Self::Io(error) => error.hint(),
            Self::Pattern(error) => error.hint(),
            Self::Node(error) => error.hint(),
            Self::Db(error) => error.hint(),
            Self::Blob(error) => error.hint(),
            _ => None,
        }
    }
}

/// The result of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scanned {
    /// The tree. The scan of a file gives a tree with this file.
    pub tree: ContentDigest,
    /// Whether a file was scanned, and not a directory.
    pub is_file: bool,
    /// The sockets, pipes and devices that were left out.
    pub skipped: Vec<PathBuf>,
    /// The number of files in the tree.
    pub n_files: usize,
    /// The number of files that were read, because they are new or changed.
    pub n_hashed: usize,
}

impl Store {
    /// Scans a directory or a file of this machine. A path that is a link is followed. The tree has what a pattern of
    /// `include` matches, or everything if there is none, without what a pattern of `exclude` matches. The patterns
    /// have the syntax of `.dockerignore`.
    ///
    /// # Errors
    /// If the path does not exist, something cannot be read, or files change during every attempt.
    pub fn scan(&self, path: &Path, include: &[String], exclude: &[String]) -> Result<Scanned, ScanError> {
        let selector = Selector::new(include, exclude)?;
        let root = fs::canonicalize(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => ScanError::NotFound { path: path.to_owned() },
            _ => error.into(),
        })?;
        let metadata = fs::lstat(&root)?;
        if metadata.is_file() {
            let entry = self.host_file(&root)?;
            let tree = self.put_node(Node::of(vec![entry]))?;
            return Ok(Scanned { tree, is_file: true, skipped: Vec::new(), n_files: 1, n_hashed: 1 });
        }
        if !metadata.is_dir() {
            return Err(ScanError::NotScannable { path: root });
        }
        let mut disturbed = root.clone();
        for _ in 0..TRIES {
            match self.scan_directory(&root, &selector, &cache_name(&root, include, exclude)) {
                Ok(scanned) => return Ok(scanned),
                Err(Stop::Disturbed(path)) => disturbed = path,
                Err(Stop::Error(error)) => return Err(error),
            }
        }
        Err(ScanError::Changed { path: disturbed })
    }

    fn scan_directory(&self, root: &Path, selector: &Selector, cache_name: &str) -> Result<Scanned, Stop> {
        let started_at_ns = process::now_ns();
        let cache_path = self.root().join("stat-cache-v1").join(cache_name);
        // Without the cache all files are read, which takes longer and gives the same tree.
        let image = fs::read_if_there(&cache_path).ok().flatten().and_then(Image::parse);
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(root, flags, Mode::empty());
        let fd = fd.map_err(|e| Stop::Error(IoError::new("open directory", root, e).into()))?;
        let holes = Holes::new(self.limits().max_bytes);
        let max_depth = self.limits().max_depth;
        let walked = Walk { root, fd, selector, image: image.as_ref(), max_depth, holes }.run()?;
        // If the root is stored, everything below it is stored, too.
        let is_stored = match &image {
            Some(image) => self.has_node(image.dir(0).digest)?,
            None => false,
        };
        let known = image.as_ref().filter(|_| is_stored);
        let digests = self.store_nodes(&walked, image.as_ref(), known)?;
        let tree = digests[0];
        let is_same = walked.iter().all(|dir| matches!(dir.listing, Listing::Same(_)));
        let image = match image {
            Some(image) if is_same && image.dir(0).digest == tree => image,
            image => {
                let made = build_image(&walked, &digests, image.as_ref(), started_at_ns);
                let temporary = self.temporary_dir()?;
                fs::write_atomic(&cache_path, made.bytes(), &temporary)?;
                made
            }
        };
        self.external().add_table(Arc::new(Table { root: root.to_owned(), image, last: Mutex::default() }));
        self.note_of_root(tree);
        let skipped = walked.iter().flat_map(|dir| &dir.skipped).map(|path| fs::path_of(path).to_owned());
        Ok(Scanned {
            tree,
            is_file: false,
            skipped: skipped.collect(),
            n_files: walked.iter().map(|dir| dir.n_files).sum(),
            n_hashed: walked.iter().map(|dir| dir.n_hashed).sum(),
        })
    }

    /// Stores the nodes of the directories that were walked, and returns their digests. A directory that is the same
    /// as in `known` is stored already.
    fn store_nodes(
        &self,
        walked: &[Walked],
        image: Option<&Image>,
        known: Option<&Image>,
    ) -> Result<Vec<ContentDigest>, DbError> {
        let digests = vec![empty_tree(); walked.len()];
        let mut nodes = FreshNodes { walked, image, known, digests, n_left: walked.len() };
        if let Some(first) = nodes.next() {
            self.put_seen(first, &mut nodes)?;
        }
        Ok(nodes.digests)
    }
}

/// The holes of the files that are hashed. They take no space on the disk, and as long to hash as data.
pub(crate) struct Holes {
    n_bytes: AtomicU64,
    limit: u64,
}

impl Holes {
    pub(crate) fn new(limit: u64) -> Self {
        Self { n_bytes: AtomicU64::new(0), limit }
    }

    /// Counts the holes of a file. `path` is for the error if they are too large.
    pub(crate) fn add(&self, file: &File, path: impl FnOnce() -> PathBuf) -> Result<(), ScanError> {
        let metadata = match file.metadata() {
            Ok(metadata) => metadata,
            Err(error) => return Err(IoError::new("stat", path(), error).into()),
        };
        let n = disk::hole_bytes(metadata.len(), metadata.blocks());
        match self.n_bytes.fetch_add(n, Ordering::Relaxed).saturating_add(n) > self.limit {
            true => Err(ScanError::Holes { path: path(), limit: self.limit }),
            false => Ok(()),
        }
    }
}

/// The nodes that have to be stored, children first. Each is encoded when it is asked for, because the nodes of
/// a large tree would together take more memory than everything else.
struct FreshNodes<'a> {
    walked: &'a [Walked],
    image: Option<&'a Image>,
    known: Option<&'a Image>,
    /// The digests of the directories. Those before `n_left` are not known yet.
    digests: Vec<ContentDigest>,
    n_left: usize,
}

impl Iterator for FreshNodes<'_> {
    type Item = (ContentDigest, Vec<u8>);

    fn next(&mut self) -> Option<Self::Item> {
        while self.n_left > 0 {
            self.n_left -= 1;
            if let Some(digest) = self.stored(self.n_left) {
                self.digests[self.n_left] = digest;
                continue;
            }
            let (digest, data) = self.node(self.n_left).encode();
            self.digests[self.n_left] = digest;
            return Some((digest, data));
        }
        None
    }
}

impl SeenNodes for FreshNodes<'_> {
    fn root(&self) -> ContentDigest {
        self.digests[0]
    }
}

impl FreshNodes<'_> {
    /// Returns the digest of a directory in which nothing changed since it was stored.
    fn stored(&self, index: usize) -> Option<ContentDigest> {
        let dir = &self.walked[index];
        let (Listing::Same(same), Some(known)) = (&dir.listing, self.known) else { return None };
        let mut directories = known.records(same).filter(|record| record.kind == DIRECTORY).enumerate();
        let is_same = directories.all(|(n, record)| {
            let child = dir.first_child + n;
            self.digests[child] == known.dir(record.child).digest && self.walked[child].mode == record.mode
        });
        is_same.then_some(same.digest)
    }

    fn node(&self, index: usize) -> Node {
        let mut entries = Vec::new();
        each_record(&self.walked[index], self.image, |record, child| {
            let entry = entry_of(record, child.map(|child| (&self.walked[child], self.digests[child])));
            let is_dropped = record.flags & TAKEN == 0 && entry.directory() == Some(empty_tree());
            if !is_dropped {
                entries.push(entry);
            }
        });
        Node::of(entries)
    }
}

impl From<ScanError> for Stop {
    fn from(error: ScanError) -> Self {
        Self::Error(error)
    }
}

impl From<DbError> for Stop {
    fn from(error: DbError) -> Self {
        Self::Error(error.into())
    }
}

impl From<IoError> for Stop {
    fn from(error: IoError) -> Self {
        Self::Error(error.into())
    }
}

/// Calls `add` with each entry of a directory. If the entry is a directory, its index is the second argument.
fn each_record(dir: &Walked, image: Option<&Image>, mut add: impl FnMut(&Record<'_>, Option<usize>)) {
    let mut child = dir.first_child;
    let mut add = |record: &Record<'_>| {
        let is_directory = record.kind == DIRECTORY;
        add(record, is_directory.then_some(child));
        child += usize::from(is_directory);
    };
    match (&dir.listing, image) {
        (Listing::Fresh(items), _) => items.iter().for_each(|item| add(&item.record(0))),
        (Listing::Same(same), Some(image)) => image.records(same).for_each(|record| add(&record)),
        (Listing::Same(_), None) => {}
    }
}

fn entry_of(record: &Record<'_>, child: Option<(&Walked, ContentDigest)>) -> Entry {
    let owned = |mode| Owned { mode, uid: 0, gid: 0 };
    let name = record.name.into();
    match (record.kind, child) {
        (_, Some((walked, digest))) => Entry {
            name,
            kind: Kind::Directory { digest },
            owned: owned(walked.mode),
            mtime: Mtime::Seen(walked.stamp.mtime_ns),
        },
        (FILE, None) => Entry {
            name,
            kind: Kind::File { digest: record.digest, size: record.stamp.size },
            owned: owned(record.mode),
            mtime: Mtime::Seen(record.stamp.mtime_ns),
        },
        _ => Entry {
            name,
            kind: Kind::Symlink { target: record.target.into() },
            owned: Owned::SYMLINK,
            mtime: Mtime::Seen(record.stamp.mtime_ns),
        },
    }
}

fn build_image(walked: &[Walked], digests: &[ContentDigest], old: Option<&Image>, started_at_ns: i64) -> Image {
    let mut size = Size { n_dirs: walked.len(), ..Size::default() };
    for dir in walked {
        each_record(dir, old, |record, _| size.add(record));
    }
    let mut builder = Builder::new(size);
    for (dir, digest) in walked.iter().zip(digests) {
        let n = match &dir.listing {
            Listing::Same(same) => same.n as usize,
            Listing::Fresh(items) => items.len(),
        };
        builder.dir(digest, n);
        each_record(dir, old, |record, child| {
            let mut record = *record;
            if let Some(child) = child {
                record.child = u32::try_from(child).unwrap_or(u32::MAX);
                record.mode = walked[child].mode;
                record.stamp = walked[child].stamp;
            }
            builder.entry(&record);
        });
    }
    builder.finish(started_at_ns)
}

fn cache_name(root: &Path, include: &[String], exclude: &[String]) -> String {
    let mut hasher = KeyHasher::new("stat-cache/1");
    hasher.bytes(root.as_os_str().as_encoded_bytes());
    hasher.list(include.iter(), |h, text| h.text(text));
    hasher.list(exclude.iter(), |h, text| h.text(text));
    hasher.content().to_hex()
}
