//! The command line: arguments, flags from types, progress, reports, exit codes.
//!
//! [`run`] is the whole program but for what it reads of its process: words, streams, the
//! environment ([`Config`]) and a [`platform::Platform`] come in, an [`ExitStatus`] comes out, so that
//! tests run it in their own process with a platform of their own. [`wire`] has the real one.
//!
//! Read first: [`platform`], then `commands`, then `call`, which turns words and types into values.
//!
//! Invariants: only [`config`] reads the environment; only [`report`] says what went wrong; data
//! goes to standard output and nothing else does.

mod args;
mod call;
mod commands;
pub mod config;
mod doctor;
pub mod exit;
mod help;
mod interrupt;
pub mod io;
mod output;
pub mod platform;
mod progress;
pub mod report;
pub mod wire;

use std::collections::VecDeque;
use std::ffi::OsString;

use args::specs::COMMANDS;
pub use config::{Config, DockerConfig};
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
    let status = match dispatch(words, io, config, platform) {
        Ok(status) => status,
        Err(report) => {
            io.say(&report.render());
            report.status()
        }
    };
    match io.finish() {
        Err(error) if status == ExitStatus::Done => {
            let report = Report::environment("cannot write to standard output").caused_by(error.to_string());
            io.say(&report.render());
            report.status()
        }
        _ => status,
    }
}

fn dispatch(
    words: impl IntoIterator<Item = OsString>,
    io: &mut Io,
    config: &Config,
    platform: &dyn platform::Platform,
) -> Result<ExitStatus> {
    let mut words = words.into_iter().map(utf8).collect::<Result<VecDeque<String>>>()?;
    let Some(command) = words.pop_front() else {
        io.say(help::program().trim_end());
        return Ok(ExitStatus::Usage);
    };
    match command.as_str() {
        "--help" | "-h" | "help" => help(&words, io),
        "--version" | "-V" => {
            io.print(&format!("host {}", env!("CARGO_PKG_VERSION")));
            Ok(ExitStatus::Done)
        }
        name => match COMMANDS.iter().find(|command| command.name == name) {
            Some(command) => commands::run(command, words, commands::Context { io, config, platform }),
            None => Err(unknown_command(name)),
        },
    }
}

fn help(words: &VecDeque<String>, io: &mut Io) -> Result<ExitStatus> {
    let text = match words.front() {
        None => help::program(),
        Some(name) => match COMMANDS.iter().find(|command| command.name == name) {
            Some(command) => help::command(command),
            None => return Err(unknown_command(name)),
        },
    };
    io.print(text.trim_end());
    Ok(ExitStatus::Done)
}

fn unknown_command(name: &str) -> Report {
    let names: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
    Report::usage(format!("there is no command `{name}`"))
        .with_hint(module::suggestion(name, &names, "commands"))
        .with_usage("host COMMAND [OPTIONS]")
}

fn utf8(word: OsString) -> Result<String> {
    word.into_string().map_err(|word| Report::usage(format!("the argument `{}` is not UTF-8", word.display())))
}
