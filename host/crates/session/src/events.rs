//! The events of running stages.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Takes the events of stages. It is called from any thread and must not block.
pub type StageSink = Arc<dyn Fn(StageEvent) + Send + Sync>;

/// The end of an attempt to run a stage.
#[derive(Debug, Clone)]
pub struct StageEvent {
    /// The name of the stage.
    pub stage: String,
    /// The names of the stages whose results it took.
    pub fed_by: Vec<String>,
    /// The time at which it began.
    pub at: SystemTime,
    /// The time that its function took, including the time that it waited. Commands that the function only describes
    /// run later.
    pub duration: Duration,
    /// The outcome of the attempt.
    pub outcome: StageOutcome,
}

/// The outcome of an attempt to run a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StageOutcome {
    /// The function of the stage returned.
    Returned,
    /// The stage failed and is tried again.
    Retried {
        /// The reason of the failure.
        message: String,
    },
    /// The stage failed.
    Failed {
        /// The reason of the failure.
        message: String,
    },
}
