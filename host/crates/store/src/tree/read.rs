//! Reads trees: entries, directories and files.

use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use graph::{ContentDigest, KeyHasher, TreePath};

use crate::blob::{ExternalFile, Stamp, hash_file};
use crate::budget::{Budget, BudgetError};
use crate::fs::{self, IoError};
use crate::scan::{Holes, ScanError};
use crate::store::Store;
use crate::tree::deep::{Next, descend, enter};
use crate::tree::node::{Entry, Kind, Mtime, Node, Owned};
use crate::tree::pattern::Glob;
use crate::tree::resolve::{PathTarget, ReadError, escape, mode_of, resolve};

/// Describes the entry at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// The last component of the path, which is empty for the root.
    pub name: String,
    /// The kind of the entry.
    pub kind: StatKind,
    /// The size of a file, or of the target of a link, in bytes; 0 for anything else.
    pub size: u64,
    /// The permission bits and the owner.
    pub owned: Owned,
    /// When it was modified.
    pub mtime: Mtime,
}

/// The kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatKind {
    /// A regular file.
    File,
    /// A directory, or a view of one of this machine.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A pipe, a socket or a device.
    Other,
}

/// What a path selects, in a form that can be put into another tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selected {
    /// A directory, as a tree of its own.
    Directory(ContentDigest),
    /// A file, whose contents are in the store or in a registered file of this machine.
    File(Entry),
}

/// Is called with the path of an entry; returns whether a directory is entered.
pub(crate) type Visit<'a> = dyn FnMut(&[u8], &Entry) -> Result<bool, BudgetError> + Send + 'a;

impl Store {
    /// Describes the entry at a path; returns none if there is no entry. Links on the way are followed. A link at
    /// the end of the path is followed if `follow` is set.
    ///
    /// # Errors
    /// If the path goes through a file or through a circle of links, or the tree cannot be read.
    pub fn stat(&self, tree: ContentDigest, path: &TreePath, follow: bool) -> Result<Option<Stat>, ReadError> {
        let name = path.file_name().unwrap_or_default().to_owned();
        let place = resolve(self, tree, path, follow)?.place;
        Ok(place.map(|place| match place {
            PathTarget::Root(node) => {
                Stat { name, kind: StatKind::Directory, size: 0, owned: node.owned(), mtime: Mtime::Unset }
            }
            PathTarget::Entry(entry, _) => {
                let (kind, size) = match &entry.kind {
                    Kind::File { size, .. } => (StatKind::File, *size),
                    Kind::Directory { .. } | Kind::Machine { .. } => (StatKind::Directory, 0),
                    Kind::Symlink { target } => (StatKind::Symlink, target.len() as u64),
                    Kind::Fifo => (StatKind::Other, 0),
                };
                Stat { name, kind, size, owned: entry.owned, mtime: entry.mtime }
            }
            PathTarget::Host(_, metadata) => {
                let (kind, size) = match metadata.file_type() {
                    kind if kind.is_file() => (StatKind::File, metadata.len()),
                    kind if kind.is_dir() => (StatKind::Directory, 0),
                    kind if kind.is_symlink() => (StatKind::Symlink, metadata.len()),
                    _ => (StatKind::Other, 0),
                };
                let owned = Owned { mode: mode_of(&metadata), uid: 0, gid: 0 };
                Stat { name, kind, size, owned, mtime: Mtime::Seen(Stamp::of(&metadata).mtime_ns) }
            }
        }))
    }

    /// Returns the names in a directory, sorted by their bytes. The names of directories end in `/`.
    ///
    /// # Errors
    /// If the path is not that of a directory, or a name is not UTF-8.
    pub fn entries(&self, tree: ContentDigest, path: &TreePath) -> Result<Vec<String>, ReadError> {
        let node = self.directory(tree, path)?;
        node.entries.iter().map(|entry| list_name(path, &entry.name, is_directory(&entry.kind))).collect()
    }

    /// Returns the paths below a directory that match a glob, sorted by their bytes. The paths of directories end in
    /// `/`. Links are not followed.
    ///
    /// # Errors
    /// If the path is not that of a directory, the glob is not valid, or a path that matches is not UTF-8.
    pub fn glob(&self, tree: ContentDigest, path: &TreePath, pattern: &str) -> Result<Vec<String>, ReadError> {
        let glob = Glob::new(pattern)?;
        let mut found = Vec::new();
        let node = self.directory(tree, path)?;
        let budget = self.budget();
        self.walk(&node, &budget, &mut |at, entry| {
            if glob.matches(at) {
                budget.result(at.len() as u64)?;
                found.push(list_name(path, at, is_directory(&entry.kind)));
            }
            Ok(glob.may_match_below(at))
        })?;
        // A walk has another order than sorted paths, where a name has bytes below `/`.
        let mut found = found.into_iter().collect::<Result<Vec<_>, _>>()?;
        found.sort();
        Ok(found)
    }

