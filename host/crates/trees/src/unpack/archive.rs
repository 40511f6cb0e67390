//! What an archive has at which path.

use std::collections::{BTreeMap, VecDeque};

use engine::Failure;
use graph::ContentDigest;
use oci::layer::{ArchiveEntry, ArchiveKind, Contents, EntryError, LayerError, Limits, Sink, escape};
use store::{Change, ChangeKind, Entry, Kind, LayerContents, Owned, Store, empty_tree};

use super::UnpackError;
use super::path::{EntryPath, is_below, join, split};

/// Files up to this size are read into memory; longer ones go through a temporary file.
const SMALL_FILE: u64 = 4 << 20;

/// The contents of an archive over a tree.
pub struct Archive<'a> {
    store: &'a Store,
    /// The tree that the archive is laid over.
    below: ContentDigest,
    limits: Limits,
    entries: BTreeMap<EntryPath, Item>,
    /// The mode and the owner of the root, if the archive says them.
    root: Option<Owned>,
    /// Nothing of the tree below is left.
    is_opaque: bool,
    /// The directory that was looked for last, and the one that it is without links: most entries have that of the one
    /// before them.
    last: Option<(Vec<u8>, Vec<u8>)>,
    /// Bytes of all paths and targets: they are kept in memory until the end.
    n_path_bytes: u64,
}

/// What is at a path.
#[derive(Debug, Clone)]
struct Item {
    what: ChangeKind,
    owned: Owned,
    mtime_ns: i64,
}

impl<'a> Archive<'a> {
    pub(super) fn new(store: &'a Store, below: ContentDigest, limits: Limits) -> Self {
        let entries = BTreeMap::new();
        Self { store, below, limits, entries, root: None, is_opaque: false, last: None, n_path_bytes: 0 }
    }

    /// Takes the directory of this name out of the archive; none if there is no such directory.
    #[must_use]
    pub fn take(&mut self, name: &str) -> Option<Self> {
        let directory = EntryPath(name.as_bytes().to_vec());
        let mut rest = self.entries.split_off(&directory);
        let owned = match rest.remove(&directory) {
            Some(Item { what: ChangeKind::Directory { .. }, owned, .. }) => owned,
            found => {
                self.entries.extend(found.map(|item| (directory, item)));
                self.entries.append(&mut rest);
                return None;
            }
        };
        let mut taken = Self { root: Some(owned), ..Self::new(self.store, empty_tree(), self.limits) };
        while let Some(first) = rest.first_entry().filter(|first| is_below(&first.key().0, &directory.0)) {
            let (path, item) = first.remove_entry();
            taken.entries.insert(EntryPath(path.0[directory.0.len() + 1..].to_vec()), item);
        }
        self.entries.append(&mut rest);
        Some(taken)
    }

