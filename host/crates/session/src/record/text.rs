//! Lines about vertices, for people.

use std::time::Duration;

use api::LogLevel;
use engine::{ExecStatus, Outcome};
use terminal::{clipped, duration, short};

use super::{Counts, Vertex};
use crate::events::{StageEvent, StageOutcome};

/// Returns the line about a vertex that ended.
#[must_use]
pub fn vertex(vertex: &Vertex) -> String {
    let name = clipped(&vertex.event.name);
    let took = duration(vertex.duration);
    match &vertex.outcome {
        Outcome::Cached => format!("= {name}"),
        Outcome::Ran if vertex.is_trivial() => format!(". {name} ({took})"),
        Outcome::Ran => format!("+ {name} ({took})"),
        Outcome::ExecFailed(status) => format!("! {name} ({took}): {}", exec_status(*status)),
        Outcome::Failed(message) => format!("! {name} ({took}): {}", clipped(message)),
        Outcome::Cancelled => format!("- {name} ({took}): cancelled"),
        Outcome::Planned => format!("+ {name}: {}", vertex.reason.describe()),
    }
}

/// Returns the line about a stage whose function ended.
#[must_use]
pub fn stage(event: &StageEvent) -> String {
    let fed = if event.fed_by.is_empty() { String::new() } else { format!(" fed by {}", event.fed_by.join(", ")) };
    let took = duration(event.duration);
    match &event.outcome {
        StageOutcome::Returned => format!("stage `{}`{fed} returned ({took})", event.stage),
        StageOutcome::Retried { message } | StageOutcome::Failed { message } => {
            format!("stage `{}`{fed} failed ({took}): {message}", event.stage)
        }
    }
}

/// Describes in a few words how a command ended.
pub(super) fn exec_status(status: ExecStatus) -> String {
    match status {
        ExecStatus::Exited { code } => format!("exited with code {code}"),
        ExecStatus::Killed { signal } => format!("killed by signal {signal}"),
        ExecStatus::TimedOut { after_ms } => format!("took longer than {}", duration(Duration::from_millis(after_ms))),
        ExecStatus::OutOfMemory => "out of memory".to_owned(),
        ExecStatus::Cancelled => "cancelled".to_owned(),
    }
}

/// Returns the summary of a run, such as `3 ran, 7 cached, 0.8 s`.
#[must_use]
pub fn summary(counts: Counts, elapsed: Duration) -> String {
    let Counts { n_ran, n_cached, n_failed, n_cancelled, n_planned, n_trivial: _ } = counts;
    let mut parts = vec![format!("{n_ran} ran"), format!("{n_cached} cached")];
    if n_failed > 0 {
        parts.push(format!("{n_failed} failed"));
    }
    if n_cancelled > 0 {
        parts.push(format!("{n_cancelled} cancelled"));
    }
    if n_planned > 0 {
        parts.push(format!("{n_planned} planned"));
    }
    parts.push(duration(elapsed));
    parts.join(", ")
}

/// Returns the line for a message of a stage.
#[must_use]
pub fn log(level: LogLevel, stage: &str, message: &str) -> String {
    let level = match level {
        LogLevel::Debug => "debug: ",
        LogLevel::Info => "",
        LogLevel::Warn => "warning: ",
        LogLevel::Error => "error: ",
    };
    format!("[{stage}] {level}{}", clipped(message))
}

/// The most columns before a line that a command printed.
const PREFIX_COLUMNS: usize = 40;

/// Returns what stands before each line that a command printed: the stage that asked for it, if it is known, and
/// the command as far as there is room.
#[must_use]
pub fn prefix(stage: Option<&str>, name: &str) -> String {
    let stage = stage.map(|stage| format!("[{}] ", short(stage, PREFIX_COLUMNS / 2))).unwrap_or_default();
    let name = short(name, PREFIX_COLUMNS - stage.chars().count());
    format!("{stage}{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_a_line_of_output_is_short_and_one_line() {
        let check = |stage, name: &str, expect: &str| assert_eq!(prefix(stage, name), expect);
        check(None, "exec make", "exec make");
        check(Some("build"), "exec make", "[build] exec make");
        check(None, "exec sh -c 'set -e\n  cd /src\n  make'", "exec sh -c 'set -e cd /src make'");
        check(None, &format!("exec sh -c '{}'", "x".repeat(9000)), "exec sh -c 'xxxxxxxxxxxxxxxxxxxxxxxxxxx…");
        check(Some("build"), &"a ".repeat(9000), "[build] a a a a a a a a a a a a a a a a…");
        check(Some(&"f".repeat(50)), "exec make all", "[fffffffffffffffffff…] exec make all");
        for name in ["exec", &"y".repeat(100), &"\u{65e5}".repeat(100)] {
            assert!(prefix(Some(&"f".repeat(100)), name).chars().count() <= PREFIX_COLUMNS, "{name}");
        }
    }
}
