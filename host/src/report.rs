//! What people read when something went wrong: rendered here and nowhere else.
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

use backend::{Failure, StageFailure};
use graph::Diagnostic;

use crate::exit::ExitStatus;

/// Where bugs are reported.
const REPORT_BUGS: &str = "this is a bug in host: please report it with the lines above and `host --version`";

/// How many lines of each stream of a failed command are shown.
const TAIL_LINES: usize = 20;

/// Something that went wrong, ready to be shown.
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

/// Shorthand for what can go wrong.
pub type Result<T, E = Report> = std::result::Result<T, E>;

impl Report {
    /// What was typed is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(message, ExitStatus::Usage)
    }

    /// Returns what went wrong, in a sentence.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns why, in sentences.
    #[must_use]
    pub fn causes(&self) -> &[String] {
        &self.0.causes
    }

    /// What was named is wrong.
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(message, ExitStatus::Input)
    }

    /// The machine cannot do it.
    pub fn environment(message: impl Into<String>) -> Self {
        Self::new(message, ExitStatus::Environment)
    }

    /// A path cannot be written: one that cannot be there is wrong input, any other reason is the machine's.
    pub fn unwritable(message: impl Into<String>, error: &io::Error) -> Self {
        use io::ErrorKind::{AlreadyExists, IsADirectory, NotADirectory, NotFound};
        let status = match error.kind() {
            NotFound | NotADirectory | IsADirectory | AlreadyExists => ExitStatus::Input,
            _ => ExitStatus::Environment,
        };
        Self::new(message, status).caused_by(error.to_string())
    }

    /// This program is wrong.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(message, ExitStatus::Bug)
    }

    /// The pipeline did not do what was asked of it.
    pub fn new_verdict(message: impl Into<String>) -> Self {
        Self::new(message, ExitStatus::Verdict)
    }

    /// A signal ended it; `under_way` is what was being done.
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

    /// Adds what a stage answered in place of a value.
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
            self.0.details.push(format!("  {name}: {value}"));
        }
        self.0.hint = hint_of_code(&failure.code);
        // What the stage only passes on is not its verdict.
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

    /// Returns the report with something said before it, which it is the cause of.
    #[must_use]
    pub fn context(mut self, message: impl Into<String>) -> Self {
        self.0.causes.insert(0, std::mem::replace(&mut self.0.message, message.into()));
        self
    }

    /// Returns the report with a cause behind those that it has.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<String>) -> Self {
        self.0.causes.push(cause.into());
        self
    }

    /// Returns the report with a way out.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Returns the report with a line that shows how it is written.
    #[must_use]
    pub fn with_usage(mut self, usage: impl Into<String>) -> Self {
        self.0.usage = Some(usage.into());
        self
    }

    /// Returns the report with a line about it, below its causes.
    #[must_use]
    pub fn noting(mut self, line: impl AsRef<str>) -> Self {
        self.0.details.push(format!("  {}", line.as_ref()));
        self
    }

    /// Returns how the program ends.
    #[must_use]
    pub fn status(&self) -> ExitStatus {
        self.0.status
    }

    /// Returns the lines that are shown.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = format!("error: {}", self.0.message);
        for cause in &self.0.causes {
            let _ = write!(text, "\n  caused by: {}", cause.trim_end().replace('\n', "\n    "));
        }
        for detail in &self.0.details {
            let _ = write!(text, "\n{detail}");
        }
        if let Some(hint) = &self.0.hint {
            let _ = write!(text, "\nhint: {hint}");
        }
        if let Some(usage) = &self.0.usage {
            let _ = write!(text, "\nusage: {usage}");
        }
        if self.0.status == ExitStatus::Bug {
            let _ = write!(text, "\n{REPORT_BUGS}");
        }
        text
    }

    /// Adds what is known of a failure of the engine.
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

/// Makes a panic say where to report it instead of showing its innards; the process then exits
/// with the code of a bug.
pub fn install_panic_hook() {
    panic::set_hook(Box::new(|info| {
        let what = info.payload();
        let what = what.downcast_ref::<&str>().copied().or_else(|| what.downcast_ref::<String>().map(String::as_str));
        let place = info.location().map(|place| format!(" at {}:{}", place.file(), place.line())).unwrap_or_default();
        let report = Report::bug(format!("host panicked{place}: {}", what.unwrap_or("no message")));
        // Not through `Io`: whoever panicked may hold its lock.
        let _ = writeln!(io::stderr(), "{}", report.render());
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
    fn a_bug_says_where_to_report_it() {
        let report = Report::from(Failure::bug("2 is 3"));
        expect![[r"
            error: 2 is 3
            this is a bug in host: please report it with the lines above and `host --version`"]]
        .assert_eq(&report.render());
        assert_eq!(report.status(), ExitStatus::Bug);
    }
}
