//! The lines of `--events`; their keys are documented in `docs/command-line.md`.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use api::Origins;
use engine::{Change, Outcome, Reason};
use serde_json::{Map, Value as Json, json};
use terminal::rfc3339;

use super::{Counts, Vertex, text};
use crate::events::{StageEvent, StageOutcome};

/// The file of `--events`. One that can no longer be written does not stop a run.
#[derive(Debug)]
pub struct EventsFile {
    path: PathBuf,
    file: File,
    /// Why a line could not be written. None is written after it.
    failure: Mutex<Option<io::Error>>,
}

impl EventsFile {
    /// Makes the file, or empties it.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), file: File::create(path)?, failure: Mutex::default() })
    }

    /// Returns its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns why a line could not be written, if there is one, and forgets it.
    pub fn take_failure(&self) -> Option<io::Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn write_line(&self, line: Map<String, Json>) {
        let mut text = Json::Object(line).to_string();
        text.push('\n');
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.is_none() {
            // One write a line: what is read while the run goes on, or after it was killed, is whole.
            *failure = (&self.file).write_all(text.as_bytes()).err();
        }
    }
}

/// Writes the line of a vertex, with who asked for it as far as that is known. `title` stands for the stage if it is not.
pub fn write(file: &EventsFile, title: &str, origins: &Origins, vertex: &Vertex) {
    let stage = origins.stage_of(vertex.event.digest);
    let mut line = Map::new();
    line.insert("event".to_owned(), json!("vertex"));
    line.extend(entry(vertex));
    line.insert("stage".to_owned(), json!(stage.as_deref().unwrap_or(title)));
    if let Some(caller) = origins.of(vertex.event.digest) {
        line.insert("function".to_owned(), json!(&*caller.function));
    }
    file.write_line(line);
}

/// Writes the line of a stage whose function ended.
pub fn write_stage(file: &EventsFile, event: &StageEvent) {
    let (outcome, error) = match &event.outcome {
        StageOutcome::Returned => ("returned", None),
        StageOutcome::Retried { message } => ("retried", Some(message)),
        StageOutcome::Failed { message } => ("failed", Some(message)),
    };
    let mut line = json!({
        "event": "stage",
        "stage": event.stage,
        "fed_by": event.fed_by,
        "start": rfc3339(event.at),
        "end": rfc3339(event.at + event.duration),
        "duration_ms": millis(event.duration),
        "outcome": outcome,
    });
    if let (Some(error), Some(line)) = (error, line.as_object_mut()) {
        line.insert("error".to_owned(), json!(error));
    }
    line.as_object().cloned().into_iter().for_each(|line| file.write_line(line));
}

/// Writes the line of an image: its name, and the reference that the name means in this run.
pub fn write_image(file: &EventsFile, name: &str, reference: &str) {
    let line = json!({ "event": "image", "name": name, "reference": reference });
    line.as_object().cloned().into_iter().for_each(|line| file.write_line(line));
}

/// Writes the last line.
pub fn write_end(file: &EventsFile, counts: Counts, elapsed: Duration) {
    let Counts { n_ran, n_cached, n_failed, n_cancelled, n_planned, n_trivial } = counts;
    let line = json!({
        "event": "end",
        "ran": n_ran,
        "cached": n_cached,
        "failed": n_failed,
        "cancelled": n_cancelled,
        "planned": n_planned,
        "trivial": n_trivial,
        "duration_ms": millis(elapsed),
    });
    line.as_object().cloned().into_iter().for_each(|line| file.write_line(line));
}

/// Returns the keys and values of a vertex.
pub(super) fn entry(vertex: &Vertex) -> Map<String, Json> {
    let Vertex { event, outcome, reason, duration } = vertex;
    let mut entry = Map::new();
    let mut put = |key: &str, value: Json| entry.insert(key.to_owned(), value);
    put("vertex", json!(event.digest.to_string()));
    put("name", json!(&*event.name));
    put("operation", json!(event.name.split(' ').next().unwrap_or_default()));
    put("start", json!(rfc3339(event.at)));
    put("end", json!(rfc3339(event.at + *duration)));
    put("duration_ms", millis(*duration));
    put("outcome", json!(outcome_code(outcome)));
    put("reason", json!(reason.code()));
    put("reason_text", json!(reason.describe()));
    if let Some(changed) = changed(reason) {
        put("changed", changed);
    }
    match outcome {
        Outcome::ExecFailed(status) => {
            put("error", json!(text::exec_status(*status)));
        }
        Outcome::Failed(message) => {
            put("error", json!(message));
        }
        Outcome::Cached | Outcome::Ran | Outcome::Cancelled | Outcome::Planned => {}
    }
    put("inputs", json!(event.inputs.iter().map(ToString::to_string).collect::<Vec<_>>()));
    entry
}

/// Returns what changed in the input of a vertex, if that is why it was evaluated.
#[must_use]
pub fn changed(reason: &Reason) -> Option<Json> {
    let Reason::InputChanged { input, was, is, changes } = reason else { return None };
    let file = |change: &Change| json!({ "path": change.path, "how": change.kind.word() });
    let files: Vec<Json> = changes.first.iter().map(file).collect();
    let (was, is) = (was.to_string(), is.to_string());
    Some(json!({ "input": input, "was": was, "is": is, "files": files, "more": changes.has_more }))
}

/// Returns the word for the way in which a vertex ended.
pub(super) fn outcome_code(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Cached => "cached",
        Outcome::Ran => "ran",
        Outcome::ExecFailed(_) | Outcome::Failed(_) => "failed",
        Outcome::Cancelled => "cancelled",
        Outcome::Planned => "planned",
    }
}

fn millis(duration: Duration) -> Json {
    json!((duration.as_secs_f64() * 1e6).round() / 1e3)
}
