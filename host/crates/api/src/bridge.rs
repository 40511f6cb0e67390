//! What a call may ask of the engine.

use std::path::PathBuf;
use std::sync::Arc;

use backend::{Backend, Failure, FailureCode};
use futures::future::BoxFuture;
use graph::SecretName;

use crate::origins::Origins;
use crate::value::{Object, Value};

/// How much a message matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// For whoever writes the stage.
    Debug,
    /// For whoever runs it.
    Info,
    /// Something looks wrong.
    Warn,
    /// Something is wrong.
    Error,
}

/// What a call may ask of the engine; implemented by the session.
pub trait Bridge: Send + Sync {
    /// Returns what evaluates the graph.
    fn backend(&self) -> &dyn Backend;

    /// Begins the evaluation of an object in the background, for as long as the session lives.
    fn start(&self, object: Object);

    /// Shows a message of the calling stage.
    fn log(&self, level: LogLevel, message: &str);

    /// Returns the value of a secret, for `secret-access`.
    ///
    /// # Errors
    /// If the secret has none, or if it is not UTF-8.
    fn plaintext(&self, name: &SecretName) -> Result<String, Failure>;

    /// Returns where on this machine an export to `path` goes.
    ///
    /// # Errors
    /// `InvalidPath` if it leaves the export root, also through a link.
    fn export_target(&self, path: &str) -> Result<PathBuf, Failure>;

    /// Returns the function that asks, with its module, as in `shop.build`; none where nobody keeps that.
    fn function(&self) -> Option<&Arc<str>> {
        None
    }

    /// Returns where it is kept which function asked for which command.
    fn origins(&self) -> Option<&Origins> {
        None
    }

    /// Returns the variables of every container that the calling function begins with.
    fn env(&self) -> &[(String, String)] {
        &[]
    }

    /// Hears that what the calling function asked for failed, which the function is told, too.
    fn failed(&self, failure: &Failure) {
        let _ = failure;
    }

    /// Calls a function of a dependency: one of `interface`, as the calling component imports it.
    ///
    /// What comes back is what the function returns. A function that makes a container, a directory, a file or a
    /// service need not have been called by then.
    fn call_import<'a>(
        &'a self,
        interface: &'a str,
        function: &'a str,
        args: Vec<Value>,
    ) -> BoxFuture<'a, Result<Value, Failure>> {
        let _ = (function, args);
        let message = format!("nothing provides `{interface}`");
        Box::pin(async move { Err(Failure::invalid(FailureCode::Unavailable, message)) })
    }
}
