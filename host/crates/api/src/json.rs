//! JSON as values of WIT types, and the syntax that text and JSON share.

use serde_json::Value as Json;

use crate::{Type, Value};

/// Makes the end of a message that suggests a name, from the wrong name, the names that exist, and the words before
/// them.
pub type Suggest = fn(name: &str, candidates: &[&str], there_is: &str) -> String;

/// Makes a value of a type from JSON. The error is a message for people.
///
/// Records are objects, tuples are lists, a variant with a value is an object of one key, a result
/// is one with the key `ok` or `err`. A field of a record may be left out if it is an `option`.
///
/// # Errors
/// Fails if the JSON is not of the type.
pub fn value(ty: &Type, json: &Json) -> Result<Value, String> {
    value_with(ty, json, listed)
}

/// Does the same as [`value`]. `suggest` makes the suggestion for a field that does not exist.
///
/// # Errors
/// Fails if the JSON is not of the type.
pub fn value_with(ty: &Type, json: &Json, suggest: Suggest) -> Result<Value, String> {
    let mismatch = || format!("`{json}` is not a {ty}");
    match (ty, json) {
        (Type::Option(_), Json::Null) => Ok(Value::Option(None)),
        (Type::Option(item), json) => Ok(Value::Option(Some(Box::new(value_with(item, json, suggest)?)))),
        (Type::Bool, Json::Bool(value)) => Ok(Value::Bool(*value)),
        (Type::String, Json::String(text)) => Ok(Value::String(text.clone())),
        (Type::Char, Json::String(text)) => character(text).ok_or_else(mismatch),
        (_, Json::Number(digits)) => number(ty, &digits.to_string()).ok_or_else(mismatch),
        (Type::Enum(cases), Json::String(text)) => {
            case_of(cases, text).map(|case| Value::Enum(case.to_owned())).ok_or_else(mismatch)
        }
        (Type::List(item), Json::Array(items)) => list(item, items, suggest),
        (Type::Tuple(types), Json::Array(items)) if types.len() == items.len() => types
            .iter()
            .zip(items)
            .map(|(ty, json)| value_with(ty, json, suggest))
            .collect::<Result<_, _>>()
            .map(Value::Tuple),
        (Type::Flags(names), Json::Array(items)) => flags(names, items).ok_or_else(mismatch),
        (Type::Record(fields), Json::Object(object)) => record(fields, object, suggest),
        (Type::Variant(cases), Json::String(text)) => {
            variant(cases, text, None, suggest).unwrap_or_else(|| Err(mismatch()))
        }
        (Type::Variant(cases), Json::Object(object)) if object.len() == 1 => {
            let (name, json) = object.iter().next().ok_or_else(mismatch)?;
            variant(cases, name, Some(json), suggest).unwrap_or_else(|| Err(mismatch()))
        }
        (Type::Result(ok, err), Json::Object(object)) if object.len() == 1 => {
            let side = |ty: &Option<Box<Type>>, json: &Json| match ty {
                Some(ty) => value_with(ty, json, suggest).map(|value| Some(Box::new(value))),
                None => Ok(None),
            };
            match (object.get("ok"), object.get("err")) {
                (Some(json), None) => Ok(Value::Result(Ok(side(ok, json)?))),
                (None, Some(json)) => Ok(Value::Result(Err(side(err, json)?))),
                _ => Err(mismatch()),
            }
        }
        _ => Err(mismatch()),
    }
}

fn list(item: &Type, items: &[Json], suggest: Suggest) -> Result<Value, String> {
    if *item == Type::U8 {
        let byte =
            |json: &Json| json.as_u64().and_then(|n| u8::try_from(n).ok()).ok_or(format!("`{json}` is not a u8"));
        return items.iter().map(byte).collect::<Result<_, _>>().map(Value::Bytes);
    }
    items.iter().map(|json| value_with(item, json, suggest)).collect::<Result<_, _>>().map(Value::List)
}

fn flags(names: &[String], items: &[Json]) -> Option<Value> {
    let flag = |json: &Json| json.as_str().and_then(|text| case_of(names, text)).map(str::to_owned);
    items.iter().map(flag).collect::<Option<_>>().map(Value::Flags)
}

fn record(
    fields: &[(String, Type)],
    object: &serde_json::Map<String, Json>,
    suggest: Suggest,
) -> Result<Value, String> {
    if let Some(surplus) = object.keys().find(|key| !fields.iter().any(|(name, _)| name == *key)) {
        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        return Err(format!("there is no field `{surplus}`; {}", suggest(surplus, &names, "there is")));
    }
    let field = |(name, ty): &(String, Type)| match (object.get(name), ty) {
        (Some(json), ty) => value_with(ty, json, suggest).map(|value| (name.clone(), value)),
        (None, Type::Option(_)) => Ok((name.clone(), Value::Option(None))),
        (None, ty) => Err(format!("the field `{name}`, a {ty}, is missing")),
    };
    fields.iter().map(field).collect::<Result<_, _>>().map(Value::Record)
}

