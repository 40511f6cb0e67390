//! The nodes of trees, and their encoding.
//!
//! ```text
//! node   = digested times
//! digested = 1 root n_entries entry*          what the digest is of
//! root   = 0 | 1 mode uid gid                 the directory's own, where it is not 0755 0:0
//! entry  = tag name mode uid gid payload [pinned time, if the tag says so]
//! times  = (0 | 1 time)*                      one for each entry without a pinned time
//! ```
//! Numbers are LEB128, times are eight bytes, little endian, nanoseconds since 1970. Names are
//! sorted by their bytes and unique.

use graph::{ContentDigest, KeyHasher};

/// A directory of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Node {
    /// The mode and the owner of a directory that is the root of a tree, if they are not `0755 0:0`. For any other
    /// directory, its entry has them.
    pub root: Option<Owned>,
    /// The entries, sorted by the bytes of their names.
    pub entries: Vec<Entry>,
}

/// The permission bits and the owner of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Owned {
    /// The permission bits, with set-user-id, set-group-id and sticky.
    pub mode: u32,
    /// The id of the owner.
    pub uid: u32,
    /// The id of the group.
    pub gid: u32,
}

impl Owned {
    /// The default of a directory: `0755 0:0`.
    pub const DIRECTORY: Self = Self { mode: 0o755, uid: 0, gid: 0 };
    /// The default of a file: `0644 0:0`.
    pub const FILE: Self = Self { mode: 0o644, uid: 0, gid: 0 };
    /// The default of a symbolic link: `0777 0:0`.
    pub const SYMLINK: Self = Self { mode: 0o777, uid: 0, gid: 0 };
}

/// An entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name, as the bytes that the file system has. It is not empty, not `.` or `..`, and has no `/` and no zero
    /// byte.
    pub name: Box<[u8]>,
    /// The kind of the entry, with its contents.
    pub kind: Kind,
    /// The permission bits and the owner.
    pub owned: Owned,
    /// When the entry was modified.
    pub mtime: Mtime,
}

/// When an entry was modified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Mtime {
    /// An operation made the entry. It gets the time at which it is written to a disk.
    Unset,
    /// The time that was found on a disk, in nanoseconds since 1970. It is not a part of the digest. Of nodes that
    /// differ only in such times, the store keeps the first.
    Seen(i64),
    /// The time that an operation has set, in nanoseconds since 1970. It is a part of the digest.
    Pinned(i64),
}

impl Mtime {
    /// Returns the time in nanoseconds since 1970; none if it is not set.
    #[must_use]
    pub fn nanoseconds(self) -> Option<i64> {
        match self {
            Self::Unset => None,
            Self::Seen(time) | Self::Pinned(time) => Some(time),
        }
    }
}

/// The kind of an entry, with its contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A regular file. A tree has no hard links, but files with the same contents.
    File {
        /// The digest of the contents.
        digest: ContentDigest,
        /// The size of the contents in bytes.
        size: u64,
    },
    /// A directory, which is a node of its own.
    Directory {
        /// The digest of its node.
        digest: ContentDigest,
    },
    /// A symbolic link.
    Symlink {
        /// The target of the link, which is not checked.
        target: Box<[u8]>,
    },
    /// A named pipe. A tree has no sockets, which are useless without their process, and no devices, which only the
    /// executor provides.
    Fifo,
    /// A read-only view of a directory of this machine.
    Machine {
        /// The absolute path of the directory.
        host_path: Box<[u8]>,
        /// The key that stands for the contents of the directory.
        key: ContentDigest,
    },
}

/// The error for bytes that are not the encoding of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

const FILE: u8 = 0;
const DIRECTORY: u8 = 1;
const SYMLINK: u8 = 2;
const FIFO: u8 = 3;
const MACHINE: u8 = 4;
/// The bit in the tag of an entry whose time is a part of the digest.
const PINNED: u8 = 0x80;

impl Entry {
    /// Returns an entry without a time.
    #[must_use]
    pub fn new(name: &[u8], kind: Kind, owned: Owned) -> Self {
        Self { name: name.into(), kind, owned, mtime: Mtime::Unset }
    }

