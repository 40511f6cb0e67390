//! The table from the names of WIT functions to what they do.

mod container;
mod directory;
mod file;
mod options;
mod powers;

use std::sync::Arc;

use backend::{Failure, FailureCode};
use futures::TryFutureExt;
use futures::future::BoxFuture;

use crate::args::{Args, ArgumentError};
use crate::bridge::Bridge;
use crate::object::Object;
use crate::pending::{Pending, Work, force, is_pending, note_exec};
use crate::value::Value;

/// What a LEAF answers.
pub type LeafFuture<'a> = BoxFuture<'a, Result<Value, Failure>>;

/// Makes a value out of values.
pub(crate) type LazyFn = fn(&dyn Bridge, &mut Args) -> Result<Value, ArgumentError>;

/// Asks the engine.
pub(crate) type LeafFn = for<'a> fn(&'a dyn Bridge, Args) -> LeafFuture<'a>;

/// A line of the table.
enum Entry {
    /// See [`Function::Lazy`].
    Lazy(LazyFn),
    /// A lazy function whose object can only be made by asking the engine.
    Later(LeafFn),
    /// See [`Function::Leaf`].
    Leaf(LeafFn),
}

/// What a function of the WIT package does.
#[derive(Clone)]
pub enum Function {
    /// Makes a value out of values.
    Lazy(Lazy),
    /// Evaluates.
    Leaf(Leaf),
}

/// A function that never fails for a reason that a caller could cause, and never waits.
#[derive(Clone)]
pub struct Lazy {
    method: Arc<str>,
    /// The resource that it makes; none if it answers with another value.
    makes: Option<&'static str>,
    work: Work,
}

/// A function that evaluates.
#[derive(Clone, Copy)]
pub struct Leaf(LeafFn);

impl Lazy {
    /// Calls it.
    ///
    /// # Errors
    /// If the arguments are not those of the WIT package.
    pub fn call(&self, bridge: &dyn Bridge, args: Vec<Value>) -> Result<Value, ArgumentError> {
        let value = self.make(bridge, args)?;
        match BEGINNINGS.contains(&&*self.method) {
            true => with_env(bridge, value, bridge.env()),
            false => Ok(value),
        }
    }

    fn make(&self, bridge: &dyn Bridge, args: Vec<Value>) -> Result<Value, ArgumentError> {
        let function = bridge.function();
        match (self.makes, &self.work) {
            (_, Work::Values(make)) if !args.iter().any(is_pending) => {
                let value = make(bridge, &mut Args::new(args))?;
                note_exec(bridge, &self.method, function, &value);
                Ok(value)
            }
            (Some(makes), work) => {
                let pending = Pending::new(Arc::clone(&self.method), makes, work.clone(), args, function.cloned());
                Ok(Value::Object(Object::Pending(pending)))
            }
            (None, _) => Ok(self.ask(bridge, &args)),
        }
    }

    /// Answers what can be told of an object that is pending.
    fn ask(&self, bridge: &dyn Bridge, args: &[Value]) -> Value {
        let Some(Value::Object(Object::Pending(pending))) = args.first() else { return Value::unit() };
        match self.method.rsplit('.').next() {
            Some("id") => Value::String(pending.id().to_owned()),
            Some("name") => Value::String(pending.name()),
            _ => {
                bridge.start(Object::Pending(Arc::clone(pending)));
                Value::unit()
            }
        }
    }
}

impl Leaf {
    /// Calls it.
    #[must_use]
    pub fn call<'a>(&self, bridge: &'a dyn Bridge, args: Vec<Value>) -> LeafFuture<'a> {
        let answer = self.answer(bridge, args);
        Box::pin(answer.inspect_err(|failure| bridge.failed(failure)))
    }

    fn answer<'a>(&self, bridge: &'a dyn Bridge, args: Vec<Value>) -> LeafFuture<'a> {
        let function = self.0;
        if !args.iter().any(is_pending) {
            return function(bridge, Args::new(args));
        }
        Box::pin(async move {
            let Value::List(args) = force(bridge, Value::List(args)).await? else {
                return Err(Failure::bug("a list became something else"));
            };
            function(bridge, Args::new(args)).await
        })
    }
}

/// The methods that containers begin with.
const BEGINNINGS: &[&str] = &["container.new", "container.from-image", "machine/rootfs"];

