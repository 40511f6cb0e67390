//! Values that help and completion name, while commands themselves decide what they accept.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command};

/// Takes any text, and names the usual values in help and completion.
///
/// Commands check the text themselves: case names of types may be written in several ways, and an error of a value
/// reads the same wherever the value comes from.
#[derive(Debug, Clone)]
pub(crate) struct Hinted(Vec<String>);

impl Hinted {
    /// Names these values.
    pub(crate) fn new(values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(values.into_iter().map(Into::into).collect())
    }
}

impl TypedValueParser for Hinted {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(PossibleValue::new)))
    }
}
