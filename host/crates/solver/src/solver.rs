//! The public side of the solver: sends requests to the dispatcher and waits for its answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use graph::Edge;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::dispatcher::{Dispatcher, LARGE_GRAPH, Request};
use crate::evaluate::Evaluate;

/// Evaluates graphs with an [`Evaluate`]. A solver lives as long as a session.
pub struct Solver<E: Evaluate> {
    requests: mpsc::UnboundedSender<Request<E>>,
    next_id: AtomicU64,
    /// The task ends when the solver is dropped.
    _dispatcher: JoinSet<()>,
}

/// The solver's task has ended. Only a panic in it can cause that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SolverGone;

impl<E: Evaluate> Solver<E> {
    /// Starts a solver that evaluates at most `n_jobs` vertices at the same time, counting those
    /// that take a slot.
    ///
    /// It must be called inside a tokio runtime.
    #[must_use]
    pub fn new(evaluator: Arc<E>, n_jobs: usize) -> Self {
        Self::with_large_graph(evaluator, n_jobs, LARGE_GRAPH)
    }

    /// As [`Solver::new`], with the number of vertices from which on a graph is looked up as a whole.
    fn with_large_graph(evaluator: Arc<E>, n_jobs: usize, large_graph: usize) -> Self {
        let (requests, receiver) = mpsc::unbounded_channel();
        let mut dispatcher = JoinSet::new();
        dispatcher.spawn(Dispatcher::new(evaluator, n_jobs, large_graph, receiver).run());
        Self { requests, next_id: AtomicU64::new(0), _dispatcher: dispatcher }
    }

    /// Evaluates edges, and returns the values of their vertices in the same order.
    ///
    /// # Errors
    /// The outer error means that the solver is gone. The inner one is that of the first edge
    /// without a value.
    ///
    /// # Cancel safety
    /// Dropping the future withdraws the request. An evaluation that no other request needs is cancelled.
    pub async fn solve(&self, edges: &[Edge]) -> Result<Result<Vec<E::Value>, E::Error>, SolverGone> {
        let (reply, answer) = oneshot::channel();
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let request = Request::Solve { id, edges: edges.to_vec(), reply };
        self.requests.send(request).map_err(|_| SolverGone)?;
        let _leave = Leave { id, requests: &self.requests };
        answer.await.map_err(|_| SolverGone)
    }

    /// Forgets the vertices that failed, so that later requests evaluate them again.
    pub fn forget_failures(&self) {
        // If the dispatcher is gone, there is nothing to forget.
        let _ = self.requests.send(Request::ForgetFailures);
    }

    /// Waits until no evaluation runs. Evaluations that no request needs any more are cancelled and
    /// have ended then.
    pub async fn settle(&self) {
        let (reply, answer) = oneshot::channel();
        if self.requests.send(Request::Settle { reply }).is_ok() {
            // If the dispatcher is gone, no evaluation runs.
            let _ = answer.await;
        }
    }
}

/// Tells the dispatcher, when dropped, that nobody waits for a request any more.
struct Leave<'a, E: Evaluate> {
    id: u64,
    requests: &'a mpsc::UnboundedSender<Request<E>>,
}

impl<E: Evaluate> Drop for Leave<'_, E> {
    fn drop(&mut self) {
        // The dispatcher ignores this for a request that it has answered.
        let _ = self.requests.send(Request::Leave { id: self.id });
    }
}

#[cfg(test)]
mod tests;
