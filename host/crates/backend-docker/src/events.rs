//! What is told of vertices.

use std::time::{Instant, SystemTime};

use backend::{Failure, Outcome, VertexEvent};
use graph::Vertex;

/// When something began: for people, and for measuring.
#[derive(Clone, Copy)]
pub(crate) struct Began {
    pub(crate) at: SystemTime,
    pub(crate) clock: Instant,
}

impl Began {
    pub(crate) fn now() -> Self {
        Self { at: SystemTime::now(), clock: Instant::now() }
    }
}

pub(crate) fn event_of(vertex: &Vertex, at: SystemTime) -> VertexEvent {
    VertexEvent {
        digest: vertex.digest(),
        name: vertex.op().describe().into(),
        inputs: vertex.inputs().iter().map(|input| input.edge.vertex.digest()).collect(),
        at,
    }
}

pub(crate) fn outcome_of(failure: &Failure) -> Outcome {
    match failure {
        Failure::Exec(failure) => Outcome::ExecFailed(failure.status),
        Failure::Cancelled => Outcome::Cancelled,
        other => Outcome::Failed(other.to_string()),
    }
}
