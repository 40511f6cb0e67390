//! Stages that cannot be run because arguments are missing, or because a value of the manifest cannot be made.

use std::collections::HashSet;
use std::fmt;

use pipeline::{LinkError, Stage, StageBody, StageGraph, StageId};
use serde_json::{Value as Json, json};

use crate::args::Options;
use crate::call::Linked;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::report::{Report, Result};

/// A stage that cannot be run because of something that it, or a stage that it needs, lacks.
pub(super) struct NotRun {
    pub(super) stage: String,
    /// The reason, such as ``stage `test` needs `src` (directory)``.
    pub(super) why: String,
    is_own: bool,
    /// The error of a value that cannot be made; none if an argument is missing.
    unmade: Option<Report>,
}

impl NotRun {
    /// Returns the entry of the stage in an output as JSON.
    pub(super) fn json(&self) -> Json {
        json!({ "stage": self.stage, "why": self.why })
    }
}

impl fmt::Display for NotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_own {
            true => f.write_str(&self.why),
            false => write!(f, "stage `{}`, because {}", self.stage, self.why),
        }
    }
}

/// Divides stages into those that can be run and those that lack something. A function that lacks arguments and that
/// stages of the manifest call with theirs is neither.
///
/// # Errors
/// If stages need each other.
pub(super) fn divide(linked: &Linked, stages: Vec<StageId>) -> Result<(Vec<StageId>, Vec<NotRun>)> {
    // One walk for all of them: there may be thousands that need the same.
    if !stages.is_empty() && linked.order(&stages).is_ok() {
        return Ok((stages, Vec::new()));
    }
    let graph = &linked.graph;
    let called = called_by_manifest(graph);
    let is_template =
        |stage: &Stage| stage.position.is_none() && function(stage).is_some_and(|function| called.contains(&function));
    let (mut wanted, mut not_run) = (Vec::new(), Vec::new());
    for id in stages {
        let stage = graph.stage(id).name.clone();
        match graph.order(&[id]).map(|order| linked.unmade(&order)) {
            Ok(None) => wanted.push(id),
            Ok(Some((lacking, report))) => {
                let why = std::iter::once(report.message()).chain(report.causes().iter().map(String::as_str));
                let why = why.collect::<Vec<_>>().join(": ");
                not_run.push(NotRun { stage, why, is_own: lacking == id, unmade: Some(report) });
            }
            Err(LinkError::Missing { .. }) if is_template(graph.stage(id)) => {}
            Err(error @ LinkError::Missing { .. }) => {
                let is_own = matches!(&error, LinkError::Missing { path: None, .. });
                not_run.push(NotRun { stage, why: error.to_string(), is_own, unmade: None });
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

/// Makes the error that names what was not run, and says what to do about it. It is wrong usage if an argument is
/// missing, and else what the first value is that cannot be made.
pub(super) fn refused(message: String, not_run: &[NotRun]) -> Report {
    let is_lacking = not_run.iter().any(|not_run| not_run.unmade.is_none());
    let unmade = not_run.iter().find_map(|not_run| not_run.unmade.as_ref()).filter(|_| !is_lacking);
    let report = match unmade {
        Some(unmade) => unmade.with_message(message),
        None => {
            Report::usage(message).with_hint("give what is missing by `--arg NAME=VALUE`, or by `args` in the manifest")
        }
    };
    not_run.iter().fold(report, |report, not_run| report.caused_by(not_run.to_string()))
}

/// Returns whether what is not run counts as a mistake: with `--strict`, and in CI.
pub(super) fn is_strict(options: &Options, context: &Context<'_>) -> bool {
    options.has("strict") || context.config.is_ci
}

/// Returns the exit status of a run. A run that succeeded is an error if `is_strict` is set and something was not run.
pub(super) fn status(ended: ExitStatus, not_run: &[NotRun], is_strict: bool, context: &Context<'_>) -> ExitStatus {
    if ended != ExitStatus::Done || not_run.is_empty() || !is_strict {
        return ended;
    }
    let n_missing = not_run.len();
    let stages = if n_missing == 1 { "stage was" } else { "stages were" };
    let message = format!("{n_missing} {stages} not run, which is a mistake with `--strict` and in CI");
    let report = refused(message, not_run);
    context.io.report(&report);
    report.status()
}
