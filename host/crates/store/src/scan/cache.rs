//! What a scanned directory looked like the last time: one file of fixed records, used as it is read.
//!
//! ```text
//! header   magic, n_dirs, n_entries, n_text, started_at, checksum of all that follows
//! dirs     digest 32, first entry 4, n_entries 4, parent 4, entry in parent 4
//! entries  text offset 4, name bytes 2, kind 1, flags 1, mode 4, child or target offset 4,
//!          size 8, mtime 8, ctime 8, inode 8, digest 32
//! text     names and link targets
//! ```
//! Directory 0 is the root; parents precede children; the entries of a directory are sorted by name.
//!
//! Source of the rule for racy timestamps: git, Documentation/technical/racy-git.txt.

use std::path::PathBuf;
use std::sync::Arc;

use graph::ContentDigest;

use crate::blob::{BlobTable, ExternalFile, Stamp};
use crate::fs;

const MAGIC: u32 = u32::from_le_bytes(*b"HSC2");
const HEADER: usize = 56;
const DIR: usize = 48;
const ENTRY: usize = 80;

/// How far the times that the file system writes may be behind the clock, and more: kernels of 100
/// ticks a second are 10 ms behind.
const SLACK_NS: i64 = 20_000_000;

pub(super) const FILE: u8 = 0;
pub(super) const DIRECTORY: u8 = 1;
pub(super) const SYMLINK: u8 = 2;
/// The patterns take the directory for its own sake, also if it is empty.
pub(super) const TAKEN: u8 = 1;

/// The cache of one root, as it is on disk.
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
    /// Takes what was read from disk; none if it is anything but a whole image.
    pub(super) fn parse(bytes: Vec<u8>) -> Option<Self> {
        if bytes.len() < HEADER || u32_at(&bytes, 0) != MAGIC {
            return None;
        }
        let [n_dirs, n_entries, n_text] = [4, 8, 12].map(|at| u32_at(&bytes, at) as usize);
        let n_bytes = HEADER.checked_add(n_dirs.checked_mul(DIR)?)?.checked_add(n_entries.checked_mul(ENTRY)?)?;
        if n_dirs == 0 || bytes.len() != n_bytes.checked_add(n_text)? {
            return None;
        }
        if blake3::hash(&bytes[HEADER..]).as_bytes() != &bytes[24..HEADER] {
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

    /// Returns whether a file that looks as it did then has the contents that it had then: it was not
    /// written so late that another write may have left the same times.
    pub(super) fn trusts(&self, record: &Record<'_>, stamp: &Stamp) -> bool {
        record.stamp == *stamp && stamp.mtime_ns.max(stamp.ctime_ns) < self.started_at_ns - SLACK_NS
    }

    fn path(&self, mut dir: u32) -> Vec<u8> {
        let mut names = Vec::new();
        while dir != 0 {
            let found = self.dir(dir);
            names.push(self.record(found.entry).name);
            dir = found.parent;
        }
        names.reverse();
        names.join(&b'/')
    }
}

/// An image that is being made, directory by directory from the root.
pub(super) struct Builder {
    dirs: Vec<u8>,
    entries: Vec<u8>,
    text: Vec<u8>,
    n_entries: u32,
    /// For each directory its parent and the entry that names it; known when its parent is added.
    above: Vec<(u32, u32)>,
}

impl Builder {
    pub(super) fn new(n_dirs: usize) -> Self {
        Self {
            dirs: Vec::with_capacity(n_dirs * DIR),
            entries: Vec::new(),
            text: Vec::new(),
            n_entries: 0,
            above: vec![(0, 0); n_dirs],
        }
    }

    /// Adds directory `index`; its entries follow.
    pub(super) fn dir(&mut self, index: usize, digest: &ContentDigest, n_entries: usize) {
        let (parent, entry) = self.above[index];
        self.dirs.extend_from_slice(digest.as_bytes());
        for number in [self.n_entries, n_entries as u32, parent, entry] {
            self.dirs.extend_from_slice(&number.to_le_bytes());
        }
    }

    pub(super) fn entry(&mut self, dir: usize, record: &Record<'_>) {
        let text_at = self.text.len() as u32;
        self.text.extend_from_slice(record.name);
        let mut child = record.child;
        if record.kind == SYMLINK {
            child = self.text.len() as u32;
            self.text.extend_from_slice(record.target);
        }
        if let (DIRECTORY, Some(above)) = (record.kind, self.above.get_mut(child as usize)) {
            *above = (dir as u32, self.n_entries);
        }
        let out = &mut self.entries;
        out.extend_from_slice(&text_at.to_le_bytes());
        out.extend_from_slice(&(record.name.len() as u16).to_le_bytes());
        out.extend_from_slice(&[record.kind, record.flags]);
        out.extend_from_slice(&record.mode.to_le_bytes());
        out.extend_from_slice(&child.to_le_bytes());
        let size = if record.kind == SYMLINK { record.target.len() as u64 } else { record.stamp.size };
        out.extend_from_slice(&size.to_le_bytes());
        out.extend_from_slice(&record.stamp.mtime_ns.to_le_bytes());
        out.extend_from_slice(&record.stamp.ctime_ns.to_le_bytes());
        out.extend_from_slice(&record.stamp.inode.to_le_bytes());
        out.extend_from_slice(record.digest.as_bytes());
        self.n_entries += 1;
    }

    pub(super) fn finish(self, started_at_ns: i64) -> Image {
        let n_dirs = self.above.len();
        let mut bytes = Vec::with_capacity(HEADER + self.dirs.len() + self.entries.len() + self.text.len());
        for number in [MAGIC, n_dirs as u32, self.n_entries, self.text.len() as u32] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&started_at_ns.to_le_bytes());
        bytes.extend_from_slice(&[0; 32]);
        bytes.extend_from_slice(&self.dirs);
        bytes.extend_from_slice(&self.entries);
        bytes.extend_from_slice(&self.text);
        let checksum = blake3::hash(&bytes[HEADER..]);
        bytes[24..HEADER].copy_from_slice(checksum.as_bytes());
        Image { bytes: Arc::new(bytes), n_dirs, n_entries: self.n_entries as usize, started_at_ns }
    }
}

/// An image as the place where the contents of its files are.
pub(super) struct Table {
    pub(super) root: PathBuf,
    pub(super) image: Image,
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
        // The last directory that starts at or before the entry and is not empty has it.
        while high - low > 1 {
            let middle = u32::midpoint(low, high);
            if self.image.dir(middle).first <= number { low = middle } else { high = middle }
        }
        let path = self.root.join(fs::path_of(&self.image.path(low))).join(fs::path_of(record.name));
        ExternalFile { path, stamp: record.stamp }
    }
}
