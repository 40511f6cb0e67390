//! Prints the outcomes of a run for people.

use pipeline::{CaseReport, StageGraph};

use super::{OutcomeKind, Outcomes, StageFailure, StageOutcome};
use crate::io::Io;
use terminal::duration;

/// The most failed cases that the line of a stage names.
const MAX_NAMED: usize = 3;

impl Outcomes {
    /// Prints each failure with its command, the end of its output and the function that described it. Unless `is_quiet`
    /// is set, a line for each stage follows; `done` is the word for a stage that succeeded.
    pub(in crate::commands) fn say(self, graph: &StageGraph, done: &str, is_quiet: bool, io: &Io) {
        let lines = if is_quiet { Vec::new() } else { self.lines(graph, done) };
        let blocks = self.failures.into_iter().map(|failure| failure.block(graph));
        blocks.chain(lines).for_each(|text| io.say(&text));
    }

    fn lines(&self, graph: &StageGraph, done: &str) -> Vec<String> {
        let names = self.stages.iter().map(|outcome| graph.stage(outcome.stage).name.chars().count());
        let width = names.max().unwrap_or_default();
        self.stages.iter().map(|outcome| outcome.line(graph, width, done)).collect()
    }
}

/// Returns the line of a stage: the word for its outcome, its name in a column, and the rest.
pub(in crate::commands) fn line(word: &str, name: &str, width: usize, rest: &str) -> String {
    format!("{word:7}  {name:width$}  {rest}").trim_end().to_owned()
}

impl StageOutcome {
    fn line(&self, graph: &StageGraph, width: usize, done: &str) -> String {
        let name = &graph.stage(self.stage).name;
        let took = self.took.map(duration).unwrap_or_default();
        let rest = match &self.kind {
            OutcomeKind::Done => took,
            OutcomeKind::Failed => format!("{took}{}", self.failed_cases()),
            OutcomeKind::FailedAllowed => format!("{took} (allowed){}", self.failed_cases()),
            OutcomeKind::Skipped { culprit, .. } => format!("because `{}` failed", graph.stage(*culprit).name),
            OutcomeKind::Stopped => String::new(),
        };
        let word = if self.kind == OutcomeKind::Done { done } else { self.kind.word() };
        line(word, name, width, &rest)
    }
}

impl StageOutcome {
    /// Says how many cases of the stage's report failed, and names the first; empty if it failed for another reason.
    fn failed_cases(&self) -> String {
        let Some(report) = self.value.as_ref().and_then(CaseReport::read) else { return String::new() };
        let Some(verdict) = report.verdict() else { return String::new() };
        let mut names: Vec<&str> = report.failed().take(MAX_NAMED).map(|case| case.name.as_str()).collect();
        if report.failed().count() > names.len() {
            names.push("...");
        }
        format!("  {verdict}: {}", names.join(", "))
    }
}

impl OutcomeKind {
    /// Returns the word for it.
    pub(in crate::commands) fn word(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed | Self::FailedAllowed => "failed",
            Self::Skipped { .. } => "skipped",
            Self::Stopped => "stopped",
        }
    }
}

impl StageFailure {
    fn block(self, graph: &StageGraph) -> String {
        let name = &graph.stage(self.stage).name;
        let failed = format!("stage `{name}` failed");
        // What a function answers is told so already.
        let mut report = if self.report.message() == failed { self.report } else { self.report.context(failed) };
        if let Some(function) = &self.function {
            report = report.noting(format!("asked for by: `{function}`"));
        }
        for path in &self.paths {
            report = report.noting(format!("skipped: `{path}`"));
        }
        let text = report.render();
        match (self.is_allowed, text.strip_prefix("error: ")) {
            (true, Some(text)) => format!("warning: {}", text.replacen(" failed", " failed, which is allowed", 1)),
            _ => text,
        }
    }
}
