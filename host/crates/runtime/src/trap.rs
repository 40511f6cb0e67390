//! The ends of calls that do not return.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use graph::{Blame, Diagnostic};
use wasmtime::WasmBacktrace;

use crate::report::{self, GuestReport};
use crate::setup::Limits;

/// The reason why the host ends a call. It passes through wasmtime as an error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    #[error("out of memory")]
    OutOfMemory,
    #[error("out of time")]
    TimeOut,
    #[error("too many objects")]
    TooManyHandles,
    #[error("too much is kept")]
    TooMuchKept,
    #[error("a text is too long")]
    TextTooLong { function: String, param: String },
    #[error("too much output")]
    TooMuchOutput,
    #[error("too many messages")]
    TooManyMessages,
    #[error("{message}")]
    Unavailable { message: String },
    #[error("{message}")]
    Contract { message: String },
    #[error("{message}")]
    Dependency { message: String },
    #[error("{message}")]
    Bug { message: String },
    #[error("`{operation}` would run, and nothing is executed")]
    Planned { operation: Arc<str> },
}

/// The end of a stage that did not return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trap {
    /// The name of the module.
    pub module: String,
    /// The name of the stage.
    pub function: String,
    /// The cause of the end.
    pub cause: TrapCause,
    /// The place in the guest's own source, as `file:line:column`, if the guest has that information.
    pub source_line: Option<String>,
    /// The end of the guest's output.
    pub stderr_tail: String,
}

/// The cause of a stage's end without a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrapCause {
    /// The stage needs more memory than [`Limits::memory_bytes`].
    OutOfMemory {
        /// The limit in bytes.
        limit_bytes: u64,
    },
    /// The stage ran for longer than [`Limits::time`].
    TimeOut {
        /// The limit on the time.
        limit: Duration,
    },
    /// The stage needs more stack than [`Limits::stack_bytes`], or than its language reserves in its memory.
    StackOverflow {
        /// The limit in bytes; none if the stack of the language was too small.
        limit_bytes: Option<usize>,
    },
    /// The stage holds more objects than [`Limits::n_handles`].
    TooManyHandles {
        /// The limit on the number of objects.
        limit: u32,
    },
    /// The host keeps more than [`Limits::kept_bytes`] for the objects of the stage.
    TooMuchKept {
        /// The limit in bytes.
        limit_bytes: u64,
    },
    /// The stage passed a text of more than [`Limits::text_bytes`] to a method.
    TextTooLong {
        /// The method, as in `container.with-label`.
        function: String,
        /// The parameter of the method.
        param: String,
        /// The limit in bytes.
        limit_bytes: u64,
    },
    /// The stage printed more than [`Limits::output_bytes`].
    TooMuchOutput {
        /// The limit in bytes.
        limit_bytes: u64,
    },
    /// The stage logged more than [`Limits::message_bytes`].
    TooManyMessages {
        /// The limit in bytes.
        limit_bytes: u64,
    },
    /// The stage panicked.
    Panic {
        /// The message of the panic.
        message: String,
    },
    /// The stage threw an exception that nobody caught.
    Exception {
        /// The exception as its language writes it.
        message: String,
    },
    /// The stage gave up without a message.
    Unreachable,
    /// The stage ended its process.
    Exit {
        /// The exit code.
        code: i32,
    },
    /// The stage did something that WebAssembly forbids, as in `integer divide by zero`.
    Fault {
        /// The forbidden thing.
        what: String,
    },
    /// The stage called a function that this version does not have.
    Unavailable {
        /// A sentence that names the function.
        message: String,
    },
    /// The stage called a function of a dependency that ended without an answer, and whose type has no room for an
    /// error.
    Dependency {
        /// A sentence that names the function.
        message: String,
    },
    /// The stage broke the contract of `pipeline:api`.
    Contract {
        /// The broken rule, as a sentence.
        message: String,
    },
}

impl Trap {
    /// Finds the cause of a guest's end. The caller makes sure with [`not_of_the_guest`] that the guest caused it.
    pub(crate) fn of(module: &str, function: &str, limits: &Limits, error: &wasmtime::Error, printed: &[u8]) -> Self {
        let printed_text = engine::tail(printed);
        let report = report::find(&printed_text);
        let frame = error.downcast_ref::<WasmBacktrace>().and_then(report::source_line);
        let cause = cause(limits, error, report.as_ref());
        // The place that the guest reports is nearer to its author than a frame of its runtime.
        let reported = report
            .and_then(|report| report.location)
            .filter(|_| matches!(cause, TrapCause::Panic { .. } | TrapCause::Exception { .. }));
        Self {
            module: module.to_owned(),
            function: function.to_owned(),
            cause,
            source_line: reported.or(frame),
            stderr_tail: printed_text,
        }
    }
}

