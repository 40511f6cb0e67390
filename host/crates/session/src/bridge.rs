//! The bridge from running functions to their session.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use api::{Bridge, Caller, LogLevel, Object, Origins, Value};
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
    caller: Arc<Caller>,
    env: Env,
    /// The last failures that the function was told of.
    failures: Mutex<VecDeque<Failure>>,
}

impl StageBridge {
    /// Makes the bridge for a call of a function of a module.
    pub(crate) fn new(session: &Arc<Session>, module: usize, caller: Arc<Caller>, env: Env) -> Self {
        Self { session: Arc::clone(session), module, caller, env, failures: Mutex::default() }
    }

    /// Takes the last failures that the function was told of, the oldest first.
    pub(crate) fn take_failures(&self) -> Vec<Failure> {
        std::mem::take(&mut *self.failures.lock().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

impl Session {
    /// Returns the bridge for requests of the session itself.
    pub(crate) fn own_bridge(self: &Arc<Self>) -> StageBridge {
        StageBridge::new(self, 0, Arc::new(Caller { function: "host".into(), stage: None }), Arc::default())
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
        (self.session.options.log)(level, &self.caller.function, message);
    }

    fn plaintext(&self, name: &SecretName) -> Result<String, Failure> {
        self.session.options.secrets.text(name)
    }

    fn begin_effect(&self) -> Result<(), Failure> {
        self.session.effects.begin(&self.caller.function)
    }

    fn export_target(&self, path: &str) -> Result<PathBuf, Failure> {
        export::target(&self.session.options.export_root, path)
    }

    fn caller(&self) -> Option<&Arc<Caller>> {
        Some(&self.caller)
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
        let origin = Some(self.session.caller(module, function, self.caller.stage.clone()));
        let call = FunctionCall { module, function: function.to_owned(), args, env: Arc::default(), origin };
        Box::pin(self.session.call_lazily(call))
    }
}
