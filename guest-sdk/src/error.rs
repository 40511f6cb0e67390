//! Errors of stages: what `?` collects and what the caller of a stage gets.

use std::fmt;
use std::ops::{Deref, DerefMut};

pub use record::ExecFailure;

/// What most functions of the SDK, and most stages, return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The codes that the host and the SDK use. The set is open: a stage may answer
/// with codes of its own.
pub mod code {
    /// A command ended with a code that it was not expected to.
    pub const EXEC: &str = "exec";
    /// A command took longer than it was allowed to.
    pub const TIMEOUT: &str = "timeout";
    /// A signal ended a command.
    pub const SIGNAL: &str = "signal";
    /// A command used more memory than it was allowed to.
    pub const OUT_OF_MEMORY: &str = "out-of-memory";
    /// Nothing is at that path, or of that name.
    pub const NOT_FOUND: &str = "not-found";
    /// What is at that path is no file.
    pub const NOT_A_FILE: &str = "not-a-file";
    /// What is at that path is no directory.
    pub const NOT_A_DIRECTORY: &str = "not-a-directory";
    /// A path leaves its root.
    pub const INVALID_PATH: &str = "invalid-path";
    /// An argument makes no sense where it is used.
    pub const INVALID_ARGUMENT: &str = "invalid-argument";
    /// The output of a command was asked for where no command is.
    pub const NO_EXEC: &str = "no-exec";
    /// The module was not granted that power.
    pub const NOT_GRANTED: &str = "not-granted";
    /// Not in this version of the host.
    pub const UNAVAILABLE: &str = "unavailable";
    /// The run was cancelled.
    pub const CANCELLED: &str = "cancelled";
    /// The machine is at fault: disk, network, permissions.
    pub const ENVIRONMENT: &str = "environment";
    /// The stage itself says so: `Error::new`, `bail!`, and errors of the standard
    /// library.
    pub const STAGE: &str = "stage";
}

/// The records of `pipeline:api/errors`, as they cross the boundary of the component.
pub(crate) mod record {
    /// The failure of a command, as far as its caller needs it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ExecFailure {
        /// The command as it was run, after expansion.
        pub args: Vec<String>,
        /// The exit code; 128 plus the number of the signal that ended it.
        pub exit_code: i32,
        /// The last 100 KiB of standard output, without trailing white space.
        pub stdout_tail: String,
        /// The last 100 KiB of standard error, without trailing white space.
        pub stderr_tail: String,
    }

    /// What is in an [`Error`](crate::Error).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Error {
        /// One of an open, dotted set; [`code`](crate::code) has the known ones.
        pub code: String,
        /// One sentence that names the thing.
        pub message: String,
        /// Present when a command ended with a code it was not expected to.
        pub exec: Option<ExecFailure>,
        /// Further facts as name and value; the names are an open set.
        pub attributes: Vec<(String, String)>,
    }
}

/// Why a value cannot be had.
///
/// Every error of the standard library, and of other crates, becomes one by `?`,
/// with the code `stage` and its whole chain of causes as message. That is why
/// this type does not implement [`std::error::Error`] itself. Its fields are those of
/// the record in it: `error.code`, `error.message`, `error.exec`, `error.attributes`.
///
/// `{}` prints the message; `{:#}` also what a command wrote before it failed; `{:?}` all
/// that is known, for people. So a program whose `main` returns a [`Result`] prints it in
/// full. `{:#?}` prints the fields.
///
/// ```
/// use guest_sdk::prelude::*;
///
/// fn jobs(text: &str) -> Result<u32> {
///     let jobs = text.trim().parse().context("the number of jobs")?;
///     ensure!(jobs > 0, "no jobs in {text:?}");
///     Ok(jobs)
/// }
///
/// let error = jobs("many").unwrap_err();
/// assert_eq!(error.message, "the number of jobs: invalid digit found in string");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<record::Error>);

impl Deref for Error {
    type Target = record::Error;

    fn deref(&self) -> &record::Error {
        &self.0
    }
}

impl DerefMut for Error {
    fn deref_mut(&mut self) -> &mut record::Error {
        &mut self.0
    }
}

impl From<record::Error> for Error {
    fn from(record: record::Error) -> Self {
        Self(Box::new(record))
    }
}

impl From<Error> for record::Error {
    fn from(error: Error) -> Self {
        *error.0
    }
}

impl Error {
    /// An error of the stage's own: one sentence that names the thing.
    pub fn new(message: impl fmt::Display) -> Self {
        let (code, message) = (code::STAGE.to_owned(), message.to_string());
        record::Error { code, message, exec: None, attributes: Vec::new() }.into()
    }

