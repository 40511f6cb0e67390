//! The record of a run: how its vertices and stages ended, as lines for people and for programs.

pub mod events;
mod explain;
pub mod text;

use std::time::Duration;

use engine::{Outcome, Reason, VertexEvent};

pub use explain::Explain;

/// A vertex that has ended.
pub struct Vertex {
    /// The vertex, and the time at which it began.
    pub event: VertexEvent,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it ran, or did not.
    pub reason: Reason,
    /// The time that it took.
    pub duration: Duration,
}

/// Numbers of vertices by the way in which they ended.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    /// Vertices that were evaluated.
    pub n_ran: usize,
    /// Vertices whose value was known.
    pub n_cached: usize,
    /// Vertices that failed.
    pub n_failed: usize,
    /// Vertices that were stopped.
    pub n_cancelled: usize,
    /// Vertices of a dry run that a real run would evaluate.
    pub n_planned: usize,
    /// Vertices that are evaluated in every run, or are too cheap to be cached.
    pub n_trivial: usize,
}

impl Vertex {
    /// Returns whether the vertex is evaluated in every run, or is too cheap to be cached.
    #[must_use]
    pub fn is_trivial(&self) -> bool {
        matches!(self.reason, Reason::Source | Reason::Cheap)
    }
}

impl Counts {
    /// Counts a vertex that has ended.
    pub fn add(&mut self, vertex: &Vertex) {
        let count = match &vertex.outcome {
            Outcome::Ran | Outcome::Cached if vertex.is_trivial() => &mut self.n_trivial,
            Outcome::Ran => &mut self.n_ran,
            Outcome::Cached => &mut self.n_cached,
            Outcome::ExecFailed(_) | Outcome::Failed(_) => &mut self.n_failed,
            Outcome::Cancelled => &mut self.n_cancelled,
            Outcome::Planned => &mut self.n_planned,
        };
        *count += 1;
    }

    /// Returns the number of all vertices.
    #[must_use]
    pub fn n_total(self) -> usize {
        let Self { n_ran, n_cached, n_failed, n_cancelled, n_planned, n_trivial } = self;
        n_ran + n_cached + n_failed + n_cancelled + n_planned + n_trivial
    }
}
