//! The result cache: the results of operations by cache key, and the reasons why operations run.
//!
//! A row that was written since the machine was started is trusted. After a power cut, it is trusted only if
//! everything that it names was synced to the disk before. So storing a result never waits for the disk.

use std::collections::HashSet;
use std::mem;
use std::sync::{Mutex, PoisonError};

use graph::{CacheKey, ContentDigest, DefinitionDigest, SecretDigest};
use rusqlite::{Connection, OptionalExtension};

use crate::db::{Db, DbError, checksum, now};
use crate::fs::IoError;
use crate::process::{self, boot_id};
use crate::store::Store;

/// The age of `last_used_at`, in seconds, from which on a use of the row is recorded.
pub(crate) const USE_GRANULARITY_SECONDS: i64 = 3600;

/// The time between two syncs in nanoseconds. A power cut can cost the results of this time.
const SYNC_INTERVAL_NS: i64 = 600_000_000_000;

/// A result that is to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewResult<'a> {
    /// The key under which the result is found.
    pub key: CacheKey,
    /// The value, whose format only the caller knows.
    pub value: &'a [u8],
    /// The trees that the value names. Their nodes and blobs are kept as long as the result.
    pub trees: &'a [ContentDigest],
    /// The blobs that the value names besides.
    pub blobs: &'a [ContentDigest],
}

/// Why an operation has to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Miss {
    /// The operation has never run on this machine, as far as the store knows.
    NeverRan,
    /// An input has other contents than the last time.
    InputChanged {
        /// The index of the input.
        index: usize,
        /// The digest of the input the last time; none if the operation had no such input.
        from: Option<ContentDigest>,
        /// The digest of the input now; none if the operation has no such input any more.
        to: Option<ContentDigest>,
    },
    /// A secret has another value than the last time.
    SecretChanged {
        /// The index of the secret.
        index: usize,
    },
    /// The same inputs had another key the last time, because keys are computed in another way now.
    KeyChanged,
    /// The operation has run with these inputs, and its result was collected or lost.
    Evicted,
}

/// The keys of results that were used and whose time of use is not stored yet.
#[derive(Default)]
pub(crate) struct Uses {
    keys: Mutex<HashSet<CacheKey>>,
}

impl Uses {
    fn note(&self, key: CacheKey) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
    }

    pub(crate) fn flush(&self, db: &Db) -> Result<(), DbError> {
        let keys = mem::take(&mut *self.keys.lock().unwrap_or_else(PoisonError::into_inner));
        if keys.is_empty() {
            return Ok(());
        }
        db.transaction("note uses", |db| {
            let mut update = db.prepare_cached("UPDATE results SET last_used_at = ?2 WHERE key = ?1")?;
            let now = now();
            for key in keys {
                update.execute((key.as_bytes(), now))?;
            }
            Ok(())
        })
    }
}

