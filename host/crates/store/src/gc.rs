//! Lists what the store holds, and collects what is not needed.
//!
//! Results, layers and volumes are removed by least recent use, but for those that a run has leased. Nodes and blobs
//! are kept as long as a result needs them. They are removed only while no other process uses the store, because such
//! a process can hold trees that no row names yet: its lock on the store is its lease of all of them.

use std::collections::{HashMap, HashSet};
use std::time::SystemTime;

use graph::{Blame, CacheKey, ContentDigest, Diagnostic};
use rusqlite::Connection;
use rustix::fs::FlockOperation;

use crate::db::{DbError, time_of};
use crate::fs::{self, IoError};
use crate::layer::record::LayerId;
use crate::lease::{self, Leased};
use crate::nodes::NodeError;
use crate::results::{decode_refs, note_lost_results};
use crate::store::Store;
use crate::tree::node::Kind;

/// Why the store could not be listed or collected.
#[derive(Debug, thiserror::Error)]
pub enum GcError {
    /// The file system reports an error.
    #[error(transparent)]
    Io(#[from] IoError),
    /// The database cannot be used.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Diagnostic for GcError {
    fn blame(&self) -> Blame {
        Blame::Environment
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Io(error) => error.hint(),
            Self::Db(error) => error.hint(),
        }
    }
}

/// An item of the store that can be collected by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item {
    /// A result, by its key.
    Result(CacheKey),
    /// A layer, by its identity.
    Layer(LayerId),
    /// A cache volume, by the digest of its key.
    Volume(ContentDigest),
}

/// An item of the store, and the properties that decide whether it is collected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The item that the record describes.
    pub item: Item,
    /// The name that is shown: the key of a volume, or the digest or the id.
    pub name: String,
    /// The size on the disk in bytes. A file that several items share counts for each of them.
    pub size_bytes: u64,
    /// When the item was used last, to the hour.
    pub last_used_at: SystemTime,
    /// Whether a running process has a lease of the item.
    pub is_leased: bool,
}

/// The contents of the store, with their sizes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// The results, layers and volumes, the least recently used first.
    pub records: Vec<Record>,
    /// The size of all blobs in bytes. Blobs that share a file with a layer are counted here, too.
    pub blobs_bytes: u64,
    /// The number of blobs.
    pub n_blobs: usize,
    /// The size of the database in bytes.
    pub database_bytes: u64,
    /// The size of the stat cache in bytes, which has the stamps of scanned files.
    pub stat_cache_bytes: u64,
}

/// The result of a collection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// The items that were removed.
    pub items: Vec<Item>,
    /// The freed space in bytes, as far as it is known.
    pub size_bytes: u64,
    /// The items that were left, because running processes have leased them.
    pub kept: Vec<Item>,
    /// The size of these items in bytes.
    pub kept_bytes: u64,
    /// Whether blobs and directories that nothing needs were left, because another process uses the store.
    pub is_deferred: bool,
}

/// Returns the name of the directory of a volume; none for another item.
fn volume_name(item: &Item) -> Option<String> {
    if let Item::Volume(digest) = item { Some(digest.to_hex()) } else { None }
}

/// Chooses the items to remove, so that the size of the others is at most `budget_bytes`.
///
/// The least recently used items are removed first; items of the same time are ordered by themselves, so that the
/// choice is the same on every run. Leased items stay even if the budget is exceeded.
#[must_use]
pub fn plan_gc(records: &[Record], budget_bytes: u64) -> Vec<Item> {
    let total_bytes: u64 = records.iter().map(|record| record.size_bytes).sum();
    let mut excess_bytes = total_bytes.saturating_sub(budget_bytes);
    let mut droppable: Vec<&Record> = records.iter().filter(|record| !record.is_leased).collect();
    droppable.sort_by(|a, b| (a.last_used_at, &a.item).cmp(&(b.last_used_at, &b.item)));

    let mut dropped = Vec::new();
    for record in droppable {
        if excess_bytes == 0 {
            break;
        }
        excess_bytes = excess_bytes.saturating_sub(record.size_bytes);
        dropped.push(record.item.clone());
    }
    dropped
}

