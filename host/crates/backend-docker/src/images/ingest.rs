//! From an archive to trees of the store.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Component, Path};

use backend::{Failure, FailureCode};
use graph::ContentDigest;
use oci::compression::Decoder;
use store::{Entry, Kind, Mtime, Node, Owned, Store};
use tar::EntryType;
use trees::failure::failure;

/// Files up to this size are read into memory; longer ones go through a temporary file.
const SMALL_FILE: u64 = 4 << 20;

/// What an archive has, before directories have digests.
#[derive(Default)]
pub(crate) struct Directory {
    /// None for one that stands only in the paths of others.
    owned: Option<Owned>,
    mtime: Option<Mtime>,
    entries: BTreeMap<Vec<u8>, Item>,
}

enum Item {
    Directory(Directory),
    Other(Entry),
}

/// Reads an archive; blocks. Sockets and devices are left out: they are in no tree.
pub(crate) fn read(archive: impl Read, store: &Store) -> Result<Directory, Failure> {
    let mut root = Directory::default();
    let mut archive = tar::Archive::new(archive);
    for entry in archive.entries().map_err(|error| malformed(&error))? {
        take(&mut entry.map_err(|error| malformed(&error))?, &mut root, store)?;
    }
    // Whoever sends is not to be cut off in what fills the last block.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(|error| malformed(&error))?;
    Ok(root)
}

/// Checks that a file is the layer of an image; blocks.
pub(crate) fn check(layer: &Path, store: &Store) -> Result<(), Failure> {
    let bad = |error: &dyn std::fmt::Display| {
        Failure::invalid(FailureCode::InvalidArgument, format!("a layer of the image is no archive: {error}"))
    };
    let file = std::fs::File::open(layer).map_err(|error| bad(&error))?;
    let decoder = Decoder::new(io::BufReader::new(file)).map_err(|error| bad(&error))?;
    read(decoder, store).map(drop).map_err(|error| bad(&error))
}

fn malformed(error: &io::Error) -> Failure {
    Failure::environment(
        format!("what Docker sent is no whole archive: {error}"),
        Some("look into Docker's log; if it goes on, run without Docker by `--engine embedded`"),
    )
}

fn take<R: Read>(entry: &mut tar::Entry<'_, R>, root: &mut Directory, store: &Store) -> Result<(), Failure> {
    let path = components(&entry.path_bytes())?;
    let header = entry.header();
    let number = |number: io::Result<u64>| number.map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    let (mode, uid, gid) = (header.mode(), number(header.uid()), number(header.gid()));
    let owned = Owned {
        mode: mode.map_err(|error| malformed(&error))? & 0o7777,
        uid: uid.map_err(|error| malformed(&error))?,
        gid: gid.map_err(|error| malformed(&error))?,
    };
    let mtime = Mtime::Seen(i64::try_from(header.mtime().unwrap_or(0)).unwrap_or(0).saturating_mul(1_000_000_000));
    let kind = header.entry_type();
    let (name, parents) = match path.split_last() {
        Some(split) => split,
        None => {
            (root.owned, root.mtime) = (Some(owned), Some(mtime));
            return Ok(());
        }
    };
    let made = match kind {
        EntryType::Directory => {
            let below = root.below(parents)?.directory(name)?;
            (below.owned, below.mtime) = (Some(owned), Some(mtime));
            return Ok(());
        }
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => contents(entry, store)?,
        EntryType::Symlink => Kind::Symlink { target: link(entry)?.into() },
        EntryType::Fifo => Kind::Fifo,
        EntryType::Link => {
            let target = components(&link(entry)?)?;
            let found = root.find(&target).ok_or_else(|| malformed(&io::Error::other("a hard link to nothing")))?;
            let linked = Entry { name: name.as_slice().into(), ..found.clone() };
            root.below(parents)?.entries.insert(name.clone(), Item::Other(linked));
            return Ok(());
        }
        _ => return Ok(()),
    };
    let owned = if matches!(made, Kind::Symlink { .. }) { Owned { mode: 0o777, ..owned } } else { owned };
    let made = Entry { name: name.as_slice().into(), kind: made, owned, mtime };
    root.below(parents)?.entries.insert(name.clone(), Item::Other(made));
    Ok(())
}

