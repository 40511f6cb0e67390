//! The engine itself: solver, store and runner behind the contract.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use engine::{
    Caps, Engine, Failure, FileStat, ImageSource, ImageTarget, OutputRef, ResolvedImage, SearchMatch, SearchQuery,
    SessionIo, Snapshot, Solved,
};
use graph::{ContentDigest, Contents, Edge, Platform, TreePath};
use solver::Solver;
use store::Store;
use trees::{Input, Trees};

use crate::evaluation::Evaluation;
use crate::runner::Runner;
use crate::secrets::read_ahead;
use crate::value::Value;

/// Evaluates graphs over the store, with commands run by a [`Runner`]. It serves one session.
pub struct Evaluator<R: Runner> {
    evaluation: Arc<Evaluation<R>>,
    solver: Solver<Evaluation<R>>,
}

impl<R: Runner> Evaluator<R> {
    /// Makes the engine of a session. Must be called inside a tokio runtime.
    #[must_use]
    pub fn new(store: Store, io: SessionIo, runner: R) -> Self {
        let n_jobs = io.n_jobs;
        let evaluation = Arc::new(Evaluation::new(Trees::new(store, &io), io, runner));
        Self { solver: Solver::new(Arc::clone(&evaluation), n_jobs), evaluation }
    }

    fn trees(&self) -> &Trees {
        &self.evaluation.trees
    }

    /// Evaluates an edge to its tree.
    async fn solve_one(&self, edge: &Edge) -> Result<ContentDigest, Failure> {
        match self.solve(std::slice::from_ref(edge)).await?.first() {
            Some(solved) => digest_of(&solved.snapshot),
            None => Err(Failure::bug("a solved edge has no value")),
        }
    }
}

#[async_trait]
impl<R: Runner> Engine for Evaluator<R> {
    fn caps(&self) -> Caps {
        self.evaluation.runner.caps()
    }

    async fn solve(&self, outputs: &[Edge]) -> Result<Vec<Solved>, Failure> {
        let solve = async {
            read_ahead(&self.evaluation.io.secrets, outputs).await;
            self.solver.solve(outputs).await
        };
        let values = tokio::select! {
            solved = solve => solved.map_err(|_| Failure::bug("the solver ended"))??,
            () = self.evaluation.io.cancel.cancelled() => return Err(Failure::Cancelled),
        };
        if let Some(operation) = values.iter().find_map(Value::not_evaluated) {
            return Err(Failure::planned(Arc::clone(operation)));
        }
        let solved = outputs.iter().zip(values).map(|(edge, value)| {
            let handle = Arc::new(value.digest(edge.output));
            Solved { snapshot: Snapshot { handle }, exec: value.exec_result() }
        });
        Ok(solved.collect())
    }

    fn keep(&self, contents: &[u8]) -> Result<Contents, Failure> {
        self.trees().keep(contents)
    }

    fn forget_failures(&self) {
        self.solver.forget_failures();
    }

    async fn settle(&self) {
        self.solver.settle().await;
    }

    async fn read(&self, snapshot: &Snapshot, path: &TreePath, offset: u64, max: u64) -> Result<Vec<u8>, Failure> {
        self.trees().read(digest_of(snapshot)?, path, offset, max).await
    }

    async fn stat(&self, snapshot: &Snapshot, path: &TreePath, follow: bool) -> Result<FileStat, Failure> {
        self.trees().stat(digest_of(snapshot)?, path, follow).await
    }

    async fn entries(&self, snapshot: &Snapshot, path: &TreePath) -> Result<Vec<String>, Failure> {
        self.trees().entries(digest_of(snapshot)?, path).await
    }

    async fn glob(&self, snapshot: &Snapshot, path: &TreePath, pattern: &str) -> Result<Vec<String>, Failure> {
        self.trees().glob(digest_of(snapshot)?, path, pattern).await
    }

    async fn search(
        &self,
        snapshot: &Snapshot,
        path: &TreePath,
        query: &SearchQuery,
    ) -> Result<Vec<SearchMatch>, Failure> {
        self.trees().search(digest_of(snapshot)?, path, query).await
    }

    async fn digest(&self, snapshot: &Snapshot, path: &TreePath) -> Result<ContentDigest, Failure> {
        self.trees().digest(digest_of(snapshot)?, path).await
    }

    async fn output(&self, output: &OutputRef) -> Result<Vec<u8>, Failure> {
        self.trees().output(output).await
    }

    async fn export(&self, snapshot: &Snapshot, path: &TreePath, target: &Path) -> Result<(), Failure> {
        self.trees().export(digest_of(snapshot)?, path, target).await
    }

    async fn resolve_image(&self, source: &ImageSource, platform: &Platform) -> Result<ResolvedImage, Failure> {
        let ImageSource::Within { selection, .. } = source else {
            return self.trees().resolve_image(source, platform, None).await;
        };
        let tree = self.solve_one(&selection.edge).await?;
        self.trees().resolve_image(source, platform, Some(Input { tree, path: &selection.path })).await
    }

    async fn publish(&self, image: &Edge, target: &ImageTarget) -> Result<String, Failure> {
        let tree = self.solve_one(image).await?;
        self.trees().publish(image, tree, target).await
    }
}

/// Returns the tree that a snapshot stands for.
fn digest_of(snapshot: &Snapshot) -> Result<ContentDigest, Failure> {
    let tree: Option<&ContentDigest> = snapshot.handle.downcast_ref();
    tree.copied().ok_or_else(|| Failure::bug("a snapshot of one engine was handed to another"))
}
