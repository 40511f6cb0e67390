//! From the answers of functions to values and failures of the session.

use api::Value;
use engine::{ExecRecord, Failure, StageFailure};
use graph::{Blame, Diagnostic};
use runtime::CallError;

/// Returns the name of a function without its kind: `linter.check` for `[method]linter.check`.
pub(crate) fn readable(function: &str) -> &str {
    function.rsplit_once(']').map_or(function, |(_, name)| name)
}

/// Returns the value of an `ok` answer. An `err` answer becomes a failure.
pub(crate) fn accepted(function: &str, value: Value) -> Result<Value, Failure> {
    match value {
        Value::Result(Ok(value)) => Ok(value.map_or_else(Value::unit, |value| *value)),
        Value::Result(Err(error)) => Err(Failure::Stage(Box::new(answered(function, error.as_deref())))),
        value => Ok(value),
    }
}

/// Makes the failure of an `err` answer.
fn answered(function: &str, error: Option<&Value>) -> StageFailure {
    let mut failure = StageFailure {
        stage: function.to_owned(),
        is_answer: true,
        code: String::new(),
        message: String::new(),
        exec: None,
        attributes: Vec::new(),
        blame: Blame::Function,
        hint: None,
    };
    match error {
        Some(Value::Record(fields)) => read_error(fields, &mut failure),
        Some(other) => failure.message = text(other),
        None => {}
    }
    // A failure that the function only passes on is not its fault.
    failure.blame = match failure.code.as_str() {
        "environment" => Blame::Environment,
        "bug" => Blame::Bug,
        _ => Blame::Function,
    };
    failure
}

/// Reads the record `error` of the interface `errors`, or a record that resembles it.
fn read_error(fields: &[(String, Value)], failure: &mut StageFailure) {
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("code", Value::String(code)) => failure.code.clone_from(code),
            ("message", Value::String(message)) => failure.message.clone_from(message),
            ("exec", Value::Option(Some(exec))) => failure.exec = read_exec(exec).map(Box::new),
            ("attributes", Value::List(attributes)) => {
                failure.attributes = attributes.iter().filter_map(read_pair).collect();
            }
            _ => {}
        }
    }
    if failure.message.is_empty() {
        failure.message =
            if failure.code.is_empty() { text(&Value::Record(fields.to_vec())) } else { failure.code.clone() };
    }
}

fn read_exec(value: &Value) -> Option<ExecRecord> {
    let Value::Record(fields) = value else { return None };
    let field = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value);
    let words = match field("args")? {
        Value::List(items) => items.iter().map(text).collect(),
        _ => return None,
    };
    let Value::S32(exit_code) = field("exit-code")? else { return None };
    let stream = |name: &str| field(name).map(text).unwrap_or_default();
    Some(ExecRecord {
        args: words,
        exit_code: *exit_code,
        stdout_tail: stream("stdout-tail"),
        stderr_tail: stream("stderr-tail"),
    })
}

fn read_pair(value: &Value) -> Option<(String, String)> {
    match value {
        Value::Tuple(items) => match items.as_slice() {
            [name, value] => Some((text(name), text(value))),
            _ => None,
        },
        _ => None,
    }
}

/// Writes a value of a function's own error type for people.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) | Value::Enum(text) | Value::Variant(text, None) => text.clone(),
        Value::Variant(case, Some(value)) => format!("{case}: {}", text(value)),
        Value::List(items) | Value::Tuple(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Record(fields) => {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {}", text(value))).collect();
            fields.join(", ")
        }
        Value::Option(None) => "none".to_owned(),
        Value::Option(Some(value)) | Value::Result(Ok(Some(value)) | Err(Some(value))) => text(value),
        Value::Bool(value) => value.to_string(),
        Value::U32(value) => value.to_string(),
        Value::S32(value) => value.to_string(),
        Value::U64(value) => value.to_string(),
        other => format!("{other:?}"),
    }
}

/// Makes the failure of a call that did not return.
pub(crate) fn failure_of(function: &str, error: CallError) -> Failure {
    match error {
        CallError::Environment { .. } => Failure::environment(error.to_string(), error.hint().as_deref()),
        CallError::Bug { .. } => Failure::bug(error.to_string()),
        CallError::Planned { module, function, operation } => {
            let function = format!("{module}.{}", readable(&function)).into();
            Failure::Planned { operation, function: Some(function) }
        }
        error => Failure::Stage(Box::new(StageFailure {
            stage: function.to_owned(),
            is_answer: false,
            code: match error {
                CallError::Trap(_) => "trap",
                CallError::NotGranted { .. } => "not-granted",
                _ => "invalid-argument",
            }
            .to_owned(),
            message: error.to_string(),
            exec: None,
            attributes: Vec::new(),
            blame: error.blame(),
            hint: error.hint(),
        })),
    }
}
