//! Leases: what a run uses stays until the run ends, whatever the collector is asked for.
//!
//! Every handle of a store that uses layers or cache volumes is a *run*. It has a lease of each from the moment at which
//! it finds or makes it, once. A lease is a row with the name of the run, and holds as long as the run has its lock, which
//! the kernel releases when the process ends: the lease of a process that was killed is over by itself, also for processes
//! in other namespaces, which cannot see its id.
//!
//! A lease is taken in the transaction that finds the row of the item, and the collector removes rows in the transaction
//! that reads the leases. So a run either has the item, or knows that it has to be made again.
//!
//! Values of results need no lease, because they are in the memory of the run. The nodes and blobs of trees are leased all
//! together, by the lock on the store that each handle has.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use graph::ContentDigest;
use rusqlite::Connection;
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::fs::IoError;
use crate::gc::Item;
use crate::layer::record::LayerId;
use crate::lock::NamedLock;
use crate::process;
use crate::store::Store;

/// The target of a lease.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Leased {
    /// A layer, by its identity.
    Layer(LayerId),
    /// A cache volume, by the digest of its key.
    Volume(ContentDigest),
}

impl Leased {
    /// Returns what a lease of an item is for; none for an item that is not leased.
    pub(crate) fn of(item: &Item) -> Option<Self> {
        match item {
            Item::Result(_) => None,
            Item::Layer(id) => Some(Self::Layer(id.clone())),
            Item::Volume(digest) => Some(Self::Volume(*digest)),
        }
    }

    fn row(&self) -> (&'static str, Vec<u8>) {
        match self {
            Self::Layer(id) => ("layer", id.as_str().as_bytes().to_vec()),
            Self::Volume(digest) => ("volume", digest.as_bytes().to_vec()),
        }
    }

    fn of_row(kind: &str, what: Vec<u8>) -> Option<Self> {
        match kind {
            "layer" => LayerId::parse(&String::from_utf8(what).ok()?).map(Self::Layer),
            "volume" => what.try_into().ok().map(ContentDigest::from_bytes).map(Self::Volume),
            _ => None,
        }
    }
}

/// The name of a run: its process, and a number that no other run of the process has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct RunName {
    pid: u32,
    number: i64,
}

impl RunName {
    fn lock_path(self, root: &Path) -> PathBuf {
        root.join("locks-v1").join(format!("run-{}-{}", self.pid, self.number))
    }

    /// Returns whether the run has not ended. What cannot be told counts as a run.
    fn is_running(self, root: &Path) -> bool {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        match rustix::fs::open(self.lock_path(root), flags, Mode::empty()) {
            Err(errno) => errno != Errno::NOENT,
            Ok(file) => rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared).is_err(),
        }
    }
}

/// The leases of one handle of a store.
#[derive(Default)]
pub(crate) struct Leases {
    run: OnceLock<(RunName, NamedLock)>,
    leased: Mutex<HashSet<Leased>>,
    /// Held while the run is begun.
    begin: Mutex<()>,
}

impl Leases {
    /// Returns whether a lease has been taken.
    pub(crate) fn has(&self, what: &Leased) -> bool {
        self.leased.lock().unwrap_or_else(PoisonError::into_inner).contains(what)
    }

    /// Notes leases whose rows are stored.
    pub(crate) fn note(&self, what: impl IntoIterator<Item = Leased>) {
        self.leased.lock().unwrap_or_else(PoisonError::into_inner).extend(what);
    }

    /// Removes the rows of the run. Rows that stay are without effect once its lock is gone.
    pub(crate) fn end(&self, store: &crate::db::Db) {
        if let Some((run, _)) = self.run.get() {
            let sql = "DELETE FROM leases WHERE pid = ?1 AND started = ?2";
            let _ = store.with("end leases", |db| db.execute(sql, (run.pid, run.number)));
        }
    }

    /// Ends the run as a signal does that cannot be caught: its lock goes, and its rows stay.
    #[cfg(test)]
    pub(crate) fn kill(&mut self) {
        self.run.take();
    }
}

impl Store {
    /// Leases layers until the last handle of the store is dropped. Returns false if the store does not have all of them
    /// any more, or if one may have lost contents in a power cut; then nothing may be built on them.
    ///
    /// # Errors
    /// If the database cannot be used, or the lock of the run cannot be made.
    pub fn lease_layers(&self, layers: &[LayerId]) -> Result<bool, crate::SyncError> {
        let wanted = layers.iter().cloned().map(Leased::Layer);
        let fresh: Vec<Leased> = wanted.filter(|what| !self.leases().has(what)).collect();
        if fresh.is_empty() {
            return Ok(self.db().with("look for layers", |db| crate::layer::record::are_there(db, layers))?);
        }
        let run = self.run()?;
        let are_there = self.db().transaction("lease layers", |db| {
            let are_there = crate::layer::record::are_there(db, layers)?;
            if are_there {
                insert(db, run, &fresh)?;
            }
            Ok(are_there)
        })?;
        if are_there {
            self.leases().note(fresh);
        }
        Ok(are_there)
    }

    /// Returns the name of the run that this handle is, which begins with the first call.
    pub(crate) fn run(&self) -> Result<RunName, IoError> {
        let leases = self.leases();
        let _turn = leases.begin.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((run, _)) = leases.run.get() {
            return Ok(*run);
        }
        loop {
            let run = RunName { pid: std::process::id(), number: process::now_ns() };
            // Another process with this name, in another namespace, has the lock.
            if let Some(lock) =
                self.lock_path_once(run.lock_path(self.root()), FlockOperation::NonBlockingLockExclusive)?
            {
                return Ok(leases.run.get_or_init(|| (run, lock)).0);
            }
        }
    }
}

/// Stores leases of a run.
pub(crate) fn insert(db: &Connection, run: RunName, what: &[Leased]) -> rusqlite::Result<()> {
    let sql = "INSERT INTO leases(kind, what, pid, started, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    let mut insert = db.prepare_cached(sql)?;
    for what in what {
        let (kind, bytes) = what.row();
        insert.execute((kind, bytes, run.pid, run.number, i64::MAX))?;
    }
    Ok(())
}

/// Returns what running processes have leased, and removes the leases of other processes.
pub(crate) fn living(db: &Connection, root: &Path) -> rusqlite::Result<HashSet<Leased>> {
    let mut query = db.prepare("SELECT DISTINCT pid, started FROM leases")?;
    let runs = query.query_map([], |row| Ok(RunName { pid: row.get(0)?, number: row.get(1)? }))?;
    for run in runs.collect::<Result<Vec<_>, _>>()? {
        if !run.is_running(root) {
            db.execute("DELETE FROM leases WHERE pid = ?1 AND started = ?2", (run.pid, run.number))?;
        }
    }
    let mut query = db.prepare("SELECT kind, what FROM leases")?;
    let rows = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
    let rows = rows.collect::<Result<Vec<_>, rusqlite::Error>>()?;
    Ok(rows.into_iter().filter_map(|(kind, what)| Leased::of_row(&kind, what)).collect())
}

#[cfg(test)]
mod tests;
