//! The backend over what every Docker has: create, start, wait, commit. For engines without BuildKit, such as Podman.
//!
//! Every value is a tree of the store, so that keys are by content and no result needs Docker. A command runs in a
//! container of an image with the files of its root: uploaded once, or what the command before was committed to.
//! Afterwards all files of the container are fetched, which is right without asking what changed, and costs as much
//! as the root is large.

mod api;
mod cache;
mod container;
mod engine;
mod exec;
mod files;
mod layers;
mod mounts;
mod outcome;
mod reap;
mod stubs;
mod value;
mod volume;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use backend::{
    Backend, Caps, Failure, FileStat, ImageSource, ImageTarget, OutputRef, ResolvedImage, SearchMatch, SearchQuery,
    SessionIo, Snapshot, Solved,
};
use graph::{ContentDigest, Edge, Platform, TreePath};
use solver::Solver;
use store::Store;
use trees::{Input, Trees};

use crate::connection::Connection;
use crate::connection::settings::DockerSettings;
use crate::facts::Facts;
use crate::images::TreeImages;
use api::Api;
use engine::Engine;

/// Evaluates graphs with the containers of any Docker, also of one without BuildKit.
pub struct DockerClassic {
    engine: Arc<Engine>,
    solver: Solver<Engine>,
    facts: Facts,
}

impl DockerClassic {
    /// Connects to Docker, removes what dead sessions of this machine left there, and makes the backend of a session.
    /// Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// `Environment` if Docker cannot be reached or is too old.
    pub async fn connect(settings: &DockerSettings, store: Store, io: SessionIo) -> Result<Self, Failure> {
        let connection = Connection::new(settings)?;
        let facts = Facts::of(&connection).await?;
        let api = Api::new(connection.clone(), &facts)?;
        let session = reap::Session::own();
        reap::reap(&api, &session).await;
        let engine = Arc::new(Engine {
            trees: Trees::new(store, &io),
            uploads: TreeImages::new(connection, facts.platform.clone()),
            platform: facts.platform.clone(),
            is_podman: facts.is_podman,
            session: session.to_string(),
            images: Mutex::new(HashMap::new()),
            io,
            api,
        });
        Ok(Self { solver: Solver::new(Arc::clone(&engine), engine.io.n_jobs), engine, facts })
    }

    /// Evaluates an edge to its tree.
    async fn evaluated(&self, edge: &Edge) -> Result<ContentDigest, Failure> {
        match self.solve(std::slice::from_ref(edge)).await?.first() {
            Some(solved) => digest_of(&solved.snapshot),
            None => Err(Failure::bug("a solved edge has no value")),
        }
    }
}

#[async_trait]
impl Backend for DockerClassic {
    fn caps(&self) -> Caps {
        let mut notes = vec![format!("Docker {} at `{}`", self.facts.version, self.facts.address)];
        if self.facts.is_rootless {
            notes.push("Docker runs without root's rights; limits need its cgroups".to_owned());
        }
        notes.push("secrets are in a volume of Docker while a command runs that uses them".to_owned());
        Caps {
            name: "docker-classic".to_owned(),
            network: true,
            owners: true,
            limits: true,
            images: true,
            services: false,
            machine: false,
            sized_temp: true,
            content_keys: true,
            checked_layers: true,
            notes,
        }
    }

    async fn solve(&self, outputs: &[Edge]) -> Result<Vec<Solved>, Failure> {
        let values = tokio::select! {
            solved = self.solver.solve(outputs) => solved.map_err(|_| Failure::bug("the solver ended"))??,
            () = self.engine.io.cancel.cancelled() => return Err(Failure::Cancelled),
        };
        if let Some(operation) = values.iter().find_map(value::Value::not_evaluated) {
            return Err(Failure::planned(Arc::clone(operation)));
        }
        let solved = outputs.iter().zip(values).map(|(edge, value)| {
            let handle = Arc::new(value.output(edge.output));
            Solved { snapshot: Snapshot { handle }, exec: value.exec_result() }
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
        let tree = self.evaluated(&selection.edge).await?;
        self.engine.trees.resolve_image(source, platform, Some(Input { tree, path: &selection.path })).await
    }

    async fn publish(&self, image: &Edge, target: &ImageTarget) -> Result<String, Failure> {
        let tree = self.evaluated(image).await?;
        self.engine.trees.publish(image, tree, target).await
    }
}

/// Returns the tree that a snapshot stands for.
fn digest_of(snapshot: &Snapshot) -> Result<ContentDigest, Failure> {
    let tree: Option<&ContentDigest> = snapshot.handle.downcast_ref();
    tree.copied().ok_or_else(|| Failure::bug("a snapshot of another backend was handed to Docker"))
}
