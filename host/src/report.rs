//! Errors for people. They are rendered here and nowhere else.
//!
//! ```text
//! error: cannot call `lint` of module `go`
//!   caused by: module `go` has no stage `lint`
//! hint: it exports: build, test, vet
//! ```

use std::any::Any;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::panic;

use clap::builder::styling::Style;
use engine::{Failure, StageFailure};
use graph::Diagnostic;
use terminal::{clipped, shown};

use crate::exit::ExitStatus;
use crate::styles::STYLES;

/// The last line of a bug.
const REPORT_BUGS: &str = "this is a bug in host: please report it with the lines above and `host --version`";

/// The most lines of each stream of a failed command that are shown.
const TAIL_LINES: usize = 20;

/// An error for people: a message, its causes, and a hint.
#[derive(Debug, Clone)]
pub struct Report(Box<Content>);

#[derive(Debug, Clone)]
struct Content {
    message: String,
    causes: Vec<String>,
    details: Vec<String>,
    hint: Option<String>,
    usage: Option<String>,
    status: ExitStatus,
}

/// A result whose error is a [`Report`].
pub type Result<T, E = Report> = std::result::Result<T, E>;

impl Report {
    /// Makes a report of wrong usage: what was typed does not exist or does not fit.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(message, ExitStatus::Usage)
    }

    /// Returns the message, a sentence without a full stop.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the causes, each a sentence.
    #[must_use]
    pub fn causes(&self) -> &[String] {
        &self.0.causes
    }

    /// Makes a report of wrong input: a path, a module or a secret that is missing or invalid.
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(message, ExitStatus::Input)
    }

    /// Makes a report of something that the machine cannot do.
    pub fn environment(message: impl Into<String>) -> Self {
        Self::new(message, ExitStatus::Environment)
    }

    /// Makes a report of a path that cannot be written. A path that cannot exist is wrong input; other reasons are faults
    /// of the machine.
    pub fn unwritable(message: impl Into<String>, error: &io::Error) -> Self {
        use io::ErrorKind::{AlreadyExists, IsADirectory, NotADirectory, NotFound};
        let status = match error.kind() {
            NotFound | NotADirectory | IsADirectory | AlreadyExists => ExitStatus::Input,
            _ => ExitStatus::Environment,
        };
        let report = Self::new(message, status).caused_by(error.to_string());
        if graph::is_no_space(error) { report.with_hint(graph::NO_SPACE_HINT) } else { report }
    }

    /// Makes a report of a bug in this program.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(message, ExitStatus::Bug)
    }

    /// Makes a report of a pipeline that failed.
    pub fn new_verdict(message: impl Into<String>) -> Self {
        Self::new(message, ExitStatus::Verdict)
    }

    /// Makes a report of an interrupted run; `under_way` names the vertices that were running.
    pub fn interrupted(under_way: &[String]) -> Self {
        let message = match under_way {
            [] => "interrupted".to_owned(),
            names => format!("interrupted while under way: {}", names.join(", ")),
        };
        Self::new(message, ExitStatus::Interrupted)
    }

    fn new(message: impl Into<String>, status: ExitStatus) -> Self {
        let message = message.into();
        let (causes, details) = (Vec::new(), Vec::new());
        Self(Box::new(Content { message, causes, details, hint: None, usage: None, status }))
    }

    /// Adds the error that a stage returned.
    fn add_stage_failure(&mut self, failure: &StageFailure) {
        if !failure.is_answer {
            return;
        }
        if !failure.message.is_empty() {
            self.0.causes.push(failure.message.clone());
        }
        if let Some(exec) = &failure.exec {
            self.add_stream("stdout", &exec.stdout_tail);
            self.add_stream("stderr", &exec.stderr_tail);
        }
        for (name, value) in &failure.attributes {
            let value = if value.is_empty() { String::new() } else { format!(": {value}") };
            self.0.details.push(format!("  {name}{value}").trim_end().replace('\n', "\n    "));
        }
        self.0.hint = hint_of_code(&failure.code);
        // A cancellation that the stage only passes on is not a verdict of the stage.
        if failure.code == "cancelled" {
            self.0.status = ExitStatus::Interrupted;
        }
    }

    fn add_stream(&mut self, name: &str, tail: &str) {
        if tail.trim().is_empty() {
            return;
        }
        let lines: Vec<&str> = tail.lines().collect();
        let from = lines.len().saturating_sub(TAIL_LINES);
        let which = if from > 0 { format!("{name}, last {TAIL_LINES} lines") } else { name.to_owned() };
        let mut text = format!("  {which}:");
        for line in lines.iter().skip(from) {
            let _ = write!(text, "\n    {line}");
        }
        self.0.details.push(text);
    }

    /// Returns the report with another message, of which the old message is the first cause.
    #[must_use]
    pub fn context(mut self, message: impl Into<String>) -> Self {
        self.0.causes.insert(0, std::mem::replace(&mut self.0.message, message.into()));
        self
    }

    /// Returns a report with another message, and with the status and the hint of this one.
    #[must_use]
    pub fn with_message(&self, message: impl Into<String>) -> Self {
        let mut report = Self::new(message, self.0.status);
        report.0.hint.clone_from(&self.0.hint);
        report
    }

    /// Returns the report with one more cause.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<String>) -> Self {
        self.0.causes.push(cause.into());
        self
    }

    /// Returns the report with a hint that says what to do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Returns the report with a usage line.
    #[must_use]
    pub fn with_usage(mut self, usage: impl Into<String>) -> Self {
        self.0.usage = Some(usage.into());
        self
    }

    /// Returns the report with one more line below its causes.
    #[must_use]
    pub fn noting(mut self, line: impl AsRef<str>) -> Self {
        self.0.details.push(format!("  {}", line.as_ref()));
        self
    }

    /// Returns the exit status of a program that ends with this report.
    #[must_use]
    pub fn status(&self) -> ExitStatus {
        self.0.status
    }

    /// Returns the report as text, without colours and without the end of the last line.
    #[must_use]
    pub fn render(&self) -> String {
        self.text(Style::new(), Style::new())
    }

    /// Returns the report as text with escape sequences for colours.
    #[must_use]
    pub fn render_colored(&self) -> String {
        self.text(*STYLES.get_error(), *STYLES.get_literal())
    }

    fn text(&self, error: Style, label: Style) -> String {
        let mut text = format!("{error}error:{error:#} {}", clipped(&self.0.message));
        for cause in &self.0.causes {
            let _ =
                write!(text, "\n  {label}caused by:{label:#} {}", clipped(cause.trim_end()).replace('\n', "\n    "));
        }
        for detail in &self.0.details {
            let _ = write!(text, "\n{}", clipped(detail));
        }
        if let Some(hint) = &self.0.hint {
            let _ = write!(text, "\n{label}hint:{label:#} {}", clipped(hint));
        }
        if let Some(usage) = &self.0.usage {
            let _ = write!(text, "\n{label}usage:{label:#} {usage}");
        }
        if self.0.status == ExitStatus::Bug {
            let _ = write!(text, "\n{REPORT_BUGS}");
        }
        text
    }

    /// Adds the details of a failure of the engine.
    fn add_failure(&mut self, failure: &Failure) {
        match failure {
            Failure::Exec(exec) => {
                self.add_stream("stdout", &exec.stdout_tail);
                self.add_stream("stderr", &exec.stderr_tail);
            }
            Failure::Stage(stage) => self.add_stage_failure(stage),
            Failure::Cancelled => self.0.status = ExitStatus::Interrupted,
            Failure::Invalid { code, .. } => self.0.hint = self.0.hint.take().or_else(|| hint_of_code(code.as_str())),
            Failure::Planned { .. } | Failure::Environment { .. } | Failure::Bug { .. } => {}
        }
    }
}