/// Adds variables to a container.
///
/// # Errors
/// If it is none.
pub fn with_env(bridge: &dyn Bridge, container: Value, env: &[(String, String)]) -> Result<Value, ArgumentError> {
    let Some(Function::Lazy(set)) = find("container", "[method]container.with-env-variable") else {
        return Ok(container);
    };
    env.iter().try_fold(container, |container, (name, value)| {
        set.call(bridge, vec![container, name.clone().into(), value.clone().into()])
    })
}

/// Calls a function of the WIT package, lazy or not.
///
/// # Errors
/// `Unavailable` if it is not in this version; else what the function fails with.
pub async fn invoke(bridge: &dyn Bridge, interface: &str, function: &str, args: Vec<Value>) -> Result<Value, Failure> {
    match find(interface, function) {
        Some(Function::Lazy(lazy)) => Ok(lazy.call(bridge, args)?),
        Some(Function::Leaf(leaf)) => leaf.call(bridge, args).await,
        None => {
            // `[method]container.as-service` has its interface in its name.
            let name = function.strip_prefix("[method]").map_or(format!("{interface}.{function}"), str::to_owned);
            let message = format!("`{name}` is not available in this version");
            Err(Failure::invalid(FailureCode::Unavailable, message))
        }
    }
}

/// Finds what a function does.
///
/// `interface` and `function` are the names in the WIT package, as in `container` and
/// `[method]container.with-exec`, `machine` and `rootfs`. None for what is not available in this
/// version.
#[must_use]
pub fn find(interface: &str, function: &str) -> Option<Function> {
    let method = function
        .strip_prefix("[method]")
        .map(str::to_owned)
        .or_else(|| function.strip_prefix("[constructor]").map(|name| format!("{name}.new")))
        .unwrap_or_else(|| format!("{interface}/{function}"));
    let method = method.as_str();
    let entry = container::find(method)
        .or_else(|| directory::find(method))
        .or_else(|| file::find(method))
        .or_else(|| options::find(method))
        .or_else(|| powers::find(method))?;
    let lazy = |work| Function::Lazy(Lazy { method: method.into(), makes: made_by(method), work });
    Some(match entry {
        Entry::Lazy(function) => lazy(Work::Values(function)),
        Entry::Later(function) => lazy(Work::Engine(function)),
        Entry::Leaf(function) => Function::Leaf(Leaf(function)),
    })
}

/// Returns the resource that a lazy function makes; none if it answers with another value.
fn made_by(method: &str) -> Option<&'static str> {
    let (resource, name) = method.split_once(['.', '/'])?;
    let made = match (resource, name) {
        (_, "id" | "name" | "key" | "start" | "emit") => return None,
        ("container", "rootfs" | "directory") => "directory",
        ("container" | "directory", "file") | ("container", "as-tarball") => "file",
        ("machine", "rootfs") => "container",
        _ => resource,
    };
    Object::NAMES.iter().find(|known| **known == made).copied()
}

/// The functions of the WIT package that are not available in this version, as interface and function.
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

/// Makes an [`Entry::Lazy`]: `lazy!(bridge, args => expression)`.
macro_rules! lazy {
    ($args:ident => $body:expr) => {
        $crate::dispatch::Entry::Lazy(|_, $args| Ok($crate::value::Value::from($body)))
    };
}

/// Makes an [`Entry::Leaf`] whose body may use `?` on failures.
macro_rules! leaf {
    ($bridge:ident, $args:ident => $body:expr) => {
        $crate::dispatch::Entry::Leaf(|$bridge, mut $args| {
            Box::pin(async move {
                #[allow(unused_mut, clippy::allow_attributes_without_reason)]
                let $args = &mut $args;
                Ok($crate::value::Value::from($body))
            })
        })
    };
}

/// Makes an [`Entry::Later`], written like a leaf.
macro_rules! later {
    ($bridge:ident, $args:ident => $body:expr) => {
        match $crate::dispatch::leaf!($bridge, $args => $body) {
            $crate::dispatch::Entry::Leaf(function) => $crate::dispatch::Entry::Later(function),
            entry => entry,
        }
    };
}

pub(crate) use {later, lazy, leaf};

impl From<ArgumentError> for Failure {
    fn from(error: ArgumentError) -> Self {
        Self::bug(error.to_string())
    }
}

#[cfg(test)]
mod tests;