/// The reason why a call ended, where it is not the guest's fault.
#[derive(Debug)]
pub(crate) enum Foreign {
    /// The value of an operation is needed, and nothing is executed.
    Planned(Arc<str>),
    /// The machine refused memory or another thing that the call needs.
    Environment,
    /// This program, or wasmtime, contradicts itself.
    Bug(String),
}

/// Finds the reasons that a guest cannot cause, by their types.
///
/// What happens between the entry of a guest and its return is the guest's doing, whatever wasmtime says about it:
/// addresses, discriminants, text and handles come from the guest, and the host's own values are compared with their
/// types before. Only an error that this program, wasmtime or the operating system marks as its own is none of the guest.
pub(crate) fn not_of_the_guest(error: &wasmtime::Error) -> Option<Foreign> {
    match error.downcast_ref::<Stop>() {
        Some(Stop::Bug { message }) => return Some(Foreign::Bug(message.clone())),
        Some(Stop::Planned { operation }) => return Some(Foreign::Planned(Arc::clone(operation))),
        Some(_) => return None,
        None => {}
    }
    if let Some(bug) = error.downcast_ref::<wasmtime::WasmtimeBug>() {
        return Some(Foreign::Bug(bug.to_string()));
    }
    let is_of_the_machine = error.downcast_ref::<io::Error>().is_some()
        || error.downcast_ref::<rustix::io::Errno>().is_some()
        || error.downcast_ref::<wasmtime::OutOfMemory>().is_some();
    is_of_the_machine.then_some(Foreign::Environment)
}

fn cause(limits: &Limits, error: &wasmtime::Error, report: Option<&GuestReport>) -> TrapCause {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return of_stop(limits, stop);
    }
    if matches!(
        error.downcast_ref::<wasmtime::component::ResourceTableError>(),
        Some(wasmtime::component::ResourceTableError::Full)
    ) {
        return TrapCause::TooManyHandles { limit: limits.n_handles };
    }
    if let Some(exit) = error.downcast_ref::<wasmtime_wasi::I32Exit>() {
        return panic(report).unwrap_or(TrapCause::Exit { code: exit.0 });
    }
    match error.downcast_ref::<wasmtime::Trap>() {
        Some(wasmtime::Trap::StackOverflow) => TrapCause::StackOverflow { limit_bytes: Some(limits.stack_bytes) },
        Some(wasmtime::Trap::MemoryOutOfBounds) if is_own_stack(error) => {
            TrapCause::StackOverflow { limit_bytes: None }
        }
        Some(wasmtime::Trap::UnreachableCodeReached) => panic(report).unwrap_or(TrapCause::Unreachable),
        Some(trap) => fault(&trap.to_string()),
        None => of_text(limits, &format!("{:#}", error.root_cause())),
    }
}

/// Returns whether a guest ran out of the stack that its language keeps in its memory.
///
/// Compilers of C and Rust put the stack at the bottom of memory. It grows below address 0, which wraps around. Where
/// the address is not known, a deep recursion is taken as the sign.
fn is_own_stack(error: &wasmtime::Error) -> bool {
    const FAULT: &str = "memory fault at wasm address 0x";
    const BELOW: u64 = 0xff00_0000;
    let text = format!("{error:#}");
    match text.split_once(FAULT).and_then(|(_, rest)| rest.split(' ').next()) {
        Some(digits) => u64::from_str_radix(digits, 16).is_ok_and(|address| address >= BELOW),
        None => error.downcast_ref::<WasmBacktrace>().is_some_and(report::is_recursion),
    }
}

fn panic(report: Option<&GuestReport>) -> Option<TrapCause> {
    report.map(|report| {
        let message = report.message.clone();
        if report.is_exception { TrapCause::Exception { message } } else { TrapCause::Panic { message } }
    })
}

fn fault(text: &str) -> TrapCause {
    TrapCause::Fault { what: text.trim_start_matches("wasm trap: ").to_owned() }
}

fn of_stop(limits: &Limits, stop: &Stop) -> TrapCause {
    match stop {
        Stop::OutOfMemory => TrapCause::OutOfMemory { limit_bytes: limits.memory_bytes },
        Stop::TimeOut => TrapCause::TimeOut { limit: limits.time },
        Stop::TooManyHandles => TrapCause::TooManyHandles { limit: limits.n_handles },
        Stop::TooMuchKept => TrapCause::TooMuchKept { limit_bytes: limits.kept_bytes },
        Stop::TextTooLong { function, param } => {
            TrapCause::TextTooLong { function: function.clone(), param: param.clone(), limit_bytes: limits.text_bytes }
        }
        Stop::TooMuchOutput => TrapCause::TooMuchOutput { limit_bytes: limits.output_bytes },
        Stop::TooManyMessages => TrapCause::TooManyMessages { limit_bytes: limits.message_bytes },
        Stop::Unavailable { message } => TrapCause::Unavailable { message: message.clone() },
        Stop::Dependency { message } => TrapCause::Dependency { message: message.clone() },
        Stop::Contract { message } => TrapCause::Contract { message: message.clone() },
        // These two are found before: see `not_of_the_guest`.
        Stop::Bug { .. } | Stop::Planned { .. } => fault(&stop.to_string()),
    }
}