fn components(path: &[u8]) -> Result<Vec<Vec<u8>>, Failure> {
    use std::os::unix::ffi::OsStrExt as _;
    let path = Path::new(std::ffi::OsStr::from_bytes(path));
    let parts = path.components().filter(|part| !matches!(part, Component::CurDir | Component::RootDir));
    parts
        .map(|part| match part {
            Component::Normal(name) => Ok(name.as_bytes().to_vec()),
            _ => Err(malformed(&io::Error::other("a path that leaves the archive"))),
        })
        .collect()
}

fn link<R: Read>(entry: &tar::Entry<'_, R>) -> Result<Vec<u8>, Failure> {
    let target = entry.link_name_bytes().map(|target| target.into_owned());
    target.ok_or_else(|| malformed(&io::Error::other("a link without a target")))
}

fn contents<R: Read>(entry: &mut tar::Entry<'_, R>, store: &Store) -> Result<Kind, Failure> {
    let size = entry.size();
    if size <= SMALL_FILE {
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        entry.read_to_end(&mut bytes).map_err(|error| malformed(&error))?;
        let digest = store.put_blob(&bytes).map_err(|error| failure(&error))?;
        return Ok(Kind::File { digest, size: bytes.len() as u64 });
    }
    let dir = store.temporary_dir().map_err(|error| failure(&error))?;
    let unwritable =
        |error: io::Error| Failure::environment(format!("`{}` cannot be written: {error}", dir.display()), None);
    let mut file = tempfile::NamedTempFile::new_in(&dir).map_err(unwritable)?;
    io::copy(entry, &mut file).map_err(unwritable)?;
    let (digest, size) = store.put_hardlink(file.path()).map_err(|error| failure(&error))?;
    Ok(Kind::File { digest, size })
}

impl Directory {
    /// Returns the directory at a path, made if it is not there.
    fn below(&mut self, path: &[Vec<u8>]) -> Result<&mut Self, Failure> {
        path.iter().try_fold(self, |directory, name| directory.directory(name))
    }

    fn directory(&mut self, name: &[u8]) -> Result<&mut Self, Failure> {
        let item = self.entries.entry(name.to_vec()).or_insert_with(|| Item::Directory(Self::default()));
        match item {
            Item::Directory(directory) => Ok(directory),
            Item::Other(_) => Err(malformed(&io::Error::other("a file with files in it"))),
        }
    }

    /// Returns the file or link at a path.
    fn find(&self, path: &[Vec<u8>]) -> Option<&Entry> {
        let (name, parents) = path.split_last()?;
        let mut directory = self;
        for parent in parents {
            let Item::Directory(below) = directory.entries.get(parent)? else { return None };
            directory = below;
        }
        match directory.entries.get(name)? {
            Item::Other(entry) => Some(entry),
            Item::Directory(_) => None,
        }
    }

    /// Takes the directory of this name out.
    pub(crate) fn take(&mut self, name: &str) -> Option<Self> {
        match self.entries.remove(name.as_bytes())? {
            Item::Directory(directory) => Some(directory),
            Item::Other(_) => None,
        }
    }

    /// Returns the contents of a file.
    pub(crate) fn file(&self, name: &str) -> Option<ContentDigest> {
        match self.entries.get(name.as_bytes())? {
            Item::Other(Entry { kind: Kind::File { digest, .. }, .. }) => Some(*digest),
            _ => None,
        }
    }

    /// Sets the mode and the owner of the directory itself.
    pub(crate) fn set_owned(&mut self, owned: Owned) {
        self.owned = Some(owned);
    }

    /// Removes a mountpoint that is still as it was made: an empty directory, an empty file.
    pub(crate) fn remove_stub(&mut self, path: &str) {
        let parts: Vec<Vec<u8>> = path.split('/').filter(|part| !part.is_empty()).map(|part| part.into()).collect();
        let Some((name, parents)) = parts.split_last() else { return };
        let mut directory = self;
        for parent in parents {
            let Some(Item::Directory(below)) = directory.entries.get_mut(parent) else { return };
            directory = below;
        }
        let is_stub = match directory.entries.get(name) {
            Some(Item::Directory(below)) => below.entries.is_empty(),
            Some(Item::Other(entry)) => matches!(entry.kind, Kind::File { size: 0, .. }),
            None => false,
        };
        if is_stub {
            directory.entries.remove(name);
        }
    }

