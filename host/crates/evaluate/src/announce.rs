//! Tells what happens to vertices.

use std::time::{Instant, SystemTime};

use engine::{Event, EventSink, Failure, Outcome, Reason, VertexEvent};
use graph::Vertex;

/// Tells the session what happens to vertices.
#[derive(Clone)]
pub struct Announcer {
    events: EventSink,
}

/// The moment at which something began: a time for people, and a clock for measuring.
#[derive(Debug, Clone, Copy)]
pub struct Began {
    /// The time of day.
    pub at: SystemTime,
    clock: Instant,
}

impl Began {
    /// Returns this moment.
    #[must_use]
    pub fn now() -> Self {
        Self { at: SystemTime::now(), clock: Instant::now() }
    }
}

impl Announcer {
    /// Makes an announcer that sends its events there.
    #[must_use]
    pub fn new(events: EventSink) -> Self {
        Self { events }
    }

    /// Tells that the evaluation of a vertex began.
    pub fn started(&self, vertex: &Vertex, at: SystemTime) {
        (self.events)(Event::Started(vertex_event(vertex, at)));
    }

    /// Tells that a vertex has a value, or will have none.
    pub fn finished(&self, vertex: &Vertex, outcome: Outcome, reason: Reason, began: Began) {
        let duration = began.clock.elapsed();
        (self.events)(Event::Finished { vertex: vertex_event(vertex, began.at), outcome, reason, duration });
    }

    /// Tells that a vertex will have no value.
    pub fn failed(&self, vertex: &Vertex, failure: &Failure, reason: Reason, began: Began) {
        self.finished(vertex, outcome_of(failure), reason, began);
    }
}

/// Returns what is told of a vertex that began at a time.
#[must_use]
pub fn vertex_event(vertex: &Vertex, at: SystemTime) -> VertexEvent {
    VertexEvent {
        digest: vertex.digest(),
        name: vertex.op().describe().into(),
        inputs: vertex.inputs().iter().map(|input| input.edge.vertex.digest()).collect(),
        at,
    }
}

/// Returns the outcome of an evaluation that failed.
#[must_use]
pub fn outcome_of(failure: &Failure) -> Outcome {
    match failure {
        Failure::Exec(failure) => Outcome::ExecFailed(failure.status),
        Failure::Cancelled => Outcome::Cancelled,
        other => Outcome::Failed(other.to_string()),
    }
}
