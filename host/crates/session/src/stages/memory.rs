//! The memory of a run's stages: their start and their failures.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use api::{Caller, Value};
use engine::Failure;
use pipeline::StageId;

/// The memory of the stages that ran.
#[derive(Default)]
pub(super) struct Memory {
    stages: Mutex<HashMap<StageId, Remembered>>,
}

#[derive(Default)]
pub(super) struct Remembered {
    /// The time of the first call of its function.
    pub(super) since: Option<Instant>,
    /// The origin of its commands: the function that it calls, and the stage itself.
    pub(super) origin: Option<Arc<Caller>>,
    pub(super) failure: Option<Failure>,
    /// The report that it failed by.
    pub(super) report: Option<Value>,
    /// The failures that its function was told of.
    pub(super) seen_failures: Vec<Failure>,
}

impl Memory {
    pub(super) fn begins(&self, id: StageId) {
        self.lock().entry(id).or_default().since.get_or_insert_with(Instant::now);
    }

    pub(super) fn saw_failures(&self, id: StageId, failures: Vec<Failure>) {
        self.lock().entry(id).or_default().seen_failures = failures;
    }

    pub(super) fn failed(&self, id: StageId, failure: &Failure) {
        self.lock().entry(id).or_default().failure = Some(failure.clone());
    }

    /// Returns the time since a stage began.
    pub(super) fn took(&self, id: StageId) -> Duration {
        self.lock().get(&id).and_then(|stage| stage.since).map(|since| since.elapsed()).unwrap_or_default()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<StageId, Remembered>> {
        self.stages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
