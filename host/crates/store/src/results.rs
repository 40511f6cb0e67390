//! The result cache: what operations gave, by cache key, and why one ran.
//!
//! A row that was written since the machine was started is believed at once; after a power cut it is
//! believed only if what it names had been synced before. So the hot path never waits for a disk.

use std::collections::HashSet;
use std::mem;
use std::sync::{Mutex, PoisonError};

use graph::{CacheKey, ContentDigest, DefinitionDigest};
use rusqlite::{Connection, OptionalExtension};

use crate::db::{Db, DbError, now};
use crate::fs::IoError;
use crate::process::{self, boot_id};
use crate::store::Store;

/// How old `last_used_at` may be before a use is written down.
pub(crate) const USE_GRANULARITY_SECONDS: i64 = 3600;

/// How long a sync is good for: what a power cut may cost, against a disk that is kept busy.
const SYNC_INTERVAL_NS: i64 = 600_000_000_000;

/// A result to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewResult<'a> {
    /// What it is found by.
    pub key: CacheKey,
    /// Bytes whose meaning is the caller's.
    pub value: &'a [u8],
    /// The trees that it names; they live as long as it does, with their nodes, blobs and layers.
    pub trees: &'a [ContentDigest],
    /// The blobs that it names besides.
    pub blobs: &'a [ContentDigest],
}

/// Why an operation has to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Miss {
    /// It never ran on this machine, as far as the store remembers.
    NeverRan,
    /// An input has other contents than the last time.
    InputChanged {
        /// Which.
        index: usize,
        /// What it was; none if there was no such input.
        from: Option<ContentDigest>,
        /// What it is; none if there is no such input any more.
        to: Option<ContentDigest>,
    },
    /// The same inputs had another key: the operation's key is made otherwise now.
    KeyChanged,
    /// It ran with these inputs, and its result was collected or lost.
    Evicted,
}

/// Keys that were used and whose time is not written down yet.
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
    /// Returns the value that is stored under a key, if it can be believed.
    ///
    /// # Errors
    /// If the database does not answer.
    pub fn result(&self, key: CacheKey) -> Result<Option<Vec<u8>>, DbError> {
        let found = self.db().with("look up a result", |db| {
            let sql = "SELECT value, last_used_at FROM results WHERE key = ?1 AND (boot_id IS NULL OR boot_id = ?2)";
            let mut query = db.prepare_cached(sql)?;
            query.query_row((key.as_bytes(), boot_id()), |row| Ok((row.get(0)?, row.get::<_, i64>(1)?))).optional()
        })?;
        let Some((value, last_used_at)) = found else { return Ok(None) };
        if now() - last_used_at > USE_GRANULARITY_SECONDS {
            self.uses().note(key);
        }
        Ok(Some(value))
    }

    /// Stores a result; it replaces one of the same key.
    ///
    /// # Errors
    /// If the database does not take it.
    pub fn put_result(&self, result: &NewResult<'_>) -> Result<(), DbError> {
        self.put(result, note_lost_results)
    }

    /// Stores what was concluded from other results; nothing was concluded from the one that it replaces.
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
            let sql = "INSERT OR IGNORE INTO results(key, value, refs, created_at, last_used_at, boot_id)
                       VALUES (?1, ?2, ?3, ?4, ?4, ?5)";
            let row = (result.key.as_bytes(), result.value, &refs, now(), boot_id());
            if db.prepare_cached(sql)?.execute(row)? == 1 {
                return Ok(());
            }
            let sql = "SELECT value = ?2 FROM results WHERE key = ?1";
            let same: bool = db.prepare_cached(sql)?.query_row((row.0, row.1), |row| row.get(0))?;
            let sql = "UPDATE results SET value = ?2, refs = ?3, created_at = ?4, last_used_at = ?4, boot_id = ?5
                       WHERE key = ?1";
            db.prepare_cached(sql)?.execute(row)?;
            if same { Ok(()) } else { on_loss(db) }
        })
    }

    /// Forgets a result, as when what it names turned out to be gone.
    ///
    /// # Errors
    /// If the database does not answer.
    pub fn remove_result(&self, key: CacheKey) -> Result<(), DbError> {
        self.db().transaction("remove a result", |db| {
            db.prepare_cached("DELETE FROM results WHERE key = ?1")?.execute([key.as_bytes()])?;
            note_lost_results(db)
        })
    }

    /// Writes down what was used; also done when the last handle is dropped.
    ///
    /// # Errors
    /// If the database does not take it.
    pub fn flush_uses(&self) -> Result<(), DbError> {
        self.uses().flush(self.db())
    }

    /// Remembers with which key and which contents of its inputs a definition was evaluated last.
    ///
    /// # Errors
    /// If the database does not take it.
    pub fn note_history(
        &self,
        definition: DefinitionDigest,
        key: CacheKey,
        inputs: &[ContentDigest],
    ) -> Result<(), DbError> {
        let inputs = encode_digests(inputs);
        self.db().with("note history", |db| {
            let sql = "INSERT OR REPLACE INTO history(definition, key, inputs) VALUES (?1, ?2, ?3)";
            db.prepare_cached(sql)?.execute((definition.as_bytes(), key.as_bytes(), inputs))?;
            Ok(())
        })
    }

    /// Returns the key with which a definition was evaluated last.
    ///
    /// # Errors
    /// If the database does not answer.
    pub fn last_key(&self, definition: DefinitionDigest) -> Result<Option<CacheKey>, DbError> {
        let found = self.db().with("read history", |db| {
            let mut query = db.prepare_cached("SELECT key FROM history WHERE definition = ?1")?;
            query.query_row([definition.as_bytes()], |row| row.get::<_, Vec<u8>>(0)).optional()
        })?;
        Ok(found.and_then(|bytes| bytes.try_into().ok()).map(CacheKey::from_bytes))
    }

    /// Says why a definition whose key is not in the cache has to run. Ask before
    /// [`Store::note_history`].
    ///
    /// # Errors
    /// If the database does not answer.
    pub fn explain_miss(
        &self,
        definition: DefinitionDigest,
        key: CacheKey,
        inputs: &[ContentDigest],
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
            Some((_, last_inputs)) => first_change(&decode_digests(&last_inputs), inputs),
        })
    }

    /// Syncs the store to its disk and then believes all rows of this boot also after a power cut.
    /// For the background: it waits for the disk.
    ///
    /// # Errors
    /// If the disk or the database does not do it.
    pub fn sync_older_rows(&self) -> Result<(), SyncError> {
        let started_ns = process::now_ns();
        // Rows that are written while the disk is synced are not meant.
        let horizon = now() - 1;
        let root = std::fs::File::open(self.root()).map_err(|e| IoError::new("open", self.root(), e))?;
        rustix::fs::syncfs(&root).map_err(|e| IoError::new("sync", self.root(), e))?;
        self.db().transaction("note what is synced", |db| {
            for table in ["results", "layers"] {
                let lost = format!("DELETE FROM {table} WHERE boot_id IS NOT NULL AND boot_id <> ?1");
                if db.execute(&lost, [boot_id()])? > 0 {
                    note_lost_results(db)?;
                }
                let kept = format!("UPDATE {table} SET boot_id = NULL WHERE boot_id = ?1 AND created_at <= ?2");
                db.execute(&kept, (boot_id(), horizon))?;
            }
            let sql = "INSERT OR REPLACE INTO meta(key, value) VALUES ('synced_at_ns', ?1)";
            db.execute(sql, [started_ns.to_le_bytes()])
        })?;
        Ok(())
    }

    /// Returns whether the last sync was long enough ago for another one to be worth waiting for the disk.
    ///
    /// # Errors
    /// If the database does not answer.
    pub fn is_sync_due(&self) -> Result<bool, DbError> {
        let last = self.synced_at_ns()?;
        Ok(last < process::booted_at_ns() || process::now_ns() - last > SYNC_INTERVAL_NS)
    }

    /// Returns up to when all files of the store are known to be on the disk, in nanoseconds since 1970.
    pub(crate) fn synced_at_ns(&self) -> Result<i64, DbError> {
        let value = self.db().with("read what is synced", |db| {
            let mut query = db.prepare_cached("SELECT value FROM meta WHERE key = 'synced_at_ns'")?;
            query.query_row([], |row| row.get::<_, Vec<u8>>(0)).optional()
        })?;
        Ok(value.and_then(|bytes| bytes.try_into().ok()).map_or(i64::MIN, i64::from_le_bytes))
    }
}