impl Store {
    /// Returns the contents of the store.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn usage(&self) -> Result<Usage, GcError> {
        let leased = self.db().transaction("read leases", |db| lease::living(db, self.root()))?;
        let mut records = self.db().with("list what is stored", |db| {
            let mut records = Vec::new();
            let mut query = db.prepare("SELECT key, length(value) + length(refs) + 100, last_used_at FROM results")?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                let key = CacheKey::from_bytes(row.get(0)?);
                records.push(record(Item::Result(key), key.to_string(), row.get(1)?, row.get(2)?, false));
            }
            let mut query = db.prepare("SELECT id, size_bytes, last_used_at FROM layers")?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                let text: String = row.get(0)?;
                let Some(id) = LayerId::parse(&text) else { continue };
                let is_leased = leased.contains(&Leased::Layer(id.clone()));
                records.push(record(Item::Layer(id), text, row.get(1)?, row.get(2)?, is_leased));
            }
            let mut query = db.prepare("SELECT digest, key, last_used_at FROM volumes")?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                let digest = ContentDigest::from_bytes(row.get(0)?);
                let is_leased = leased.contains(&Leased::Volume(digest));
                records.push(record(Item::Volume(digest), row.get(1)?, 0, row.get(2)?, is_leased));
            }
            Ok(records)
        })?;
        for record in &mut records {
            if let Item::Volume(digest) = &record.item {
                record.size_bytes = disk_size(&self.volume_dir(digest));
            }
        }
        records.sort_by(|a, b| (a.last_used_at, &a.item).cmp(&(b.last_used_at, &b.item)));
        let (n_blobs, blobs_bytes) = self.blobs_size()?;
        let database = ["db-v1.sqlite", "db-v1.sqlite-wal"].map(|name| fs::lstat_if_there(&self.root().join(name)));
        let database_bytes = database.into_iter().flatten().flatten().map(|metadata| metadata.len()).sum();
        let stat_cache_bytes = disk_size(&self.root().join("stat-cache-v1"));
        Ok(Usage { records, blobs_bytes, n_blobs, database_bytes, stat_cache_bytes })
    }

    /// Removes the least recently used items until the others fit in `budget_bytes`, and then the blobs and
    /// directories that nothing needs. Items that runs have leased stay. The caller itself may not use any tree.
    ///
    /// # Errors
    /// If the store cannot be read, or something cannot be removed.
    pub fn gc(&self, budget_bytes: u64) -> Result<Collected, GcError> {
        let usage = self.usage()?;
        // Blobs are removed with what needs them, but count against the budget.
        let budget_bytes = budget_bytes.saturating_sub(usage.blobs_bytes);
        let items = plan_gc(&usage.records, budget_bytes);
        let mut collected = self.drop_unleased(&usage, &items)?;
        self.sweep_unneeded(&mut collected)?;
        Ok(collected)
    }

    /// Removes everything but what running processes have leased.
    ///
    /// # Errors
    /// If the store cannot be read, or something cannot be removed.
    pub fn clear(&self) -> Result<Collected, GcError> {
        let usage = self.usage()?;
        let items: Vec<Item> = usage.records.iter().map(|record| record.item.clone()).collect();
        // A step of another process can use the directories, so that they are removed when no process uses the store.
        let mut collected = self.drop_unleased(&usage, &items)?;
        // The history stays. It is small, and tells why something runs again.
        self.db().with("forget the machine", |db| db.execute_batch("DELETE FROM meta WHERE key = 'machine';"))?;
        for name in fs::names(&self.root().join("stat-cache-v1"))? {
            fs::remove_file(&self.root().join("stat-cache-v1").join(name))?;
        }
        self.sweep_unneeded(&mut collected)?;
        Ok(collected)
    }

    /// Removes the rows of those items that no run has leased by now, whatever `usage` says, which is older.
    pub(crate) fn drop_unleased(&self, usage: &Usage, items: &[Item]) -> Result<Collected, DbError> {
        // One transaction reads the leases and removes the rows. A run takes a lease in one that finds the row.
        let (kept, dropped) = self.db().transaction("drop what is collected", |db| {
            let leased = lease::living(db, self.root())?;
            let is_leased = |item: &&Item| Leased::of(item).is_some_and(|leased_item| leased.contains(&leased_item));
            let (kept, dropped): (Vec<&Item>, Vec<&Item>) = items.iter().partition(is_leased);
            drop_rows(db, &dropped)?;
            Ok((kept, dropped))
        })?;
        let sizes: HashMap<&Item, u64> = usage.records.iter().map(|r| (&r.item, r.size_bytes)).collect();
        let size = |items: &[&Item]| items.iter().filter_map(|item| sizes.get(item)).sum();
        Ok(Collected {
            size_bytes: size(&dropped),
            kept_bytes: size(&kept),
            items: dropped.into_iter().cloned().collect(),
            kept: kept.into_iter().cloned().collect(),
            is_deferred: false,
        })
    }

    /// Removes these items with their directories, whether or not they are leased.
    ///
    /// # Errors
    /// If something cannot be removed.
    pub fn remove(&self, items: &[Item]) -> Result<(), GcError> {
        self.drop_items(items)
    }

    fn volume_dir(&self, digest: &ContentDigest) -> std::path::PathBuf {
        self.root().join("caches-v1").join(digest.to_hex())
    }

    /// Removes the rows first. A directory without a row is collected later, but a row without its directory would
    /// be wrong.
    fn drop_items(&self, items: &[Item]) -> Result<(), GcError> {
        self.forget(&items.iter().collect::<Vec<_>>())?;
        for item in items {
            match item {
                Item::Result(_) => {}
                Item::Layer(id) => {
                    self.discard(&self.layer_path(id))?;
                    fs::remove_file(&self.stamps_path(id))?;
                }
                Item::Volume(digest) => self.discard(&self.volume_dir(digest))?,
            }
        }
        Ok(())
    }

    /// Removes the rows of layers, whether or not they are leased. Their directories are removed when no process uses
    /// the store.
    pub(crate) fn forget_layers(&self, layers: &[LayerId]) -> Result<(), DbError> {
        let items: Vec<Item> = layers.iter().cloned().map(Item::Layer).collect();
        self.forget(&items.iter().collect::<Vec<_>>())
    }

    fn forget(&self, items: &[&Item]) -> Result<(), DbError> {
        self.db().transaction("drop what is collected", |db| drop_rows(db, items))
    }

    /// Removes the blobs, nodes and directories that nothing needs, if no other process uses the store.
    pub(crate) fn sweep_unneeded(&self, collected: &mut Collected) -> Result<(), GcError> {
        if rustix::fs::flock(self.in_use(), FlockOperation::NonBlockingLockExclusive).is_err() {
            // A conversion of a lock that is refused can lose the lock that was held.
            let _ = rustix::fs::flock(self.in_use(), FlockOperation::LockShared);
            collected.is_deferred = true;
            return Ok(());
        }
        let swept = self.sweep_alone(collected);
        let _ = rustix::fs::flock(self.in_use(), FlockOperation::LockShared);
        swept
    }

    fn sweep_alone(&self, collected: &mut Collected) -> Result<(), GcError> {
        let (trees, blobs) = self.needed()?;
        self.db().transaction("sweep directories", |db| {
            let mut query = db.prepare("SELECT digest FROM nodes")?;
            let digests = query.query_map([], |row| row.get::<_, [u8; 32]>(0))?.collect::<Result<Vec<_>, _>>()?;
            let mut delete = db.prepare("DELETE FROM nodes WHERE digest = ?1")?;
            for digest in digests.iter().filter(|digest| !trees.contains(&ContentDigest::from_bytes(**digest))) {
                delete.execute([digest])?;
            }
            Ok(())
        })?;
        self.node_cache().clear();
        self.each_blob(|path, digest| {
            if digest.is_none_or(|digest| !blobs.contains(&digest)) {
                collected.size_bytes += fs::lstat_if_there(path)?.map_or(0, |metadata| metadata.len());
                fs::remove_file(path)?;
            }
            Ok(())
        })?;
        let usage = self.usage()?.records;
        let known: HashSet<&str> =
            usage.iter().filter_map(|r| if let Item::Layer(id) = &r.item { Some(id.as_str()) } else { None }).collect();
        for name in fs::names(&self.layers_dir())? {
            if name.to_str().is_none_or(|name| !known.contains(name)) {
                self.discard(&self.layers_dir().join(name))?;
            }
        }
        self.sweep_stamps(&known)?;
        let volumes: HashSet<String> = usage.iter().filter_map(|r| volume_name(&r.item)).collect();
        let volumes_dir = self.root().join("caches-v1");
        for name in fs::names(&volumes_dir)? {
            if name.to_str().is_none_or(|name| !volumes.contains(name)) {
                self.discard(&volumes_dir.join(name))?;
            }
        }
        Ok(())
    }

    /// Returns the nodes and the blobs that results need.
    fn needed(&self) -> Result<(HashSet<ContentDigest>, HashSet<ContentDigest>), GcError> {
        let mut pending = Vec::new();
        let mut blobs = HashSet::new();
        let refs = self.db().with("read what results name", |db| {
            let mut query = db.prepare("SELECT refs FROM results")?;
            query.query_map([], |row| row.get::<_, Vec<u8>>(0))?.collect::<Result<Vec<_>, _>>()
        })?;
        for (trees, more) in refs.iter().map(|refs| decode_refs(refs)) {
            pending.extend(trees);
            blobs.extend(more);
        }
        let mut nodes = HashSet::new();
        while let Some(digest) = pending.pop() {
            if !nodes.insert(digest) {
                continue;
            }
            let node = match self.find_node(digest) {
                Ok(node) => node,
                // A missing node needs nothing.
                Err(NodeError::Missing { .. } | NodeError::Corrupt { .. } | NodeError::Budget(_)) => continue,
                Err(NodeError::Db(error)) => return Err(error.into()),
            };
            for entry in &node.entries {
                match &entry.kind {
                    Kind::Directory { digest } => pending.push(*digest),
                    Kind::File { digest, .. } => drop(blobs.insert(*digest)),
                    _ => {}
                }
            }
        }
        Ok((nodes, blobs))
    }

    fn blobs_size(&self) -> Result<(usize, u64), GcError> {
        let mut size = (0, 0);
        self.each_blob(|path, _| {
            size.0 += 1;
            size.1 += fs::lstat_if_there(path)?.map_or(0, |metadata| metadata.len());
            Ok(())
        })?;
        Ok(size)
    }

    /// Calls `visit` with the path of each file among the blobs, and with its digest if the name is that of a blob.
    pub(crate) fn each_blob(
        &self,
        mut visit: impl FnMut(&std::path::Path, Option<ContentDigest>) -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        for fan in fs::names(&self.blobs_dir())? {
            let dir = self.blobs_dir().join(&fan);
            for name in fs::names(&dir)? {
                let digest = format!("blake3:{}{}", fan.to_string_lossy(), name.to_string_lossy()).parse().ok();
                visit(&dir.join(&name), digest)?;
            }
        }
        Ok(())
    }
}

