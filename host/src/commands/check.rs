//! `host check`

mod choose;

use clap::Command;

use self::choose::Checks;
use super::lacking;
use super::outcomes::{OutcomeKind, Outcomes};
use super::prepared::{Evaluated, prepare};
use crate::args::{Parsed, options};
use crate::context::{Context, Entry, print_json};
use crate::exit::ExitStatus;
use crate::report::Result;
use crate::styles::{about, examples};

pub(crate) static ENTRY: Entry =
    Entry { name: "check", summary: "Runs the checks of a module, and counts what passed", define, run };

fn define(command: Command) -> Command {
    command
        .before_help(about(
            "A check is a stage whose author says so, by `#[check]` or by `check = true` in the manifest, and a stage that \
             returns a report. It fails if the stage fails, or if a case of its report did; then the exit code is 1.",
        ))
        .arg(options::stages("The checks to run [default: every check whose arguments are there]"))
        .arg(options::module())
        .arg(options::switch("fail-fast").help("Stop all other checks when one fails"))
        .arg(options::report())
        .arg(options::strict())
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
    let is_strict = lacking::is_strict(options, &context);
    let checks = Checks::choose(&prepared, &parsed.words)?;
    prepared.linked.order(&checks.wanted)?;
    checks.unmarked.iter().for_each(|unmarked| context.io.say(unmarked));
    if !prepared.call.is_quiet {
        checks.not_run.iter().for_each(|not_run| context.io.say(&format!("not run: {not_run}")));
    }
    let is_keeping_going = !options.has("fail-fast");
    let evaluated = prepared.evaluate(&checks.wanted, is_keeping_going, (options, &context), |_, _, _| Ok(()))?;
    let Evaluated { opened, graph, call, ended } = evaluated;
    let outcomes = Outcomes::new(&graph, &checks.wanted, ended);
    let status = outcomes.status();
    if let Some(path) = report {
        outcomes.write_junit(&path, &opened.name(), &graph, (&checks.not_run, is_strict))?;
    }
    if call.is_json {
        print_json(context.io, &outcomes.document(&graph, &checks.not_run))?;
    }
    let total = total(&outcomes, checks.not_run.len());
    outcomes.say(&graph, "passed", call.is_quiet, context.io);
    if !call.is_quiet {
        context.io.say(&total);
    }
    Ok(lacking::status(status, &checks.not_run, is_strict, &context))
}

/// Returns the numbers of checks by the way in which they ended.
fn total(outcomes: &Outcomes, n_not_run: usize) -> String {
    let count = |is_it: fn(&OutcomeKind) -> bool| {
        outcomes.stages.iter().filter(|outcome| outcome.is_wanted && is_it(&outcome.kind)).count()
    };
    let counts = [
        (count(|kind| *kind == OutcomeKind::Done), "passed"),
        (count(|kind| matches!(kind, OutcomeKind::Failed | OutcomeKind::FailedAllowed)), "failed"),
        (count(|kind| matches!(kind, OutcomeKind::Skipped { .. })), "skipped"),
        (count(|kind| *kind == OutcomeKind::Stopped), "stopped"),
        (n_not_run, "not run"),
    ];
    let parts: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    format!("checks: {}", parts.join(", "))
}
