//! The table from the names of WIT functions to what they do.

mod container;
mod directory;
mod file;
mod options;
mod powers;

use backend::Failure;
use futures::future::BoxFuture;

use crate::args::{Args, ArgumentError};
use crate::bridge::Bridge;
use crate::value::Value;

/// What a LEAF answers.
pub type LeafFuture<'a> = BoxFuture<'a, Result<Value, Failure>>;

/// What a function of the WIT package does.
#[derive(Clone, Copy)]
pub enum Function {
    /// Makes a value out of values: never fails for a reason that a caller could cause, never waits.
    Lazy(fn(&dyn Bridge, &mut Args) -> Result<Value, ArgumentError>),
    /// Evaluates.
    Leaf(for<'a> fn(&'a dyn Bridge, Args) -> LeafFuture<'a>),
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
    container::find(method)
        .or_else(|| directory::find(method))
        .or_else(|| file::find(method))
        .or_else(|| options::find(method))
        .or_else(|| powers::find(method))
}

/// The functions of the WIT package that are not available in this version, as interface and function.
#[must_use]
pub fn unavailable() -> &'static [(&'static str, &'static str)] {
    &[
        ("container", "[method]container.from-image"),
        ("container", "[method]container.import-image"),
        ("container", "[method]container.build"),
        ("container", "[method]container.with-service-binding"),
        ("container", "[method]container.as-tarball"),
        ("container", "[method]container.as-service"),
        ("effects", "export-container"),
        ("effects", "publish"),
        ("service", "[method]service.hostname"),
        ("service", "[method]service.with-hostname"),
        ("service", "[method]service.up"),
        ("service", "[method]service.endpoint"),
        ("service", "[method]service.stop"),
        ("sources", "git"),
        ("sources", "http"),
    ]
}

/// Makes a [`Function::Lazy`]: `lazy!(bridge, args => expression)`.
macro_rules! lazy {
    ($args:ident => $body:expr) => {
        $crate::dispatch::Function::Lazy(|_, $args| Ok($crate::value::Value::from($body)))
    };
}

/// Makes a [`Function::Leaf`] whose body may use `?` on failures.
macro_rules! leaf {
    ($bridge:ident, $args:ident => $body:expr) => {
        $crate::dispatch::Function::Leaf(|$bridge, mut $args| {
            Box::pin(async move {
                #[allow(unused_mut, clippy::allow_attributes_without_reason)]
                let $args = &mut $args;
                Ok($crate::value::Value::from($body))
            })
        })
    };
}

pub(crate) use {lazy, leaf};

impl From<ArgumentError> for Failure {
    fn from(error: ArgumentError) -> Self {
        Self::bug(error.to_string())
    }
}

#[cfg(test)]
mod tests;
