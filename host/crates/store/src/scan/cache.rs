//! The stat cache: a file with the stamps and digests of a scanned directory, which is used without decoding it.
//!
//! ```text
//! header   magic, n_dirs, n_entries, n_text, started_at, checksum of all that follows
//! dirs     digest 32, first entry 4, n_entries 4, parent 4, entry in parent 4
//! entries  text offset 4, name bytes 2, kind 1, flags 1, mode 4, child or target offset 4,
//!          size 8, mtime 8, ctime 8, inode 8, digest 32
//! text     names and link targets
//! ```
//! Directory 0 is the root. Parents come before their children. The entries of a directory are sorted by name.
//!
//! Source of the rule for racy timestamps: git, Documentation/technical/racy-git.txt.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use graph::ContentDigest;
use rayon::prelude::*;

use crate::blob::{BlobTable, ExternalFile, Stamp};
use crate::fs;
use crate::tree::deep::enter;

const MAGIC: u32 = u32::from_le_bytes(*b"HSC3");
const HEADER: usize = 56;
const DIR: usize = 48;
const ENTRY: usize = 80;

/// The time in nanoseconds by which the times of files can be behind the clock. A kernel with 100 ticks a second
/// is 10 ms behind.
const SLACK_NS: i64 = 20_000_000;

pub(super) const FILE: u8 = 0;
pub(super) const DIRECTORY: u8 = 1;
pub(super) const SYMLINK: u8 = 2;
/// The flag of a directory that the patterns select even if it is empty.
pub(super) const TAKEN: u8 = 1;

/// The cache of one scanned directory, in the format of the file.
#[derive(Clone)]
pub(super) struct Image {
    bytes: Arc<Vec<u8>>,
    n_dirs: usize,
    n_entries: usize,
    started_at_ns: i64,
}

/// One entry of an image.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    pub(super) name: &'a [u8],
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) mode: u32,
    pub(super) child: u32,
    pub(super) target: &'a [u8],
    pub(super) stamp: Stamp,
    pub(super) digest: ContentDigest,
}

/// One directory of an image.
#[derive(Clone, Copy)]
pub(super) struct Dir {
    pub(super) digest: ContentDigest,
    pub(super) first: u32,
    pub(super) n: u32,
    parent: u32,
    entry: u32,
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
}

fn i64_at(bytes: &[u8], at: usize) -> i64 {
    u64_at(bytes, at).cast_signed()
}

fn digest_at(bytes: &[u8], at: usize) -> ContentDigest {
    ContentDigest::from_bytes(bytes.get(at..at + 32).and_then(|b| b.try_into().ok()).unwrap_or([0; 32]))
}

impl Image {
    /// Checks the bytes of a file; returns none if they are not a complete image.
    pub(super) fn parse(bytes: Vec<u8>) -> Option<Self> {
        if bytes.len() < HEADER || u32_at(&bytes, 0) != MAGIC {
            return None;
        }
        let [n_dirs, n_entries, n_text] = [4, 8, 12].map(|at| u32_at(&bytes, at) as usize);
        let n_bytes = HEADER.checked_add(n_dirs.checked_mul(DIR)?)?.checked_add(n_entries.checked_mul(ENTRY)?)?;
        if n_dirs == 0 || bytes.len() != n_bytes.checked_add(n_text)? {
            return None;
        }
        if checksum(&bytes[HEADER..]).as_bytes() != &bytes[24..HEADER] {
            return None;
        }
        let started_at_ns = i64_at(&bytes, 16);
        Some(Self { n_dirs, n_entries, started_at_ns, bytes: Arc::new(bytes) })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn dir(&self, index: u32) -> Dir {
        let at = HEADER + index as usize * DIR;
        let bytes = &self.bytes;
        Dir {
            digest: digest_at(bytes, at),
            first: u32_at(bytes, at + 32),
            n: u32_at(bytes, at + 36),
            parent: u32_at(bytes, at + 40),
            entry: u32_at(bytes, at + 44),
        }
    }

    pub(super) fn record(&self, index: u32) -> Record<'_> {
        let at = HEADER + self.n_dirs * DIR + index as usize * ENTRY;
        let bytes = &self.bytes;
        let text = HEADER + self.n_dirs * DIR + self.n_entries * ENTRY;
        let piece = |offset: u32, n: usize| bytes.get(text + offset as usize..).and_then(|b| b.get(..n)).unwrap_or(b"");
        let n_name = usize::from(bytes[at + 4]) | usize::from(bytes[at + 5]) << 8;
        let kind = bytes[at + 6];
        let size = u64_at(bytes, at + 16);
        let child = u32_at(bytes, at + 12);
        let n_target = if kind == SYMLINK { usize::try_from(size).unwrap_or(0) } else { 0 };
        Record {
            name: piece(u32_at(bytes, at), n_name),
            kind,
            flags: bytes[at + 7],
            mode: u32_at(bytes, at + 8),
            child,
            target: piece(child, n_target),
            stamp: Stamp {
                size,
                mtime_ns: i64_at(bytes, at + 24),
                ctime_ns: i64_at(bytes, at + 32),
                inode: u64_at(bytes, at + 40),
            },
            digest: digest_at(bytes, at + 48),
        }
    }

