//! The layers of the store, and the stacks of layers that show a tree.

use graph::ContentDigest;
use rusqlite::{Connection, OptionalExtension};

use crate::db::{DbError, checksum, now};
use crate::fs::{self, IoError};
use crate::layer::stamps::Stamps;
use crate::lease::{self, Leased};
use crate::process::boot_id;
use crate::results::{SyncError, USE_GRANULARITY_SECONDS};
use crate::store::Store;

/// The identity of a layer, which is also the name of its directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct LayerId(String);

impl LayerId {
    /// Makes the identity of a new layer, which no other layer on this machine ever has.
    #[must_use]
    pub fn new() -> Self {
        let now = crate::process::now_ns();
        Self(format!("{now:016x}-{}", fs::unique_name()))
    }

    /// Parses the name of a directory; returns none if a layer cannot have it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        is_plain.then(|| Self(text.to_owned()))
    }

    /// Returns the identity as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for LayerId {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Display for LayerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns whether layers are recorded and did not lose contents in a power cut, and notes that they are used.
pub(crate) fn are_there(db: &Connection, layers: &[LayerId]) -> rusqlite::Result<bool> {
    let sql = "SELECT last_used_at FROM layers WHERE id = ?1 AND (boot_id IS NULL OR boot_id = ?2)";
    let mut query = db.prepare_cached(sql)?;
    for id in layers {
        let used = query.query_row((id.as_str(), boot_id()), |row| row.get::<_, i64>(0)).optional()?;
        let Some(used) = used else { return Ok(false) };
        if now() - used > USE_GRANULARITY_SECONDS {
            db.execute("UPDATE layers SET last_used_at = ?2 WHERE id = ?1", (id.as_str(), now()))?;
        }
    }
    Ok(true)
}

impl Store {
    /// Returns the directory of a layer, whether or not it exists.
    #[must_use]
    pub fn layer_path(&self, id: &LayerId) -> std::path::PathBuf {
        self.layers_dir().join(id.as_str())
    }

    /// Moves a finished directory to its place among the layers, and records and leases the layer. The directory has to be on
    /// the file system of the store, and `stamps` were taken when everything in it was written.
    ///
    /// # Errors
    /// If the directory cannot be moved, or the layer cannot be recorded.
    pub fn add_layer(
        &self,
        id: &LayerId,
        dir: &std::path::Path,
        size_bytes: u64,
        stamps: Stamps,
    ) -> Result<(), SyncError> {
        let target = self.layer_path(id);
        if dir != target {
            fs::rename(dir, &target)?;
        }
        self.put_stamps(id, stamps)?;
        let run = self.run()?;
        let leased = [Leased::Layer(id.clone())];
        self.db().transaction("note a layer", |db| {
            let sql = "INSERT OR REPLACE INTO layers(id, size_bytes, created_at, last_used_at, boot_id)
                       VALUES (?1, ?2, ?3, ?3, ?4)";
            let size = i64::try_from(size_bytes).unwrap_or(i64::MAX);
            db.prepare_cached(sql)?.execute((id.as_str(), size, now(), boot_id()))?;
            lease::insert(db, run, &leased)
        })?;
        self.leases().note(leased);
        Ok(())
    }

    /// Records that these layers show a tree. The first one is at the bottom.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub fn note_materialised(&self, tree: ContentDigest, layers: &[LayerId]) -> Result<(), DbError> {
        let text = layers.iter().map(LayerId::as_str).collect::<Vec<_>>().join(" ");
        self.db().with("note a snapshot", |db| {
            let sql = "INSERT OR REPLACE INTO materialised(tree, layers, checksum) VALUES (?1, ?2, ?3)";
            db.prepare_cached(sql)?.execute((tree.as_bytes(), &text, checksum(&[tree.as_bytes(), text.as_bytes()])))?;
            Ok(())
        })
    }

    /// Returns layers that show a tree, the first one at the bottom, and leases them. Returns none if no such layers are
    /// recorded, if one of them is missing, or if one may have lost contents in a power cut.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn materialised(&self, tree: ContentDigest) -> Result<Option<Vec<LayerId>>, SyncError> {
        let text = self.db().with("look for a snapshot", |db| {
            let mut query = db.prepare_cached("SELECT layers, checksum FROM materialised WHERE tree = ?1")?;
            let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?));
            query.query_row([tree.as_bytes()], row).optional()
        })?;
        // A row that is damaged would show another tree.
        let ids: Option<Vec<LayerId>> = text
            .filter(|(text, sum)| checksum(&[tree.as_bytes(), text.as_bytes()]) == **sum)
            .and_then(|(text, _)| text.split_whitespace().map(LayerId::parse).collect())
            .filter(|ids: &Vec<_>| !ids.is_empty());
        let Some(ids) = ids else { return Ok(None) };
        if !self.lease_layers(&ids)? {
            return Ok(None);
        }
        let is_there = |id: &LayerId| matches!(fs::lstat_if_there(&self.layer_path(id)), Ok(Some(_)));
        Ok(ids.iter().all(is_there).then_some(ids))
    }

    /// Removes the record of the layers that show a tree, because one of them is damaged.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn forget_materialised(&self, tree: ContentDigest) -> Result<(), DbError> {
        self.db().with("forget a snapshot", |db| {
            db.execute("DELETE FROM materialised WHERE tree = ?1", [tree.as_bytes()])?;
            Ok(())
        })
    }

    /// Makes an empty directory for a new layer, which is then written in place.
    ///
    /// # Errors
    /// If the directory cannot be made.
    pub fn new_layer_dir(&self) -> Result<(LayerId, std::path::PathBuf), IoError> {
        let id = LayerId::new();
        let path = self.temporary_dir()?.join(id.as_str());
        fs::make_dirs(&path, 0o755)?;
        Ok((id, path))
    }
}