    /// Returns the contents of a file.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<ContentDigest> {
        match self.entries.get(&EntryPath(name.as_bytes().to_vec()))?.what {
            ChangeKind::File { digest, .. } => Some(digest),
            _ => None,
        }
    }

    /// Sets the mode and the owner of the root.
    pub fn set_owned(&mut self, owned: Owned) {
        self.root = Some(owned);
    }

    /// Removes a mountpoint that is still as it was made: an empty directory or an empty file.
    pub fn remove_stub(&mut self, path: &str) {
        let path = EntryPath(path.trim_matches('/').as_bytes().to_vec());
        let mut from = self.entries.range(&path..);
        let is_stub = match from.next().filter(|(found, _)| **found == path).map(|(_, item)| &item.what) {
            Some(ChangeKind::Directory { .. }) => from.next().is_none_or(|(next, _)| !is_below(&next.0, &path.0)),
            Some(ChangeKind::File { size, .. }) => *size == 0,
            _ => false,
        };
        if is_stub {
            self.entries.remove(&path);
        }
    }

    /// Stores what the tree below has become as a tree.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub fn put(self) -> Result<ContentDigest, Failure> {
        let below = if self.is_opaque { empty_tree() } else { self.below };
        let root = match self.root {
            Some(root) => root,
            None => self.store.node(self.below).map_err(Failure::of)?.owned(),
        };
        let change =
            |(path, Item { what, owned, mtime_ns }): (EntryPath, Item)| Change { path: path.0, what, owned, mtime_ns };
        let changes = self.entries.into_iter().map(change).collect();
        let contents = LayerContents { root, changes, size_bytes: 0, n_skipped: 0 };
        self.store.apply_changes(below, &contents).map_err(Failure::of)
    }

    fn get(&self, path: &[u8]) -> Option<&Item> {
        self.entries.get(&EntryPath(path.to_vec()))
    }

    /// Puts something at a path. What an earlier entry made there is gone, with all that is below it.
    fn replace(&mut self, path: Vec<u8>, item: Item) -> Result<(), UnpackError> {
        self.n_path_bytes += path.len() as u64;
        if let ChangeKind::Symlink { target } = &item.what {
            self.n_path_bytes += target.len() as u64;
        }
        if self.n_path_bytes > self.limits.max_directory_bytes {
            let what = format!("its paths have more than {} bytes", self.limits.max_directory_bytes);
            return Err(LayerError::Limit { at: format!("at `{}`", escape(&path)), what }.into());
        }
        let path = EntryPath(path);
        let replaced = self.entries.insert(path.clone(), item);
        if replaced.is_some() {
            self.last = None;
        }
        if let Some(Item { what: ChangeKind::Directory { .. }, .. }) = replaced {
            while let Some((below, _)) =
                self.entries.range(&path..).nth(1).filter(|(next, _)| is_below(&next.0, &path.0))
            {
                let below = below.clone();
                self.entries.remove(&below);
            }
        }
        Ok(())
    }

    /// Returns the path without links of a directory; makes what is missing of it, as it is in the tree below. `name` is
    /// the entry that needs it.
    fn make(&mut self, directory: &[u8], name: &str, mtime_ns: i64) -> Result<Vec<u8>, UnpackError> {
        if directory.is_empty() {
            return Ok(Vec::new());
        }
        if let Some((asked, found)) = &self.last
            && asked == directory
        {
            return Ok(found.clone());
        }
        let found = self.walk(directory, name, Some(mtime_ns))?;
        let found = found.ok_or_else(|| bad(name, EntryError::NotDirectory(escape(directory))))?;
        self.last = Some((directory.to_vec(), found.clone()));
        Ok(found)
    }

    /// Goes from name to name. Symbolic links of the archive are followed as if its root were `/`. Makes what is missing
    /// if there is a time for it; returns none if something is missing and is not to be made.
    fn walk(&mut self, directory: &[u8], name: &str, makes: Option<i64>) -> Result<Option<Vec<u8>>, UnpackError> {
        let names = |path: &[u8]| path.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect::<Vec<_>>();
        let mut pending = VecDeque::from(names(directory));
        let (mut at, mut n_links) = (Vec::new(), 0);
        while let Some(next) = pending.pop_front() {
            match next.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    at.truncate(split(&at).0.len());
                    continue;
                }
                _ => {}
            }
            let path = join(&at, &next);
            let is_gone = match self.get(&path).map(|item| &item.what) {
                Some(ChangeKind::Directory { .. }) => {
                    at = path;
                    continue;
                }
                Some(ChangeKind::Symlink { target }) => {
                    n_links += 1;
                    if n_links > self.limits.max_links {
                        return Err(bad(name, EntryError::Loop(self.limits.max_links)));
                    }
                    if target.starts_with(b"/") {
                        at.clear();
                    }
                    for name in names(target).into_iter().rev() {
                        pending.push_front(name);
                    }
                    continue;
                }
                Some(ChangeKind::Whiteout) => true,
                Some(_) if makes.is_some() => return Err(bad(name, EntryError::NotDirectory(escape(&path)))),
                Some(_) => return Ok(None),
                None => false,
            };
            let Some(mtime_ns) = makes else { return Ok(None) };
            let item = self.missing(&path, is_gone, mtime_ns)?;
            self.replace(path.clone(), item)?;
            at = path;
        }
        Ok(Some(at))
    }

    /// Returns a directory that the archive has something in without mentioning it.
    fn missing(&self, path: &[u8], is_opaque: bool, mtime_ns: i64) -> Result<Item, UnpackError> {
        let what = ChangeKind::Directory { is_opaque };
        Ok(match self.entry_below(path)?.filter(|entry| entry.directory().is_some()) {
            Some(entry) => Item { what, owned: entry.owned, mtime_ns: entry.mtime.nanoseconds().unwrap_or(mtime_ns) },
            None => Item { what, owned: Owned::DIRECTORY, mtime_ns },
        })
    }

    /// Finds an entry in the tree below, without following any link.
    fn entry_below(&self, path: &[u8]) -> Result<Option<Entry>, UnpackError> {
        let mut directory = self.below;
        let mut names = path.split(|byte| *byte == b'/').peekable();
        while let Some(name) = names.next() {
            let node = self.store.node(directory).map_err(Failure::of)?;
            let Some(entry) = node.get(name) else { return Ok(None) };
            if names.peek().is_none() {
                return Ok(Some(entry.clone()));
            }
            match entry.directory() {
                Some(below) => directory = below,
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    fn directory(&mut self, path: Vec<u8>, owned: Owned, mtime_ns: i64) -> Result<(), UnpackError> {
        let is_opaque = match self.get(&path).map(|item| &item.what) {
            // What is in it stays.
            Some(ChangeKind::Directory { is_opaque }) => {
                let what = ChangeKind::Directory { is_opaque: *is_opaque };
                self.entries.insert(EntryPath(path), Item { what, owned, mtime_ns });
                return Ok(());
            }
            Some(ChangeKind::Whiteout) => true,
            _ => false,
        };
        self.replace(path, Item { what: ChangeKind::Directory { is_opaque }, owned, mtime_ns })
    }

    /// Removes what the tree below has at a path. What the archive itself has there stays, in whatever order they come; a
    /// directory of the archive has nothing more of the tree below.
    fn whiteout(&mut self, path: Vec<u8>, mtime_ns: i64) -> Result<(), UnpackError> {
        match self.entries.get_mut(&EntryPath(path.clone())) {
            None => {
                let owned = Owned { mode: 0, uid: 0, gid: 0 };
                self.replace(path, Item { what: ChangeKind::Whiteout, owned, mtime_ns })
            }
            Some(Item { what: ChangeKind::Directory { is_opaque }, .. }) => {
                *is_opaque = true;
                Ok(())
            }
            Some(_) => Ok(()),
        }
    }

    fn opaque(&mut self, path: &[u8], name: &str, mtime_ns: i64) -> Result<(), UnpackError> {
        let path = self.make(path, name, mtime_ns)?;
        if path.is_empty() {
            self.is_opaque = true;
        } else if let Some(Item { what: ChangeKind::Directory { is_opaque }, .. }) =
            self.entries.get_mut(&EntryPath(path))
        {
            *is_opaque = true;
        }
        Ok(())
    }

    /// Finds the file that a hard link names: in the archive, with its path there, else in the tree below.
    fn linked(&mut self, target: &[u8], name: &str) -> Result<(Option<Vec<u8>>, Item), UnpackError> {
        let shown = || escape(target);
        let (above, last) = split(target);
        if let Some(above) = self.walk(above, name, None)?
            && let path = join(&above, last)
            && let Some(item) = self.get(&path)
        {
            return match item.what {
                ChangeKind::Directory { .. } => Err(bad(name, EntryError::LinkDirectory(shown()))),
                ChangeKind::Whiteout => Err(bad(name, EntryError::LinkMissing(shown()))),
                _ => Ok((Some(path), item.clone())),
            };
        }
        match self.entry_below(target)? {
            Some(Entry { kind: Kind::File { digest, size }, owned, mtime, .. }) => {
                let mtime_ns = mtime.nanoseconds().unwrap_or(0);
                Ok((None, Item { what: ChangeKind::File { digest, size }, owned, mtime_ns }))
            }
            _ => Err(bad(name, EntryError::LinkMissing(shown()))),
        }
    }

    fn contents(&self, size: u64, contents: &mut dyn Contents) -> Result<ChangeKind, UnpackError> {
        if size <= SMALL_FILE {
            let digest = self.store.put_blob(&contents.read()?).map_err(Failure::of)?;
            return Ok(ChangeKind::File { digest, size });
        }
        let dir = self.store.temporary_dir().map_err(Failure::of)?;
        let unwritable = |error: std::io::Error| {
            Failure::environment(format!("`{}` cannot be written: {error}", dir.display()), None)
        };
        let file = tempfile::NamedTempFile::new_in(&dir).map_err(unwritable)?;
        contents.write_to(file.as_file().try_clone().map_err(unwritable)?)?;
        let (digest, size) = self.store.put_hardlink(file.path()).map_err(Failure::of)?;
        Ok(ChangeKind::File { digest, size })
    }
}

impl Sink for Archive<'_> {
    type Error = UnpackError;

    fn take(&mut self, entry: ArchiveEntry, contents: &mut dyn Contents) -> Result<(), UnpackError> {
        let ArchiveEntry { name: shown, path: named, what, mode, uid, gid, mtime_ns } = entry;
        let owned = Owned { mode, uid, gid };
        if what == ArchiveKind::Opaque {
            return self.opaque(&named, &shown, mtime_ns);
        }
        if named.is_empty() {
            self.root = Some(owned);
            return Ok(());
        }
        let (above, name) = split(&named);
        let linked = match &what {
            ArchiveKind::HardLink { target } => Some(self.linked(target, &shown)?),
            _ => None,
        };
        let path = join(&self.make(above, &shown, mtime_ns)?, name);
        let item = |what| Item { what, owned, mtime_ns };
        let item = match what {
            ArchiveKind::Directory => return self.directory(path, owned, mtime_ns),
            ArchiveKind::Whiteout => return self.whiteout(path, mtime_ns),
            ArchiveKind::File { size } => item(self.contents(size, contents)?),
            ArchiveKind::Symlink { target } => {
                Item { owned: Owned { mode: 0o777, ..owned }, ..item(ChangeKind::Symlink { target }) }
            }
            ArchiveKind::Fifo => item(ChangeKind::Fifo),
            ArchiveKind::HardLink { target } => match linked {
                // It is in the directory that it takes the place of.
                Some((Some(at), _)) if is_below(&at, &path) => {
                    return Err(bad(&shown, EntryError::LinkMissing(escape(&target))));
                }
                Some((_, linked)) => linked,
                None => return Ok(()),
            },
            ArchiveKind::Opaque => return Ok(()),
        };
        self.replace(path, item)
    }
}

fn bad(name: &str, source: EntryError) -> UnpackError {
    LayerError::Entry { name: name.to_owned(), source }.into()
}
