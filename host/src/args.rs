//! Taking the command line apart.
//!
//! Written by hand and not with a library: the flags of `host call` come from the types of a
//! component that is only known once the words before them are read, and building a tree of
//! commands costs more than calling a stage.

pub(crate) mod specs;

use std::collections::VecDeque;

use module::suggestion;

use crate::report::{Report, Result};

/// A command and what it takes.
#[derive(Debug)]
pub(crate) struct CommandSpec {
    /// Its name.
    pub(crate) name: &'static str,
    /// What follows its name.
    pub(crate) usage: &'static str,
    /// What it does, in a line.
    pub(crate) summary: &'static str,
    /// What else is to be known; may be empty.
    pub(crate) about: &'static str,
    /// What it takes beside `--help`.
    pub(crate) options: &'static [OptionSpec],
    /// The options of runs that belong to it, too.
    pub(crate) run_options: &'static [OptionSpec],
    /// A line, and what it does.
    pub(crate) examples: &'static [(&'static str, &'static str)],
}

/// An option of a command.
#[derive(Debug)]
pub(crate) struct OptionSpec {
    /// Without its hyphens.
    pub(crate) long: &'static str,
    /// A letter that stands for it.
    pub(crate) short: Option<char>,
    /// What its value is.
    pub(crate) value: Takes,
    /// What it does.
    pub(crate) help: &'static str,
}

/// Whether an option takes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// It takes none.
    Nothing,
    /// It takes one, called this.
    One(&'static str),
    /// It takes one behind a `=`, or none.
    Maybe(&'static str),
}

/// Options as they were given: name and value.
#[derive(Debug, Default, Clone)]
pub(crate) struct Options(Vec<(&'static str, Option<String>)>);

/// What a command was given.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) options: Options,
    pub(crate) words: Vec<String>,
    /// Whether `--help` is among it.
    pub(crate) is_help: bool,
}

impl Options {
    /// Adds an option.
    pub(crate) fn push(&mut self, name: &'static str, value: Option<String>) {
        self.0.push((name, value));
    }

    /// Adds options behind these.
    pub(crate) fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }

    /// Returns whether an option was given.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(given, _)| *given == name)
    }

    /// Returns the value of an option; the last, if it was given more than once.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.all(name).last()
    }

    /// Returns all values of an option.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(given, _)| *given == name).filter_map(|(_, value)| value.as_deref())
    }
}

/// Finds the option that a word gives, and the value that is joined to it.
///
/// None if it is no option, or none of these.
pub(crate) fn find_option(
    specs: impl IntoIterator<Item = &'static OptionSpec>,
    word: &str,
) -> Option<(&'static OptionSpec, Option<&str>)> {
    let mut specs = specs.into_iter();
    if let Some(long) = word.strip_prefix("--") {
        let (name, value) = match long.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (long, None),
        };
        return specs.find(|spec| spec.long == name).map(|spec| (spec, value));
    }
    let mut letters = word.strip_prefix('-')?.chars();
    let letter = letters.next()?;
    let joined = letters.as_str();
    let spec = specs.find(|spec| spec.short == Some(letter))?;
    Some((spec, (!joined.is_empty()).then(|| joined.strip_prefix('=').unwrap_or(joined))))
}

/// Takes the value of an option that was found: joined to it, or the next word.
///
/// # Errors
/// If it needs one and has none, or has one and takes none.
pub(crate) fn take_value(
    spec: &OptionSpec,
    joined: Option<&str>,
    rest: &mut VecDeque<String>,
) -> Result<Option<String>> {
    match (spec.value, joined) {
        (Takes::Nothing, None) | (Takes::Maybe(_), None) => Ok(None),
        (Takes::Nothing, Some(value)) => {
            Err(Report::usage(format!("option `--{}` takes no value, and was given `{value}`", spec.long)))
        }
        (_, Some(value)) => Ok(Some(value.to_owned())),
        (Takes::One(name), None) => match rest.pop_front() {
            Some(value) => Ok(Some(value)),
            None => Err(Report::usage(format!("option `--{}` needs a value: {name}", spec.long))),
        },
    }
}

/// Takes the words of a command apart; `n_words` is how many that are no options it can have.
///
/// With `is_open`, what follows the last of these words stays in `rest`.
///
/// # Errors
/// If something does not belong there.
pub(crate) fn parse(
    command: &CommandSpec,
    n_words: usize,
    is_open: bool,
    rest: &mut VecDeque<String>,
) -> Result<Parsed> {
    let mut parsed = Parsed { options: Options::default(), words: Vec::new(), is_help: false };
    while let Some(word) = rest.pop_front() {
        if word == "--help" || word == "-h" {
            parsed.is_help = true;
        } else if let Some((spec, joined)) = find_option(command.all_options(), &word) {
            let value = take_value(spec, joined, rest)?;
            parsed.options.push(spec.long, value);
        } else if word.starts_with('-') && word.len() > 1 {
            return Err(unknown_option(command, &word));
        } else if parsed.words.len() == n_words {
            let message = format!("`host {}` does not take `{word}`", command.name);
            return Err(Report::usage(message).with_usage(command.usage_line()));
        } else {
            parsed.words.push(word);
            if is_open && parsed.words.len() == n_words {
                break;
            }
        }
    }
    Ok(parsed)
}

fn unknown_option(command: &CommandSpec, word: &str) -> Report {
    let name = word.split('=').next().unwrap_or(word);
    let known: Vec<String> = command.all_options().map(|spec| format!("--{}", spec.long)).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    Report::usage(format!("`host {}` has no option `{name}`", command.name))
        .with_hint(suggestion(name, &known, "it has"))
        .with_usage(command.usage_line())
}

impl CommandSpec {
    /// Returns its options and those of runs, if they belong to it.
    pub(crate) fn all_options(&self) -> impl Iterator<Item = &'static OptionSpec> + use<> {
        self.options.iter().chain(self.run_options)
    }

    /// Returns how it is written.
    pub(crate) fn usage_line(&self) -> String {
        format!("host {} {}", self.name, self.usage).trim_end().to_owned()
    }
}