/// Returns none if there is no such case, or if only one of the case and the JSON has a value.
fn variant(
    cases: &[(String, Option<Type>)],
    name: &str,
    json: Option<&Json>,
    suggest: Suggest,
) -> Option<Result<Value, String>> {
    let (case, ty) = cases.iter().find(|(case, _)| case == name)?;
    match (ty, json) {
        (None, None) => Some(Ok(Value::Variant(case.clone(), None))),
        (Some(ty), Some(json)) => {
            Some(value_with(ty, json, suggest).map(|value| Value::Variant(case.clone(), Some(Box::new(value)))))
        }
        _ => None,
    }
}

/// Lists the names that exist.
fn listed(_: &str, candidates: &[&str], there_is: &str) -> String {
    format!("{there_is}: {}", candidates.join(", "))
}

/// Returns whether a type has no object in it, so that JSON can be a value of it.
#[must_use]
pub fn is_plain(ty: &Type) -> bool {
    ty.find(&|ty| matches!(ty, Type::Object(_) | Type::Custom(_) | Type::Other(_))).is_none()
}

/// Parses a number of a type. Returns none if the text is not a number, or if the number is out of range.
#[must_use]
pub fn number(ty: &Type, text: &str) -> Option<Value> {
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

/// Parses a whole number: decimal, octal as in `0o755`, or hexadecimal as in `0x1f`.
fn integer<T: TryFrom<i128>>(text: &str) -> Option<T> {
    let (digits, radix) = match (text.strip_prefix("0o"), text.strip_prefix("0x")) {
        (Some(digits), _) => (digits, 8),
        (None, Some(digits)) => (digits, 16),
        (None, None) => (text, 10),
    };
    // A number with a prefix has no sign.
    let is_number = radix == 10 || !digits.starts_with(['+', '-']);
    let number = is_number.then(|| i128::from_str_radix(digits, radix).ok()).flatten()?;
    T::try_from(number).ok()
}

/// Parses a text of exactly one character.
#[must_use]
pub fn character(text: &str) -> Option<Value> {
    let mut characters = text.chars();
    let character = characters.next()?;
    characters.next().is_none().then_some(Value::Char(character))
}

/// Finds a case, ignoring capitals, underscores and hyphens.
#[must_use]
pub fn case_of<'a>(cases: &'a [String], text: &str) -> Option<&'a str> {
    let squeezed = |name: &str| name.replace(['-', '_'], "").to_lowercase();
    cases.iter().find(|case| squeezed(case) == squeezed(text)).map(String::as_str)
}

/// Returns a name in kebab case. `buildAll`, `build_all` and `BuildAll` become `build-all`.
#[must_use]
pub fn kebab(name: &str) -> String {
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

    fn check(ty: &Type, text: &str, expect: &str) {
        let shown = match value(ty, &serde_json::from_str(text).unwrap()) {
            Ok(value) => format!("{value:?}"),
            Err(problem) => problem,
        };
        assert_eq!(shown, expect, "{text}");
    }

    #[test]
    fn json_is_made_a_value_of_the_type() {
        let optional = Type::Option(Box::new(Type::U32));
        check(&optional, "4", "Option(Some(U32(4)))");
        check(&optional, "null", "Option(None)");
        check(&Type::List(Box::new(Type::U8)), "[1, 255]", "Bytes([1, 255])");
        check(&Type::U8, "256", "`256` is not a u8");
        check(&Type::String, "4", "`4` is not a string");
        check(&Type::Object("directory".into()), "\"src\"", "`\"src\"` is not a directory");
    }

    #[test]
    fn a_field_that_is_surplus_or_missing_is_named() {
        let fields = [("cpus", Type::U32), ("limit", Type::Option(Box::new(Type::U32)))];
        let record = Type::Record(fields.map(|(name, ty)| (name.to_owned(), ty)).into());
        check(&record, r#"{"cpus": 2}"#, r#"Record([("cpus", U32(2)), ("limit", Option(None))])"#);
        check(&record, r#"{"cpu": 2}"#, "there is no field `cpu`; there is: cpus, limit");
        check(&record, "{}", "the field `cpus`, a u32, is missing");
    }

    #[test]
    fn what_has_an_object_in_it_is_not_plain() {
        assert!(is_plain(&Type::Option(Box::new(Type::Tuple(vec![Type::Bool, Type::String])))));
        assert!(!is_plain(&Type::List(Box::new(Type::Object("file".into())))));
    }
}
