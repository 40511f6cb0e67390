//! Errors of stages: what `?` collects, and what the caller of a stage gets.

use std::fmt;
use std::ops::{Deref, DerefMut};

pub use record::ExecFailure;

/// The result of most functions of the SDK, and of most stages.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The codes that the host and the SDK use. A stage may use codes of its own.
pub mod code {
    /// A command ended with an unexpected exit code.
    pub const EXEC: &str = "exec";
    /// A command took longer than its time-out.
    pub const TIMEOUT: &str = "timeout";
    /// A signal ended a command.
    pub const SIGNAL: &str = "signal";
    /// A command used more memory than its limit.
    pub const OUT_OF_MEMORY: &str = "out-of-memory";
    /// Nothing exists at a path, or under a name.
    pub const NOT_FOUND: &str = "not-found";
    /// Something that is not a file exists at a path.
    pub const NOT_A_FILE: &str = "not-a-file";
    /// Something that is not a directory exists at a path.
    pub const NOT_A_DIRECTORY: &str = "not-a-directory";
    /// A path leaves its root.
    pub const INVALID_PATH: &str = "invalid-path";
    /// An argument has no meaning where it is used.
    pub const INVALID_ARGUMENT: &str = "invalid-argument";
    /// The output of a command was read from a container that has no command.
    pub const NO_EXEC: &str = "no-exec";
    /// The caller did not grant the module a power.
    pub const NOT_GRANTED: &str = "not-granted";
    /// The function does not exist in this version, or the engine cannot do it.
    pub const UNAVAILABLE: &str = "unavailable";
    /// The run was cancelled.
    pub const CANCELLED: &str = "cancelled";
    /// The machine is at fault, for example the disk, the network or a permission.
    pub const ENVIRONMENT: &str = "environment";
    /// The stage itself reports the error: [`Error::new`](crate::Error::new),
    /// [`bail!`](crate::bail), or an error of the standard library.
    pub const STAGE: &str = "stage";
}

/// The records of `pipeline:api/errors`, as generated code uses them.
pub(crate) mod record {
    /// The failure of a command.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ExecFailure {
        /// The command that ran, after variables were expanded.
        pub args: Vec<String>,
        /// The exit code; 128 plus the number of the signal if a signal ended the command.
        pub exit_code: i32,
        /// The last 100 KiB of standard output, without white space at its end.
        pub stdout_tail: String,
        /// The last 100 KiB of standard error, without white space at its end.
        pub stderr_tail: String,
    }

    /// What is in an [`Error`](crate::Error).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Error {
        /// The kind of the error; [`code`](crate::code) has the known ones.
        pub code: String,
        /// One sentence that names the thing that is wrong.
        pub message: String,
        /// The failure of the command, if the code is `exec`.
        pub exec: Option<ExecFailure>,
        /// Further facts, as names and values.
        pub attributes: Vec<(String, String)>,
    }
}

/// The error of a stage.
///
/// `?` converts every error of the standard library and of other crates. The code is then `stage`,
/// and the message contains the whole chain of causes. This conversion is the reason why the type
/// does not implement [`std::error::Error`] itself.
///
/// The fields are `error.code`, `error.message`, `error.exec` and `error.attributes`.
///
/// | format | prints |
/// | --- | --- |
/// | `{}` | the message |
/// | `{:#}` | the message, and the output of the command that failed |
/// | `{:?}` | everything that is known, for people; this is what a program prints whose `main` returns a [`Result`] |
/// | `{:#?}` | the fields |
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
    /// Returns an error of the stage itself. The message is one sentence that names the thing that
    /// is wrong.
    pub fn new(message: impl fmt::Display) -> Self {
        let (code, message) = (code::STAGE.to_owned(), message.to_string());
        record::Error { code, message, exec: None, attributes: Vec::new() }.into()
    }

    /// Sets the code.
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = code.into();
        self
    }

    /// Adds a fact.
    pub fn with_attribute(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.attributes.push((name.into(), value.to_string()));
        self
    }

    /// Puts `context: ` before the message.
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        self.message = format!("{context}: {}", self.message);
        self
    }

    /// Returns whether the error has this code.
    pub fn is(&self, code: &str) -> bool {
        self.code == code
    }

    /// Returns the value of an attribute, if the error has it.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Returns the exit code of the command that failed, if one failed.
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

/// Adds text to an error, or turns an absent value into an error.
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
    /// Puts `context: ` before the message of the error. For an `Option` that is `None`, the text
    /// is the message.
    fn context(self, context: impl fmt::Display) -> Result<T>;

    /// Does the same as [`context`](Self::context), with a text that is computed only if there is
    /// an error.
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

/// Returns from the function with an error, formatted as by `format!`.
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

/// Returns from the function with an error if the condition is false.
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
