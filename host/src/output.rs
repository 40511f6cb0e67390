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

/// Returns a number of bytes for people, such as `1.2 MiB`.
pub(crate) fn bytes(n_bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if n_bytes < 1024 {
        return format!("{n_bytes} B");
    }
    let mut size = n_bytes as f64 / 1024.0;
    let mut units = UNITS.iter();
    let mut unit = units.next().copied().unwrap_or_default();
    while size >= 1024.0 {
        let Some(next) = units.next() else { break };
        size /= 1024.0;
        unit = next;
    }
    format!("{size:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_shown_in_units() {
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(5 << 30), "5.0 GiB");
    }
}