    pub(super) fn records(&self, dir: &Dir) -> impl ExactSizeIterator<Item = Record<'_>> + use<'_> {
        (dir.first..dir.first + dir.n).map(|index| self.record(index))
    }

    /// Returns whether a file with this stamp has the contents of the record. A file that was written shortly before
    /// the scan is not trusted, because a later write could have left the same times.
    pub(super) fn trusts(&self, record: &Record<'_>, stamp: &Stamp) -> bool {
        record.stamp == *stamp && stamp.mtime_ns.max(stamp.ctime_ns) < self.started_at_ns - SLACK_NS
    }

    /// Goes from the directory that was asked for last to another one.
    fn go<'a>(&self, way: &'a mut Way, dir: u32) -> &'a [u8] {
        let (mut names, mut at) = (Vec::new(), dir);
        let n_common = loop {
            // The index of a directory is larger than that of the directory that it is in.
            match way.dirs.binary_search_by_key(&at, |(dir, _)| *dir) {
                Ok(i) => break i + 1,
                Err(_) => {
                    let found = self.dir(at);
                    names.push((at, self.record(found.entry).name));
                    at = found.parent;
                }
            }
        };
        way.dirs.truncate(n_common);
        let n_path = way.dirs.last().map_or(0, |(_, n)| *n);
        way.path.truncate(n_path);
        for (dir, name) in names.into_iter().rev() {
            let n_path = way.path.len();
            enter(&mut way.path, n_path, name);
            way.dirs.push((dir, way.path.len()));
        }
        &way.path
    }
}

/// The way from the root of an image to the directory that was asked for last.
pub(super) struct Way {
    path: Vec<u8>,
    /// The index of each directory on the way, the root first, and the length of its path in bytes.
    dirs: Vec<(u32, usize)>,
}

impl Default for Way {
    fn default() -> Self {
        Self { path: Vec::new(), dirs: vec![(0, 0)] }
    }
}

/// Makes an image, directory by directory from the root. The size of the image is known before, so that all bytes
/// are written once.
pub(super) struct Builder {
    bytes: Vec<u8>,
    size: Size,
    n_dirs: usize,
    n_entries: usize,
    n_text: usize,
}

/// The size of an image.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Size {
    pub(super) n_dirs: usize,
    pub(super) n_entries: usize,
    /// The bytes of the names and of the targets of links.
    pub(super) n_text: usize,
}

impl Size {
    /// Counts one more entry.
    pub(super) fn add(&mut self, record: &Record<'_>) {
        self.n_entries += 1;
        self.n_text += record.name.len() + if record.kind == SYMLINK { record.target.len() } else { 0 };
    }

    fn entries_at(&self) -> usize {
        HEADER + self.n_dirs * DIR
    }

    fn text_at(&self) -> usize {
        self.entries_at() + self.n_entries * ENTRY
    }
}

