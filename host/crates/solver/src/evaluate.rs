//! What the solver is told about vertices.

use std::sync::Arc;

use async_trait::async_trait;
use graph::Vertex;
use tokio_util::sync::CancellationToken;

/// Evaluates single vertices.
#[async_trait]
pub trait Evaluate: Send + Sync + 'static {
    /// What a vertex evaluates to. Cheap to clone.
    type Value: Clone + Send + Sync + 'static;
    /// Why it has no value. Cheap to clone: everything that needs the vertex gets it.
    type Error: Clone + Send + Sync + 'static;
    /// What a look-up found out and an evaluation needs.
    type Job: Send + 'static;

    /// Looks for a value that is already known. Called once all inputs have values, in the order of
    /// the vertex's inputs; on the solver's own task, so that it must not wait long.
    fn look_up(&self, vertex: &Arc<Vertex>, inputs: &[Self::Value]) -> LookUp<Self::Value, Self::Error, Self::Job>;

    /// Evaluates a vertex that was not found.
    ///
    /// When `cancel` is triggered it should stop soon; its result is then not used.
    async fn execute(
        self: Arc<Self>,
        vertex: Arc<Vertex>,
        inputs: Vec<Self::Value>,
        job: Self::Job,
        cancel: CancellationToken,
    ) -> Result<Self::Value, Self::Error>;

    /// Returns whether the evaluation counts against the number of jobs.
    fn takes_slot(&self, vertex: &Vertex) -> bool;

    /// Returns the error of an evaluation that ended without a result: a panic.
    fn lost(&self, vertex: &Vertex) -> Self::Error;
}

/// What a look-up found.
pub enum LookUp<V, E, J> {
    /// The value, or that there can be none.
    Done(Result<V, E>),
    /// It has to be evaluated.
    Execute(J),
}