fn hint_of_code(code: &str) -> Option<String> {
    match code {
        "invalid-path" => Some(
            "a path stays in the directory or container that it belongs to; what is outside is handed in by a flag"
                .into(),
        ),
        "not-granted" => {
            Some("grant the power with `--allow POWER`, or with `allow = [\"POWER\"]` in `host.toml`".into())
        }
        _ => None,
    }
}

impl<E: Diagnostic + 'static> From<E> for Report {
    fn from(error: E) -> Self {
        let mut report = Self::new(error.to_string(), ExitStatus::from(error.blame()));
        report.0.hint = error.hint();
        if let Some(failure) = (&error as &dyn Any).downcast_ref::<Failure>() {
            report.add_failure(failure);
        }
        let mut source = error.source();
        while let Some(error) = source {
            if let Some(failure) = error.downcast_ref::<Failure>() {
                report.add_failure(failure);
            }
            report.0.causes.push(error.to_string());
            source = error.source();
        }
        report
    }
}

/// Installs a hook that reports a panic as a bug.
pub fn install_panic_hook() {
    panic::set_hook(Box::new(|info| {
        let what = info.payload();
        let what = what.downcast_ref::<&str>().copied().or_else(|| what.downcast_ref::<String>().map(String::as_str));
        let place = info.location().map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
        let report = Report::bug(format!("host panicked{place}: {}", what.unwrap_or("no message")));
        // Not through `Io`, because the code that panicked may hold its lock.
        let _ = writeln!(io::stderr(), "{}", shown(&report.render(), false));
    }));
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_report_shows_causes_and_the_way_out() {
        let report = Report::usage("module `go` has no stage `lint`")
            .context("cannot call `lint` of module `go`")
            .with_hint("it exports: build, test");
        expect![[r"
            error: cannot call `lint` of module `go`
              caused by: module `go` has no stage `lint`
            hint: it exports: build, test"]]
        .assert_eq(&report.render());
    }

    #[test]
    fn colours_are_only_added_to_the_labels() {
        let report = Report::usage("no").caused_by("why").with_hint("do").with_usage("host");
        let colored = report.render_colored();
        assert!(colored.starts_with("\u{1b}[1m\u{1b}[31merror:\u{1b}[0m no\n"), "{colored:?}");
        let stripped = clap::builder::StyledStr::from(colored).to_string();
        assert_eq!(stripped, report.render());
    }

    #[test]
    fn a_bug_says_where_to_report_it() {
        let report = Report::from(Failure::bug("2 is 3"));
        expect![[r"
            error: 2 is 3
            this is a bug in host: please report it with the lines above and `host --version`"]]
        .assert_eq(&report.render());
        assert_eq!(report.status(), ExitStatus::Bug);
    }
}
