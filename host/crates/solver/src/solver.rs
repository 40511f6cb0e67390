//! The front: asks the dispatcher and waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use graph::Edge;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::dispatcher::{Dispatcher, Request};
use crate::evaluate::Evaluate;

/// Evaluates graphs by means of a [`Evaluate`]. Lives for one session.
pub struct Solver<E: Evaluate> {
    requests: mpsc::UnboundedSender<Request<E>>,
    next_id: AtomicU64,
    /// Ends with the solver.
    _dispatcher: JoinSet<()>,
}

/// The solver's own task has ended, which only a panic in it can cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SolverGone;

impl<E: Evaluate> Solver<E> {
    /// Starts a solver that evaluates at most `n_jobs` vertices that take a slot at the same time.
    ///
    /// Must be called inside a tokio runtime.
    #[must_use]
    pub fn new(evaluator: Arc<E>, n_jobs: usize) -> Self {
        let (requests, receiver) = mpsc::unbounded_channel();
        let mut dispatcher = JoinSet::new();
        dispatcher.spawn(Dispatcher::new(evaluator, n_jobs, receiver).run());
        Self { requests, next_id: AtomicU64::new(0), _dispatcher: dispatcher }
    }

    /// Evaluates edges and returns the values of their vertices, in order.
    ///
    /// # Errors
    /// The outer if the solver is gone; the inner is that of the first edge without a value.
    ///
    /// # Cancel safety
    /// Dropping the future takes back the interest: what nobody else waits for is cancelled.
    pub async fn solve(&self, edges: &[Edge]) -> Result<Result<Vec<E::Value>, E::Error>, SolverGone> {
        let (reply, answer) = oneshot::channel();
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let request = Request::Solve { id, edges: edges.to_vec(), reply };
        self.requests.send(request).map_err(|_| SolverGone)?;
        let _leave = Leave { id, requests: &self.requests };
        answer.await.map_err(|_| SolverGone)
    }

    /// Forgets what failed: it is evaluated again by requests that come later.
    pub fn forget_failures(&self) {
        // A dispatcher that is gone remembers nothing.
        let _ = self.requests.send(Request::ForgetFailures);
    }

    /// Waits until nothing is being evaluated: what nobody waits for any more has been cancelled, and has ended.
    pub async fn settle(&self) {
        let (reply, answer) = oneshot::channel();
        if self.requests.send(Request::Settle { reply }).is_ok() {
            // A dispatcher that is gone evaluates nothing.
            let _ = answer.await;
        }
    }
}

/// Tells the dispatcher when a request is not waited for any more.
struct Leave<'a, E: Evaluate> {
    id: u64,
    requests: &'a mpsc::UnboundedSender<Request<E>>,
}

impl<E: Evaluate> Drop for Leave<'_, E> {
    fn drop(&mut self) {
        // A request that was answered is unknown to the dispatcher, and leaving it does nothing.
        let _ = self.requests.send(Request::Leave { id: self.id });
    }
}

#[cfg(test)]
mod tests;
