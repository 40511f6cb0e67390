//! Stages that cannot be run because arguments are missing.

use std::collections::HashSet;
use std::fmt;

use pipeline::{LinkError, Stage, StageBody, StageGraph, StageId};

use crate::args::Options;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::report::{Report, Result};

/// A stage that cannot be run because it, or a stage that it needs, lacks arguments.
pub(super) struct NotRun {
    pub(super) stage: String,
    /// The reason, such as ``stage `test` needs `src` (directory)``.
    pub(super) why: String,
    is_own: bool,
}

impl fmt::Display for NotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_own {
            true => f.write_str(&self.why),
            false => write!(f, "stage `{}`, because {}", self.stage, self.why),
        }
    }
}

/// Divides stages into those that can be run and those that lack arguments. A function that lacks arguments and that
/// stages of the manifest call with theirs is neither.
///
/// # Errors
/// If stages need each other.
pub(super) fn divide(graph: &StageGraph, stages: Vec<StageId>) -> Result<(Vec<StageId>, Vec<NotRun>)> {
    // One walk for all of them: there may be thousands that need the same.
    if !stages.is_empty() && graph.order(&stages).is_ok() {
        return Ok((stages, Vec::new()));
    }
    let called = called_by_manifest(graph);
    let is_template =
        |stage: &Stage| stage.position.is_none() && function(stage).is_some_and(|function| called.contains(&function));
    let (mut wanted, mut not_run) = (Vec::new(), Vec::new());
    for id in stages {
        match graph.order(&[id]) {
            Ok(_) => wanted.push(id),
            Err(LinkError::Missing { .. }) if is_template(graph.stage(id)) => {}
            Err(error @ LinkError::Missing { .. }) => {
                let is_own = matches!(&error, LinkError::Missing { path: None, .. });
                not_run.push(NotRun { stage: graph.stage(id).name.clone(), why: error.to_string(), is_own });
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok((wanted, not_run))
}

/// Returns the functions that stages of the manifest call, each with the dependency that has it.
fn called_by_manifest(graph: &StageGraph) -> HashSet<(Option<&str>, &str)> {
    graph.stages().iter().filter(|stage| stage.position.is_some()).filter_map(function).collect()
}

fn function(stage: &Stage) -> Option<(Option<&str>, &str)> {
    match &stage.body {
        StageBody::Call { dependency, function } => Some((dependency.as_deref(), function)),
        StageBody::From(_) => None,
    }
}

/// Adds what was not run to an error, and says what to do about it.
pub(super) fn told(report: Report, not_run: &[NotRun]) -> Report {
    let report = not_run.iter().fold(report, |report, not_run| report.caused_by(not_run.to_string()));
    report.with_hint("give what is missing by `--arg NAME=VALUE`, or by `args` in the manifest")
}

/// Returns whether what is not run counts as a mistake: with `--strict`, and in CI.
pub(super) fn is_strict(options: &Options, context: &Context<'_>) -> bool {
    options.has("strict") || context.config.is_ci
}

/// Returns the exit status of a run. A run that succeeded is wrong usage if `is_strict` is set and something was not run.
pub(super) fn status(ended: ExitStatus, not_run: &[NotRun], is_strict: bool, context: &Context<'_>) -> ExitStatus {
    if ended != ExitStatus::Done || not_run.is_empty() || !is_strict {
        return ended;
    }
    let n_missing = not_run.len();
    let stages = if n_missing == 1 { "stage was" } else { "stages were" };
    let report = Report::usage(format!("{n_missing} {stages} not run, which is a mistake with `--strict` and in CI"));
    context.io.report(&told(report, not_run));
    ExitStatus::Usage
}
