//! Errors of clap, worded as the errors of this program.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use module::suggestion;

use crate::report::Report;

/// What arguments belong to, for messages about them.
pub(crate) struct Subject {
    /// The owner of the arguments, such as `` `host build` `` or ``stage `build` ``.
    pub(crate) what: String,
    /// The word for its named arguments. Commands have options; stages and methods have flags.
    pub(crate) noun: Noun,
    /// The names of these arguments, with their hyphens.
    pub(crate) known: Vec<String>,
    /// The usage line.
    pub(crate) usage: String,
}

/// The word for named arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noun {
    Option,
    Flag,
}

impl Subject {
    /// The arguments of a command.
    pub(crate) fn of_command(name: &str, mut command: clap::Command) -> Self {
        let known = command.get_arguments().filter_map(|arg| Some(format!("--{}", arg.get_long()?))).collect();
        let usage = command.render_usage().to_string();
        let usage = usage.lines().next().unwrap_or_default().trim_start_matches("Usage:").trim().to_owned();
        Self { what: format!("`{}`", format!("host {name}").trim_end()), noun: Noun::Option, known, usage }
    }

    /// Names an argument, as in ``option `--json` `` or ``flag `--src` of stage `build` ``.
    fn named(&self, name: &str) -> String {
        match self.noun_of(name) {
            Noun::Option => format!("option `{name}`"),
            Noun::Flag => format!("flag `{name}` of {}", self.what),
        }
    }

    /// Returns the word for an argument. The options of the run stand among the flags of a stage.
    fn noun_of(&self, name: &str) -> Noun {
        if self.known.iter().any(|known| known == name) { self.noun } else { Noun::Option }
    }

    fn unknown(&self, name: &str) -> Report {
        let noun = match self.noun {
            Noun::Option => "option",
            Noun::Flag => "flag",
        };
        let known: Vec<&str> = self.known.iter().map(String::as_str).collect();
        Report::usage(format!("{} has no {noun} `{name}`", self.what)).with_hint(match known.as_slice() {
            [] => format!("it takes no {noun}s"),
            // One letter is near to nothing.
            _ if name.len() == 2 && self.noun == Noun::Option => {
                format!("{} --help` lists its options", self.what.trim_end_matches('`'))
            }
            known => suggestion(name, known, "it has"),
        })
    }
}

/// Returns an error of clap as an error of this program.
pub(super) fn report(error: &clap::Error, subject: &Subject) -> Report {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        Some(ContextValue::Strings(texts)) => texts.first().map_or("", String::as_str),
        _ => "",
    };
    let (arg, value) = (text(ContextKind::InvalidArg), text(ContextKind::InvalidValue));
    let name = name_of(arg);
    let report = match error.kind() {
        ErrorKind::UnknownArgument if arg.starts_with('-') => subject.unknown(name),
        ErrorKind::UnknownArgument => Report::usage(format!("{} does not take `{arg}`", subject.what)),
        ErrorKind::InvalidValue | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues if value.is_empty() => {
            let placeholder = match (arg.split_once('<'), subject.noun_of(name)) {
                (Some((_, rest)), Noun::Option) => format!(": {}", rest.trim_end_matches(['>', '.', ']'])),
                _ => String::new(),
            };
            Report::usage(format!("{} needs a value{placeholder}", subject.named(name)))
        }
        ErrorKind::TooManyValues => {
            Report::usage(format!("{} takes no value, and was given `{value}`", subject.named(name)))
        }
        ErrorKind::ArgumentConflict => {
            let other = name_of(text(ContextKind::PriorArg));
            Report::usage(format!("`{name}` and `{other}` cannot be given together"))
        }
        _ => Report::usage(first_line(&error.render().to_string())),
    };
    report.with_usage(&subject.usage)
}

/// Returns the name in what clap calls an argument, as in `--explain[=<FORMAT>]`, `--module <MODULE>` or `[PATH]`.
fn name_of(arg: &str) -> &str {
    match arg.starts_with('-') {
        true => arg.split([' ', '=', '[']).next().unwrap_or(arg),
        false => arg.trim_matches(['[', ']', '<', '>', '.']),
    }
}

fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}
