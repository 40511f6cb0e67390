//! Nodes of a tree, and their encoding.
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

/// A directory: its entries, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Node {
    /// The directory's own mode and owner, where it is the root of a tree and they are not
    /// `0755 0:0`. A node that an entry names has none: the entry has them.
    pub root: Option<Owned>,
    /// What is in it.
    pub entries: Vec<Entry>,
}

/// Permission bits and an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Owned {
    /// Permission bits with set-user-id, set-group-id and sticky.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
}

impl Owned {
    /// What a directory is that nobody said anything about: `0755 0:0`.
    pub const DIRECTORY: Self = Self { mode: 0o755, uid: 0, gid: 0 };
    /// What a file is that nobody said anything about: `0644 0:0`.
    pub const FILE: Self = Self { mode: 0o644, uid: 0, gid: 0 };
    /// What a symbolic link of root is.
    pub const SYMLINK: Self = Self { mode: 0o777, uid: 0, gid: 0 };
}

/// A name in a directory, and what it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Bytes, as the file system has them; no `/`, no NUL, neither `.` nor `..`, not empty.
    pub name: Box<[u8]>,
    /// What it is.
    pub kind: Kind,
    /// Its permission bits and owner.
    pub owned: Owned,
    /// When it was modified.
    pub mtime: Mtime,
}

/// When something was modified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Mtime {
    /// It was made by the API: the time at which it is written to a disk.
    Unset,
    /// Nanoseconds since 1970, as it was found. Not in the digest; of nodes that differ only in
    /// these, the first that is stored stays.
    Seen(i64),
    /// Nanoseconds since 1970, as it was asked for. In the digest: else asking would have no effect.
    Pinned(i64),
}

impl Mtime {
    /// Returns the time, if there is one.
    #[must_use]
    pub fn nanoseconds(self) -> Option<i64> {
        match self {
            Self::Unset => None,
            Self::Seen(time) | Self::Pinned(time) => Some(time),
        }
    }
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A regular file. Hard links are files with equal contents.
    File {
        /// Of its contents.
        digest: ContentDigest,
        /// Bytes.
        size: u64,
    },
    /// A directory.
    Directory {
        /// Of its node.
        digest: ContentDigest,
    },
    /// A symbolic link.
    Symlink {
        /// What it points to, not looked at.
        target: Box<[u8]>,
    },
    /// A named pipe. Sockets and devices are in no tree: a socket without its process is nothing,
    /// and devices are the executor's to give.
    Fifo,
    /// A read-only view of a directory of this machine.
    Machine {
        /// Its absolute path.
        host_path: Box<[u8]>,
        /// Stands for what is in it.
        key: ContentDigest,
    },
}

/// A text that is not a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

const FILE: u8 = 0;
const DIRECTORY: u8 = 1;
const SYMLINK: u8 = 2;
const FIFO: u8 = 3;
const MACHINE: u8 = 4;
/// Set in the tag of an entry whose time is part of the digest.
const PINNED: u8 = 0x80;

impl Entry {
    /// Makes an entry without a time.
    #[must_use]
    pub fn new(name: &[u8], kind: Kind, owned: Owned) -> Self {
        Self { name: name.into(), kind, owned, mtime: Mtime::Unset }
    }

    /// Returns whether they differ in nothing that the digest counts.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let pinned = |mtime| if let Mtime::Pinned(time) = mtime { Some(time) } else { None };
        self.name == other.name
            && self.kind == other.kind
            && self.owned == other.owned
            && pinned(self.mtime) == pinned(other.mtime)
    }

    /// Returns the node's digest, if it is a directory.
    #[must_use]
    pub fn directory(&self) -> Option<ContentDigest> {
        if let Kind::Directory { digest } = self.kind { Some(digest) } else { None }
    }
}

impl Node {
    /// Makes a node of entries that are sorted.
    #[must_use]
    pub fn of(entries: Vec<Entry>) -> Self {
        debug_assert!(entries.windows(2).all(|pair| pair[0].name < pair[1].name), "entries are sorted and unique");
        Self { root: None, entries }
    }

    /// Returns the entry of that name.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&Entry> {
        self.position(name).ok().map(|i| &self.entries[i])
    }

    /// Returns where the name is, or where it would be.
    pub fn position(&self, name: &[u8]) -> Result<usize, usize> {
        self.entries.binary_search_by(|entry| entry.name.as_ref().cmp(name))
    }

    /// Puts an entry in, in place of one of the same name.
    pub fn put(&mut self, entry: Entry) {
        match self.position(&entry.name) {
            Ok(i) => self.entries[i] = entry,
            Err(i) => self.entries.insert(i, entry),
        }
    }

    /// Takes the entry of that name out.
    pub fn take(&mut self, name: &[u8]) -> Option<Entry> {
        self.position(name).ok().map(|i| self.entries.remove(i))
    }

    /// Returns the directory's own mode and owner.
    #[must_use]
    pub fn owned(&self) -> Owned {
        self.root.unwrap_or(Owned::DIRECTORY)
    }

    /// Sets the directory's own mode and owner; the usual ones are kept as none.
    pub fn set_owned(&mut self, owned: Owned) {
        self.root = (owned != Owned::DIRECTORY).then_some(owned);
    }

    /// Returns the digest and the encoding.
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

    /// Reads what [`Node::encode`] wrote and returns it with its digest.
    ///
    /// # Errors
    /// If it is anything else.
    pub fn decode(bytes: &[u8]) -> Result<(ContentDigest, Self), Malformed> {
        let mut input = Input { bytes };
        if input.byte()? != 1 {
            return Err(Malformed);
        }
        let root = if input.byte()? == 1 { Some(input.owned()?) } else { None };
        let n = usize::try_from(input.number()?).map_err(|_| Malformed)?;
        // An entry takes at least six bytes, so that a wrong number reserves no memory.
        if n > input.bytes.len() {
            return Err(Malformed);
        }
        let mut entries = Vec::with_capacity(n);
        for _ in 0..n {
            entries.push(input.entry()?);
        }
        let digest = digest_of(&bytes[..bytes.len() - input.bytes.len()]);
        for entry in &mut entries {
            if !matches!(entry.mtime, Mtime::Pinned(_)) && input.byte()? == 1 {
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
    // In a domain of its own: no file has the digest of a directory.
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

    fn number(&mut self) -> Result<u64, Malformed> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
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