    /// Reads at most `limit` bytes of a file, from byte `offset` on. Links are followed.
    ///
    /// # Errors
    /// If the path is not that of a file, or its contents are missing or damaged.
    pub fn read_file(
        &self,
        tree: ContentDigest,
        path: &TreePath,
        offset: u64,
        limit: Option<u64>,
    ) -> Result<Vec<u8>, ReadError> {
        match resolve(self, tree, path, true)?.place {
            Some(PathTarget::Entry(Entry { kind: Kind::File { digest, .. }, .. }, _)) => Ok(match (offset, limit) {
                (0, None) => self.read_blob(&digest)?,
                (offset, limit) => self.read_blob_range(&digest, offset, limit.unwrap_or(u64::MAX))?,
            }),
            Some(PathTarget::Host(host, metadata)) if metadata.is_file() => {
                use std::io::{Read, Seek, SeekFrom};
                let mut file = fs::open(&host)?;
                let mut bytes = Vec::new();
                let read = file
                    .seek(SeekFrom::Start(offset))
                    .and_then(|_| file.take(limit.unwrap_or(u64::MAX)).read_to_end(&mut bytes));
                read.map_err(|e| IoError::new("read", &host, e))?;
                Ok(bytes)
            }
            place => Err(not_a_file(path, place.as_ref())),
        }
    }

    /// Returns the digest of the entry at a path. For a directory it is the digest of its tree, and for a file a
    /// digest of its contents, mode and owner. Links are followed.
    ///
    /// # Errors
    /// If there is no entry at the path.
    pub fn digest_at(&self, tree: ContentDigest, path: &TreePath) -> Result<ContentDigest, ReadError> {
        Ok(match self.select(tree, path)? {
            Selected::Directory(digest) => digest,
            Selected::File(entry) => file_digest(&entry),
        })
    }

    /// Returns the digest of the contents of a file. Links are followed.
    ///
    /// # Errors
    /// If the path is not that of a file.
    pub fn contents_digest(&self, tree: ContentDigest, path: &TreePath) -> Result<ContentDigest, ReadError> {
        match self.select(tree, path)? {
            Selected::File(Entry { kind: Kind::File { digest, .. }, .. }) => Ok(digest),
            _ => Err(ReadError::NotAFile { path: path.to_absolute(), found: "a directory" }),
        }
    }

    /// Returns the directory at a path as a tree of its own. Links are followed. A directory of this machine is
    /// scanned.
    ///
    /// # Errors
    /// If the path is not that of a directory.
    pub fn subtree(&self, tree: ContentDigest, path: &TreePath) -> Result<ContentDigest, ReadError> {
        if path.is_root() {
            return Ok(tree);
        }
        match self.select(tree, path)? {
            Selected::Directory(digest) => Ok(digest),
            Selected::File(_) => Err(ReadError::NotADirectory { path: path.to_absolute(), found: "a file" }),
        }
    }

    /// Returns the directory at a path as a tree, or the file at the path. Links are followed. A directory of this
    /// machine is scanned.
    ///
    /// # Errors
    /// If there is neither a file nor a directory at the path.
    pub fn select(&self, tree: ContentDigest, path: &TreePath) -> Result<Selected, ReadError> {
        match resolve(self, tree, path, true)?.place {
            Some(PathTarget::Root(_)) => Ok(Selected::Directory(tree)),
            Some(PathTarget::Entry(entry, Some(node))) => {
                let digest = entry.directory().unwrap_or_else(crate::nodes::empty_tree);
                if entry.owned == Owned::DIRECTORY {
                    return Ok(Selected::Directory(digest));
                }
                let mut root = (*node).clone();
                root.set_owned(entry.owned);
                Ok(Selected::Directory(self.put_node(root)?))
            }
            Some(PathTarget::Entry(entry @ Entry { kind: Kind::File { .. }, .. }, _)) => Ok(Selected::File(entry)),
            Some(PathTarget::Host(host, metadata)) if metadata.is_dir() => {
                let scanned = self.scan(&host, &[], &[]).map_err(Box::new)?;
                Ok(Selected::Directory(scanned.tree))
            }
            Some(PathTarget::Host(host, metadata)) if metadata.is_file() => {
                Ok(Selected::File(self.host_file(&host).map_err(Box::new)?))
            }
            place => Err(not_a_file(path, place.as_ref())),
        }
    }

    /// Hashes a file of this machine and registers it.
    pub(crate) fn host_file(&self, path: &std::path::Path) -> Result<Entry, ScanError> {
        let mut file = fs::open(path)?;
        Holes::new(self.limits().max_bytes).add(&file, || path.to_owned())?;
        let metadata = file.metadata().map_err(|e| IoError::new("stat", path, e))?;
        let (digest, size) = hash_file(&mut file).map_err(|e| IoError::new("read", path, e))?;
        let stamp = Stamp::of(&metadata);
        self.external().add(digest, ExternalFile { path: path.to_owned(), stamp });
        let name = path.file_name().map(std::ffi::OsStr::as_encoded_bytes).unwrap_or_default();
        let owned = Owned { mode: metadata.mode() & 0o7777, uid: 0, gid: 0 };
        Ok(Entry { name: name.into(), kind: Kind::File { digest, size }, owned, mtime: Mtime::Seen(stamp.mtime_ns) })
    }

