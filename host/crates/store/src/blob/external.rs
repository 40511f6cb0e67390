//! Blobs that are files of this machine: what was scanned is not copied.

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use graph::ContentDigest;

/// What tells whether a file is still the one that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Stamp {
    /// Bytes.
    pub size: u64,
    /// Nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Nanoseconds since 1970.
    pub ctime_ns: i64,
    /// The number of its inode.
    pub inode: u64,
}

impl Stamp {
    /// Takes it from what `stat` says.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.len(),
            mtime_ns: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            ctime_ns: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
        }
    }
}

/// Joins the two halves of a time.
pub(crate) fn nanoseconds(seconds: i64, nanoseconds: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds)
}

/// A file of this machine with some contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalFile {
    /// Its absolute path.
    pub path: PathBuf,
    /// As it was when its contents were hashed.
    pub stamp: Stamp,
}

/// What a scan found; asked only when somebody needs the contents.
pub(crate) trait BlobTable: Send + Sync {
    /// Calls `add` with the digest and the number of each file.
    fn for_each(&self, add: &mut dyn FnMut(ContentDigest, u32));
    /// Returns the file of that number.
    fn file(&self, number: u32) -> ExternalFile;
}

/// A table with an index that is built when it is first needed: an unchanged directory of 50,000
/// files whose results are all cached never builds it.
struct Indexed {
    table: Arc<dyn BlobTable>,
    index: OnceLock<HashMap<ContentDigest, u32>>,
}

impl Indexed {
    fn find(&self, digest: &ContentDigest) -> Option<ExternalFile> {
        let index = self.index.get_or_init(|| {
            let mut index = HashMap::new();
            self.table.for_each(&mut |digest, number| {
                index.insert(digest, number);
            });
            index
        });
        index.get(digest).map(|number| self.table.file(*number))
    }
}

/// Where the contents of scanned files are.
#[derive(Default)]
pub struct ExternalBlobs {
    single: RwLock<HashMap<ContentDigest, ExternalFile>>,
    tables: RwLock<Vec<Arc<Indexed>>>,
}

impl ExternalBlobs {
    /// Registers one file.
    pub fn add(&self, digest: ContentDigest, file: ExternalFile) {
        self.single.write().unwrap_or_else(PoisonError::into_inner).insert(digest, file);
    }

    /// Registers what a scan found.
    pub(crate) fn add_table(&self, table: Arc<dyn BlobTable>) {
        let indexed = Arc::new(Indexed { table, index: OnceLock::new() });
        self.tables.write().unwrap_or_else(PoisonError::into_inner).push(indexed);
    }

    /// Returns a file that had these contents when it was looked at; the latest, if several.
    #[must_use]
    pub fn find(&self, digest: &ContentDigest) -> Option<ExternalFile> {
        if let Some(file) = self.single.read().unwrap_or_else(PoisonError::into_inner).get(digest) {
            return Some(file.clone());
        }
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner).clone();
        tables.iter().rev().find_map(|table| table.find(digest))
    }
}