    /// Stores it as a tree.
    pub(crate) fn put(self, store: &Store) -> Result<ContentDigest, Failure> {
        let owned = self.owned;
        let mut node = self.node(store)?;
        if let Some(owned) = owned {
            node.set_owned(owned);
        }
        store.put_node(node).map_err(|error| failure(&error))
    }

    fn node(self, store: &Store) -> Result<Node, Failure> {
        let mut entries = Vec::with_capacity(self.entries.len());
        for (name, item) in self.entries {
            entries.push(match item {
                Item::Other(entry) => entry,
                Item::Directory(below) => {
                    let (owned, mtime) = (below.owned.unwrap_or(Owned::DIRECTORY), below.mtime.unwrap_or(Mtime::Unset));
                    let node = below.node(store)?;
                    let digest = store.put_node(node).map_err(|error| failure(&error))?;
                    Entry { name: name.into(), kind: Kind::Directory { digest }, owned, mtime }
                }
            });
        }
        Ok(Node::of(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::TreePath;

    fn archive(add: impl FnOnce(&mut tar::Builder<Vec<u8>>)) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        add(&mut builder);
        builder.into_inner().unwrap()
    }

    fn put(builder: &mut tar::Builder<Vec<u8>>, path: &str, kind: EntryType, mode: u32, text: &str) {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(7);
        header.set_gid(8);
        header.set_size(0);
        match kind {
            EntryType::Symlink | EntryType::Link => builder.append_link(&mut header, path, text).unwrap(),
            _ => {
                header.set_size(text.len() as u64);
                builder.append_data(&mut header, path, text.as_bytes()).unwrap();
            }
        }
    }

    fn check(bytes: &[u8], stubs: &[&str], expect: &str) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let mut read = read(bytes, &store).unwrap();
        stubs.iter().for_each(|stub| read.remove_stub(stub));
        let tree = read.put(&store).unwrap();
        let paths = store.glob(tree, &TreePath::root(), "**").unwrap();
        let stat = |path: &String| {
            let stat = store.stat(tree, &TreePath::parse(path).unwrap(), false).unwrap().unwrap();
            format!("{path} {:o} {}:{} {}", stat.owned.mode, stat.owned.uid, stat.owned.gid, stat.size)
        };
        assert_eq!(paths.iter().map(stat).collect::<Vec<_>>().join("\n"), expect);
    }

    #[test]
    fn kinds_modes_and_owners_are_kept() {
        let bytes = archive(|b| {
            put(b, "d/", EntryType::Directory, 0o2770, "");
            put(b, "d/f", EntryType::Regular, 0o4711, "text");
            put(b, "hard", EntryType::Link, 0o644, "d/f");
            put(b, "link", EntryType::Symlink, 0o777, "/nowhere");
            put(b, "null", EntryType::Char, 0o666, "");
        });
        check(&bytes, &[], "d/ 2770 7:8 0\nd/f 4711 7:8 4\nhard 4711 7:8 4\nlink 777 7:8 8");
    }

    #[test]
    fn mountpoints_are_removed_only_while_they_are_empty() {
        let bytes = archive(|b| {
            put(b, "a/b/", EntryType::Directory, 0o755, "");
            put(b, "etc/hosts", EntryType::Regular, 0o644, "");
            put(b, "etc/own", EntryType::Regular, 0o644, "x");
        });
        check(&bytes, &["a/b", "a", "etc/hosts", "etc/own", "etc", "proc"], "etc/ 755 0:0 0\netc/own 644 7:8 1");
    }

    #[test]
    fn an_archive_that_is_cut_is_an_error() {
        let bytes = archive(|b| put(b, "f", EntryType::Regular, 0o644, "long enough"));
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let Err(failure) = read(&bytes[..515], &store) else { panic!("half of an archive was taken") };
        assert!(failure.to_string().starts_with("what Docker sent is no whole archive"), "{failure}");
    }
}
