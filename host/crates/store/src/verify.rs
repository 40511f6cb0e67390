//! Compares everything in a store with its digests and checksums, and removes what is damaged. The results that need it
//! are removed as well, so that the next run makes them again.

use graph::{CacheKey, ContentDigest};
use rayon::prelude::*;

use crate::blob::{BlobError, hash_file};
use crate::db::checksum;
use crate::fs;
use crate::gc::GcError;
use crate::layer::check::{CheckedLayer, LayerCheck};
use crate::layer::record::LayerId;
use crate::nodes::unsealed;
use crate::results::{SyncError, whole_value};
use crate::store::Store;
use crate::tree::node::Node;

/// Something that was damaged and is removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The kind of thing, such as "layer".
    pub kind: &'static str,
    /// Its name: a digest, a key or an identity.
    pub name: String,
    /// What is wrong, as a part of a sentence; empty if its checksum is wrong.
    pub what: String,
}

/// How much was compared, and what was damaged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// The number of results.
    pub n_results: usize,
    /// The number of directories of trees.
    pub n_directories: usize,
    /// The number of blobs.
    pub n_blobs: usize,
    /// The number of layers.
    pub n_layers: usize,
    /// What was damaged.
    pub damaged: Vec<Damage>,
}

/// A row of results: its key, and whether the row is whole.
type ResultRow = (CacheKey, bool);

impl Store {
    /// Compares everything, and removes what is damaged. `check_layers` carries the checks of layers out with
    /// [`crate::check_layer`], where all of their files can be read.
    ///
    /// # Errors
    /// If something cannot be read or removed, or with the error of `check_layers`.
    pub fn verify<E: From<GcError>>(
        &self,
        check_layers: impl FnOnce(&[LayerCheck]) -> Result<Vec<CheckedLayer>, E>,
    ) -> Result<Verified, E> {
        let mut verified = Verified::default();
        if !self.verify_database(&mut verified)? {
            return Ok(verified);
        }
        self.verify_rows(&mut verified)?;
        self.verify_blobs(&mut verified)?;
        let checks = self.all_checks()?;
        verified.n_layers = checks.len();
        if !checks.is_empty() {
            let outcomes = check_layers(&checks)?;
            let damaged = self.note_checked(&checks, outcomes).map_err(|error| match error {
                SyncError::Io(error) => GcError::Io(error),
                SyncError::Db(error) => GcError::Db(error),
            })?;
            let damage = |(id, what): (LayerId, String)| Damage { kind: "layer", name: id.to_string(), what };
            verified.damaged.extend(damaged.into_iter().map(damage));
        }
        Ok(verified)
    }

    /// Has SQLite compare its file; returns whether that is whole.
    fn verify_database(&self, verified: &mut Verified) -> Result<bool, GcError> {
        let checked = self.db().with("check the database", |db| {
            db.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0))
        });
        let what = match checked {
            Ok(text) if text == "ok" => return Ok(true),
            Ok(text) => text,
            Err(crate::DbError::Damaged { source, .. }) => source.to_string(),
            Err(error) => return Err(error.into()),
        };
        self.db().mark_damaged();
        verified.damaged.push(Damage { kind: "database", name: crate::db::FILES[0].to_owned(), what });
        Ok(false)
    }

    fn verify_rows(&self, verified: &mut Verified) -> Result<(), GcError> {
        let rows = self.db().with("read results", |db| {
            let mut query = db.prepare("SELECT value, refs, checksum, key FROM results")?;
            let row = |row: &rusqlite::Row<'_>| {
                let key = CacheKey::from_bytes(row.get(3)?);
                Ok((key, whole_value(key, row)?.is_some()))
            };
            query.query_map([], row)?.collect::<rusqlite::Result<Vec<ResultRow>>>()
        })?;
        verified.n_results = rows.len();
        for (key, _) in rows.into_iter().filter(|(_, is_whole)| !is_whole) {
            self.remove_result(key)?;
            verified.damaged.push(Damage { kind: "result", name: key.to_string(), what: String::new() });
        }
        let (n_nodes, damaged) = self.db().with("read directories", |db| {
            let mut query = db.prepare("SELECT digest, data FROM nodes")?;
            let mut rows = query.query([])?;
            let (mut n, mut damaged) = (0, Vec::new());
            while let Some(row) = rows.next()? {
                n += 1;
                let digest = ContentDigest::from_bytes(row.get(0)?);
                let data: Vec<u8> = row.get(1)?;
                let is_whole = matches!(unsealed(&data).map(Node::decode), Some(Ok((found, _))) if found == digest);
                if !is_whole {
                    damaged.push(digest);
                }
            }
            Ok((n, damaged))
        })?;
        verified.n_directories = n_nodes;
        for digest in damaged {
            self.db().with("remove a directory", |db| {
                db.execute("DELETE FROM nodes WHERE digest = ?1", [digest.as_bytes()])
            })?;
            self.forget_dependents(&digest)?;
            verified.damaged.push(Damage { kind: "directory", name: digest.to_string(), what: String::new() });
        }
        Ok(self.verify_stacks(verified)?)
    }

    /// Compares the rows that say which layers show a tree.
    fn verify_stacks(&self, verified: &mut Verified) -> Result<(), crate::DbError> {
        let damaged = self.db().with("read snapshots", |db| {
            let mut query = db.prepare("SELECT tree, layers, checksum FROM materialised")?;
            let row = |row: &rusqlite::Row<'_>| {
                let (tree, layers, sum): (Vec<u8>, String, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok((checksum(&[&tree, layers.as_bytes()]) != *sum).then_some(tree))
            };
            query.query_map([], row)?.collect::<rusqlite::Result<Vec<Option<Vec<u8>>>>>()
        })?;
        for tree in damaged.into_iter().flatten() {
            self.db()
                .with("forget a snapshot", |db| db.execute("DELETE FROM materialised WHERE tree = ?1", [&tree]))?;
            verified.damaged.push(Damage { kind: "snapshot", name: "of a tree".to_owned(), what: String::new() });
        }
        Ok(())
    }

    fn verify_blobs(&self, verified: &mut Verified) -> Result<(), GcError> {
        let mut blobs = Vec::new();
        self.each_blob(|path, digest| {
            blobs.extend(digest.map(|digest| (digest, path.to_owned())));
            Ok(())
        })?;
        verified.n_blobs = blobs.len();
        let is_damaged = |(digest, path): &(ContentDigest, std::path::PathBuf)| {
            let found = fs::open(path)
                .and_then(|mut file| hash_file(&mut file).map_err(|error| fs::IoError::new("read", path, error)));
            match found {
                Ok((found, _)) => Ok((found != *digest).then_some(*digest)),
                // It was collected meanwhile.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        };
        let damaged = blobs.par_iter().map(is_damaged).collect::<Result<Vec<_>, _>>()?;
        for digest in damaged.into_iter().flatten() {
            match self.corrupt(&digest) {
                BlobError::Io(error) => return Err(error.into()),
                BlobError::Db(error) => return Err(error.into()),
                _ => {}
            }
            verified.damaged.push(Damage { kind: "blob", name: digest.to_string(), what: String::new() });
        }
        Ok(())
    }

    fn all_checks(&self) -> Result<Vec<LayerCheck>, GcError> {
        let ids = self.db().with("list layers", |db| {
            let mut query = db.prepare("SELECT id FROM layers ORDER BY id")?;
            query.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<String>>>()
        })?;
        Ok(ids.iter().filter_map(|id| LayerId::parse(id)).map(|id| self.thorough_check(&id)).collect())
    }
}