/// Writes `parts` one after the other into `bytes` from `at` on.
fn put(bytes: &mut [u8], mut at: usize, parts: &[&[u8]]) {
    for part in parts {
        bytes[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    }
}

impl Builder {
    pub(super) fn new(size: Size) -> Self {
        Self { bytes: vec![0; size.text_at() + size.n_text], size, n_dirs: 0, n_entries: 0, n_text: 0 }
    }

    /// Adds the next directory; its entries follow.
    pub(super) fn dir(&mut self, digest: &ContentDigest, n_entries: usize) {
        let at = HEADER + self.n_dirs * DIR;
        let (first, n) = (self.n_entries as u32, n_entries as u32);
        // The reference to the parent was written with the entries of the parent.
        put(&mut self.bytes, at, &[digest.as_bytes(), &first.to_le_bytes(), &n.to_le_bytes()]);
        self.n_dirs += 1;
    }

    /// Adds an entry of the directory that was added last.
    pub(super) fn entry(&mut self, record: &Record<'_>) {
        let name_at = self.text(record.name);
        let (mut child, mut size) = (record.child, record.stamp.size);
        if record.kind == SYMLINK {
            child = self.text(record.target);
            size = record.target.len() as u64;
        }
        if record.kind == DIRECTORY && (child as usize) < self.size.n_dirs {
            let (parent, entry) = (self.n_dirs as u32 - 1, self.n_entries as u32);
            let at = HEADER + child as usize * DIR + 40;
            put(&mut self.bytes, at, &[&parent.to_le_bytes(), &entry.to_le_bytes()]);
        }
        let at = self.size.entries_at() + self.n_entries * ENTRY;
        let parts: [&[u8]; 10] = [
            &name_at.to_le_bytes(),
            &(record.name.len() as u16).to_le_bytes(),
            &[record.kind, record.flags],
            &record.mode.to_le_bytes(),
            &child.to_le_bytes(),
            &size.to_le_bytes(),
            &record.stamp.mtime_ns.to_le_bytes(),
            &record.stamp.ctime_ns.to_le_bytes(),
            &record.stamp.inode.to_le_bytes(),
            record.digest.as_bytes(),
        ];
        put(&mut self.bytes, at, &parts);
        self.n_entries += 1;
    }

    /// Adds a name or the target of a link; returns its offset in the text.
    fn text(&mut self, text: &[u8]) -> u32 {
        let at = self.n_text;
        let start = self.size.text_at() + at;
        put(&mut self.bytes, start, &[text]);
        self.n_text += text.len();
        at as u32
    }

    pub(super) fn finish(self, started_at_ns: i64) -> Image {
        let Self { mut bytes, size, .. } = self;
        for (n, number) in [MAGIC, size.n_dirs as u32, size.n_entries as u32, size.n_text as u32].iter().enumerate() {
            put(&mut bytes, n * 4, &[&number.to_le_bytes()]);
        }
        put(&mut bytes, 16, &[&started_at_ns.to_le_bytes()]);
        let checksum = checksum(&bytes[HEADER..]);
        put(&mut bytes, 24, &[checksum.as_bytes()]);
        Image { bytes: Arc::new(bytes), n_dirs: size.n_dirs, n_entries: size.n_entries, started_at_ns }
    }
}

/// Returns the digest of the digests of pieces of 1 MiB, which are computed in parallel.
fn checksum(bytes: &[u8]) -> blake3::Hash {
    let pieces: Vec<[u8; 32]> = bytes.par_chunks(1 << 20).map(|piece| *blake3::hash(piece).as_bytes()).collect();
    blake3::hash(pieces.as_flattened())
}

/// The files of an image as blobs.
pub(super) struct Table {
    pub(super) root: PathBuf,
    pub(super) image: Image,
    /// Most files that are asked for are near the one before them.
    pub(super) last: Mutex<Way>,
}

impl BlobTable for Table {
    fn for_each(&self, add: &mut dyn FnMut(ContentDigest, u32)) {
        for index in 0..self.image.n_entries as u32 {
            let record = self.image.record(index);
            if record.kind == FILE {
                add(record.digest, index);
            }
        }
    }

    fn file(&self, number: u32) -> ExternalFile {
        let record = self.image.record(number);
        let mut low = 0;
        let mut high = self.image.n_dirs as u32;
        // The entry is in the last directory that begins at it or before it and is not empty.
        while high - low > 1 {
            let middle = u32::midpoint(low, high);
            if self.image.dir(middle).first <= number { low = middle } else { high = middle }
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let directory = self.image.go(&mut last, low);
        let path = self.root.join(fs::path_of(directory)).join(fs::path_of(record.name));
        ExternalFile { path, stamp: record.stamp }
    }
}
