//! The outcomes of the stages of a run, for people and for programs.

mod json;
mod suites;
mod text;

use std::path::Path;
use std::time::Duration;

use api::Value;
use pipeline::{StageGraph, StageId};

use super::lacking::NotRun;
use crate::exit::ExitStatus;
use crate::platform::Ended;
use crate::report::{Report, Result};

pub(super) use api::shown::is_data;
pub(super) use text::line;

/// The outcomes of a run.
pub(super) struct Outcomes {
    /// The wanted stages in their order, followed by other stages that failed.
    pub(super) stages: Vec<StageOutcome>,
    /// An entry for each stage that failed by itself.
    pub(super) failures: Vec<StageFailure>,
}

/// The outcome of a stage.
pub(super) struct StageOutcome {
    pub(super) stage: StageId,
    /// Whether the stage was wanted itself, and not only needed by one that was.
    pub(super) is_wanted: bool,
    pub(super) kind: OutcomeKind,
    /// The time that it took; none if it was not evaluated.
    pub(super) took: Option<Duration>,
    /// The result of the stage; also if it failed because of a case of the report that it returned.
    pub(super) value: Option<Value>,
}

/// The way in which a stage ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum OutcomeKind {
    Done,
    Failed,
    /// It failed, which `allow-failure` of the manifest permits.
    FailedAllowed,
    /// A stage that it needs failed.
    Skipped {
        /// The stage that failed.
        culprit: StageId,
        /// Whether that stage may fail.
        is_allowed: bool,
    },
    /// It was stopped because another stage failed.
    Stopped,
}

/// The failure of a stage.
pub(super) struct StageFailure {
    pub(super) stage: StageId,
    pub(super) is_allowed: bool,
    /// The function that described the failed operation, such as `shop.build`.
    pub(super) function: Option<String>,
    pub(super) report: Report,
    /// For each skipped stage the way on which it needs this one, such as `pack <- test <- build`.
    pub(super) paths: Vec<String>,
}

impl Outcomes {
    /// Sorts the outcomes of the wanted stages.
    pub(super) fn new(graph: &StageGraph, wanted: &[StageId], ended: Vec<Ended>) -> Self {
        let mut outcomes = Self { stages: Vec::new(), failures: Vec::new() };
        let mut culprits = Vec::new();
        for (&stage, ended) in wanted.iter().zip(ended) {
            let (kind, took, value) = match ended {
                Ended::Done { value, took } => (OutcomeKind::Done, Some(took), Some(value)),
                Ended::Stopped => (OutcomeKind::Stopped, None, None),
                Ended::Failed { culprit, function, report, value, took } => {
                    let is_allowed = graph.stage(culprit).policy.is_failure_allowed;
                    let path = (culprit != stage).then(|| graph.way(stage, culprit));
                    outcomes
                        .fail(StageFailure { stage: culprit, is_allowed, function, report, paths: Vec::new() }, path);
                    culprits.push((culprit, took));
                    match culprit == stage {
                        true => (failed(is_allowed), Some(took), value),
                        false => (OutcomeKind::Skipped { culprit, is_allowed }, None, None),
                    }
                }
            };
            outcomes.stages.push(StageOutcome { stage, is_wanted: true, kind, took, value });
        }
        culprits.into_iter().for_each(|(culprit, took)| outcomes.add_culprit(graph, culprit, took));
        outcomes
    }

    /// Adds a failure, or another skipped stage to a known failure.
    fn fail(&mut self, failure: StageFailure, path: Option<String>) {
        let known = self.failures.iter_mut().find(|known| known.stage == failure.stage);
        match known {
            Some(known) => known.paths.extend(path),
            None => self.failures.push(StageFailure { paths: path.into_iter().collect(), ..failure }),
        }
    }

    /// Adds a stage that failed. If it was wanted itself and counted as stopped, it counts as failed now.
    fn add_culprit(&mut self, graph: &StageGraph, culprit: StageId, took: Duration) {
        let kind = failed(graph.stage(culprit).policy.is_failure_allowed);
        let known = self.stages.iter_mut().find(|outcome| outcome.stage == culprit);
        match known {
            Some(known) if known.kind == OutcomeKind::Stopped => {
                (known.kind, known.took) = (kind, Some(took));
            }
            Some(_) => {}
            None => {
                let outcome = StageOutcome { stage: culprit, is_wanted: false, kind, took: Some(took), value: None };
                self.stages.push(outcome);
            }
        }
    }

    /// Writes the outcomes to a file, as JUnit XML. What was not run is an error if `is_strict` is set, and else skipped.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn write_junit(
        &self,
        path: &Path,
        module: &str,
        graph: &StageGraph,
        (not_run, is_strict): (&[NotRun], bool),
    ) -> Result<()> {
        let mut suites = suites::of(self, graph);
        suites.extend(not_run.iter().map(|not_run| suites::lacking(not_run, is_strict)));
        std::fs::write(path, pipeline::junit(module, &suites))
            .map_err(|error| Report::unwritable(format!("cannot write the report to `{}`", path.display()), &error))
    }

    /// Returns the exit status: the highest code of all failures that are not allowed.
    pub(super) fn status(&self) -> ExitStatus {
        let failures = self.failures.iter().filter(|failure| !failure.is_allowed);
        failures.map(|failure| failure.report.status()).max_by_key(|status| status.code()).unwrap_or(ExitStatus::Done)
    }
}

fn failed(is_allowed: bool) -> OutcomeKind {
    if is_allowed { OutcomeKind::FailedAllowed } else { OutcomeKind::Failed }
}
