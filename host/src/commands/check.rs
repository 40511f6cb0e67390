//! `host check`

mod cases;
mod junit;
mod suites;

use clap::{Command, ValueHint};
use pipeline::{StageGraph, StageId};
use serde_json::json;

use self::cases::{Verdict, is_check, read_report};
use super::outcomes::{OutcomeKind, Outcomes, StageOutcome};
use super::prepared::{Evaluated, Prepared, prepare};
use super::run::named;
use crate::args::{Parsed, options};
use crate::context::{Context, Entry, print_json};
use crate::exit::ExitStatus;
use crate::output::type_name;
use crate::report::{Report, Result};
use crate::styles::{about, examples};

pub(crate) static ENTRY: Entry =
    Entry { name: "check", summary: "Runs the checks of a module, and counts what passed", define, run };

fn define(command: Command) -> Command {
    command
        .before_help(about(
            "A check is a stage that returns nothing, a string or a report. It fails if the stage fails, or if a case \
             of its report did; then the exit code is 1.",
        ))
        .arg(options::stages("The checks to run [default: every check whose arguments are there]"))
        .arg(options::module())
        .arg(options::switch("fail-fast").help("Stop all other checks when one fails"))
        .arg(
            options::value("report", "FILE")
                .value_hint(ValueHint::FilePath)
                .help("Write the outcomes to FILE as JUnit XML"),
        )
        .args(options::run())
        .after_help(examples(&[
            ("host check", "runs all checks of the module here"),
            ("host check lint --report junit.xml", "runs one, and writes a report for other tools"),
        ]))
}

fn run(parsed: &Parsed, mut context: Context<'_>) -> Result<ExitStatus> {
    let options = &parsed.options;
    let prepared = prepare(options, &mut context)?;
    let report = options.value("report").map(|path| context.config.resolve(path));
    let wanted = match parsed.words.is_empty() {
        true => all(&prepared)?,
        false => chosen(&prepared, &parsed.words)?,
    };
    prepared.linked.order(&wanted)?;
    let is_keeping_going = !options.has("fail-fast");
    let evaluated = prepared.evaluate(&wanted, is_keeping_going, (options, &context), |_, _, _| Ok(()))?;
    let Evaluated { opened, graph, call, ended } = evaluated;
    let mut outcomes = Outcomes::new(&graph, &wanted, ended);
    outcomes.stages.iter_mut().for_each(|outcome| judge(outcome, &graph));
    let status = status(&outcomes);
    if let Some(path) = report {
        let text = junit::render(&opened.name(), &suites::of(&outcomes, &graph));
        std::fs::write(&path, text)
            .map_err(|error| Report::unwritable(format!("cannot write the report to `{}`", path.display()), &error))?;
    }
    if call.is_json {
        print_json(context.io, &json!({ "stages": outcomes.json(&graph) }))?;
    }
    for outcome in &outcomes.stages {
        failed_cases(outcome, &graph).into_iter().for_each(|block| context.io.say(&block));
    }
    let total = total(&outcomes);
    outcomes.say(&graph, "passed", call.is_quiet, context.io);
    if !call.is_quiet {
        context.io.say(&total);
    }
    Ok(status)
}

/// Finds the checks that have all their arguments.
fn all(prepared: &Prepared) -> Result<Vec<StageId>> {
    let graph = &prepared.linked.graph;
    let is_wanted = |id: &StageId| {
        let stage = graph.stage(*id);
        !stage.is_constructor && is_check(stage.result.as_ref()) && graph.order(&[*id]).is_ok()
    };
    let wanted: Vec<StageId> = (0..graph.stages().len()).filter(is_wanted).collect();
    match wanted.is_empty() {
        true => Err(Report::usage(format!("module `{}` has no checks", prepared.opened.name())).with_hint(
            "a check is a stage that makes nothing, a string or a report, and whose arguments are all there",
        )),
        false => Ok(wanted),
    }
}

/// Finds the checks of these names.
fn chosen(prepared: &Prepared, names: &[String]) -> Result<Vec<StageId>> {
    let graph = &prepared.linked.graph;
    let wanted = named(prepared, names)?;
    match wanted.iter().map(|id| graph.stage(*id)).find(|stage| !is_check(stage.result.as_ref())) {
        None => Ok(wanted),
        Some(stage) => {
            let made = type_name(stage.result.as_ref());
            Err(Report::usage(format!("stage `{}` is no check: it makes `{made}`", stage.name))
                .with_hint(format!("a check makes nothing, a string or a report; `host run {}` runs it", stage.name)))
        }
    }
}

/// Marks a stage as failed if its report has a case that failed.
fn judge(outcome: &mut StageOutcome, graph: &StageGraph) {
    let report = outcome.value.as_ref().and_then(read_report);
    if outcome.kind == OutcomeKind::Done && report.is_some_and(|report| report.has_failed()) {
        outcome.kind = match graph.stage(outcome.stage).policy.is_failure_allowed {
            true => OutcomeKind::FailedAllowed,
            false => OutcomeKind::Failed,
        };
    }
}

fn status(outcomes: &Outcomes) -> ExitStatus {
    let has_failed = outcomes.stages.iter().any(|outcome| outcome.kind == OutcomeKind::Failed);
    match outcomes.status() {
        ExitStatus::Done if has_failed => ExitStatus::Verdict,
        status => status,
    }
}

/// Returns the error that lists the failed cases of a report; none if no case failed.
fn failed_cases(outcome: &StageOutcome, graph: &StageGraph) -> Option<String> {
    let report = outcome.value.as_ref().and_then(read_report)?;
    let failed: Vec<_> = report.cases.iter().filter(|case| case.verdict == Verdict::Failed).collect();
    if failed.is_empty() {
        return None;
    }
    let name = &graph.stage(outcome.stage).name;
    let (n_failed, n_cases) = (failed.len(), report.cases.len());
    let message = format!("{n_failed} of {n_cases} cases of check `{name}` failed: {}", report.summary);
    let shown = failed.into_iter().fold(Report::new_verdict(message), |shown, case| {
        let rest = if case.message.is_empty() { String::new() } else { format!(": {}", case.message) };
        shown.noting(format!("{}{rest}", case.name).replace('\n', "\n    "))
    });
    Some(shown.render())
}

/// Returns the numbers of checks by the way in which they ended.
fn total(outcomes: &Outcomes) -> String {
    let count = |is_it: fn(&OutcomeKind) -> bool| {
        outcomes.stages.iter().filter(|outcome| outcome.is_wanted && is_it(&outcome.kind)).count()
    };
    let counts = [
        (count(|kind| *kind == OutcomeKind::Done), "passed"),
        (count(|kind| matches!(kind, OutcomeKind::Failed | OutcomeKind::FailedAllowed)), "failed"),
        (count(|kind| matches!(kind, OutcomeKind::Skipped { .. })), "skipped"),
        (count(|kind| *kind == OutcomeKind::Stopped), "stopped"),
    ];
    let parts: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    format!("checks: {}", parts.join(", "))
}