    /// Returns the node of the directory at a path.
    pub(crate) fn directory(&self, tree: ContentDigest, path: &TreePath) -> Result<Arc<Node>, ReadError> {
        match resolve(self, tree, path, true)?.place {
            Some(PathTarget::Root(node) | PathTarget::Entry(_, Some(node))) => Ok(node),
            Some(PathTarget::Host(host, metadata)) if metadata.is_dir() => self.list_host(&host),
            None => Err(ReadError::NotFound { path: path.to_absolute() }),
            Some(_) => Err(ReadError::NotADirectory { path: path.to_absolute(), found: "a file" }),
        }
    }

    /// Lists a directory of this machine as a node of names and kinds. Nothing is hashed, so that the node has no
    /// valid digests and is never stored.
    fn list_host(&self, path: &std::path::Path) -> Result<Arc<Node>, ReadError> {
        let nothing = ContentDigest::from_bytes([0; 32]);
        let mut entries = Vec::new();
        for name in fs::names(path)? {
            let at = path.join(&name);
            let Some(metadata) = fs::lstat_if_there(&at)? else { continue };
            let kind = match metadata.file_type() {
                kind if kind.is_file() => Kind::File { digest: nothing, size: metadata.len() },
                kind if kind.is_symlink() => Kind::Symlink { target: fs::read_link(&at)?.into() },
                kind if kind.is_dir() => {
                    Kind::Machine { host_path: at.as_os_str().as_encoded_bytes().into(), key: nothing }
                }
                _ => Kind::Fifo,
            };
            entries.push(Entry::new(name.as_encoded_bytes(), kind, Owned { mode: mode_of(&metadata), uid: 0, gid: 0 }));
        }
        Ok(Arc::new(Node::of(entries)))
    }

    /// Calls `visit` with the path of every entry below a directory, parents first. A directory is entered if `visit`
    /// returns true. Views of directories of this machine are entered, too.
    pub(crate) fn walk(&self, node: &Arc<Node>, budget: &Budget, visit: &mut Visit<'_>) -> Result<(), ReadError> {
        let mut at = Vec::new();
        let first = Walked { node: Arc::clone(node), n_done: 0, n_path: 0 };
        descend(Next::Down(first), |level, _, depth| {
            while let Some(entry) = level.node.entries.get(level.n_done) {
                level.n_done += 1;
                budget.entry(depth)?;
                enter(&mut at, level.n_path, &entry.name);
                if visit(&at, entry)?
                    && let Some(node) = self.listed(entry)?
                {
                    return Ok(Next::Down(Walked { node, n_done: 0, n_path: at.len() }));
                }
            }
            Ok(Next::Done(()))
        })
    }

    /// Returns the node of an entry, if it is a directory.
    fn listed(&self, entry: &Entry) -> Result<Option<Arc<Node>>, ReadError> {
        Ok(match &entry.kind {
            Kind::Directory { digest } => Some(self.node(*digest)?),
            Kind::Machine { host_path, .. } => Some(self.list_host(fs::path_of(host_path))?),
            _ => None,
        })
    }
}

/// A directory that is being walked over.
struct Walked {
    node: Arc<Node>,
    n_done: usize,
    /// The length of its path in bytes.
    n_path: usize,
}

/// Returns the digest of a file without its name: of its contents, its mode and its owner.
#[must_use]
pub fn file_digest(entry: &Entry) -> ContentDigest {
    let mut hasher = KeyHasher::new("file/1");
    if let Kind::File { digest, size } = &entry.kind {
        hasher.bytes(digest.as_bytes());
        hasher.number(*size);
    }
    let Owned { mode, uid, gid } = entry.owned;
    for number in [mode, uid, gid] {
        hasher.number(u64::from(number));
    }
    hasher.content()
}

pub(crate) fn is_directory(kind: &Kind) -> bool {
    matches!(kind, Kind::Directory { .. } | Kind::Machine { .. })
}

fn list_name(base: &TreePath, path: &[u8], is_directory: bool) -> Result<String, ReadError> {
    let Ok(text) = std::str::from_utf8(path) else {
        let base = if base.is_root() { String::new() } else { base.to_absolute() };
        return Err(ReadError::NotUtf8 { path: format!("{base}/{}", escape(path)) });
    };
    Ok(if is_directory { format!("{text}/") } else { text.to_owned() })
}

fn not_a_file(path: &TreePath, place: Option<&PathTarget>) -> ReadError {
    let path = path.to_absolute();
    match place {
        None => ReadError::NotFound { path },
        Some(PathTarget::Entry(entry, _)) if !is_directory(&entry.kind) => {
            ReadError::NotAFile { path, found: "a pipe" }
        }
        Some(PathTarget::Host(_, metadata)) if !metadata.is_dir() => {
            ReadError::NotAFile { path, found: "a pipe, a socket or a device" }
        }
        Some(_) => ReadError::NotAFile { path, found: "a directory" },
    }
}
