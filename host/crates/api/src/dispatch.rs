//! Calls of the functions of the WIT package by their names.

use std::sync::Arc;

use engine::{Failure, FailureCode};
use futures::TryFutureExt;

use crate::args::{Args, ArgumentError};
use crate::bridge::Bridge;
use crate::origins::Origins;
use crate::pending::{force, is_pending, note_asked, note_made};
use crate::table::{Answer, Kind, LeafFn, LeafFuture, Row, row_of};
use crate::value::{Object, Pending, Value};
use crate::weight::{Origin, Weight};

/// The bytes that the note of who asked for a vertex takes.
const NOTE_BYTES: u64 = 128;

/// A function of the WIT package.
#[derive(Clone, Copy)]
pub enum Function {
    /// The function returns at once.
    Lazy(Lazy),
    /// The function evaluates, and the caller waits.
    Leaf(Leaf),
}

/// A function that makes a value out of values. It never waits, and no caller can make it fail.
#[derive(Clone, Copy)]
pub struct Lazy(&'static Row);

/// A function that evaluates.
#[derive(Clone, Copy)]
pub struct Leaf(LeafFn);

impl Lazy {
    /// Calls the function with the arguments of the WIT package.
    ///
    /// # Errors
    /// Fails if the arguments are not those of the WIT package. Callers check them first, so this is a bug.
    pub fn call(&self, bridge: &dyn Bridge, args: Vec<Value>) -> Result<Value, ArgumentError> {
        let value = self.make(bridge, args)?;
        match self.0.takes_stage_env {
            true => with_env(bridge, value, bridge.env()),
            false => Ok(value),
        }
    }

    /// Calls the function, and returns with its answer what the host keeps for it.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn call_weighed(&self, bridge: &dyn Bridge, args: Vec<Value>) -> Result<(Value, Weight), ArgumentError> {
        let origin = Origin::of(&args);
        let made = self.call(bridge, args)?;
        let is_noted = self.0.makes.is_some() && bridge.origins().is_some_and(Origins::is_complete);
        let run_bytes = if self.0.runs_command || is_noted { NOTE_BYTES } else { 0 };
        let weight = Weight { object_bytes: origin.bytes_of(&made), run_bytes };
        Ok((made, weight))
    }

    fn make(&self, bridge: &dyn Bridge, args: Vec<Value>) -> Result<Value, ArgumentError> {
        let row = self.0;
        match (&row.kind, row.makes) {
            (Kind::Lazy(make), _) if !args.iter().any(is_pending) => {
                let value = make(bridge, &mut Args::new(args))?;
                note_made(bridge, row, bridge.caller(), &value);
                Ok(value)
            }
            (_, Some(makes)) => {
                let pending = Pending::of_method(row, makes, args, bridge.caller().cloned());
                Ok(Value::Object(Object::Pending(pending)))
            }
            (_, None) => Ok(self.answer(bridge, &args)),
        }
    }

    /// Returns the answer about an object that is not made yet.
    fn answer(&self, bridge: &dyn Bridge, args: &[Value]) -> Value {
        let Some(Value::Object(Object::Pending(pending))) = args.first() else { return Value::unit() };
        match self.0.answer {
            Some(Answer::Id) => Value::String(pending.id().to_owned()),
            Some(Answer::Name) => Value::String(pending.name.as_ref().to_owned()),
            Some(Answer::Start) => {
                bridge.start(Object::Pending(Arc::clone(pending)));
                Value::unit()
            }
            None => Value::unit(),
        }
    }
}

impl Leaf {
    /// Calls the function with the arguments of the WIT package.
    #[must_use]
    pub fn call<'a>(&self, bridge: &'a dyn Bridge, args: Vec<Value>) -> LeafFuture<'a> {
        let answer = self.answer(bridge, args);
        Box::pin(answer.inspect_err(|failure| bridge.failed(failure)))
    }

    fn answer<'a>(&self, bridge: &'a dyn Bridge, args: Vec<Value>) -> LeafFuture<'a> {
        let function = self.0;
        if !args.iter().any(is_pending) {
            note_asked(bridge, &args);
            return function(bridge, Args::new(args));
        }
        Box::pin(async move {
            let Value::List(args) = force(bridge, Value::List(args)).await? else {
                return Err(Failure::bug("a list became something else"));
            };
            note_asked(bridge, &args);
            function(bridge, Args::new(args)).await
        })
    }
}

/// Adds environment variables to a container.
///
/// # Errors
/// Fails if `container` is another value.
pub fn with_env(bridge: &dyn Bridge, container: Value, env: &[(String, String)]) -> Result<Value, ArgumentError> {
    let Some(Function::Lazy(set)) = find("container", "[method]container.with-env-variable") else {
        return Ok(container);
    };
    env.iter().try_fold(container, |container, (name, value)| {
        set.call(bridge, vec![container, name.clone().into(), value.clone().into()])
    })
}

/// Calls a function of the WIT package and waits for its answer.
///
/// # Errors
/// Fails with `Unavailable` if this version does not have the function, and with the failure of the function.
pub async fn invoke(bridge: &dyn Bridge, interface: &str, function: &str, args: Vec<Value>) -> Result<Value, Failure> {
    match find(interface, function) {
        Some(Function::Lazy(lazy)) => Ok(lazy.call(bridge, args)?),
        Some(Function::Leaf(leaf)) => leaf.call(bridge, args).await,
        None => {
            // The name `[method]container.as-service` includes the interface.
            let name = function.strip_prefix("[method]").map_or(format!("{interface}.{function}"), str::to_owned);
            let message = format!("`{name}` is not available in this version");
            Err(Failure::invalid(FailureCode::Unavailable, message))
        }
    }
}

/// Finds a function by its name.
///
/// `interface` and `function` are the names in the WIT package, as in `container` and
/// `[method]container.with-exec`, `machine` and `rootfs`. None for a function that is not available in this
/// version.
#[must_use]
pub fn find(interface: &str, function: &str) -> Option<Function> {
    let row = row_of(&method_of(interface, function))?;
    Some(match row.kind {
        Kind::Lazy(_) | Kind::Later(_) => Function::Lazy(Lazy(row)),
        Kind::Leaf(function) => Function::Leaf(Leaf(function)),
    })
}

/// Returns the name by which the table has a function.
fn method_of(interface: &str, function: &str) -> String {
    let constructor = || function.strip_prefix("[constructor]").map(|name| format!("{name}.new"));
    let method = function.strip_prefix("[method]").map(str::to_owned).or_else(constructor);
    method.unwrap_or_else(|| format!("{interface}/{function}"))
}

/// Returns the functions of the WIT package that are not available in this version, as interface and function.
#[must_use]
pub fn unavailable() -> &'static [(&'static str, &'static str)] {
    &[
        ("container", "[method]container.build"),
        ("container", "[method]container.with-service-binding"),
        ("container", "[method]container.as-service"),
        ("service", "[method]service.hostname"),
        ("service", "[method]service.with-hostname"),
        ("service", "[method]service.up"),
        ("service", "[method]service.endpoint"),
        ("service", "[method]service.stop"),
        ("sources", "git"),
        ("sources", "http"),
    ]
}

impl From<ArgumentError> for Failure {
    fn from(error: ArgumentError) -> Self {
        Self::bug(error.to_string())
    }
}

#[cfg(test)]
mod tests;
