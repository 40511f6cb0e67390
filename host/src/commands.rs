//! What each command does.

mod build;
mod cache;
mod call;
mod changes;
mod check;
mod engine;
mod functions;
mod graph;
mod init;
mod inspect;
mod modules;
mod options;
mod outcomes;
mod plan;
mod prepared;
mod run;
mod running;
mod watch;
mod wit;

use std::collections::VecDeque;

use crate::args::{self, CommandSpec, Parsed};
use crate::config::Config;
use crate::exit::ExitStatus;
use crate::help;
use crate::io::Io;
use crate::platform::Platform;
use crate::report::{Report, Result};

/// What every command is given.
pub(crate) struct Context<'a> {
    pub(crate) io: &'a mut Io,
    pub(crate) config: &'a Config,
    pub(crate) platform: &'a dyn Platform,
}

/// Parses the words of a command and runs it.
pub(crate) fn run(command: &CommandSpec, mut words: VecDeque<String>, context: Context<'_>) -> Result<ExitStatus> {
    let (n_words, is_open) = match command.name {
        "call" | "run" | "watch" => (1, true),
        "check" | "plan" | "graph" => (usize::MAX, false),
        "init" | "cache" => (1, false),
        _ => (0, false),
    };
    let parsed = args::parse(command, n_words, is_open, &mut words)?;
    if parsed.is_help {
        context.io.print(help::command(command).trim_end());
        return Ok(ExitStatus::Done);
    }
    match command.name {
        "call" => call::run(parsed, words, context),
        "run" => run::run(parsed, words, context),
        "check" => check::run(&parsed, context),
        "plan" => plan::run(&parsed, context),
        "graph" => graph::run(&parsed, context),
        "watch" => watch::run(parsed, words, context),
        "functions" => functions::run(&parsed, context),
        "init" => init::run(&parsed, context),
        "build" => build::run(&parsed, context),
        "wit" => wit::run(&parsed, context),
        "inspect" => inspect::run(&parsed, context),
        "engine" => engine::run(&parsed, context),
        "cache" => cache::run(&parsed, context),
        "doctor" => crate::doctor::run(&parsed, context),
        name => Err(Report::bug(format!("the command `{name}` is known and does nothing"))),
    }
}

/// Prints JSON over several lines.
pub(crate) fn print_json(io: &mut Io, value: &impl serde::Serialize) -> Result<ExitStatus> {
    let text =
        serde_json::to_string_pretty(value).map_err(|error| Report::bug(format!("cannot write JSON: {error}")))?;
    io.print(&text);
    Ok(ExitStatus::Done)
}

/// Returns whether JSON was asked for.
pub(crate) fn is_json(parsed: &Parsed) -> bool {
    parsed.options.has("json")
}
