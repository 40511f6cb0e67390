//! From BuildKit's progress to events, and to what a failure needs.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use bollard_buildkit_proto::google::protobuf::Timestamp;
use bollard_buildkit_proto::moby::buildkit::v1::{Vertex, VertexLog};
use engine::{Event, Outcome, OutputStream, Reason};

use super::evaluator::LlbEvaluator;
use super::step::Step;
use crate::buildkit::Progress;
use crate::step::trailer;
use evaluate::vertex_event;

/// Watches one solve.
pub(crate) struct Watch<'a> {
    engine: &'a LlbEvaluator,
    steps: HashMap<String, Watched>,
    /// Operations that failed, with what BuildKit says.
    failed: Vec<(String, String)>,
}

/// A command that is watched.
pub(crate) struct Watched {
    pub(crate) step: Arc<Step>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    n_shown: usize,
    /// This solve tells what happens to it.
    is_ours: bool,
    is_started: bool,
    is_done: bool,
}

impl<'a> Watch<'a> {
    /// Watches these commands.
    pub(crate) fn new(engine: &'a LlbEvaluator, steps: &[Arc<Step>]) -> Self {
        let watched = |step: &Arc<Step>| {
            // One solve tells of a command, however many need it.
            let is_ours = step.record().is_none() && !step.is_told.swap(true, Ordering::AcqRel);
            let step = Arc::clone(step);
            Watched { step, stdout: vec![], stderr: vec![], n_shown: 0, is_ours, is_started: false, is_done: false }
        };
        let steps = steps.iter().map(|step| (step.llb.digest().to_owned(), watched(step))).collect();
        Self { engine, steps, failed: Vec::new() }
    }

    /// Takes the next news.
    pub(crate) fn take(&mut self, news: Progress) {
        for vertex in &news.vertexes {
            self.vertex(vertex, false);
        }
        for log in &news.logs {
            self.log(log);
        }
        for vertex in &news.vertexes {
            self.vertex(vertex, true);
        }
    }

    fn vertex(&mut self, vertex: &Vertex, are_logs_taken: bool) {
        if are_logs_taken && !vertex.error.is_empty() && !self.failed.iter().any(|(digest, _)| *digest == vertex.digest)
        {
            self.failed.push((vertex.digest.clone(), vertex.error.clone()));
        }
        let Some(watched) = self.steps.get_mut(&vertex.digest) else { return };
        let started = vertex.started.as_ref().map(time);
        if let (Some(at), false, false) = (started, vertex.cached, watched.is_started) {
            watched.is_started = true;
            if watched.is_ours {
                (self.engine.io.events)(Event::Started(vertex_event(&watched.step.vertex, at)));
            }
        }
        let is_over = vertex.completed.is_some() && vertex.error.is_empty();
        if are_logs_taken && is_over && !watched.is_done {
            watched.is_done = true;
            let at = started.unwrap_or_else(SystemTime::now);
            let took = vertex.completed.as_ref().and_then(|end| time(end).duration_since(at).ok());
            let (outcome, reason) = match vertex.cached {
                true => (Outcome::Cached, Reason::Hit),
                false => (Outcome::Ran, watched.step.reason.clone()),
            };
            watched.tell(self.engine, outcome, reason, at, took.unwrap_or_default());
        }
    }

    fn log(&mut self, log: &VertexLog) {
        let Some(watched) = self.steps.get_mut(&log.vertex) else { return };
        let vertex = watched.step.vertex.digest();
        let (stream, shown) = if log.stream == 1 {
            watched.stdout.extend_from_slice(&log.msg);
            (OutputStream::Stdout, log.msg.as_slice())
        } else {
            watched.stderr.extend_from_slice(&log.msg);
            let from = std::mem::replace(&mut watched.n_shown, trailer::shown(&watched.stderr));
            (OutputStream::Stderr, watched.stderr.get(from..watched.n_shown).unwrap_or_default())
        };
        if watched.is_ours && !shown.is_empty() {
            (self.engine.io.events)(Event::Output { vertex, stream, bytes: shown.into() });
        }
    }

    /// Returns whether all has been told that this solve tells.
    pub(crate) fn is_over(&self) -> bool {
        self.steps.values().all(|watched| watched.is_done || !watched.is_ours)
    }

    /// Returns the commands that failed, in the order in which they did, and what BuildKit says of other operations.
    pub(crate) fn failures(&self) -> (Vec<(&Watched, &str)>, Vec<&str>) {
        let (mut commands, mut others) = (Vec::new(), Vec::new());
        for (digest, error) in &self.failed {
            match self.steps.get(digest) {
                Some(watched) => commands.push((watched, error.as_str())),
                None => others.push(error.as_str()),
            }
        }
        (commands, others)
    }

    /// Returns all operations that failed.
    pub(crate) fn failed_digests(&self) -> Vec<String> {
        self.failed.iter().map(|(digest, _)| digest.clone()).collect()
    }

    /// Tells that a command failed; of the others that were under way, that they were stopped.
    pub(crate) fn end(&mut self, failed: Option<(&str, &Outcome)>) {
        for (digest, watched) in &mut self.steps {
            if watched.is_done || !watched.is_started {
                continue;
            }
            watched.is_done = true;
            let outcome = match failed {
                Some((failed, outcome)) if failed == digest => outcome.clone(),
                _ => Outcome::Cancelled,
            };
            let reason = watched.step.reason.clone();
            watched.tell(self.engine, outcome, reason, SystemTime::now(), Duration::ZERO);
        }
    }
}

impl Watched {
    fn tell(&mut self, engine: &LlbEvaluator, outcome: Outcome, reason: Reason, at: SystemTime, duration: Duration) {
        if self.is_ours {
            let vertex = vertex_event(&self.step.vertex, at);
            (engine.io.events)(Event::Finished { vertex, outcome, reason, duration });
        }
    }
}

impl Drop for Watch<'_> {
    /// Tells of what was under way, and leaves it to others.
    fn drop(&mut self) {
        self.end(None);
        for watched in self.steps.values().filter(|watched| watched.is_ours) {
            if watched.step.record().is_none() {
                watched.step.is_told.store(false, Ordering::Release);
            }
        }
    }
}

fn time(stamp: &Timestamp) -> SystemTime {
    let seconds = Duration::from_secs(u64::try_from(stamp.seconds).unwrap_or(0));
    SystemTime::UNIX_EPOCH + seconds + Duration::from_nanos(u64::try_from(stamp.nanos).unwrap_or(0))
}
