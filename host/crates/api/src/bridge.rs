//! The bridge from a call to the engine.

use std::path::PathBuf;
use std::sync::Arc;

use engine::{Engine, Failure, FailureCode};
use futures::future::BoxFuture;
use graph::SecretName;

use crate::origins::{Caller, Origins};
use crate::value::{Object, Value};

/// The importance of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// A detail for the author of the stage.
    Debug,
    /// News for the person who runs the stage.
    Info,
    /// A warning: something looks wrong.
    Warn,
    /// An error: something is wrong.
    Error,
}

/// The requests that a call can make of the engine. The session implements them.
pub trait Bridge: Send + Sync {
    /// Returns the engine that evaluates the graph.
    fn engine(&self) -> &dyn Engine;

    /// Begins to evaluate an object in the background. The evaluation ends with the session at the latest.
    fn start(&self, object: Object);

    /// Shows a message of the calling stage.
    fn log(&self, level: LogLevel, message: &str);

    /// Returns the value of a secret, for the interface `secret-access`.
    ///
    /// # Errors
    /// Fails if the secret has no value, or if the value is not UTF-8.
    fn plaintext(&self, name: &SecretName) -> Result<String, Failure>;

    /// Notes that the calling function is about to change something outside of the run, for the interface `effects`.
    ///
    /// # Errors
    /// Fails with `Cancelled` if the run is being stopped and the function has not changed anything yet.
    fn begin_effect(&self) -> Result<(), Failure> {
        Ok(())
    }

    /// Returns the path on this machine that an export to `path` is written to.
    ///
    /// # Errors
    /// Fails with `InvalidPath` if the path leaves the export root, also if it does so through a link.
    fn export_target(&self, path: &str) -> Result<PathBuf, Failure>;

    /// Returns the calling function, and its stage; none if it is not kept.
    fn caller(&self) -> Option<&Arc<Caller>> {
        None
    }

    /// Returns the record of who asked for which vertex, if there is one.
    fn origins(&self) -> Option<&Origins> {
        None
    }

    /// Returns the variables that every container gets which the calling function begins with.
    fn env(&self) -> &[(String, String)] {
        &[]
    }

    /// Notes a failure that the calling function is told of.
    fn failed(&self, failure: &Failure) {
        let _ = failure;
    }

    /// Calls a function of a dependency. `interface` and `function` are the names that the calling component imports.
    ///
    /// The answer is the value that the function returns. A function that makes a container, a directory, a file or a
    /// service may be called later: then the answer is an object that is not made yet.
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
