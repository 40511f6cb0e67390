//! Completion: what a shell offers behind the words that are typed so far.
//!
//! The scripts of `host completions` start this program with [`VARIABLE`] set to the name of the shell, and with the
//! words behind `--`. clap's engine for completions answers from a tree of commands, which this file extends by the
//! stages of the module here. It builds and compiles nothing, and when something is wrong it answers with less: the
//! middle of a command line is no place for errors.

use std::ffi::OsString;

use clap::{ArgMatches, Command};
use clap_complete::env::{Bash, EnvCompleter, Fish, Zsh};
use pipeline::{Library, StageGraph};

use super::modules::known;
use super::{CALLS, ENTRIES, command};
use crate::args::options::{self, common};
use crate::args::{Hinted, Options, Parsed, WORDS};
use crate::call::{Places, completed_stages, link};
use crate::context::{Context, Entry};

/// The environment variable that asks for completions.
pub(crate) const VARIABLE: &str = "HOST_COMPLETE";

/// The shells that there are completions for.
pub(crate) const SHELLS: &[&str] = &["bash", "zsh", "fish"];

/// The commands that take names of stages.
const OF_STAGES: &[&str] = &["run", "check", "plan", "graph"];

/// Returns what knows the scripts of a shell.
pub(crate) fn shell(name: &str) -> Option<&'static dyn EnvCompleter> {
    match name {
        "bash" => Some(&Bash),
        "zsh" => Some(&Zsh),
        "fish" => Some(&Fish),
        _ => None,
    }
}

/// Prints what can stand at the place of the cursor; nothing if that is not known.
pub(crate) fn run(name: &str, args: Vec<OsString>, context: Context<'_>) {
    let Some(shell) = shell(name) else { return };
    let words: Vec<OsString> = args.into_iter().skip_while(|word| word != "--").skip(1).collect();
    if words.is_empty() {
        return;
    }
    let typed: Vec<String> = words.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let mut tree = tree(&typed, &context);
    let mut shown = Vec::new();
    if shell.write_complete(&mut tree, words, Some(&context.config.cwd), &mut shown).is_ok() {
        context.io.print_bytes(&shown);
        context.io.flush();
    }
}

/// Returns the tree of commands, with the stages of the module here where the words need them.
fn tree(typed: &[String], context: &Context<'_>) -> Command {
    let named = typed.iter().find(|word| !word.starts_with('-'));
    let entry = named.and_then(|name| ENTRIES.iter().find(|entry| entry.name == *name));
    let Some(entry) = entry else { return command() };
    let is_call = CALLS.contains(&entry.name);
    if !is_call && !OF_STAGES.contains(&entry.name) {
        return command();
    }
    let parsed = parsed(entry, typed);
    let Some((graph, library)) = stages(&parsed.options, context) else { return command() };
    match is_call {
        true => command().mut_subcommand(entry.name, |_| {
            let stages = completed_stages(&graph, &library, &parsed.words);
            common(Command::new(entry.name)).arg(options::module()).args(options::call()).subcommands(stages)
        }),
        false => {
            let names: Vec<String> = graph.stages().iter().map(|stage| stage.name.clone()).collect();
            let command = entry.alone().mut_arg(WORDS, |arg| arg.value_parser(Hinted::new(names)));
            super::command().mut_subcommand(entry.name, |_| command)
        }
    }
}

/// Returns the options in the words of a command, as far as they can be parsed.
pub(super) fn options_of(entry: &Entry, typed: &[String]) -> Options {
    parsed(entry, typed).options
}

fn parsed(entry: &Entry, typed: &[String]) -> Parsed {
    let words: Vec<String> = typed.iter().skip_while(|word| *word != entry.name).skip(1).cloned().collect();
    Parsed::new(&matched(entry, words.clone()), &words)
}

/// Parses words as far as they can be.
fn matched(entry: &Entry, words: Vec<String>) -> ArgMatches {
    let command = entry.alone().ignore_errors(true).no_binary_name(true).disable_help_flag(true);
    command.try_get_matches_from(words).unwrap_or_default()
}

/// Links the stages of the module here, as far as it is known.
fn stages(options: &Options, context: &Context<'_>) -> Option<(StageGraph, Library)> {
    let known = known(options, context)?;
    let linked = link(&known.library, known.directory(), &mut Places::new(context.config)).ok()?;
    Some((linked.graph, known.library))
}
