//! Turns the outcomes of stages into suites of test cases.

use std::time::Duration;

use pipeline::{Case, CaseOutcome, CaseReport, CaseVerdict, StageGraph, Suite, SuiteCase};

use super::{OutcomeKind, Outcomes, StageOutcome, is_data};
use crate::commands::lacking::NotRun;
use crate::output;

/// Returns a suite for each wanted stage, in their order.
pub(super) fn of(outcomes: &Outcomes, graph: &StageGraph) -> Vec<Suite> {
    let wanted = outcomes.stages.iter().filter(|outcome| outcome.is_wanted);
    wanted.map(|outcome| suite(outcome, outcomes, graph)).collect()
}

fn suite(outcome: &StageOutcome, outcomes: &Outcomes, graph: &StageGraph) -> Suite {
    let name = graph.stage(outcome.stage).name.clone();
    let took = outcome.took.unwrap_or_default();
    if let Some(report) = outcome.value.as_ref().and_then(CaseReport::read) {
        let cases = report.cases.into_iter().map(case).collect();
        return Suite { name, took, cases, output: report.summary };
    }
    let whole = SuiteCase { name: name.clone(), took, outcome: whole(outcome, outcomes, graph) };
    let output = outcome.value.as_ref().filter(|value| is_data(value)).map(output::plain).unwrap_or_default();
    Suite { name, took, cases: vec![whole], output }
}

fn case(case: Case) -> SuiteCase {
    let Case { name, verdict, message, took } = case;
    let outcome = match verdict {
        CaseVerdict::Passed => CaseOutcome::Passed,
        CaseVerdict::Failed => CaseOutcome::Failed { text: message.clone(), message },
        CaseVerdict::Skipped => CaseOutcome::Skipped { message },
    };
    SuiteCase { name, took, outcome }
}

/// Returns the suite of a stage that was not run.
pub(super) fn lacking(not_run: &NotRun, is_strict: bool) -> Suite {
    let message = format!("not run: {}", not_run.why);
    let outcome = match is_strict {
        true => CaseOutcome::Error { message, text: String::new() },
        false => CaseOutcome::Skipped { message },
    };
    let (name, took) = (not_run.stage.clone(), Duration::ZERO);
    Suite { name: name.clone(), took, cases: vec![SuiteCase { name, took, outcome }], output: String::new() }
}

/// Returns the only case of a stage that has no report.
fn whole(outcome: &StageOutcome, outcomes: &Outcomes, graph: &StageGraph) -> CaseOutcome {
    let failure = |stage| outcomes.failures.iter().find(|failure| failure.stage == stage);
    let why = failure(outcome.stage).map(|failure| {
        let report = &failure.report;
        (report.causes().first().map_or(report.message(), String::as_str).to_owned(), report.render())
    });
    let (message, text) = why.unwrap_or_default();
    match &outcome.kind {
        OutcomeKind::Done => CaseOutcome::Passed,
        OutcomeKind::Failed => CaseOutcome::Failed { message, text },
        OutcomeKind::FailedAllowed => CaseOutcome::Skipped { message: format!("failed, which is allowed: {message}") },
        OutcomeKind::Skipped { culprit, is_allowed } => {
            let message = format!("stage `{}` failed, which it needs", graph.stage(*culprit).name);
            match is_allowed {
                true => CaseOutcome::Skipped { message },
                false => {
                    let text = failure(*culprit).map(|failure| failure.report.render()).unwrap_or_default();
                    CaseOutcome::Error { message, text }
                }
            }
        }
        OutcomeKind::Stopped => CaseOutcome::Skipped { message: "stopped when another stage failed".to_owned() },
    }
}