/// Why the store could not be synced to its disk.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The disk does not do it.
    #[error(transparent)]
    Io(#[from] IoError),
    /// The database does not do it.
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

/// Notes that results were removed or replaced, in the transaction that does it: what was concluded from them
/// does not hold any more.
pub(crate) fn note_lost_results(db: &Connection) -> rusqlite::Result<()> {
    let sql = "INSERT INTO meta(key, value) VALUES ('n_losses', 1) ON CONFLICT(key) DO UPDATE SET value = value + 1";
    db.prepare_cached(sql)?.execute([]).map(drop)
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

fn encode_digests(digests: &[ContentDigest]) -> Vec<u8> {
    digests.iter().flat_map(|digest| *digest.as_bytes()).collect()
}

pub(crate) fn decode_digests(bytes: &[u8]) -> Vec<ContentDigest> {
    bytes.chunks_exact(32).filter_map(|chunk| chunk.try_into().ok()).map(ContentDigest::from_bytes).collect()
}

/// The number of trees in four bytes, the trees, the blobs.
fn encode_refs(trees: &[ContentDigest], blobs: &[ContentDigest]) -> Vec<u8> {
    let n_trees = u32::try_from(trees.len()).unwrap_or(u32::MAX);
    let mut out = n_trees.to_le_bytes().to_vec();
    out.extend(encode_digests(trees));
    out.extend(encode_digests(blobs));
    out
}

/// Returns the trees and the blobs that a result names.
pub(crate) fn decode_refs(bytes: &[u8]) -> (Vec<ContentDigest>, Vec<ContentDigest>) {
    let Some((n_trees, rest)) = bytes.split_first_chunk::<4>() else { return Default::default() };
    let mut trees = decode_digests(rest);
    let n_trees = usize::try_from(u32::from_le_bytes(*n_trees)).unwrap_or(usize::MAX).min(trees.len());
    let blobs = trees.split_off(n_trees);
    (trees, blobs)
}
