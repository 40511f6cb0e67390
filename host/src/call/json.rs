//! JSON as values of WIT types.

use api::{Type, Value};
use serde_json::Value as Json;

/// Makes a value of a type from JSON, or says what is wrong.
///
/// Records are objects, tuples are lists, a variant with a value is an object of one key, a result
/// is one with the key `ok` or `err`. A field of a record may be left out if it is an `option`.
pub(super) fn value(ty: &Type, json: &Json) -> Result<Value, String> {
    let mismatch = || format!("`{json}` is not a {ty}");
    match (ty, json) {
        (Type::Bool, Json::Bool(value)) => Ok(Value::Bool(*value)),
        (Type::String, Json::String(text)) => Ok(Value::String(text.clone())),
        (Type::Char, Json::String(text)) => super::values::character(text).ok_or_else(mismatch),
        (_, Json::Number(number)) => super::values::number(ty, &number.to_string()).ok_or_else(mismatch),
        (Type::Enum(cases), Json::String(text)) => {
            super::values::case_of(cases, text).map(|case| Value::Enum(case.to_owned())).ok_or_else(mismatch)
        }
        (Type::Option(_), Json::Null) => Ok(Value::Option(None)),
        (Type::Option(item), json) => Ok(Value::Option(Some(Box::new(value(item, json)?)))),
        (Type::List(item), Json::Array(items)) => list(item, items),
        (Type::Tuple(types), Json::Array(items)) if types.len() == items.len() => {
            types.iter().zip(items).map(|(ty, json)| value(ty, json)).collect::<Result<_, _>>().map(Value::Tuple)
        }
        (Type::Flags(names), Json::Array(items)) => flags(names, items).ok_or_else(mismatch),
        (Type::Record(fields), Json::Object(object)) => record(fields, object),
        (Type::Variant(cases), Json::String(text)) => variant(cases, text, None).unwrap_or_else(|| Err(mismatch())),
        (Type::Variant(cases), Json::Object(object)) if object.len() == 1 => {
            let (name, json) = object.iter().next().ok_or_else(mismatch)?;
            variant(cases, name, Some(json)).unwrap_or_else(|| Err(mismatch()))
        }
        (Type::Result(ok, err), Json::Object(object)) if object.len() == 1 => {
            let side = |ty: &Option<Box<Type>>, json: &Json| match ty {
                Some(ty) => value(ty, json).map(|value| Some(Box::new(value))),
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

fn list(item: &Type, items: &[Json]) -> Result<Value, String> {
    if *item == Type::U8 {
        let byte =
            |json: &Json| json.as_u64().and_then(|n| u8::try_from(n).ok()).ok_or(format!("`{json}` is not a u8"));
        return items.iter().map(byte).collect::<Result<_, _>>().map(Value::Bytes);
    }
    items.iter().map(|json| value(item, json)).collect::<Result<_, _>>().map(Value::List)
}

fn flags(names: &[String], items: &[Json]) -> Option<Value> {
    let flag = |json: &Json| json.as_str().and_then(|text| super::values::case_of(names, text)).map(str::to_owned);
    items.iter().map(flag).collect::<Option<_>>().map(Value::Flags)
}

fn record(fields: &[(String, Type)], object: &serde_json::Map<String, Json>) -> Result<Value, String> {
    if let Some(surplus) = object.keys().find(|key| !fields.iter().any(|(name, _)| name == *key)) {
        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        return Err(format!("there is no field `{surplus}`; {}", module::suggestion(surplus, &names, "there is")));
    }
    let field = |(name, ty): &(String, Type)| match (object.get(name), ty) {
        (Some(json), ty) => value(ty, json).map(|value| (name.clone(), value)),
        (None, Type::Option(_)) => Ok((name.clone(), Value::Option(None))),
        (None, ty) => Err(format!("the field `{name}`, a {ty}, is missing")),
    };
    fields.iter().map(field).collect::<Result<_, _>>().map(Value::Record)
}

/// None if there is no such case, or if the one has a value and the other has none.
fn variant(cases: &[(String, Option<Type>)], name: &str, json: Option<&Json>) -> Option<Result<Value, String>> {
    let (case, ty) = cases.iter().find(|(case, _)| case == name)?;
    match (ty, json) {
        (None, None) => Some(Ok(Value::Variant(case.clone(), None))),
        (Some(ty), Some(json)) => {
            Some(value(ty, json).map(|value| Value::Variant(case.clone(), Some(Box::new(value)))))
        }
        _ => None,
    }
}
