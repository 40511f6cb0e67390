//! Failures in the form in which guests get them: as the record `error` of the interface `errors`.

use std::sync::Arc;

use api::Value;
use wasmtime::component::{ComponentType, Lower};

use crate::trap::Stop;

/// The record `errors.exec-failure`.
#[derive(ComponentType, Lower)]
#[component(record)]
pub(crate) struct ExecFailure {
    pub(crate) args: Vec<String>,
    #[component(name = "exit-code")]
    pub(crate) exit_code: i32,
    #[component(name = "stdout-tail")]
    pub(crate) stdout_tail: String,
    #[component(name = "stderr-tail")]
    pub(crate) stderr_tail: String,
}

/// The record `errors.error`.
#[derive(ComponentType, Lower)]
#[component(record)]
pub(crate) struct Error {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) exec: Option<ExecFailure>,
    pub(crate) attributes: Vec<(String, String)>,
}

/// Makes the record `errors.error` of a failure.
///
/// # Errors
/// Fails with an error that ends the call, for two kinds of failures that a guest must not see: a bug of this program,
/// and a value that is not evaluated because the session only plans.
pub(crate) fn error_fields(failure: engine::Failure) -> wasmtime::Result<Error> {
    let (code, message) = (failure.code().to_owned(), failure.to_string());
    let (exec, hint) = match failure {
        engine::Failure::Bug { message } => return Err(wasmtime::Error::new(Stop::Bug { message })),
        // The message of a stage crosses unchanged: a stage that passes it on adds nothing.
        engine::Failure::Stage(stage) => {
            let exec = stage.exec.map(|exec| exec_fields(*exec));
            return Ok(Error { code, message: stage.message, exec, attributes: stage.attributes });
        }
        engine::Failure::Exec(exec) => (Some(engine::ExecRecord::from(&*exec)), None),
        engine::Failure::Invalid { hint, .. } | engine::Failure::Environment { hint, .. } => (None, hint),
        engine::Failure::Cancelled => (None, None),
        engine::Failure::Planned { operation, .. } => return Err(planned(operation)),
    };
    let attributes = hint.map(|hint| ("hint".to_owned(), hint)).into_iter().collect();
    Ok(Error { code, message, exec: exec.map(exec_fields), attributes })
}

pub(crate) fn planned(operation: Arc<str>) -> wasmtime::Error {
    wasmtime::Error::new(Stop::Planned { operation })
}

fn exec_fields(record: engine::ExecRecord) -> ExecFailure {
    let engine::ExecRecord { args, exit_code, stdout_tail, stderr_tail } = record;
    ExecFailure { args, exit_code, stdout_tail, stderr_tail }
}

pub(crate) fn error_value(error: Error) -> Value {
    let field = |name: &str, value: Value| (name.to_owned(), value);
    let exec = error.exec.map(|exec| {
        let fields = vec![
            field("args", exec.args.into()),
            field("exit-code", exec.exit_code.into()),
            field("stdout-tail", exec.stdout_tail.into()),
            field("stderr-tail", exec.stderr_tail.into()),
        ];
        Box::new(Value::Record(fields))
    });
    Value::Record(vec![
        field("code", error.code.into()),
        field("message", error.message.into()),
        field("exec", Value::Option(exec)),
        field("attributes", Value::pairs(error.attributes)),
    ])
}

pub(crate) fn contract(error: api::ArgumentError) -> wasmtime::Error {
    wasmtime::Error::new(Stop::Contract { message: error.to_string() })
}
