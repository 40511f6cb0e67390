//! Reads values out of a parsed document. Errors have positions.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::Keys;
use super::names::POWERS;
use super::problem::{ManifestError, ManifestProblem};
use super::types::Position;

/// A value with its position in the text.
pub(super) type Value<'a> = Spanned<DeValue<'a>>;

/// A key and its value.
pub(super) type KeyValue<'a> = (&'a Spanned<toml::de::DeString<'a>>, &'a Value<'a>);

pub(super) struct Reader<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
    /// The byte at which each line begins.
    lines: Vec<usize>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(path: &'a Path, text: &'a str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        Self { path, text, lines }
    }
}

impl Reader<'_> {
    pub(super) fn document<'t>(&self, text: &'t str) -> Result<DeTable<'t>, ManifestError> {
        let table = DeTable::parse(text).map_err(|error| {
            let message = error.message().lines().next().unwrap_or_default().trim_end_matches(", expected nothing");
            let span = error.span().unwrap_or(0..0);
            let problem = match self.text.get(span.clone()) {
                // The parser's message lacks only the name of the key.
                Some(key) if message == "duplicate key" => format!("the key `{key}` is given twice"),
                _ => message.to_owned(),
            };
            self.error(span, ManifestProblem::Syntax(problem))
        })?;
        Ok(table.into_inner())
    }

    /// Refuses keys that are not among `keys`. The error names the first of them in the text.
    pub(super) fn check_keys(&self, table: &DeTable<'_>, keys: &'static Keys) -> Result<(), ManifestError> {
        let unknown = table.keys().filter(|key| !keys.names.contains(&key.get_ref().as_ref()));
        match unknown.min_by_key(|key| key.span().start) {
            None => Ok(()),
            Some(key) => {
                let problem = ManifestProblem::UnknownKey { key: key.get_ref().to_string(), of: keys };
                Err(self.error(key.span(), problem))
            }
        }
    }

    pub(super) fn text(&self, table: &DeTable<'_>, key: &str) -> Result<Option<(String, Range<usize>)>, ManifestError> {
        table.get(key).map(|value| self.string(key, "a string", value)).transpose()
    }

    pub(super) fn string(
        &self,
        key: &str,
        expected: &'static str,
        value: &Value<'_>,
    ) -> Result<(String, Range<usize>), ManifestError> {
        match value.get_ref() {
            DeValue::String(text) => Ok((text.to_string(), value.span())),
            _ => Err(self.wrong_type(key, expected, value)),
        }
    }

    pub(super) fn strings(
        &self,
        key: &str,
        expected: &'static str,
        value: &Value<'_>,
    ) -> Result<Vec<(String, Range<usize>)>, ManifestError> {
        match value.get_ref() {
            DeValue::Array(items) => items.iter().map(|item| self.string(key, expected, item)).collect(),
            _ => Err(self.wrong_type(key, expected, value)),
        }
    }

    /// Returns the entries of a table in the order of the text; none if there is no such table.
    pub(super) fn table<'t>(
        &self,
        table: &'t DeTable<'t>,
        key: &str,
        expected: &'static str,
    ) -> Result<Vec<KeyValue<'t>>, ManifestError> {
        match table.get(key) {
            None => Ok(Vec::new()),
            Some(value) => match value.get_ref() {
                DeValue::Table(table) => Ok(entries(table)),
                _ => Err(self.wrong_type(key, expected, value)),
            },
        }
    }

    pub(super) fn path(&self, table: &DeTable<'_>, key: &'static str) -> Result<Option<PathBuf>, ManifestError> {
        self.text(table, key)?.map(|(text, span)| self.as_path(key, &text, span)).transpose()
    }

    pub(super) fn as_path(&self, key: &'static str, text: &str, span: Range<usize>) -> Result<PathBuf, ManifestError> {
        match text {
            "" => Err(self.error(span, ManifestProblem::EmptyPath(key))),
            text => Ok(PathBuf::from(text)),
        }
    }

    pub(super) fn powers(&self, table: &DeTable<'_>) -> Result<Option<BTreeSet<String>>, ManifestError> {
        let Some(value) = table.get("allow") else { return Ok(None) };
        let mut powers = BTreeSet::new();
        for (power, span) in self.strings("allow", "a list of powers", value)? {
            if !POWERS.contains(&power.as_str()) {
                return Err(self.error(span, ManifestProblem::Power(power)));
            }
            powers.insert(power);
        }
        Ok(Some(powers))
    }

    pub(super) fn flag(&self, table: &DeTable<'_>, key: &str, default: bool) -> Result<bool, ManifestError> {
        let Some(value) = table.get(key) else { return Ok(default) };
        match value.get_ref() {
            DeValue::Boolean(flag) => Ok(*flag),
            _ => Err(self.wrong_type(key, "true or false", value)),
        }
    }

    pub(super) fn wrong_type(&self, key: &str, expected: &'static str, value: &Value<'_>) -> ManifestError {
        let found = match value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a number with a point",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.error(value.span(), ManifestProblem::WrongType { key: key.to_owned(), expected, found })
    }

    pub(super) fn missing(&self, key: &'static str) -> ManifestError {
        self.error(0..0, ManifestProblem::MissingKey(key))
    }

    /// Makes the error for a key of a table.
    pub(super) fn error_at_key(&self, table: &DeTable<'_>, key: &str, problem: ManifestProblem) -> ManifestError {
        self.error(table.get_key_value(key).map_or(0..0, |(key, _)| key.span()), problem)
    }

    pub(super) fn position(&self, span: &Range<usize>) -> Position {
        let at = if self.text.is_char_boundary(span.start) { span.start } else { self.text.len() };
        let line = self.lines.partition_point(|begin| *begin <= at);
        let begin = line.checked_sub(1).and_then(|index| self.lines.get(index)).copied().unwrap_or_default();
        let before = self.text.get(begin..at).unwrap_or_default();
        Position { line, column: before.chars().count() + 1 }
    }

    pub(super) fn error(&self, span: Range<usize>, problem: ManifestProblem) -> ManifestError {
        self.error_at(self.position(&span), problem)
    }

    pub(super) fn error_at(&self, Position { line, column }: Position, problem: ManifestProblem) -> ManifestError {
        ManifestError::At { path: self.path.to_owned(), line, column, problem }
    }
}

/// Returns the entries of a table in the order of the text. The parser sorts them by name.
pub(super) fn entries<'t>(table: &'t DeTable<'t>) -> Vec<KeyValue<'t>> {
    let mut entries: Vec<KeyValue<'t>> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}
