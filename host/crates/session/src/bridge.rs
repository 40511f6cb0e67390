//! The bridge from running functions to their session.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use api::{Bridge, LogLevel, Object, Origins, Value};
use engine::{Engine, Failure, FailureCode};
use futures::future::BoxFuture;
use graph::SecretName;

use crate::export;
use crate::once::{Env, FunctionCall};
use crate::session::Session;

/// The most failures that are kept for a call. A function that fails passes on one of the last.
const MAX_FAILURES: usize = 32;

/// The bridge of one call of a function.
pub(crate) struct StageBridge {
    session: Arc<Session>,
    /// The position of the function's module.
    module: usize,
    /// The function with its module, as in `shop.build`.
    function: Arc<str>,
    env: Env,
    /// The last failures that the function was told of.
    failures: Mutex<VecDeque<Failure>>,
}

impl StageBridge {
    /// Makes the bridge for a call of a function of a module.
    pub(crate) fn new(session: &Arc<Session>, module: usize, function: Arc<str>, env: Env) -> Self {
        Self { session: Arc::clone(session), module, function, env, failures: Mutex::default() }
    }

    /// Takes the last failures that the function was told of, the oldest first.
    pub(crate) fn take_failures(&self) -> Vec<Failure> {
        std::mem::take(&mut *self.failures.lock().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

impl Session {
    /// Returns the bridge for requests of the session itself.
    pub(crate) fn own_bridge(self: &Arc<Self>) -> StageBridge {
        StageBridge::new(self, 0, "host".into(), Arc::default())
    }
}

impl Bridge for StageBridge {
    fn engine(&self) -> &dyn Engine {
        &*self.session.options.engine
    }

    fn start(&self, object: Object) {
        let session = Arc::clone(&self.session);
        self.session.spawn(async move {
            // Anyone who needs the value asks for it again, and hears of the failure then.
            if let Ok(Value::Object(object)) = api::force(&session.own_bridge(), Value::Object(object)).await {
                let _ = session.options.engine.solve(&object.edges()).await;
            }
        });
    }

    fn log(&self, level: LogLevel, message: &str) {
        (self.session.options.log)(level, &self.function, message);
    }

    fn plaintext(&self, name: &SecretName) -> Result<String, Failure> {
        self.session.options.secrets.text(name)
    }

    fn begin_effect(&self) -> Result<(), Failure> {
        self.session.effects.begin(&self.function)
    }

    fn export_target(&self, path: &str) -> Result<PathBuf, Failure> {
        export::target(&self.session.options.export_root, path)
    }

    fn function(&self) -> Option<&Arc<str>> {
        Some(&self.function)
    }

    fn origins(&self) -> Option<&Origins> {
        Some(&self.session.options.origins)
    }

    fn env(&self) -> &[(String, String)] {
        &self.env
    }

    fn failed(&self, failure: &Failure) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() == MAX_FAILURES {
            failures.pop_front();
        }
        failures.push_back(failure.clone());
    }

    fn call_import<'a>(
        &'a self,
        interface: &'a str,
        function: &'a str,
        args: Vec<Value>,
    ) -> BoxFuture<'a, Result<Value, Failure>> {
        let Some((_, module)) = self.session.modules().provider(self.module, interface) else {
            let message = format!("nothing provides `{interface}`");
            return Box::pin(async move { Err(Failure::invalid(FailureCode::Unavailable, message)) });
        };
        let call = FunctionCall { module, function: function.to_owned(), args, env: Arc::default(), origin: None };
        Box::pin(self.session.call_lazily(call))
    }
}
