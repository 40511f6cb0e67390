//! Text as values of WIT types.

use api::{Type, Value};

/// Parses a number of a type; None if it is none, or out of range.
pub(super) fn number(ty: &Type, text: &str) -> Option<Value> {
    match ty {
        Type::S8 => text.parse().ok().map(Value::S8),
        Type::U8 => text.parse().ok().map(Value::U8),
        Type::S16 => text.parse().ok().map(Value::S16),
        Type::U16 => text.parse().ok().map(Value::U16),
        Type::S32 => text.parse().ok().map(Value::S32),
        Type::U32 => text.parse().ok().map(Value::U32),
        Type::S64 => text.parse().ok().map(Value::S64),
        Type::U64 => text.parse().ok().map(Value::U64),
        Type::F32 => text.parse().ok().map(Value::F32),
        Type::F64 => text.parse().ok().map(Value::F64),
        _ => None,
    }
}

/// Parses a single character.
pub(super) fn character(text: &str) -> Option<Value> {
    let mut characters = text.chars();
    let character = characters.next()?;
    characters.next().is_none().then_some(Value::Char(character))
}

/// Finds a case, whatever its capitals, underscores or hyphens.
pub(super) fn case_of<'a>(cases: &'a [String], text: &str) -> Option<&'a str> {
    let squeezed = |name: &str| name.replace(['-', '_'], "").to_lowercase();
    cases.iter().find(|case| squeezed(case) == squeezed(text)).map(String::as_str)
}

/// Returns a name in kebab case: `buildAll`, `build_all` and `BuildAll` are `build-all`.
pub(super) fn kebab(name: &str) -> String {
    let mut kebab = String::with_capacity(name.len() + 2);
    let mut is_inside = false;
    for character in name.chars() {
        if character == '_' {
            kebab.push('-');
        } else {
            if character.is_uppercase() && is_inside {
                kebab.push('-');
            }
            kebab.extend(character.to_lowercase());
        }
        is_inside = character.is_lowercase() || character.is_ascii_digit();
    }
    kebab
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_in_kebab_camel_and_snake_case() {
        for name in ["build-all", "buildAll", "build_all", "BuildAll"] {
            assert_eq!(kebab(name), "build-all");
        }
    }

    #[test]
    fn a_case_is_found_whatever_its_capitals() {
        let cases = ["no-cache".to_owned(), "all".to_owned()];
        assert_eq!(case_of(&cases, "NO_CACHE"), Some("no-cache"));
        assert_eq!(case_of(&cases, "noCache"), Some("no-cache"));
        assert_eq!(case_of(&cases, "none"), None);
    }

    #[test]
    fn a_number_out_of_range_is_none() {
        assert!(matches!(number(&Type::U8, "255"), Some(Value::U8(255))));
        assert!(number(&Type::U8, "256").is_none());
        assert!(number(&Type::U8, "-1").is_none());
        assert!(number(&Type::S64, "1.5").is_none());
    }
}
