//! Text in drawings.

use api::Value;
use serde_json::Value as Json;

/// The limit on the text of a value or a label, in characters.
const MAX_LEN: usize = 48;

/// Removes the characters that no drawing can have: XML allows no control characters but tab and line ends.
pub(super) fn printable(text: &str) -> String {
    let is_bad = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{fffe}' | '\u{ffff}');
    text.replace("\r\n", "\n").replace(['\t', '\r'], " ").replace(is_bad, "\u{fffd}")
}

/// Returns the lines of a label and of its details, without characters that no drawing can have.
pub(super) fn lines<'a>(label: &'a str, details: &'a [String]) -> impl Iterator<Item = String> + 'a {
    let texts = std::iter::once(label).chain(details.iter().map(String::as_str));
    texts.flat_map(|text| printable(text).split('\n').map(str::to_owned).collect::<Vec<_>>())
}

/// Cuts text that is too long for a box.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_LEN) {
        None => text.to_owned(),
        Some(_) => text.chars().take(MAX_LEN - 1).chain(['…']).collect(),
    }
}

/// Writes a value as JSON. An object is written as the name of its type.
pub(crate) fn of_value(value: &Value) -> String {
    match value {
        Value::Object(object) => object.name().to_owned(),
        value => to_json(value).to_string(),
    }
}

fn to_json(value: &Value) -> Json {
    let of = |value: &Option<Box<Value>>| value.as_deref().map_or(Json::Null, to_json);
    let single = |name: &str, value| Json::Object([(name.to_owned(), value)].into_iter().collect());
    match value {
        Value::Bool(value) => Json::from(*value),
        Value::S8(value) => Json::from(*value),
        Value::U8(value) => Json::from(*value),
        Value::S16(value) => Json::from(*value),
        Value::U16(value) => Json::from(*value),
        Value::S32(value) => Json::from(*value),
        Value::U32(value) => Json::from(*value),
        Value::S64(value) => Json::from(*value),
        Value::U64(value) => Json::from(*value),
        Value::F32(value) => Json::from(*value),
        Value::F64(value) => Json::from(*value),
        Value::Char(value) => Json::from(value.to_string()),
        Value::String(value) | Value::Enum(value) => Json::from(value.as_str()),
        Value::Bytes(bytes) => Json::from(bytes.as_slice()),
        Value::List(items) | Value::Tuple(items) => items.iter().map(to_json).collect(),
        Value::Record(fields) => {
            Json::Object(fields.iter().map(|(name, value)| (name.clone(), to_json(value))).collect())
        }
        Value::Variant(case, None) => Json::from(case.as_str()),
        Value::Variant(case, value) => single(case, of(value)),
        Value::Flags(names) => Json::from(names.as_slice()),
        Value::Option(value) => of(value),
        Value::Result(Ok(value)) => single("ok", of(value)),
        Value::Result(Err(value)) => single("err", of(value)),
        Value::Object(object) => Json::from(object.name()),
        Value::Kept(contents) => Json::from(contents.digest().to_string()),
    }
}