/// Removes the rows of items, and those that depend on them.
fn drop_rows(db: &Connection, items: &[&Item]) -> rusqlite::Result<()> {
    let layers: HashSet<&str> =
        items.iter().filter_map(|item| if let Item::Layer(id) = item { Some(id.as_str()) } else { None }).collect();
    if !layers.is_empty() {
        let mut query = db.prepare("SELECT tree, layers FROM materialised")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let text: String = row.get(1)?;
            if text.split_whitespace().any(|id| layers.contains(id)) {
                db.execute("DELETE FROM materialised WHERE tree = ?1", [row.get::<_, Vec<u8>>(0)?])?;
            }
        }
    }
    if items.iter().any(|item| matches!(item, Item::Result(_))) {
        note_lost_results(db)?;
    }
    for item in items {
        match item {
            Item::Result(key) => db.prepare_cached("DELETE FROM results WHERE key = ?1")?.execute([key.as_bytes()])?,
            Item::Layer(id) => db.prepare_cached("DELETE FROM layers WHERE id = ?1")?.execute([id.as_str()])?,
            Item::Volume(digest) => db.execute("DELETE FROM volumes WHERE digest = ?1", [digest.as_bytes()])?,
        };
    }
    Ok(())
}

fn record(item: Item, name: String, size_bytes: i64, last_used_at: i64, is_leased: bool) -> Record {
    let size_bytes = u64::try_from(size_bytes).unwrap_or(0);
    Record { item, name, size_bytes, last_used_at: time_of(last_used_at), is_leased }
}

/// Returns the size of all files below a directory in bytes. What cannot be read is not counted.
pub(crate) fn disk_size(path: &std::path::Path) -> u64 {
    let mut pending = vec![path.to_owned()];
    let mut size = 0;
    while let Some(path) = pending.pop() {
        let Ok(Some(metadata)) = fs::lstat_if_there(&path) else { continue };
        if metadata.is_dir() {
            pending.extend(fs::names(&path).unwrap_or_default().into_iter().map(|name| path.join(name)));
        } else {
            size += metadata.len();
        }
    }
    size
}
