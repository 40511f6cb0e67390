//! Failures: why an edge has no value.
//!
//! A command that ends otherwise than expected is an outcome, [`Failure::Exec`]; so is a mistake
//! in what was asked for, [`Failure::Invalid`]. Only [`Failure::Environment`] and
//! [`Failure::Bug`] are errors of the machinery.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use graph::{Blame, DefinitionDigest, Diagnostic};

/// Why an edge has no value. Cheap to clone, because everybody who waits for the edge gets it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Failure {
    /// A command ended otherwise than expected.
    #[error("{0}")]
    Exec(Box<ExecFailure>),
    /// The request is wrong: what was asked for does not exist or makes no sense.
    #[error("{message}")]
    Invalid {
        /// The kind of mistake.
        code: FailureCode,
        /// One sentence that names the thing.
        message: String,
        /// The way out.
        hint: Option<String>,
    },
    /// A function of a module answered with an error, or ended without an answer.
    #[error("{0}")]
    Stage(Box<StageFailure>),
    /// Nobody waits for the value any more, or the run was interrupted.
    #[error("cancelled")]
    Cancelled,
    /// The vertex would be evaluated, or needs one that would be, and the session is a dry one.
    #[error("`{operation}` would run, and nothing is executed")]
    Planned {
        /// The operation that would be evaluated, as in `exec make`.
        operation: Arc<str>,
        /// The function that waits for its value, with its module, as in `shop.test`; `None` if all functions
        /// returned.
        function: Option<Arc<str>>,
    },
    /// The machine cannot do it: a missing tool, a full disk, no permission.
    #[error("{message}")]
    Environment {
        /// One sentence that names the thing.
        message: String,
        /// The way out.
        hint: Option<String>,
    },
    /// This program has a bug.
    #[error("{message}")]
    Bug {
        /// A sentence about what went wrong.
        message: String,
    },
}

/// The kind of a mistake. These are the codes of `errors.wit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureCode {
    /// Nothing is at the path, or the thing that was named does not exist.
    NotFound,
    /// A file is needed, and something else is at the path.
    NotAFile,
    /// A directory is needed, and something else is at the path.
    NotADirectory,
    /// The path leads out of its root.
    InvalidPath,
    /// An argument makes no sense.
    InvalidArgument,
    /// What a command printed was asked for, and no command was run.
    NoExec,
    /// The caller did not grant the power that this needs.
    NotGranted,
    /// This version does not have it.
    Unavailable,
    /// This machine or this engine cannot do it. A function is told the code of [`Self::Unavailable`].
    Incapable,
    /// The author of a function made the mistake with `with-error`.
    Custom,
}

impl FailureCode {
    /// Returns the code as `errors.wit` writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::NotAFile => "not-a-file",
            Self::NotADirectory => "not-a-directory",
            Self::InvalidPath => "invalid-path",
            Self::InvalidArgument => "invalid-argument",
            Self::NoExec => "no-exec",
            Self::NotGranted => "not-granted",
            Self::Unavailable | Self::Incapable => "unavailable",
            Self::Custom => "custom",
        }
    }

    /// Returns the code of this text, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::NotFound,
            Self::NotAFile,
            Self::NotADirectory,
            Self::InvalidPath,
            Self::InvalidArgument,
            Self::NoExec,
            Self::NotGranted,
            Self::Unavailable,
            Self::Custom,
        ]
        .into_iter()
        .find(|code| code.as_str() == text)
    }
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExecStatus {
    /// The command exited.
    Exited {
        /// The exit code: 127 if the command was not found and 126 if it could not be executed, as in a shell.
        code: i32,
    },
    /// A signal killed the command.
    Killed {
        /// The number of the signal.
        signal: i32,
    },
    /// The command took longer than its time-out.
    TimedOut {
        /// The time-out in milliseconds.
        after_ms: u64,
    },
    /// The command used more memory than its limit.
    OutOfMemory,
    /// The command was stopped because nobody waits for it.
    Cancelled,
}

/// A command that ended otherwise than expected.
#[derive(Debug, Clone)]
pub struct ExecFailure {
    /// The vertex of the command.
    pub vertex: DefinitionDigest,
    /// The command and its arguments.
    pub args: Vec<String>,
    /// How the command ended.
    pub status: ExecStatus,
    /// The end of its standard output, at most [`TAIL_BYTES`], secrets replaced.
    pub stdout_tail: String,
    /// The end of its standard error, at most [`TAIL_BYTES`], secrets replaced.
    pub stderr_tail: String,
}

