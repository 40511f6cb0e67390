//! What `--help` prints.

use std::fmt::Write as _;

use crate::args::specs::COMMANDS;
use crate::args::{CommandSpec, OptionSpec, Takes};
use crate::exit::ExitStatus;

/// How wide the first column of a list may get.
const COLUMN: usize = 26;

/// Returns the help of the program.
pub(crate) fn program() -> String {
    let mut text = String::from(
        "Runs delivery pipelines whose stages are WebAssembly functions.\n\nUsage: host COMMAND [OPTIONS]\n\nCommands:\n",
    );
    for command in COMMANDS {
        item(&mut text, command.name, command.summary);
    }
    text.push_str("\nOptions:\n");
    item(&mut text, "-h, --help", "show this, or the help of a command");
    item(&mut text, "-V, --version", "show the version");
    text.push_str("\nExit codes:\n");
    for status in ExitStatus::ALL {
        item(&mut text, &status.code().to_string(), status.meaning());
    }
    text.push_str("\nExample:\n  host init demo && cd demo && host call hello\n");
    text
}

/// Returns the help of a command.
pub(crate) fn command(command: &CommandSpec) -> String {
    let mut text = format!("{}.\n\nUsage: {}\n", command.summary, command.usage_line());
    if !command.about.is_empty() {
        let _ = write!(text, "\n{}\n", command.about);
    }
    text.push_str("\nOptions:\n");
    options(&mut text, command.options);
    options(&mut text, command.run_options);
    item(&mut text, "-h, --help", "show this");
    text.push_str(if command.examples.len() == 1 { "\nExample:\n" } else { "\nExamples:\n" });
    for (line, what) in command.examples {
        let _ = writeln!(text, "  {line}\n      {what}");
    }
    text
}

fn options(text: &mut String, options: &[OptionSpec]) {
    for option in options {
        let short = option.short.map(|letter| format!("-{letter}, ")).unwrap_or_default();
        let value = match option.value {
            Takes::Nothing => String::new(),
            Takes::One(name) => format!(" {name}"),
            Takes::Maybe(name) => format!("[={name}]"),
        };
        item(text, &format!("{short}--{}{value}", option.long), option.help);
    }
}

/// Adds a line of a list in two columns; further lines of the second are indented.
pub(crate) fn item(text: &mut String, name: &str, what: &str) {
    let mut lines = what.lines();
    let first = lines.next().unwrap_or_default();
    if name.chars().count() > COLUMN {
        let _ = writeln!(text, "  {name}\n  {:COLUMN$}  {first}", "");
    } else {
        let _ = writeln!(text, "{}", format!("  {name:COLUMN$}  {first}").trim_end());
    }
    for line in lines {
        let _ = writeln!(text, "{}", format!("  {:COLUMN$}  {line}", "").trim_end());
    }
}
