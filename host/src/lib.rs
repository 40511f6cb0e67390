//! The command line: arguments, flags from types, progress, reports, exit codes.
//!
//! [`run`] is the whole program except for what it takes from its process: words, streams, the environment
//! ([`Config`]) and a [`platform::Platform`] come in, an [`ExitStatus`] comes out, so that tests run it in their own
//! process with a platform of their own. [`wire`] has the real one.
//!
//! Read first: [`platform`], then `commands`, then `call`, which turns words and types into values.
//!
//! Invariants: only [`config`] reads the environment; only [`report`] words what went wrong; data goes to standard
//! output and nothing else does.

mod args;
mod call;
mod commands;
pub mod config;
mod context;
mod doctor;
pub mod exit;
mod interrupt;
pub mod io;
mod output;
pub mod platform;
mod progress;
pub mod report;
mod styles;
pub mod wire;

use std::ffi::OsString;

pub use commands::command;
pub use config::{Config, DockerConfig};
use context::Context;
pub use exit::ExitStatus;
pub use io::Io;
use report::{Report, Result};

/// Runs the program with these words, the first of which is not its name.
pub fn run(
    words: impl IntoIterator<Item = OsString>,
    io: &mut Io,
    config: &Config,
    platform: &dyn platform::Platform,
) -> ExitStatus {
    let words = words.into_iter();
    let context = Context { io: &mut *io, config, platform };
    let status = match &config.complete {
        Some(shell) => {
            commands::complete::run(shell, words.collect(), context);
            return ExitStatus::Done;
        }
        None => match words.map(utf8).collect::<Result<_>>().and_then(|words| commands::dispatch(words, context)) {
            Ok(status) => status,
            Err(report) => {
                io.report(&report);
                report.status()
            }
        },
    };
    match io.finish() {
        Err(error) if status == ExitStatus::Done => {
            let report = Report::environment("cannot write to standard output").caused_by(error.to_string());
            io.report(&report);
            report.status()
        }
        _ => status,
    }
}

fn utf8(word: OsString) -> Result<String> {
    word.into_string().map_err(|word| Report::usage(format!("the argument `{}` is not UTF-8", word.display())))
}
