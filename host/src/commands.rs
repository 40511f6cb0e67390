//! The commands: the table of them, and how words become one of them.

mod build;
mod cache;
mod call;
mod changes;
mod check;
pub(crate) mod complete;
mod completions;
mod engine;
mod functions;
mod graph;
mod here;
mod init;
mod inspect;
mod lacking;
mod modules;
mod near;
mod options;
mod outcomes;
mod plan;
mod prepared;
mod run;
mod running;
mod watch;
mod wit;

use clap::builder::StyledStr;
use clap::{Arg, Command};

use crate::args::options::common;
use crate::args::{self, Parse, Parsed, Subject, WORDS};
use crate::context::{Context, Entry};
use crate::doctor;
use crate::exit::ExitStatus;
use crate::report::{Report, Result};
use crate::styles::{MAX_WIDTH, examples, section};

/// All commands, in the order of the help.
pub(crate) static ENTRIES: &[&Entry] = &[
    &call::ENTRY,
    &run::ENTRY,
    &check::ENTRY,
    &plan::ENTRY,
    &graph::ENTRY,
    &watch::ENTRY,
    &functions::ENTRY,
    &init::ENTRY,
    &build::ENTRY,
    &wit::ENTRY,
    &inspect::ENTRY,
    &engine::ENTRY,
    &cache::ENTRY,
    &doctor::ENTRY,
    &completions::ENTRY,
];

/// The commands whose first word is a stage that takes flags.
pub(crate) const CALLS: &[&str] = &["call", "watch"];

/// Returns the command line of the program, without the flags of stages.
///
/// Man pages are made of it; call `build` on it to have the arguments of the commands, too.
#[must_use]
pub fn command() -> Command {
    let help = Command::new("help")
        .about("Shows the help of a command, or of a stage behind `host help call`")
        .arg(Arg::new(WORDS).value_name("COMMAND").num_args(0..).help("The command"));
    common(Command::new("host"))
        .bin_name("host")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Runs delivery pipelines whose stages are WebAssembly functions.")
        .override_usage("host COMMAND [OPTIONS]")
        .subcommand_required(true)
        .max_term_width(MAX_WIDTH)
        .subcommands(ENTRIES.iter().map(|entry| entry.command()))
        .subcommand(common(help))
        .after_help(exit_codes())
}

fn exit_codes() -> StyledStr {
    let codes: Vec<_> =
        ExitStatus::ALL.iter().map(|status| (status.code().to_string(), status.meaning().to_owned())).collect();
    let example = examples(&[("host init demo && cd demo && host call hello", "makes a module and calls it")]);
    format!("{}\n\n{}", section("Exit codes", &codes), example.ansi()).into()
}

/// Finds the command that words name, and runs it.
pub(crate) fn dispatch(words: Vec<String>, mut context: Context<'_>) -> Result<ExitStatus> {
    let words = without_help(words);
    if words.is_empty() {
        let text = command().render_help();
        let stages = here::stages_and_next(&context).map(|stages| format!("\n{stages}")).unwrap_or_default();
        context.io.say_styled(&format!("{}{stages}", text.ansi()).into());
        return Ok(ExitStatus::Usage);
    }
    let named = words.iter().find(|word| !word.starts_with('-'));
    let entry = named.and_then(|name| ENTRIES.iter().find(|entry| entry.name == *name));
    if let (None, Some(name)) = (entry, named) {
        return Err(near::unknown_command(name));
    }
    let subject = || match entry {
        Some(entry) => Subject::of_command(entry.name, entry.alone()),
        None => Subject::of_command("", command()),
    };
    let width = if context.io.stdout.is_terminal() { None } else { Some(MAX_WIDTH) };
    let program = width.into_iter().fold(command(), Command::term_width);
    let matches = match args::parse(program, words.iter().cloned(), subject)? {
        Parse::Given(matches) => matches,
        Parse::Text(text) => {
            let entry = entry.filter(|entry| CALLS.contains(&entry.name));
            let stages = entry.and_then(|entry| here::stages_of(entry, &words, &context));
            let stages = stages.map(|stages| format!("\n{stages}\n")).unwrap_or_default();
            return Ok(show(&format!("{}{stages}", text.ansi()).into(), &mut context));
        }
    };
    match (entry, matches.subcommand()) {
        (Some(entry), Some((_, matches))) => (entry.run)(&Parsed::new(matches, &words), context),
        _ => Err(Report::usage("`host` needs a command").with_usage("host COMMAND [OPTIONS]")),
    }
}

/// Prints a text that clap has made.
fn show(text: &StyledStr, context: &mut Context<'_>) -> ExitStatus {
    context.io.print_styled(text);
    ExitStatus::Done
}

/// Returns `host help X` as `host X --help`.
fn without_help(mut words: Vec<String>) -> Vec<String> {
    if words.first().is_some_and(|word| word == "help") {
        words.remove(0);
        words.push("--help".to_owned());
    }
    words
}
