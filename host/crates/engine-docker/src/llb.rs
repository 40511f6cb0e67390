//! The engine itself: solver, LLB and store behind the contract.

pub(crate) mod definition;
mod evaluator;
mod link;
mod lower;
mod run;
mod step;
mod value;
mod watch;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use engine::{
    Caps, Engine, Failure, FileStat, ImageSource, ImageTarget, OutputRef, ResolvedImage, SearchMatch, SearchQuery,
    SessionIo, Snapshot, Solved,
};
use evaluate::secrets::read_ahead;
use graph::{ContentDigest, Contents, Definition, Edge, Platform, TreePath};
use solver::Solver;
use store::Store;
use trees::{Input, Trees};

use crate::connection::Connection;
use crate::connection::settings::DockerSettings;
use evaluator::LlbEvaluator;
use link::Link;
use value::{Tree, Value};

/// Evaluates graphs with the BuildKit in Docker.
pub struct Docker {
    engine: Arc<LlbEvaluator>,
    solver: Solver<LlbEvaluator>,
}

/// What the handle of a snapshot is.
struct Handle(Tree);

impl Docker {
    /// Makes the engine of a session, which connects to Docker when it needs it: a run whose results are all known
    /// does not. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// `Environment` if the settings name no Docker.
    pub fn new(settings: &DockerSettings, store: Store, io: SessionIo) -> Result<Self, Failure> {
        let docker = Link::new(Connection::new(settings)?);
        let engine = Arc::new(LlbEvaluator::new(Trees::new(store, &io), io, docker));
        Ok(Self { solver: Solver::new(Arc::clone(&engine), engine.io.n_jobs), engine })
    }

    /// Makes the engine of a session, and connects to Docker now.
    ///
    /// # Errors
    /// As `new`; `Environment` if Docker cannot be reached, is too old, or has no BuildKit.
    pub async fn connect(settings: &DockerSettings, store: Store, io: SessionIo) -> Result<Self, Failure> {
        let docker = Self::new(settings, store, io)?;
        docker.engine.docker.get().await?;
        Ok(docker)
    }

    async fn tree(&self, snapshot: &Snapshot) -> Result<ContentDigest, Failure> {
        let handle = Arc::clone(&snapshot.handle).downcast::<Handle>();
        let handle = handle.map_err(|_| Failure::bug("a snapshot of another engine was handed to Docker"))?;
        self.engine.local(&handle.0).await
    }

    /// Evaluates an edge to a tree of the store.
    async fn evaluated(&self, edge: &Edge) -> Result<ContentDigest, Failure> {
        let solved = self.solve(std::slice::from_ref(edge)).await?;
        let solved = solved.first().ok_or_else(|| Failure::bug("an edge was evaluated to nothing"))?;
        self.tree(&solved.snapshot).await
    }

    /// Runs the commands that values stand for.
    async fn realise(&self, outputs: &[Edge], values: &[Value]) -> Result<(), Failure> {
        let outputs = outputs.iter().zip(values).map(|(edge, value)| value.output(edge.output));
        self.engine.realise(&outputs.collect::<Vec<_>>()).await
    }
}

#[async_trait]
impl Engine for Docker {
    fn caps(&self) -> Caps {
        self.engine.docker.caps()
    }

    async fn solve(&self, outputs: &[Edge]) -> Result<Vec<Solved>, Failure> {
        self.engine.note_needs(&Definition::of(outputs));
        let solve = async {
            read_ahead(&self.engine.io.secrets, outputs).await;
            let values = self.solver.solve(outputs).await.map_err(|_| Failure::bug("the solver ended"))??;
            if let Some(operation) = values.iter().find_map(Value::not_evaluated) {
                return Err(Failure::planned(Arc::clone(operation)));
            }
            self.realise(outputs, &values).await?;
            Ok::<_, Failure>(values)
        };
        let values = tokio::select! {
            values = solve => values?,
            () = self.engine.io.cancel.cancelled() => return Err(Failure::Cancelled),
        };
        let solved = outputs.iter().zip(values).map(|(edge, value)| {
            let record = value.command().and_then(|step| step.record());
            let handle = Arc::new(Handle(value.output(edge.output)));
            Solved { snapshot: Snapshot { handle }, exec: record.map(|record| Arc::clone(&record.exec)) }
        });
        Ok(solved.collect())
    }

    fn keep(&self, contents: &[u8]) -> Result<Contents, Failure> {
        self.engine.trees.keep(contents)
    }

    fn forget_failures(&self) {
        self.solver.forget_failures();
    }

    async fn settle(&self) {
        self.solver.settle().await;
    }

    async fn read(&self, snapshot: &Snapshot, path: &TreePath, offset: u64, max: u64) -> Result<Vec<u8>, Failure> {
        self.engine.trees.read(self.tree(snapshot).await?, path, offset, max).await
    }

    async fn stat(&self, snapshot: &Snapshot, path: &TreePath, follow: bool) -> Result<FileStat, Failure> {
        self.engine.trees.stat(self.tree(snapshot).await?, path, follow).await
    }

    async fn entries(&self, snapshot: &Snapshot, path: &TreePath) -> Result<Vec<String>, Failure> {
        self.engine.trees.entries(self.tree(snapshot).await?, path).await
    }

    async fn glob(&self, snapshot: &Snapshot, path: &TreePath, pattern: &str) -> Result<Vec<String>, Failure> {
        self.engine.trees.glob(self.tree(snapshot).await?, path, pattern).await
    }

    async fn search(
        &self,
        snapshot: &Snapshot,
        path: &TreePath,
        query: &SearchQuery,
    ) -> Result<Vec<SearchMatch>, Failure> {
        self.engine.trees.search(self.tree(snapshot).await?, path, query).await
    }

    async fn digest(&self, snapshot: &Snapshot, path: &TreePath) -> Result<ContentDigest, Failure> {
        self.engine.trees.digest(self.tree(snapshot).await?, path).await
    }

    async fn output(&self, output: &OutputRef) -> Result<Vec<u8>, Failure> {
        self.engine.trees.output(output).await
    }

    async fn export(&self, snapshot: &Snapshot, path: &TreePath, target: &Path) -> Result<(), Failure> {
        self.engine.trees.export(self.tree(snapshot).await?, path, target).await
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
