//! What is written for people and for programs.

use std::fmt::Write as _;

use api::{Object, Type};

pub(crate) use api::shown::{json, plain};

/// Returns whether an object is evaluated to be shown: a container, a directory or a file.
pub(crate) fn is_evaluated(object: &Object) -> bool {
    ["container", "directory", "file"].contains(&object.name())
}

/// Adds a line of two columns to a text.
pub(crate) fn item(text: &mut String, name: &str, what: &str) {
    const COLUMN: usize = 26;
    let _ = writeln!(text, "{}", format!("  {name:COLUMN$}  {what}").trim_end());
}

/// Returns the name of a type for people.
pub(crate) fn type_name(ty: Option<&Type>) -> String {
    ty.map_or_else(|| "nothing".to_owned(), ToString::to_string)
}