    /// Returns whether two entries are the same, apart from times that are not a part of the digest.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let pinned = |mtime| if let Mtime::Pinned(time) = mtime { Some(time) } else { None };
        self.name == other.name
            && self.kind == other.kind
            && self.owned == other.owned
            && pinned(self.mtime) == pinned(other.mtime)
    }

    /// Returns the digest of the node if the entry is a directory.
    #[must_use]
    pub fn directory(&self) -> Option<ContentDigest> {
        if let Kind::Directory { digest } = self.kind { Some(digest) } else { None }
    }
}

impl Node {
    /// Returns a node of entries that are sorted by name.
    #[must_use]
    pub fn of(entries: Vec<Entry>) -> Self {
        debug_assert!(entries.windows(2).all(|pair| pair[0].name < pair[1].name), "entries are sorted and unique");
        Self { root: None, entries }
    }

    /// Returns the entry with a name.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&Entry> {
        self.position(name).ok().map(|i| &self.entries[i])
    }

    /// Returns the index of the entry with a name, or the index at which it would be inserted.
    pub fn position(&self, name: &[u8]) -> Result<usize, usize> {
        self.entries.binary_search_by(|entry| entry.name.as_ref().cmp(name))
    }

    /// Inserts an entry, or replaces the one with the same name.
    pub fn put(&mut self, entry: Entry) {
        match self.position(&entry.name) {
            Ok(i) => self.entries[i] = entry,
            Err(i) => self.entries.insert(i, entry),
        }
    }

    /// Removes the entry with a name, and returns it.
    pub fn take(&mut self, name: &[u8]) -> Option<Entry> {
        self.position(name).ok().map(|i| self.entries.remove(i))
    }

    /// Returns the mode and the owner of the directory as a root.
    #[must_use]
    pub fn owned(&self) -> Owned {
        self.root.unwrap_or(Owned::DIRECTORY)
    }

    /// Sets the mode and the owner of the directory as a root.
    pub fn set_owned(&mut self, owned: Owned) {
        self.root = (owned != Owned::DIRECTORY).then_some(owned);
    }

    /// Returns the digest and the encoding of the node.
    #[must_use]
    pub fn encode(&self) -> (ContentDigest, Vec<u8>) {
        let mut out = Vec::with_capacity(16 + self.entries.len() * 72);
        out.push(1);
        match self.root {
            None => out.push(0),
            Some(owned) => {
                out.push(1);
                put_owned(&mut out, owned);
            }
        }
        put_number(&mut out, self.entries.len() as u64);
        self.entries.iter().for_each(|entry| put_entry(&mut out, entry));
        let digest = digest_of(&out);
        for entry in &self.entries {
            match entry.mtime {
                Mtime::Pinned(_) => {}
                Mtime::Unset => out.push(0),
                Mtime::Seen(time) => {
                    out.push(1);
                    out.extend_from_slice(&time.to_le_bytes());
                }
            }
        }
        (digest, out)
    }

    /// Decodes a node, and returns it with its digest.
    ///
    /// # Errors
    /// If the bytes are not the encoding of a node.
    pub fn decode(bytes: &[u8]) -> Result<(ContentDigest, Self), Malformed> {
        let mut input = Input { bytes };
        if input.byte()? != 1 {
            return Err(Malformed);
        }
        let root = if input.flag()? { Some(input.owned()?) } else { None };
        let n = usize::try_from(input.number()?).map_err(|_| Malformed)?;
        // Every entry has some bytes, so that a wrong number does not reserve memory.
        if n > input.bytes.len() {
            return Err(Malformed);
        }
        let mut entries = Vec::with_capacity(n);
        for _ in 0..n {
            entries.push(input.entry()?);
        }
        let digest = digest_of(&bytes[..bytes.len() - input.bytes.len()]);
        for entry in &mut entries {
            if !matches!(entry.mtime, Mtime::Pinned(_)) && input.flag()? {
                entry.mtime = Mtime::Seen(input.time()?);
            }
        }
        if !input.bytes.is_empty() || !entries.windows(2).all(|pair| pair[0].name < pair[1].name) {
            return Err(Malformed);
        }
        Ok((digest, Self { root, entries }))
    }
}