/// The number of bytes of each stream that a failure has.
/// Source: Dagger's `engineutil/ref.go`, which carries as much.
pub const TAIL_BYTES: usize = 100 * 1024;

impl ExecFailure {
    /// Returns the exit code as a shell gives it: 128 plus the signal, 124 for a time-out.
    #[must_use]
    pub fn exit_code(&self) -> i32 {
        match self.status {
            ExecStatus::Exited { code } => code,
            ExecStatus::Killed { signal } => 128 + signal,
            ExecStatus::TimedOut { .. } => 124,
            ExecStatus::OutOfMemory => 137,
            ExecStatus::Cancelled => 130,
        }
    }

    /// Returns whether the program itself was not there. Process 1 of the command says so in its place; a program that
    /// exits with the same code says something else.
    fn is_program_missing(&self) -> bool {
        let Some(program) = self.args.first() else { return false };
        let said = self.stderr_tail.trim_end().strip_prefix(program.as_str());
        matches!(said, Some(": command not found" | ": no such file"))
    }

    /// Returns the code of `errors.wit`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.status {
            ExecStatus::Exited { .. } => "exec",
            ExecStatus::Killed { .. } => "signal",
            ExecStatus::TimedOut { .. } => "timeout",
            ExecStatus::OutOfMemory => "out-of-memory",
            ExecStatus::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for ExecFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "command `{}` ", graph::op::shell_words(&self.args))?;
        match self.status {
            ExecStatus::Exited { code: 127 } if self.is_program_missing() => {
                write!(f, "was not found (exit code 127)")
            }
            ExecStatus::Exited { code: 127 } => {
                write!(f, "exited with code 127, as a shell does that does not find a command")
            }
            ExecStatus::Exited { code } => write!(f, "exited with code {code}"),
            ExecStatus::Killed { signal } => write!(f, "was killed by signal {signal}"),
            ExecStatus::TimedOut { after_ms } => write!(f, "took longer than {} s", after_ms as f64 / 1000.0),
            ExecStatus::OutOfMemory => write!(f, "used more memory than it was given"),
            ExecStatus::Cancelled => write!(f, "was cancelled"),
        }
    }
}

/// The failure of a function of a module.
#[derive(Debug, Clone)]
pub struct StageFailure {
    /// The function with its module, as in `lint.check`.
    pub stage: String,
    /// Whether the function returned this error. If not, it ended without an answer, and the message says how.
    pub is_answer: bool,
    /// A code of `errors.wit`, `trap`, or a code of the module.
    pub code: String,
    /// The sentence that is shown.
    pub message: String,
    /// The command that failed, if a command is the reason.
    pub exec: Option<Box<ExecRecord>>,
    /// Further facts, as names and values.
    pub attributes: Vec<(String, String)>,
    /// Who is to blame.
    pub blame: Blame,
    /// The way out.
    pub hint: Option<String>,
}

/// The record `exec-failure` of `errors.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecRecord {
    /// The command and its arguments.
    pub args: Vec<String>,
    /// 128 plus the signal, if one ended it.
    pub exit_code: i32,
    /// The end of its standard output, at most [`TAIL_BYTES`].
    pub stdout_tail: String,
    /// The end of its standard error, at most [`TAIL_BYTES`].
    pub stderr_tail: String,
}

impl From<&ExecFailure> for ExecRecord {
    fn from(failure: &ExecFailure) -> Self {
        Self {
            args: failure.args.clone(),
            exit_code: failure.exit_code(),
            stdout_tail: failure.stdout_tail.clone(),
            stderr_tail: failure.stderr_tail.clone(),
        }
    }
}

impl fmt::Display for StageFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_answer {
            true => write!(f, "stage `{}` failed", self.stage),
            false => f.write_str(&self.message),
        }
    }
}

impl Failure {
    /// Makes a failure of an error by its blame. The message has those of its causes, each once.
    pub fn of(error: impl Diagnostic) -> Self {
        let (message, hint) = (chain(&error), error.hint());
        match error.blame() {
            Blame::User | Blame::Function => Self::Invalid { code: FailureCode::InvalidArgument, message, hint },
            Blame::Environment => Self::Environment { message, hint },
            Blame::Bug => Self::Bug { message },
        }
    }

