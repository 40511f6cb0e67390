//! What is told of stages while they run.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Takes what happens to stages; called from any thread, must not block.
pub type StageSink = Arc<dyn Fn(StageEvent) + Send + Sync>;

/// A stage that ended.
#[derive(Debug, Clone)]
pub struct StageEvent {
    /// Its name.
    pub stage: String,
    /// The stages that made something for it.
    pub fed_by: Vec<String>,
    /// When it began.
    pub at: SystemTime,
    /// How long its function took, with what it waited for. What it only describes runs later.
    pub duration: Duration,
    /// How it ended.
    pub outcome: StageOutcome,
}

/// How a stage ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StageOutcome {
    /// Its function returned.
    Returned,
    /// It failed and is tried again.
    Retried {
        /// Why it failed.
        message: String,
    },
    /// It failed.
    Failed {
        /// Why.
        message: String,
    },
}