    /// With this code.
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = code.into();
        self
    }

    /// With one more fact.
    pub fn with_attribute(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.attributes.push((name.into(), value.to_string()));
        self
    }

    /// With `context: ` before its message.
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        self.message = format!("{context}: {}", self.message);
        self
    }

    /// Returns whether it has this code.
    pub fn is(&self, code: &str) -> bool {
        self.code == code
    }

    /// Returns the value of an attribute, if it has it.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Returns the exit code of the command that failed, if one did.
    pub fn exit_code(&self) -> Option<i32> {
        self.exec.as_ref().map(|exec| exec.exit_code)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let (true, Some(exec)) = (f.alternate(), &self.exec) {
            for (stream, tail) in [("stdout", &exec.stdout_tail), ("stderr", &exec.stderr_tail)] {
                if !tail.is_empty() {
                    write!(f, "\n{stream}:\n{tail}")?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return self.0.fmt(f);
        }
        write!(f, "{self:#}")?;
        if let Some(exec) = &self.exec {
            write!(f, "\ncommand: {}\nexit code: {}", exec.args.join(" "), exec.exit_code)?;
        }
        for (name, value) in &self.attributes {
            write!(f, "\n{name}: {value}")?;
        }
        if !self.is(code::STAGE) {
            write!(f, "\ncode: {}", self.code)?;
        }
        Ok(())
    }
}

impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            message.push_str(": ");
            message.push_str(&cause.to_string());
            source = cause.source();
        }
        Self::new(message)
    }
}

/// Puts what was being done before the message of an error.
///
/// On an `Option` it makes the error.
///
/// ```
/// use guest_sdk::prelude::*;
///
/// fn first_line(text: &str) -> Result<&str> {
///     text.lines().next().context("the version file is empty")
/// }
///
/// assert_eq!(first_line("1.3\n").unwrap(), "1.3");
/// assert_eq!(first_line("").unwrap_err().message, "the version file is empty");
/// ```
pub trait Context<T> {
    /// With this before the message.
    fn context(self, context: impl fmt::Display) -> Result<T>;

    /// With this before the message; made only where there is an error.
    fn with_context<C: fmt::Display>(self, context: impl FnOnce() -> C) -> Result<T>;
}

impl<T, E: Into<Error>> Context<T> for Result<T, E> {
    fn context(self, context: impl fmt::Display) -> Result<T> {
        self.map_err(|error| error.into().context(context))
    }

    fn with_context<C: fmt::Display>(self, context: impl FnOnce() -> C) -> Result<T> {
        self.map_err(|error| error.into().context(context()))
    }
}

impl<T> Context<T> for Option<T> {
    fn context(self, context: impl fmt::Display) -> Result<T> {
        self.ok_or_else(|| Error::new(context))
    }

    fn with_context<C: fmt::Display>(self, context: impl FnOnce() -> C) -> Result<T> {
        self.ok_or_else(|| Error::new(context()))
    }
}

/// Returns from the stage with an error, formatted as by `format!`.
///
/// ```
/// # use guest_sdk::prelude::*;
/// fn only_debug(mode: &str) -> Result<()> {
///     if mode != "debug" {
///         bail!("no mode {mode:?}: there is only `debug`");
///     }
///     Ok(())
/// }
/// # assert!(only_debug("debug").is_ok());
/// ```
#[macro_export]
macro_rules! bail {
    ($($message:tt)+) => {
        return ::core::result::Result::Err($crate::Error::new(::std::format_args!($($message)+)))
    };
}

/// Returns from the stage with an error unless the condition holds.
///
/// ```
/// # use guest_sdk::prelude::*;
/// fn half(n: u32) -> Result<u32> {
///     ensure!(n % 2 == 0, "{n} is odd");
///     Ok(n / 2)
/// }
/// # assert_eq!(half(3).unwrap_err().message, "3 is odd");
/// ```
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            $crate::bail!($($message)+);
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_mark_takes_any_error_with_its_causes() {
        fn read() -> Result<u8> {
            Ok("256".parse::<u8>()?)
        }
        let error = read().unwrap_err();
        assert_eq!(error.code, code::STAGE);
        assert_eq!(error.message, "number too large to fit in target type");
    }

    #[test]
    fn a_question_mark_keeps_an_error_as_it_is() {
        fn inner() -> Result<()> {
            Err(Error::new("no `a.txt`").with_code(code::NOT_FOUND).with_attribute("path", "a.txt"))
        }
        fn outer() -> Result<()> {
            inner().context("reading the version")?;
            Ok(())
        }
        let error = outer().unwrap_err();
        assert!(error.is(code::NOT_FOUND));
        assert_eq!(error.attribute("path"), Some("a.txt"));
        assert_eq!(error.to_string(), "reading the version: no `a.txt`");
    }

    #[test]
    fn the_alternate_form_shows_what_the_command_wrote() {
        let mut error = Error::new("`make` ended with exit code 2");
        error.exec = Some(ExecFailure {
            args: vec!["make".into()],
            exit_code: 2,
            stdout_tail: String::new(),
            stderr_tail: "no rule".into(),
        });
        assert_eq!(format!("{error}"), "`make` ended with exit code 2");
        assert_eq!(format!("{error:#}"), "`make` ended with exit code 2\nstderr:\nno rule");
        assert_eq!(
            format!("{:?}", error.clone().with_code(code::EXEC).with_attribute("stage", "build")),
            "`make` ended with exit code 2\nstderr:\nno rule\ncommand: make\nexit code: 2\nstage: build\ncode: exec"
        );
        assert_eq!(error.exit_code(), Some(2));
    }
}
