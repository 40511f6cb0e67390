//! The arguments in a manifest: from TOML to JSON.

use serde_json::{Map, Number, Value};
use toml::de::{DeFloat, DeInteger, DeTable, DeValue};

use super::problem::{ManifestError, ManifestProblem};
use super::reader::{self, Reader, entries};

impl Reader<'_> {
    /// Returns a value as JSON. Dates, infinities and NaN have no JSON.
    pub(super) fn literal(&self, value: &reader::Value<'_>) -> Result<Value, ManifestError> {
        let refuse = |what: String| self.error(value.span(), ManifestProblem::Literal(what));
        Ok(match value.get_ref() {
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Integer(number) => integer(number).ok_or_else(|| refuse(format!("the number `{number}`")))?,
            DeValue::Float(number) => float(number).ok_or_else(|| refuse(format!("`{}`", number.as_str())))?,
            DeValue::Boolean(flag) => Value::Bool(*flag),
            DeValue::Datetime(_) => return Err(refuse("a date".to_owned())),
            DeValue::Array(items) => {
                Value::Array(items.iter().map(|item| self.literal(item)).collect::<Result<_, _>>()?)
            }
            DeValue::Table(table) => Value::Object(self.object(table)?),
        })
    }

    fn object(&self, table: &DeTable<'_>) -> Result<Map<String, Value>, ManifestError> {
        entries(table).into_iter().map(|(key, value)| Ok((key.get_ref().to_string(), self.literal(value)?))).collect()
    }
}

fn integer(number: &DeInteger<'_>) -> Option<Value> {
    let signed = i64::from_str_radix(number.as_str(), number.radix()).map(Value::from);
    signed.or_else(|_| u64::from_str_radix(number.as_str(), number.radix()).map(Value::from)).ok()
}

fn float(number: &DeFloat<'_>) -> Option<Value> {
    // `Number` accepts neither infinities nor NaN.
    Number::from_f64(number.as_str().parse().ok()?).map(Value::Number)
}
