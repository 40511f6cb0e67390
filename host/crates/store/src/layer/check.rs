//! Compares layers with their stamps before they are used.
//!
//! ```text
//! stamps-v1/<id>    checksum 32, then what was recorded when the layer was finished
//! ```
//! A layer without readable stamps counts as damaged. A damaged layer is forgotten, and is written again from its tree.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use graph::ContentDigest;
use rusqlite::OptionalExtension;
use serde::{Deserialize, Serialize};

use crate::db::DbError;
use crate::fs::{self, IoError};
use crate::layer::record::LayerId;
use crate::layer::stamps::Stamps;
use crate::process::boot_id;
use crate::results::SyncError;
use crate::store::Store;

/// The contents of the file with the stamps of a layer.
#[derive(Serialize, Deserialize)]
struct Recorded {
    /// The boot of the machine in which all contents were compared last, or written.
    boot: Vec<u8>,
    stamps: Stamps,
}

impl Recorded {
    fn encode(&self) -> Vec<u8> {
        // Postcard fails only on types that it cannot write, and these it can.
        let body = postcard::to_allocvec(self).unwrap_or_default();
        [ContentDigest::of(&body).as_bytes(), &*body].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (checksum, body) = bytes.split_first_chunk::<32>()?;
        if ContentDigest::of(body).as_bytes() != checksum {
            return None;
        }
        postcard::from_bytes(body).ok()
    }
}

/// How much of a layer is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Extent {
    /// Only the stamps are compared.
    Stamps,
    /// The stamps, and all contents if that was not done since the machine was started.
    OncePerBoot,
    /// All contents are compared, too.
    Contents,
}

/// The request to compare a layer with its stamps.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LayerCheck {
    id: LayerId,
    dir: PathBuf,
    stamps: PathBuf,
    boot: Vec<u8>,
    extent: Extent,
}

/// What became of a [`LayerCheck`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CheckedLayer {
    /// The layer is as it was.
    Whole,
    /// The layer is as it was, and has other stamps: what is to be recorded.
    Restamped(Vec<u8>),
    /// A sentence that says what is damaged.
    Damaged(String),
}

/// Compares a layer with its stamps.
#[must_use]
pub fn check_layer(check: &LayerCheck) -> CheckedLayer {
    let recorded = fs::read(&check.stamps).ok().and_then(|bytes| Recorded::decode(&bytes));
    let Some(mut recorded) = recorded else { return CheckedLayer::Damaged("its stamps are missing or damaged".into()) };
    let is_thorough = match check.extent {
        Extent::Stamps => false,
        Extent::OncePerBoot => recorded.boot != check.boot,
        Extent::Contents => true,
    };
    match recorded.stamps.check(&check.dir, is_thorough) {
        Err(damage) => CheckedLayer::Damaged(damage),
        Ok(false) if !is_thorough || recorded.boot == check.boot => CheckedLayer::Whole,
        Ok(_) => {
            if is_thorough {
                recorded.boot.clone_from(&check.boot);
            }
            CheckedLayer::Restamped(recorded.encode())
        }
    }
}

/// The layers that one handle of a store has compared, or has made.
#[derive(Default)]
pub(crate) struct Checked {
    layers: Mutex<HashSet<LayerId>>,
}

impl Checked {
    fn has(&self, id: &LayerId) -> bool {
        self.layers.lock().unwrap_or_else(PoisonError::into_inner).contains(id)
    }

    fn add(&self, id: LayerId) {
        self.layers.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
    }
}

impl Store {
    fn stamps_dir(&self) -> PathBuf {
        self.root().join("stamps-v1")
    }

    pub(crate) fn stamps_path(&self, id: &LayerId) -> PathBuf {
        self.stamps_dir().join(id.as_str())
    }

    /// Records the stamps of a finished layer.
    pub(crate) fn put_stamps(&self, id: &LayerId, stamps: Stamps) -> Result<(), IoError> {
        self.write_stamps(id, &Recorded { boot: boot_id().to_vec(), stamps }.encode())?;
        self.checked().add(id.clone());
        Ok(())
    }

    fn write_stamps(&self, id: &LayerId, bytes: &[u8]) -> Result<(), IoError> {
        fs::write_atomic(&self.stamps_path(id), bytes, &self.temporary_dir()?)
    }

    /// Returns what has to be compared before these layers are used by a command. A layer is compared once by a handle of
    /// the store.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn layers_to_check(&self, layers: &[LayerId]) -> Result<Vec<LayerCheck>, DbError> {
        let unchecked: Vec<&LayerId> = layers.iter().filter(|id| !self.checked().has(id)).collect();
        if unchecked.is_empty() {
            return Ok(Vec::new());
        }
        let extent = if self.was_cut_off()? { Extent::OncePerBoot } else { Extent::Stamps };
        Ok(unchecked.into_iter().map(|id| self.layer_check(id, extent)).collect())
    }

    /// Returns the request to compare all contents of a layer.
    pub(crate) fn thorough_check(&self, id: &LayerId) -> LayerCheck {
        self.layer_check(id, Extent::Contents)
    }

    fn layer_check(&self, id: &LayerId, extent: Extent) -> LayerCheck {
        let (dir, stamps) = (self.layer_path(id), self.stamps_path(id));
        LayerCheck { id: id.clone(), dir, stamps, boot: boot_id().to_vec(), extent }
    }

    /// Notes what became of checks. Damaged layers are forgotten, so that they are written again. Returns these, with what
    /// is damaged.
    ///
    /// # Errors
    /// If the database cannot be written, or new stamps cannot be recorded.
    pub fn note_checked(
        &self,
        checks: &[LayerCheck],
        outcomes: Vec<CheckedLayer>,
    ) -> Result<Vec<(LayerId, String)>, SyncError> {
        let mut damaged = Vec::new();
        for (LayerCheck { id, .. }, outcome) in checks.iter().zip(outcomes) {
            match outcome {
                CheckedLayer::Damaged(why) => {
                    damaged.push((id.clone(), why));
                    continue;
                }
                CheckedLayer::Restamped(bytes) => self.write_stamps(id, &bytes)?,
                CheckedLayer::Whole => {}
            }
            self.checked().add(id.clone());
        }
        let ids: Vec<LayerId> = damaged.iter().map(|(id, _)| id.clone()).collect();
        if !ids.is_empty() {
            self.forget_layers(&ids)?;
        }
        Ok(damaged)
    }

    /// Returns whether the machine ended before everything that the store had recorded was on the disk, as in a power cut.
    fn was_cut_off(&self) -> Result<bool, DbError> {
        self.db().with("read what was on the disk", |db| {
            let mut query = db.prepare_cached("SELECT value FROM meta WHERE key = 'cut_off_before'")?;
            let noted = query.query_row([], |row| row.get::<_, Vec<u8>>(0)).optional()?;
            if noted.is_some_and(|boot| boot == boot_id()) {
                return Ok(true);
            }
            let sql = "SELECT 1 FROM layers WHERE boot_id IS NOT NULL AND boot_id <> ?1";
            db.prepare_cached(sql)?.exists([boot_id()])
        })
    }

    /// Removes the stamps of layers that do not exist.
    pub(crate) fn sweep_stamps(&self, known: &HashSet<&str>) -> Result<(), IoError> {
        for name in fs::names(&self.stamps_dir())? {
            if name.to_str().is_none_or(|name| !known.contains(name)) {
                fs::remove_all(&self.stamps_dir().join(name))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