impl Store {
    /// Returns the value that is stored under a key, if it can be trusted.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn result(&self, key: CacheKey) -> Result<Option<Vec<u8>>, DbError> {
        let found = self.db().with("look up a result", |db| {
            let sql = "SELECT value, refs, checksum, last_used_at FROM results
                       WHERE key = ?1 AND (boot_id IS NULL OR boot_id = ?2)";
            let mut query = db.prepare_cached(sql)?;
            let row = |row: &rusqlite::Row<'_>| Ok((whole_value(key, row)?, row.get::<_, i64>(3)?));
            query.query_row((key.as_bytes(), boot_id()), row).optional()
        })?;
        let Some((Some(value), last_used_at)) = found else { return Ok(None) };
        if now() - last_used_at > USE_GRANULARITY_SECONDS {
            self.uses().note(key);
        }
        Ok(Some(value))
    }

    /// Stores a result, and replaces an earlier one of the same key.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub fn put_result(&self, result: &NewResult<'_>) -> Result<(), DbError> {
        self.put(result, note_lost_results)
    }

    /// Stores the value of a graph. No other value was concluded from the one that it replaces.
    pub(crate) fn put_conclusion(&self, result: &NewResult<'_>) -> Result<(), DbError> {
        self.put(result, |_| Ok(()))
    }

    fn put(
        &self,
        result: &NewResult<'_>,
        on_loss: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), DbError> {
        let refs = encode_refs(result.trees, result.blobs);
        self.db().transaction("store a result", |db| {
            let sql = "INSERT OR IGNORE INTO results(key, value, refs, created_at, last_used_at, boot_id, checksum)
                       VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6)";
            let sum = checksum(&[result.key.as_bytes(), result.value, &refs]);
            let row = (result.key.as_bytes(), result.value, &refs, now(), boot_id(), sum);
            if db.prepare_cached(sql)?.execute(row)? == 1 {
                return Ok(());
            }
            let sql = "SELECT value = ?2 FROM results WHERE key = ?1";
            let same: bool = db.prepare_cached(sql)?.query_row((row.0, row.1), |row| row.get(0))?;
            let sql = "UPDATE results SET value = ?2, refs = ?3, created_at = ?4, last_used_at = ?4, boot_id = ?5,
                       checksum = ?6 WHERE key = ?1";
            db.prepare_cached(sql)?.execute(row)?;
            if same { Ok(()) } else { on_loss(db) }
        })
    }

    /// Removes a result, because something that it names is missing or damaged.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub fn remove_result(&self, key: CacheKey) -> Result<(), DbError> {
        self.db().transaction("remove a result", |db| {
            db.prepare_cached("DELETE FROM results WHERE key = ?1")?.execute([key.as_bytes()])?;
            note_lost_results(db)
        })
    }

    /// Stores the times of use of results. This also happens when the last handle of the store is dropped.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub fn flush_uses(&self) -> Result<(), DbError> {
        self.uses().flush(self.db())
    }

    /// Records the key, and the digests of the inputs and of the secrets, with which a definition was evaluated last.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub fn note_history(
        &self,
        definition: DefinitionDigest,
        key: CacheKey,
        inputs: &[ContentDigest],
        secrets: &[SecretDigest],
    ) -> Result<(), DbError> {
        let inputs = [encode_digests(inputs), encode_secrets(secrets)].concat();
        self.db().with("note history", |db| {
            let sql = "INSERT OR REPLACE INTO history(definition, key, inputs) VALUES (?1, ?2, ?3)";
            db.prepare_cached(sql)?.execute((definition.as_bytes(), key.as_bytes(), inputs))?;
            Ok(())
        })
    }

    /// Returns the key with which a definition was evaluated last.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn last_key(&self, definition: DefinitionDigest) -> Result<Option<CacheKey>, DbError> {
        let found = self.db().with("read history", |db| {
            let mut query = db.prepare_cached("SELECT key FROM history WHERE definition = ?1")?;
            query.query_row([definition.as_bytes()], |row| row.get::<_, Vec<u8>>(0)).optional()
        })?;
        Ok(found.and_then(|bytes| bytes.try_into().ok()).map(CacheKey::from_bytes))
    }

    /// Returns why a definition has to run whose key is not in the cache. It has to be called before
    /// [`Store::note_history`].
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn explain_miss(
        &self,
        definition: DefinitionDigest,
        key: CacheKey,
        inputs: &[ContentDigest],
        secrets: &[SecretDigest],
    ) -> Result<Miss, DbError> {
        let last = self.db().with("read history", |db| {
            let mut query = db.prepare_cached("SELECT key, inputs FROM history WHERE definition = ?1")?;
            let row = query
                .query_row([definition.as_bytes()], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?)));
            row.optional()
        })?;
        Ok(match last {
            None => Miss::NeverRan,
            Some((last_key, _)) if last_key == key.as_bytes() => Miss::Evicted,
            Some((_, last)) => {
                let n_bytes = encode_digests(inputs).len().min(last.len());
                let (last_inputs, last_secrets) = last.split_at(n_bytes);
                match first_change(&decode_digests(last_inputs), inputs) {
                    Miss::KeyChanged => changed_secret(last_secrets, &encode_secrets(secrets)),
                    miss => miss,
                }
            }
        })
    }

    /// Syncs the store to the disk. The rows that were written before are then trusted after a power cut, too. It
    /// waits for the disk, and is made for the background.
    ///
    /// # Errors
    /// If the disk cannot be synced, or the database cannot be written.
    pub fn sync_older_rows(&self) -> Result<(), SyncError> {
        let started_ns = process::now_ns();
        // Rows that are written during the sync are not covered by it.
        let horizon = now() - 1;
        let root = std::fs::File::open(self.root()).map_err(|e| IoError::new("open", self.root(), e))?;
        rustix::fs::syncfs(&root).map_err(|e| IoError::new("sync", self.root(), e))?;
        self.db().transaction("note what is synced", |db| {
            for table in ["results", "layers"] {
                let lost = format!("DELETE FROM {table} WHERE boot_id IS NOT NULL AND boot_id <> ?1");
                if db.execute(&lost, [boot_id()])? > 0 {
                    note_lost_results(db)?;
                    // What is left was on the disk, and is compared nevertheless before it is used.
                    let sql = "INSERT OR REPLACE INTO meta(key, value) VALUES ('cut_off_before', ?1)";
                    db.execute(sql, [boot_id()])?;
                }
                let kept = format!("UPDATE {table} SET boot_id = NULL WHERE boot_id = ?1 AND created_at <= ?2");
                db.execute(&kept, (boot_id(), horizon))?;
            }
            let sql = "INSERT OR REPLACE INTO meta(key, value) VALUES ('synced_at_ns', ?1)";
            db.execute(sql, [started_ns.to_le_bytes()])
        })?;
        Ok(())
    }

    /// Returns whether it is time for the next sync.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn is_sync_due(&self) -> Result<bool, DbError> {
        let last = self.synced_at_ns()?;
        Ok(last < process::booted_at_ns() || process::now_ns() - last > SYNC_INTERVAL_NS)
    }

    /// Returns the time of the last sync in nanoseconds since 1970. Files that were written before are on the disk.
    pub(crate) fn synced_at_ns(&self) -> Result<i64, DbError> {
        let value = self.db().with("read what is synced", |db| {
            let mut query = db.prepare_cached("SELECT value FROM meta WHERE key = 'synced_at_ns'")?;
            query.query_row([], |row| row.get::<_, Vec<u8>>(0)).optional()
        })?;
        Ok(value.and_then(|bytes| bytes.try_into().ok()).map_or(i64::MIN, i64::from_le_bytes))
    }
}