    /// Makes a failure of what was asked for.
    pub fn invalid(code: FailureCode, message: impl Into<String>) -> Self {
        Self::Invalid { code, message: message.into(), hint: None }
    }

    /// Makes a failure of the machine.
    pub fn environment(message: impl Into<String>, hint: Option<&str>) -> Self {
        Self::Environment { message: message.into(), hint: hint.map(str::to_owned) }
    }

    /// Makes the failure of what needs something that a dry session does not evaluate.
    pub fn planned(operation: impl Into<Arc<str>>) -> Self {
        Self::Planned { operation: operation.into(), function: None }
    }

    /// Makes a failure of this program.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::Bug { message: message.into() }
    }

    /// Returns the code of `errors.wit`.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Exec(failure) => failure.code(),
            Self::Stage(failure) => &failure.code,
            Self::Invalid { code, .. } => code.as_str(),
            Self::Cancelled => "cancelled",
            Self::Planned { .. } => "planned",
            Self::Environment { .. } => "environment",
            Self::Bug { .. } => "bug",
        }
    }
}

impl Diagnostic for Failure {
    fn blame(&self) -> Blame {
        match self {
            Self::Invalid { code: FailureCode::Incapable, .. } => Blame::Environment,
            Self::Exec(_) | Self::Invalid { .. } => Blame::Function,
            Self::Stage(failure) => failure.blame,
            Self::Cancelled | Self::Planned { .. } => Blame::User,
            Self::Environment { .. } => Blame::Environment,
            Self::Bug { .. } => Blame::Bug,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Invalid { hint, .. } | Self::Environment { hint, .. } => hint.clone(),
            Self::Stage(failure) => failure.hint.clone(),
            Self::Exec(_) | Self::Cancelled | Self::Planned { .. } | Self::Bug { .. } => None,
        }
    }
}

/// Joins the message of an error with those of its causes, each once.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !message.ends_with(&text) {
            message = format!("{message}: {text}");
        }
        source = cause.source();
    }
    message
}

/// Returns the end of what a command printed as text, at most [`TAIL_BYTES`] of it, without white space around it.
#[must_use]
pub fn tail(bytes: &[u8]) -> String {
    let omitted = bytes.len().saturating_sub(TAIL_BYTES);
    let text = String::from_utf8_lossy(&bytes[omitted..]);
    let text = text.trim();
    if omitted == 0 { text.to_owned() } else { format!("[omitting {omitted} bytes]...{text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_missing_is_told_from_one_that_says_so_of_another() {
        let check = |stderr: &str, expect: &str| {
            let failure = ExecFailure {
                vertex: graph::KeyHasher::new("test").definition(),
                args: vec!["sh".to_owned()],
                status: ExecStatus::Exited { code: 127 },
                stdout_tail: String::new(),
                stderr_tail: stderr.to_owned(),
            };
            assert_eq!(failure.to_string(), format!("command `sh` {expect}"));
        };
        check("sh: command not found\n", "was not found (exit code 127)");
        let other = "exited with code 127, as a shell does that does not find a command";
        check("sh: 1: nosuch: not found\n", other);
        check("sh: line 1: nosuch: command not found", other);
        check("", other);
    }

    #[test]
    fn what_the_machine_cannot_do_is_its_fault_whatever_functions_are_told() {
        let check = |code, blame| {
            let failure = Failure::invalid(code, "");
            assert_eq!((failure.code(), failure.blame()), ("unavailable", blame));
        };
        check(FailureCode::Unavailable, Blame::Function);
        check(FailureCode::Incapable, Blame::Environment);
    }

    #[test]
    fn a_tail_keeps_the_end_and_says_what_it_left_out() {
        assert_eq!(tail(b" a\n"), "a");
        let long = tail(&[vec![b'x'; 10], vec![b'y'; TAIL_BYTES]].concat());
        assert!(long.starts_with("[omitting 10 bytes]...yyy"), "{}", &long[..40]);
        assert_eq!(long.len(), TAIL_BYTES + "[omitting 10 bytes]...".len());
    }
}
