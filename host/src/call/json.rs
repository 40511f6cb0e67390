//! JSON as values of WIT types, with suggestions for misspelled fields.

use api::{Type, Value};

/// Makes a value of a type from JSON, or says what is wrong.
pub(super) fn value(ty: &Type, json: &serde_json::Value) -> Result<Value, String> {
    api::json::value_with(ty, json, module::suggestion)
}