/// Why the store could not be synced to the disk, or a file and its row could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The file system reports an error.
    #[error(transparent)]
    Io(#[from] IoError),
    /// The database cannot be used.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl graph::Diagnostic for SyncError {
    fn blame(&self) -> graph::Blame {
        graph::Blame::Environment
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Io(error) => error.hint(),
            Self::Db(error) => error.hint(),
        }
    }
}

/// Records that results were removed or replaced, in the transaction that does so. The values of graphs that were
/// concluded from them are not valid any more.
pub(crate) fn note_lost_results(db: &Connection) -> rusqlite::Result<()> {
    let sql = "INSERT INTO meta(key, value) VALUES ('n_losses', 1) ON CONFLICT(key) DO UPDATE SET value = value + 1";
    db.prepare_cached(sql)?.execute([]).map(drop)
}

/// Reads the value of a result from a row that begins with the value, the names and the checksum; none if the row is
/// damaged.
pub(crate) fn whole_value(key: CacheKey, row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Vec<u8>>> {
    let (value, refs, sum): (Vec<u8>, Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
    Ok((checksum(&[key.as_bytes(), &value, &refs]) == *sum).then_some(value))
}

fn first_change(last: &[ContentDigest], inputs: &[ContentDigest]) -> Miss {
    let n = last.len().max(inputs.len());
    let changed = (0..n).find(|&i| last.get(i) != inputs.get(i));
    changed.map_or(Miss::KeyChanged, |index| Miss::InputChanged {
        index,
        from: last.get(index).copied(),
        to: inputs.get(index).copied(),
    })
}

/// Returns which secret has another digest. Nothing is known of them if there were more or fewer.
fn changed_secret(last: &[u8], secrets: &[u8]) -> Miss {
    let changed = last.chunks(32).zip(secrets.chunks(32)).position(|(last, secret)| last != secret);
    let index = changed.filter(|_| last.len() == secrets.len());
    index.map_or(Miss::KeyChanged, |index| Miss::SecretChanged { index })
}

fn encode_secrets(digests: &[SecretDigest]) -> Vec<u8> {
    digests.iter().flat_map(|digest| *digest.as_bytes()).collect()
}

fn encode_digests(digests: &[ContentDigest]) -> Vec<u8> {
    digests.iter().flat_map(|digest| *digest.as_bytes()).collect()
}

pub(crate) fn decode_digests(bytes: &[u8]) -> Vec<ContentDigest> {
    bytes.chunks_exact(32).filter_map(|chunk| chunk.try_into().ok()).map(ContentDigest::from_bytes).collect()
}

/// Encodes the names of trees and blobs: the number of trees in four bytes, the trees, the blobs.
fn encode_refs(trees: &[ContentDigest], blobs: &[ContentDigest]) -> Vec<u8> {
    let n_trees = u32::try_from(trees.len()).unwrap_or(u32::MAX);
    let mut out = n_trees.to_le_bytes().to_vec();
    out.extend(encode_digests(trees));
    out.extend(encode_digests(blobs));
    out
}

/// Decodes the trees and the blobs that a result names.
pub(crate) fn decode_refs(bytes: &[u8]) -> (Vec<ContentDigest>, Vec<ContentDigest>) {
    let Some((n_trees, rest)) = bytes.split_first_chunk::<4>() else { return Default::default() };
    let mut trees = decode_digests(rest);
    let n_trees = usize::try_from(u32::from_le_bytes(*n_trees)).unwrap_or(usize::MAX).min(trees.len());
    let blobs = trees.split_off(n_trees);
    (trees, blobs)
}
