//! Text as values of WIT types.

use api::{Type, Value};

/// Parses a number of a type; None if it is none, or out of range.
pub(super) fn number(ty: &Type, text: &str) -> Option<Value> {
    match ty {
        Type::S8 => integer(text).map(Value::S8),
        Type::U8 => integer(text).map(Value::U8),
        Type::S16 => integer(text).map(Value::S16),
        Type::U16 => integer(text).map(Value::U16),
        Type::S32 => integer(text).map(Value::S32),
        Type::U32 => integer(text).map(Value::U32),
        Type::S64 => integer(text).map(Value::S64),
        Type::U64 => integer(text).map(Value::U64),
        Type::F32 => text.parse().ok().map(Value::F32),
        Type::F64 => text.parse().ok().map(Value::F64),
        _ => None,
    }
}

/// Parses a whole number; `0o755` is one, as modes are written, and so is `0x1f`.
fn integer<T: TryFrom<i128>>(text: &str) -> Option<T> {
    let (digits, radix) = match (text.strip_prefix("0o"), text.strip_prefix("0x")) {
        (Some(digits), _) => (digits, 8),
        (None, Some(digits)) => (digits, 16),
        (None, None) => (text, 10),
    };
    // The number behind a prefix has no sign.
    let is_number = radix == 10 || !digits.starts_with(['+', '-']);
    let number = is_number.then(|| i128::from_str_radix(digits, radix).ok()).flatten()?;
    T::try_from(number).ok()
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

    #[test]
    fn a_mode_is_written_in_octal() {
        assert!(matches!(number(&Type::U32, "0o755"), Some(Value::U32(0o755))));
        assert!(matches!(number(&Type::S8, "-0"), Some(Value::S8(0))));
        assert!(number(&Type::U32, "0o-7").is_none());
        assert!(number(&Type::U32, "0o8").is_none());
    }
}
