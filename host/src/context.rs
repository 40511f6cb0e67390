//! What every command is, and what it is given.

use clap::Command;

use crate::args::Parsed;
use crate::args::options::common;
use crate::config::Config;
use crate::exit::ExitStatus;
use crate::io::Io;
use crate::platform::Platform;
use crate::report::{Report, Result};

/// A command of the program.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    /// What it does, in a line of the program's help.
    pub(crate) summary: &'static str,
    /// Adds the arguments and the rest of the help; called only when the command is the one that was typed.
    pub(crate) define: fn(Command) -> Command,
    pub(crate) run: fn(&Parsed, Context<'_>) -> Result<ExitStatus>,
}

impl Entry {
    /// Returns the command for a tree of commands.
    pub(crate) fn command(&self) -> Command {
        common(Command::new(self.name).about(self.summary)).defer(self.define)
    }

    /// Returns the command by itself, with all its arguments.
    pub(crate) fn alone(&self) -> Command {
        let command = common(Command::new(self.name).about(self.summary)).bin_name(format!("host {}", self.name));
        (self.define)(command)
    }
}

/// What every command is given.
pub(crate) struct Context<'a> {
    pub(crate) io: &'a mut Io,
    pub(crate) config: &'a Config,
    pub(crate) platform: &'a dyn Platform,
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