/// Finds a cause by its message, for two limits whose errors have no public type in wasmtime. Every other error is the
/// guest's use of its handles, of its memory or of the values that it passes.
fn of_text(limits: &Limits, text: &str) -> TrapCause {
    if text.contains("store handle limit exceeded") {
        return TrapCause::TooManyHandles { limit: limits.n_handles };
    }
    if text.contains("fuel allocated for hostcalls has been exhausted") {
        return TrapCause::OutOfMemory { limit_bytes: limits.memory_bytes };
    }
    fault(text)
}

/// Writes a number of bytes in the largest unit that divides it.
fn bytes(n: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(unit, _)| n >= *unit && n.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{} {name}", n / unit),
        None => format!("{n} bytes"),
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stage `{}` of module `{}` ", self.function, self.module)?;
        let at = self.source_line.as_ref().map(|line| format!(" at {line}")).unwrap_or_default();
        match &self.cause {
            TrapCause::OutOfMemory { limit_bytes } => {
                write!(f, "needs more than {} of memory{at}", bytes(*limit_bytes))
            }
            TrapCause::TimeOut { limit } => write!(f, "ran for more than {} s{at}", limit.as_secs_f64()),
            TrapCause::StackOverflow { limit_bytes: Some(limit) } => {
                write!(f, "overflowed its stack of {}{at}", bytes(*limit as u64))
            }
            TrapCause::StackOverflow { limit_bytes: None } => write!(f, "overflowed its stack{at}"),
            TrapCause::TooManyHandles { limit } => write!(f, "holds more than {limit} objects{at}"),
            TrapCause::TooMuchKept { limit_bytes } => {
                write!(f, "made objects for which more than {} must be kept{at}", bytes(*limit_bytes))
            }
            TrapCause::TextTooLong { function, param, limit_bytes } => {
                let limit = bytes(*limit_bytes);
                write!(f, "passed a text of more than {limit} to `{function}` as its `{param}`{at}")
            }
            TrapCause::TooMuchOutput { limit_bytes } => write!(f, "printed more than {}{at}", bytes(*limit_bytes)),
            TrapCause::TooManyMessages { limit_bytes } => {
                write!(f, "logged more than {} of messages{at}", bytes(*limit_bytes))
            }
            TrapCause::Panic { message } => write!(f, "panicked{at}: {message}"),
            TrapCause::Exception { message } => write!(f, "ended with an exception{at}: {message}"),
            TrapCause::Unreachable => write!(f, "gave up{at} without a message"),
            TrapCause::Exit { code } => write!(f, "ended its process with code {code}{at}"),
            TrapCause::Fault { what } => write!(f, "trapped{at}: {what}"),
            TrapCause::Dependency { message } => write!(f, "cannot go on{at}: {message}"),
            TrapCause::Unavailable { message } => f.write_str("cannot go on: ").and_then(|()| f.write_str(message)),
            TrapCause::Contract { message } => write!(f, "broke its contract{at}: {message}"),
        }
    }
}

impl std::error::Error for Trap {}

impl Diagnostic for Trap {
    fn blame(&self) -> Blame {
        Blame::Function
    }

    fn hint(&self) -> Option<String> {
        Some(match &self.cause {
            TrapCause::TimeOut { .. } => {
                "only its own code counts, not what it waits for: look for a loop that does not end".to_owned()
            }
            TrapCause::StackOverflow { .. } => "look for a recursion that does not end".to_owned(),
            TrapCause::TooManyHandles { .. } => {
                "drop objects that are not needed any more, or make fewer of them".to_owned()
            }
            TrapCause::TooMuchKept { .. } => {
                "put large contents into files of 64 KiB or more, which are kept in the store".to_owned()
            }
            TrapCause::TextTooLong { .. } => "only the contents of a file may be longer".to_owned(),
            TrapCause::Contract { .. } => "build the module against this version of `pipeline:api`".to_owned(),
            TrapCause::Unreachable if self.source_line.is_none() => {
                "build with `debug = 1` and `strip = \"none\"` to see the line of the source".to_owned()
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_in_the_largest_unit_without_a_rest() {
        for (n, text) in [(1 << 30, "1 GiB"), (1536 << 10, "1536 KiB"), (1001, "1001 bytes")] {
            assert_eq!(bytes(n), text);
        }
    }

    #[test]
    fn a_trap_says_where_and_why() {
        let trap = Trap {
            module: "m".to_owned(),
            function: "x".to_owned(),
            cause: TrapCause::Panic { message: "no such thing".to_owned() },
            source_line: Some("src/lib.rs:12:5".to_owned()),
            stderr_tail: String::new(),
        };
        assert_eq!(trap.to_string(), "stage `x` of module `m` panicked at src/lib.rs:12:5: no such thing");
        assert_eq!(trap.blame(), Blame::Function);
    }
}
