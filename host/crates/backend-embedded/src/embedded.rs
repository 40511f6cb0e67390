//! The backend itself: solver, store and zone behind the contract.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use backend::{Backend, Caps, Failure, FileStat, OutputRef, SearchMatch, SearchQuery, SessionIo, Snapshot, Solved};
use graph::{ContentDigest, Edge, TreePath};
use solver::Solver;
use store::Store;

use crate::engine::Engine;
use crate::failure::{failure, read_failure};
use crate::read;
use crate::value::Tree;
use crate::zone::{Zone, ZoneCaps, ZoneConfig};
use crate::zones::Zones;

/// Evaluates graphs on this machine, without a daemon.
pub struct Embedded {
    engine: Arc<Engine>,
    solver: Solver<Engine>,
}

impl Embedded {
    /// Makes the backend of a session. Must be called inside a tokio runtime. The zone in which
    /// commands run is started by the first that needs it.
    #[must_use]
    pub fn new(store: Store, io: SessionIo, zone: ZoneConfig) -> Self {
        let n_jobs = io.n_jobs;
        let engine = Arc::new(Engine {
            zones: Zones::new(zone, store.clone()),
            store,
            io,
            layouts: tokio::sync::Mutex::new(()),
        });
        Self { solver: Solver::new(Arc::clone(&engine), n_jobs), engine }
    }

    /// Runs something that blocks on a thread of its own.
    async fn blocking<T: Send + 'static>(
        &self,
        snapshot: &Snapshot,
        work: impl FnOnce(&Engine, &Tree) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (engine, tree) = (Arc::clone(&self.engine), read::tree_of(snapshot)?);
        let task = tokio::task::spawn_blocking(move || work(&engine, &tree));
        task.await.unwrap_or_else(|error| Err(Failure::bug(format!("reading from a tree panicked: {error}"))))
    }
}

#[async_trait]
impl Backend for Embedded {
    fn caps(&self) -> Caps {
        caps(self.engine.zones.caps().as_ref())
    }

    async fn solve(&self, outputs: &[Edge]) -> Result<Vec<Solved>, Failure> {
        let values = tokio::select! {
            solved = self.solver.solve(outputs) => solved.map_err(|_| Failure::bug("the solver ended"))??,
            () = self.engine.io.cancel.cancelled() => return Err(Failure::Cancelled),
        };
        let solved = outputs.iter().zip(values).map(|(edge, value)| {
            let tree = value.output(edge.output);
            Solved { snapshot: Snapshot { digest: tree.digest, handle: Arc::new(tree) }, exec: value.exec_result() }
        });
        Ok(solved.collect())
    }

    async fn settle(&self) {
        self.solver.settle().await;
    }

    async fn read(&self, snapshot: &Snapshot, path: &TreePath, offset: u64, max: u64) -> Result<Vec<u8>, Failure> {
        let path = path.clone();
        self.blocking(snapshot, move |engine, tree| {
            engine.store.read_file(tree.digest, &path, offset, Some(max)).map_err(|error| read_failure(&error))
        })
        .await
    }

    async fn stat(&self, snapshot: &Snapshot, path: &TreePath) -> Result<FileStat, Failure> {
        let path = path.clone();
        self.blocking(snapshot, move |engine, tree| read::stat(&engine.store, tree, &path)).await
    }

    async fn entries(&self, snapshot: &Snapshot, path: &TreePath) -> Result<Vec<String>, Failure> {
        let path = path.clone();
        self.blocking(snapshot, move |engine, tree| {
            engine.store.entries(tree.digest, &path).map_err(|error| read_failure(&error))
        })
        .await
    }

    async fn glob(&self, snapshot: &Snapshot, path: &TreePath, pattern: &str) -> Result<Vec<String>, Failure> {
        let (path, pattern) = (path.clone(), pattern.to_owned());
        self.blocking(snapshot, move |engine, tree| {
            engine.store.glob(tree.digest, &path, &pattern).map_err(|error| read_failure(&error))
        })
        .await
    }

    async fn search(
        &self,
        snapshot: &Snapshot,
        path: &TreePath,
        query: &SearchQuery,
    ) -> Result<Vec<SearchMatch>, Failure> {
        let (path, query) = (path.clone(), query.clone());
        self.blocking(snapshot, move |engine, tree| read::search(&engine.store, tree, &path, query)).await
    }

    async fn digest(&self, snapshot: &Snapshot, path: &TreePath) -> Result<ContentDigest, Failure> {
        let path = path.clone();
        self.blocking(snapshot, move |engine, tree| read::digest(&engine.store, tree, &path)).await
    }

    async fn output(&self, output: &OutputRef) -> Result<Vec<u8>, Failure> {
        self.engine.store.read_blob(&output.digest).map_err(|error| failure(&error))
    }

    async fn export(&self, snapshot: &Snapshot, path: &TreePath, target: &Path) -> Result<(), Failure> {
        let (path, target) = (path.clone(), target.to_owned());
        self.blocking(snapshot, move |engine, tree| read::export(&engine.store, tree, &path, &target)).await
    }
}

/// Returns what the backend can do on this machine; starts a zone to know.
///
/// # Errors
/// If no command could be run.
pub async fn probe(zone: ZoneConfig) -> Result<Caps, Failure> {
    let zone = Zone::start(zone).await.map_err(|error| failure(&error))?;
    Ok(caps(Some(zone.caps())))
}

fn caps(zone: Option<&ZoneCaps>) -> Caps {
    Caps {
        name: "embedded".to_owned(),
        network: false,
        owners: zone.is_none_or(|caps| caps.has_owners),
        limits: zone.is_none_or(|caps| caps.has_limits),
        images: false,
        services: false,
        machine: true,
        notes: zone.map(|caps| caps.notes.clone()).unwrap_or_default(),
    }
}