fn digest_of(digested: &[u8]) -> ContentDigest {
    // The hash has a domain of its own, so that no file has the digest of a directory.
    let mut hasher = KeyHasher::new("node/1");
    hasher.bytes(digested);
    hasher.content()
}

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_owned(out: &mut Vec<u8>, Owned { mode, uid, gid }: Owned) {
    for number in [mode, uid, gid] {
        put_number(out, u64::from(number));
    }
}

fn put_entry(out: &mut Vec<u8>, entry: &Entry) {
    let Entry { name, kind, owned, mtime } = entry;
    let tag = match kind {
        Kind::File { .. } => FILE,
        Kind::Directory { .. } => DIRECTORY,
        Kind::Symlink { .. } => SYMLINK,
        Kind::Fifo => FIFO,
        Kind::Machine { .. } => MACHINE,
    };
    out.push(if matches!(mtime, Mtime::Pinned(_)) { tag | PINNED } else { tag });
    put_bytes(out, name);
    put_owned(out, *owned);
    match kind {
        Kind::File { digest, size } => {
            out.extend_from_slice(digest.as_bytes());
            put_number(out, *size);
        }
        Kind::Directory { digest } => out.extend_from_slice(digest.as_bytes()),
        Kind::Symlink { target } => put_bytes(out, target),
        Kind::Fifo => {}
        Kind::Machine { host_path, key } => {
            put_bytes(out, host_path);
            out.extend_from_slice(key.as_bytes());
        }
    }
    if let Mtime::Pinned(time) = mtime {
        out.extend_from_slice(&time.to_le_bytes());
    }
}

struct Input<'a> {
    bytes: &'a [u8],
}

impl<'a> Input<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], Malformed> {
        let (head, tail) = self.bytes.split_at_checked(n).ok_or(Malformed)?;
        self.bytes = tail;
        Ok(head)
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn flag(&mut self) -> Result<bool, Malformed> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed),
        }
    }

    /// Each number has one encoding: otherwise a node would have several digests.
    fn number(&mut self) -> Result<u64, Malformed> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            number |= bits << shift;
            if bits << shift >> shift != bits {
                return Err(Malformed);
            }
            if byte & 0x80 == 0 {
                return if byte == 0 && shift > 0 { Err(Malformed) } else { Ok(number) };
            }
        }
        Err(Malformed)
    }

    fn text(&mut self) -> Result<Box<[u8]>, Malformed> {
        let n = usize::try_from(self.number()?).map_err(|_| Malformed)?;
        self.take(n).map(Into::into)
    }

    fn digest(&mut self) -> Result<ContentDigest, Malformed> {
        let bytes = self.take(32)?.try_into().map_err(|_| Malformed)?;
        Ok(ContentDigest::from_bytes(bytes))
    }

    fn time(&mut self) -> Result<i64, Malformed> {
        let bytes = self.take(8)?.try_into().map_err(|_| Malformed)?;
        Ok(i64::from_le_bytes(bytes))
    }

    fn owned(&mut self) -> Result<Owned, Malformed> {
        let mut numbers = [0; 3];
        for number in &mut numbers {
            *number = u32::try_from(self.number()?).map_err(|_| Malformed)?;
        }
        Ok(Owned { mode: numbers[0], uid: numbers[1], gid: numbers[2] })
    }

    fn entry(&mut self) -> Result<Entry, Malformed> {
        let tag = self.byte()?;
        let name = self.text()?;
        if name.is_empty() || name.contains(&b'/') || name.contains(&0) || matches!(&*name, b"." | b"..") {
            return Err(Malformed);
        }
        let owned = self.owned()?;
        let kind = match tag & !PINNED {
            FILE => Kind::File { digest: self.digest()?, size: self.number()? },
            DIRECTORY => Kind::Directory { digest: self.digest()? },
            SYMLINK => Kind::Symlink { target: self.text()? },
            FIFO => Kind::Fifo,
            MACHINE => Kind::Machine { host_path: self.text()?, key: self.digest()? },
            _ => return Err(Malformed),
        };
        let mtime = if tag & PINNED == 0 { Mtime::Unset } else { Mtime::Pinned(self.time()?) };
        Ok(Entry { name, kind, owned, mtime })
    }
}
