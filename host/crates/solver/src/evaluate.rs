//! The interface between the solver and an engine.

use std::sync::Arc;

use async_trait::async_trait;
use graph::Vertex;
use tokio_util::sync::CancellationToken;

use crate::graph::Graph;

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

    /// Returns whether the value of a vertex is known only by looking outside of the graph and of the results. Such a
    /// vertex has no inputs, and is evaluated before a graph that has it is looked up.
    fn is_source(&self, vertex: &Vertex) -> bool {
        vertex.inputs().is_empty()
    }

    /// Looks for the values of the roots of a large graph, and returns them in the order of the roots. An
    /// implementation that finds them reports all vertices of the graph as [`Evaluate::look_up`] would have done.
    fn look_up_graph(&self, graph: &Graph<'_, Self::Value>) -> Option<Vec<Self::Value>> {
        let _ = graph;
        None
    }

    /// Records the values of the roots of a graph that [`Evaluate::look_up_graph`] has not found.
    fn record_graph(&self, graph: &Graph<'_, Self::Value>, values: &[Self::Value]) {
        let _ = (graph, values);
    }

    /// Looks for a value as [`Evaluate::look_up`] does. The vertex is part of a graph that was found, so that a value
    /// that is found here was reported before.
    fn look_up_again(
        &self,
        vertex: &Arc<Vertex>,
        inputs: &[Self::Value],
    ) -> LookUp<Self::Value, Self::Error, Self::Job> {
        self.look_up(vertex, inputs)
    }

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
