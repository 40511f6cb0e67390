//! The interface between the solver and an engine.

use std::sync::Arc;

use async_trait::async_trait;
use graph::Vertex;
use tokio_util::sync::CancellationToken;

/// Evaluates single vertices.
#[async_trait]
pub trait Evaluate: Send + Sync + 'static {
    /// The value of a vertex. It is cheap to clone.
    type Value: Clone + Send + Sync + 'static;
    /// The reason why a vertex has no value. It is cheap to clone, because every vertex that needs
    /// the failed one gets it.
    type Error: Clone + Send + Sync + 'static;
    /// The result of a look-up that the evaluation needs.
    type Job: Send + 'static;

    /// Looks for a value that is known already.
    ///
    /// The solver calls this once all inputs of the vertex have values; `inputs` has them in the
    /// order of the vertex's inputs. It runs on the solver's own task and must not block for long.
    fn look_up(&self, vertex: &Arc<Vertex>, inputs: &[Self::Value]) -> LookUp<Self::Value, Self::Error, Self::Job>;

    /// Evaluates a vertex whose value was not found.
    ///
    /// When `cancel` is triggered, it should return soon. The result is not used then.
    async fn execute(
        self: Arc<Self>,
        vertex: Arc<Vertex>,
        inputs: Vec<Self::Value>,
        job: Self::Job,
        cancel: CancellationToken,
    ) -> Result<Self::Value, Self::Error>;

    /// Returns whether the evaluation counts against the number of jobs.
    fn takes_slot(&self, vertex: &Vertex) -> bool;

    /// Returns the error for an evaluation that panicked.
    fn lost(&self, vertex: &Vertex) -> Self::Error;
}

/// The result of a look-up.
pub enum LookUp<V, E, J> {
    /// The value is known, or it is known that there is none.
    Done(Result<V, E>),
    /// The vertex must be evaluated with this job.
    Execute(J),
}
