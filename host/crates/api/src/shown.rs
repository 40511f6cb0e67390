//! Values as text for people, and as JSON for programs.

use serde_json::{Map, Value as Json, json};

use crate::value::{Object, Value};

/// Returns a value as text: a scalar as it is, a list with one item per line, a structure as JSON.
#[must_use]
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) | Value::Enum(text) | Value::Variant(text, None) => text.clone(),
        Value::Char(character) => character.to_string(),
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Option(None) => "null".to_owned(),
        Value::Option(Some(value)) => plain(value),
        Value::Flags(names) => names.join(","),
        Value::List(items) => items.iter().map(line).collect::<Vec<_>>().join("\n"),
        Value::Record(_) => pretty(value),
        Value::Object(object) => shown(object),
        Value::Result(Ok(Some(value)) | Err(Some(value))) => plain(value),
        Value::F32(number) => number.to_string(),
        Value::F64(number) => number.to_string(),
        other => json(other).to_string(),
    }
}

/// Returns a value as one line.
fn line(value: &Value) -> String {
    match value {
        Value::List(_) | Value::Record(_) => json(value).to_string(),
        other => plain(other),
    }
}

/// Returns a value as JSON over several lines.
#[must_use]
pub fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(&json(value)).unwrap_or_default()
}

/// Returns a value as JSON. A record becomes an object, a variant with a value an object with one key, a result an
/// object with the key `ok` or `err`, and an object of the API its type and its name.
#[must_use]
pub fn json(value: &Value) -> Json {
    let optional = |value: &Option<Box<Value>>| value.as_deref().map_or(Json::Null, json);
    match value {
        Value::Bool(value) => json!(value),
        Value::S8(value) => json!(value),
        Value::U8(value) => json!(value),
        Value::S16(value) => json!(value),
        Value::U16(value) => json!(value),
        Value::S32(value) => json!(value),
        Value::U32(value) => json!(value),
        Value::S64(value) => json!(value),
        Value::U64(value) => json!(value),
        Value::F32(value) => json!(value),
        Value::F64(value) => json!(value),
        Value::Char(value) => json!(value),
        Value::String(text) | Value::Enum(text) | Value::Variant(text, None) => json!(text),
        Value::Bytes(bytes) => json!(bytes),
        Value::List(items) => Json::Array(items.iter().map(json).collect()),
        Value::Tuple(items) if items.is_empty() => Json::Null,
        Value::Tuple(items) => Json::Array(items.iter().map(json).collect()),
        Value::Record(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), json(value))).collect::<Map<_, _>>().into()
        }
        Value::Variant(name, Some(value)) => json!({ name.as_str(): json(value) }),
        Value::Flags(names) => json!(names),
        Value::Option(value) => optional(value),
        Value::Result(Ok(value)) => json!({ "ok": optional(value) }),
        Value::Result(Err(value)) => json!({ "err": optional(value) }),
        Value::Object(object) => json!({ "type": object.name(), "name": named(object) }),
        // Functions take such a value, and none returns one.
        Value::Kept(contents) => json!(contents.digest().to_string()),
    }
}

/// Returns whether a value is data that can be shown, and not an object of a run.
#[must_use]
pub fn is_data(value: &Value) -> bool {
    match value {
        value if value.is_unit() => false,
        Value::Object(_) => false,
        Value::List(items) | Value::Tuple(items) => items.iter().all(is_data),
        Value::Record(fields) => fields.iter().all(|(_, value)| is_data(value)),
        Value::Variant(_, Some(value)) | Value::Option(Some(value)) => is_data(value),
        Value::Result(Ok(Some(value)) | Err(Some(value))) => is_data(value),
        _ => true,
    }
}

fn shown(object: &Object) -> String {
    format!("{} {}", object.name(), named(object)).trim_end().to_owned()
}

/// Returns the name of a secret, a cache volume or a service; other objects have none.
fn named(object: &Object) -> String {
    match object {
        Object::Secret(secret) => secret.name.0.clone(),
        Object::CacheVolume(volume) => volume.key.clone(),
        Object::Service(service) => service.hostname.clone().unwrap_or_default(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_plain() {
        let check = |value: Value, expect: &str| assert_eq!(plain(&value), expect);
        check(Value::U32(7), "7");
        check(Value::F64(1.0), "1");
        check(Value::Option(None), "null");
        check(Value::from(vec!["a".to_owned(), "b".to_owned()]), "a\nb");
        check(Value::Tuple(vec![Value::U8(1), Value::Bool(true)]), "[1,true]");
        check(Value::pairs([("a".to_owned(), "b".to_owned())]), "[\"a\",\"b\"]");
        check(Value::Variant("x".to_owned(), Some(Box::new(Value::U8(1)))), "{\"x\":1}");
    }
}
