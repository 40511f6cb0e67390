//! Arguments: how they are defined, parsed with clap, and handed to commands.
//!
//! [`options`] defines the options that several commands share. [`parse`] runs clap and words its errors as the errors
//! of this program ([`errors`]), so that a wrong argument reads like anything else that is wrong. A command gets
//! [`Parsed`], which holds what was written on the command line and no defaults.

mod errors;
mod hinted;
pub(crate) mod options;

use clap::parser::ValueSource;
use clap::{ArgMatches, Command, Id};

pub(crate) use errors::{Noun, Subject};
pub(crate) use hinted::Hinted;

use crate::report::Result;

/// The id of the positional arguments of a command.
pub(crate) const WORDS: &str = "words";

/// The prefix of the ids of flags that come from types. No option of `host` has it, so both can be in one command.
pub(crate) const FLAG_PREFIX: &str = "--";

/// Options that were given, in the order of their definitions, each with its values.
#[derive(Debug, Default, Clone)]
pub(crate) struct Options(Vec<(Id, Option<String>)>);

/// The arguments that a command was given.
#[derive(Debug, Default, Clone)]
pub(crate) struct Parsed {
    pub(crate) options: Options,
    /// The positional arguments.
    pub(crate) words: Vec<String>,
    /// Whether `--` stands before all of them, so that none is an option.
    pub(crate) is_escaped: bool,
}

/// What became of the words of a command line.
pub(crate) enum Parse {
    /// They are arguments.
    Given(ArgMatches),
    /// They ask for a text, such as the help, which clap has made.
    Text(clap::builder::StyledStr),
}

impl Parsed {
    /// Takes the arguments of a command out of what clap has matched in `typed`.
    pub(crate) fn new(matches: &ArgMatches, typed: &[String]) -> Self {
        let words = matches.try_get_many::<String>(WORDS).ok().flatten();
        let words: Vec<String> = words.into_iter().flatten().cloned().collect();
        let escaped = typed.iter().position(|word| word == "--").and_then(|at| typed.get(at + 1..));
        let is_escaped = escaped.is_some_and(|escaped| escaped == words);
        Self { options: Options::new(matches), words, is_escaped }
    }
}

impl Options {
    /// Takes the options of `host` out of what clap has matched. Flags that come from types are left.
    pub(crate) fn new(matches: &ArgMatches) -> Self {
        let is_given = |id: &&Id| {
            let is_option = id.as_str() != WORDS && !id.as_str().starts_with(FLAG_PREFIX);
            is_option && matches.value_source(id.as_str()) == Some(ValueSource::CommandLine)
        };
        let mut options = Self::default();
        for id in matches.ids().filter(is_given) {
            match matches.try_get_many::<String>(id.as_str()) {
                Ok(values) => {
                    let values = values.into_iter().flatten();
                    options.0.extend(values.map(|value| (id.clone(), Some(value.clone()))));
                }
                // A switch has no text.
                Err(_) => options.0.push((id.clone(), None)),
            }
        }
        options
    }

    /// Adds options behind these.
    pub(crate) fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }

    /// Returns whether an option was given.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(given, _)| given == name)
    }

    /// Returns the value of an option; the last, if it was given more than once.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.all(name).last()
    }

    /// Returns all values of an option.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(given, _)| given == name).filter_map(|(_, value)| value.as_deref())
    }
}

/// Parses words with a command.
///
/// # Errors
/// If a word does not belong there. `subject` says in messages what the words belong to.
pub(crate) fn parse(
    command: Command,
    words: impl IntoIterator<Item = String>,
    subject: impl FnOnce() -> Subject,
) -> Result<Parse> {
    use clap::error::ErrorKind;
    match command.no_binary_name(true).try_get_matches_from(words) {
        Ok(matches) => Ok(Parse::Given(matches)),
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            Ok(Parse::Text(error.render()))
        }
        Err(error) => Err(errors::report(&error, &subject())),
    }
}
