//! The backend itself: solver, store and zone behind the contract.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use backend::{
    Backend, Caps, Failure, FileStat, ImageSource, ImageTarget, OutputRef, ResolvedImage, SearchMatch, SearchQuery,
    SessionIo, Snapshot, Solved,
};
use graph::{ContentDigest, Edge, Platform, TreePath};
use solver::Solver;
use store::Store;
use trees::failure::failure;
use trees::{Input, Trees};

use crate::engine::Engine;
use crate::graphs::MissedGraphs;
use crate::value::Value;
use crate::zones::Zones;
use zone::{Zone, ZoneCaps, ZoneConfig};

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
        let network = zone.network.filter(|_| io.is_network_allowed);
        let zone = ZoneConfig { network, ..zone };
        let engine = Arc::new(Engine {
            zones: Zones::new(zone, store.clone()),
            trees: Trees::new(store.clone(), &io),
            store,
            io,
            layouts: tokio::sync::Mutex::new(()),
            missed_graphs: MissedGraphs::default(),
        });
        Self { solver: Solver::new(Arc::clone(&engine), n_jobs), engine }
    }
}

impl Embedded {
    /// Evaluates an edge to its tree.
    async fn solve_one(&self, edge: &Edge) -> Result<ContentDigest, Failure> {
        match self.solve(std::slice::from_ref(edge)).await?.first() {
            Some(solved) => digest_of(&solved.snapshot),
            None => Err(Failure::bug("a solved edge has no value")),
        }
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
        if let Some(operation) = values.iter().find_map(Value::not_evaluated) {
            return Err(Failure::planned(Arc::clone(operation)));
        }
        let solved = outputs.iter().zip(values).map(|(edge, value)| {
            let tree = value.output(edge.output);
            Solved { snapshot: Snapshot { handle: Arc::new(tree.digest) }, exec: value.exec_result() }
        });
        Ok(solved.collect())
    }

    fn forget_failures(&self) {
        self.solver.forget_failures();
    }

    async fn settle(&self) {
        self.solver.settle().await;
    }

    async fn read(&self, snapshot: &Snapshot, path: &TreePath, offset: u64, max: u64) -> Result<Vec<u8>, Failure> {
        self.engine.trees.read(digest_of(snapshot)?, path, offset, max).await
    }

    async fn stat(&self, snapshot: &Snapshot, path: &TreePath) -> Result<FileStat, Failure> {
        self.engine.trees.stat(digest_of(snapshot)?, path).await
    }

    async fn entries(&self, snapshot: &Snapshot, path: &TreePath) -> Result<Vec<String>, Failure> {
        self.engine.trees.entries(digest_of(snapshot)?, path).await
    }

    async fn glob(&self, snapshot: &Snapshot, path: &TreePath, pattern: &str) -> Result<Vec<String>, Failure> {
        self.engine.trees.glob(digest_of(snapshot)?, path, pattern).await
    }

    async fn search(
        &self,
        snapshot: &Snapshot,
        path: &TreePath,
        query: &SearchQuery,
    ) -> Result<Vec<SearchMatch>, Failure> {
        self.engine.trees.search(digest_of(snapshot)?, path, query).await
    }

    async fn digest(&self, snapshot: &Snapshot, path: &TreePath) -> Result<ContentDigest, Failure> {
        self.engine.trees.digest(digest_of(snapshot)?, path).await
    }

    async fn output(&self, output: &OutputRef) -> Result<Vec<u8>, Failure> {
        self.engine.trees.output(output).await
    }

    async fn export(&self, snapshot: &Snapshot, path: &TreePath, target: &Path) -> Result<(), Failure> {
        self.engine.trees.export(digest_of(snapshot)?, path, target).await
    }

    async fn resolve_image(&self, source: &ImageSource, platform: &Platform) -> Result<ResolvedImage, Failure> {
        let ImageSource::Within { selection, .. } = source else {
            return self.engine.trees.resolve_image(source, platform, None).await;
        };
        let tree = self.solve_one(&selection.edge).await?;
        let input = Input { tree, path: &selection.path };
        self.engine.trees.resolve_image(source, platform, Some(input)).await
    }

    async fn publish(&self, image: &Edge, target: &ImageTarget) -> Result<String, Failure> {
        let tree = self.solve_one(image).await?;
        self.engine.trees.publish(image, tree, target).await
    }
}

/// Returns the tree that a snapshot stands for.
fn digest_of(snapshot: &Snapshot) -> Result<ContentDigest, Failure> {
    let tree: Option<&ContentDigest> = snapshot.handle.downcast_ref();
    tree.copied().ok_or_else(|| Failure::bug("a snapshot of another backend was handed to the embedded one"))
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
        network: zone.is_none_or(|caps| caps.network.is_ok()),
        owners: zone.is_none_or(|caps| caps.has_owners),
        limits: zone.is_none_or(|caps| caps.has_limits),
        images: true,
        services: false,
        machine: true,
        sized_temp: true,
        content_keys: true,
        checked_layers: true,
        notes: zone.map(|caps| caps.notes.clone()).unwrap_or_default(),
    }
}
