//! Blobs whose contents are in files of this machine. Scanned files are not copied into the store.

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use graph::ContentDigest;

/// The properties of a file that tell whether it was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Stamp {
    /// The size in bytes.
    pub size: u64,
    /// When the contents were modified, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// When the inode was changed, in nanoseconds since 1970.
    pub ctime_ns: i64,
    /// The number of the inode.
    pub inode: u64,
}

impl Stamp {
    /// Returns the stamp of a file with this metadata.
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

/// Combines the seconds and the nanoseconds of a time.
pub(crate) fn nanoseconds(seconds: i64, nanoseconds: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds)
}

/// A file of this machine whose contents are a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalFile {
    /// The absolute path of the file.
    pub path: PathBuf,
    /// The stamp that the file had when its contents were hashed.
    pub stamp: Stamp,
}

/// The files of a scan. It is asked only if contents are needed.
pub(crate) trait BlobTable: Send + Sync {
    /// Calls `add` with the digest of the contents and the number of each file.
    fn for_each(&self, add: &mut dyn FnMut(ContentDigest, u32));
    /// Returns the file with a number.
    fn file(&self, number: u32) -> ExternalFile;
}

/// A table with an index, which is built when it is first needed. A run over an unchanged directory whose results
/// are all cached never builds it.
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

/// The registry of the files of this machine whose contents are blobs.
#[derive(Default)]
pub struct ExternalBlobs {
    single: RwLock<HashMap<ContentDigest, ExternalFile>>,
    tables: RwLock<Vec<Arc<Indexed>>>,
}

impl ExternalBlobs {
    /// Registers a file.
    pub fn add(&self, digest: ContentDigest, file: ExternalFile) {
        self.single.write().unwrap_or_else(PoisonError::into_inner).insert(digest, file);
    }

    /// Registers the files of a scan.
    pub(crate) fn add_table(&self, table: Arc<dyn BlobTable>) {
        let indexed = Arc::new(Indexed { table, index: OnceLock::new() });
        self.tables.write().unwrap_or_else(PoisonError::into_inner).push(indexed);
    }

    /// Returns a file that had these contents when it was hashed. If there are several, it is the one that was
    /// registered last.
    #[must_use]
    pub fn find(&self, digest: &ContentDigest) -> Option<ExternalFile> {
        if let Some(file) = self.single.read().unwrap_or_else(PoisonError::into_inner).get(digest) {
            return Some(file.clone());
        }
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner).clone();
        tables.iter().rev().find_map(|table| table.find(digest))
    }
}
