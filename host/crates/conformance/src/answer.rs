//! The results of leaf methods, as text that a behaviour can state.

use api::Value;
use engine::Failure;
use futures::future::BoxFuture;

/// Whether a behaviour holds.
pub type Outcome = Result<(), Wrong>;

/// The difference between an expected and a seen behaviour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The difference, in words for people.
    pub message: String,
    /// The code of the failure that came instead of a value, if one did.
    pub code: Option<String>,
}

impl Wrong {
    /// Describes a difference that is not a failure of a call.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: None }
    }
}

impl From<Failure> for Wrong {
    fn from(failure: Failure) -> Self {
        Self { message: failure_text(&failure), code: Some(failure.code().to_owned()) }
    }
}

/// A call of a leaf method, which has not been made yet.
#[must_use = "nothing is asked before `is` or one of its kind is awaited"]
pub struct Answer {
    method: &'static str,
    call: BoxFuture<'static, Result<Value, Failure>>,
}

impl Answer {
    /// Prepares a call, which is made when one of the methods is awaited.
    pub(crate) fn new(
        method: &'static str,
        call: impl Future<Output = Result<Value, Failure>> + Send + 'static,
    ) -> Self {
        Self { method, call: Box::pin(call) }
    }

    /// Makes the call and returns the result.
    pub async fn value(self) -> Result<Value, Failure> {
        self.call.await
    }

    /// Makes the call and returns the result as text.
    pub async fn text(self) -> Result<String, Wrong> {
        Ok(text(&self.value().await?))
    }

    /// Checks that the result, as text, is `expect`.
    pub async fn is(self, expect: &str) -> Outcome {
        let method = self.method;
        let result = self.value().await;
        let got = result.as_ref().map_or_else(failure_text, text);
        if result.is_ok() && got == expect {
            return Ok(());
        }
        let code = result.err().map(|failure| failure.code().to_owned());
        Err(Wrong { message: format!("`{method}`\n  expected {expect:?}\n  answered {got:?}"), code })
    }

    /// Checks that the call fails with a code and a message that contains `part`.
    pub async fn fails(self, code: &str, part: &str) -> Outcome {
        let method = self.method;
        let (got, real) = match self.value().await {
            Ok(value) => (text(&value), None),
            Err(failure) if failure.code() == code && failure.to_string().contains(part) => return Ok(()),
            Err(failure) => (failure_text(&failure), Some(failure.code().to_owned())),
        };
        let message = format!("`{method}`\n  expected error {code} with {part:?}\n  answered {got:?}");
        Err(Wrong { message, code: real })
    }

    /// Checks that the call fails because a command ended with an exit code and printed these texts, of which the error
    /// has the trimmed ends.
    pub async fn fails_exec(self, exit_code: i32, stdout: &str, stderr: &str) -> Outcome {
        let method = self.method;
        let (got, real) = match self.value().await {
            Ok(value) => (text(&value), None),
            Err(Failure::Exec(failure))
                if failure.exit_code() == exit_code
                    && failure.stdout_tail == stdout
                    && failure.stderr_tail == stderr =>
            {
                return Ok(());
            }
            Err(failure) => (failure_text(&failure), Some(failure.code().to_owned())),
        };
        let message =
            format!("`{method}`\n  expected exit code {exit_code}, {stdout:?}, {stderr:?}\n  answered {got:?}");
        Err(Wrong { message, code: real })
    }
}

/// Checks that two texts are the same.
pub fn same(got: &str, expect: &str) -> Outcome {
    if got == expect { Ok(()) } else { Err(Wrong::new(format!("expected {expect:?}\n  got {got:?}"))) }
}

/// Checks a condition; `otherwise` describes what is wrong.
pub fn holds(is_so: bool, otherwise: impl FnOnce() -> String) -> Outcome {
    if is_so { Ok(()) } else { Err(Wrong::new(otherwise())) }
}

/// Returns a value as text: the items of a list with a space between them, a pair as `name=value`, the fields of a
/// record with `:` between them and permission bits in octal.
#[must_use]
pub fn text(value: &Value) -> String {
    let join = |values: &[Value], by: &str| values.iter().map(text).collect::<Vec<_>>().join(by);
    match value {
        Value::String(text) | Value::Enum(text) => text.clone(),
        Value::Bool(value) => value.to_string(),
        Value::U16(value) => value.to_string(),
        Value::U32(value) => value.to_string(),
        Value::U64(value) => value.to_string(),
        Value::S32(value) => value.to_string(),
        Value::Bytes(bytes) => bytes.escape_ascii().to_string(),
        Value::List(items) => join(items, " "),
        Value::Tuple(items) => join(items, "="),
        Value::Record(fields) => {
            let field = |(name, value): &(String, Value)| match value {
                Value::U32(mode) if name == "mode" => format!("{mode:o}"),
                value => text(value),
            };
            fields.iter().map(field).collect::<Vec<_>>().join(":")
        }
        Value::Option(None) => "none".to_owned(),
        Value::Option(Some(value)) => text(value),
        other => format!("{other:?}"),
    }
}

fn failure_text(failure: &Failure) -> String {
    let code = failure.code();
    match failure {
        Failure::Exec(exec) => {
            format!("error {code}: {exec}; stdout {:?}, stderr {:?}", exec.stdout_tail, exec.stderr_tail)
        }
        other => format!("error {code}: {other}"),
    }
}
