//! Calls of functions. A function is called once in a run for the same arguments, and as late as possible.

use std::sync::{Arc, PoisonError};

use api::{Caller, CustomObject, LogLevel, Object, Pending, Signature, Type, Value};
use engine::Failure;
use futures::FutureExt;
use runtime::{ByteSink, Call, CallError, Component, ProgramCall};
use tokio::sync::oneshot;

use crate::answers::{accepted, failure_of, readable};
use crate::bridge::StageBridge;
use crate::once::{Answering, FunctionCall, Once};
use crate::session::Session;

impl Session {
    /// Runs the session's module as a program, and returns its exit code. Its standard output goes to `stdout`
    /// unchanged, its standard error to `stderr` line by line.
    ///
    /// # Errors
    /// Fails if the module is not a program, lacks a power or ends in a trap, or if the session is cancelled.
    pub async fn run_program(
        self: &Arc<Self>,
        args: Vec<String>,
        stdout: ByteSink,
        stderr: ByteSink,
    ) -> Result<i32, Failure> {
        let module = &self.modules().loaded[0];
        let Some(component) = &module.component else {
            return Err(Failure::bug(format!("module `{}` has no component", module.name)));
        };
        let call = ProgramCall {
            module: module.name.clone(),
            args,
            bridge: Arc::new(StageBridge::new(self, 0, self.caller(0, "main", None), Arc::default())),
            granted: module.granted.clone(),
            stdout,
            stderr: Some(stderr),
        };
        let run = async { component.run(call).await.map_err(|error| failure_of("main", error)) };
        self.until_cancelled(run).await
    }

    /// Calls a function of the session's module. An `err` answer of the function is a value.
    ///
    /// # Errors
    /// Fails if there is no such function, if the module lacks a power, or if the function ends in a trap.
    pub async fn call(self: &Arc<Self>, function: &str, args: Vec<Value>) -> Result<Value, Failure> {
        self.call_now(FunctionCall {
            module: 0,
            function: function.to_owned(),
            args,
            env: Arc::default(),
            origin: None,
        })
        .await
    }

    /// Calls a method of a custom object, as in `[method]linter.check`. The object is the first argument.
    ///
    /// # Errors
    /// Fails like [`call`](Self::call), and also if the method answers with `err`.
    pub async fn call_method(
        self: &Arc<Self>,
        object: &dyn CustomObject,
        function: &str,
        args: Vec<Value>,
    ) -> Result<Value, Failure> {
        let loaded = &self.modules().loaded;
        let Some(module) = loaded.iter().position(|module| module.instance.holds(object)) else {
            return Err(Failure::bug(format!("the {} lives in no module of this run", object.ty().name)));
        };
        let call = FunctionCall { module, function: function.to_owned(), args, env: Arc::default(), origin: None };
        let value = self.call_now(call.clone()).await?;
        accepted(&self.label(&call), value)
    }

    /// Calls a function now, even if it was called with the same arguments before.
    pub(crate) async fn call_now(self: &Arc<Self>, call: FunctionCall) -> Result<Value, Failure> {
        let call = self.unblocked(call).await?;
        let (label, kept) = (self.label(&call), call.clone());
        let (ended, seen) = self.enter(call).await;
        if matches!(ended, Err(_) | Ok(Value::Result(Err(_)))) && !seen.is_empty() {
            self.calls.seen_failures.lock().unwrap_or_else(PoisonError::into_inner).insert(kept.digest(), seen);
        }
        ended.map_err(|error| failure_of(&label, error))
    }

    /// Returns the failures that a failed call had been told of, the oldest first.
    pub(crate) fn seen_failures(&self, call: &FunctionCall) -> Vec<Failure> {
        self.calls
            .seen_failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&call.digest())
            .cloned()
            .unwrap_or_default()
    }

    /// Makes the pending arguments of a function that is called in the instance of its module's objects. If the
    /// function waited for them itself, a pending object that needs a call in the same instance would never be made.
    async fn unblocked(self: &Arc<Self>, mut call: FunctionCall) -> Result<FunctionCall, Failure> {
        if self.component(&call).is_some_and(|component| component.is_called_alone(&call.function)) {
            let args = Value::List(std::mem::take(&mut call.args));
            if let Value::List(args) = api::force(&self.own_bridge(), args).await? {
                call.args = args;
            }
        }
        Ok(call)
    }

    /// Calls a function, or waits for the call of it with the same arguments. `begin` decides who drives the call.
    fn call_once(self: &Arc<Self>, call: FunctionCall, begin: impl FnOnce(Answering) -> Once) -> Once {
        let (session, digest) = (Arc::clone(self), call.digest());
        let mut once = self.calls.once.lock().unwrap_or_else(PoisonError::into_inner);
        once.entry(digest).or_insert_with(|| begin(async move { session.call_now(call).await }.boxed())).clone()
    }

    /// Calls a function. If it makes an object, it is called later, when the object is needed. The answer has the
    /// function's type.
    pub(crate) async fn call_lazily(self: &Arc<Self>, call: FunctionCall) -> Result<Value, Failure> {
        let Some((object, is_result)) = self.function(&call).and_then(made_later) else {
            return self.call_as_asked(call).await;
        };
        let object = self.pending(&object, call)?;
        Ok(if is_result { Value::Result(Ok(Some(Box::new(object)))) } else { object })
    }

    /// Calls a function once for the same arguments. A function that may return an object of its module is called
    /// every time: each caller gets an object that can be given away.
    pub(crate) async fn call_as_asked(self: &Arc<Self>, call: FunctionCall) -> Result<Value, Failure> {
        match self.component(&call).is_some_and(|component| component.is_called_alone(&call.function)) {
            true => self.call_now(call).await,
            // The caller drives the call: a task would cost more than many a call. The depth is that of the
            // dependencies.
            false => self.call_once(call, FutureExt::shared).await,
        }
    }

    fn component(&self, call: &FunctionCall) -> Option<&Component> {
        self.modules().loaded.get(call.module)?.component.as_ref()
    }

    fn pending(self: &Arc<Self>, object: &str, call: FunctionCall) -> Result<Value, Failure> {
        let label = self.label(&call);
        let id = call.digest().to_string();
        let session = Arc::clone(self);
        let making: api::Making = Arc::new(move || {
            // Such calls may need each other in chains of any length. Each has a task, and so a stack, of its own.
            let once = session.call_once(call.clone(), |answering| session.in_background(answering));
            let label = session.label(&call);
            Box::pin(async move { accepted(&label, once.await?) })
        });
        let pending = Pending::of_call(object, &format!("{label} {id}"), making);
        let pending = pending.ok_or_else(|| Failure::bug(format!("a {object} cannot be made later")))?;
        Ok(Value::Object(Object::Pending(pending)))
    }

    /// Forgets the calls that failed. They are made again when they are asked for again.
    pub(crate) fn forget_failures(&self) {
        self.options.engine.forget_failures();
        let is_failed = |ended: &Result<Value, Failure>| matches!(ended, Err(_) | Ok(Value::Result(Err(_))));
        let mut once = self.calls.once.lock().unwrap_or_else(PoisonError::into_inner);
        once.retain(|_, call| !call.peek().is_some_and(is_failed));
    }

    /// Runs work that others wait for in the background of the session. It ends with the session.
    pub(crate) fn in_background(
        self: &Arc<Self>,
        work: impl Future<Output = Result<Value, Failure>> + Send + 'static,
    ) -> Once {
        let (answer, wait) = oneshot::channel();
        self.spawn(async move {
            // The receiver may be gone.
            let _ = answer.send(work.await);
        });
        async move { wait.await.unwrap_or(Err(Failure::Cancelled)) }.boxed().shared()
    }

    fn function(&self, call: &FunctionCall) -> Option<&Signature> {
        self.component(call)?.function(&call.function)
    }

    /// Returns the name of the function in messages: `build`, or `lint.check` for a dependency.
    pub(crate) fn label(&self, call: &FunctionCall) -> String {
        let function = readable(&call.function);
        match self.modules().loaded.get(call.module) {
            Some(module) if call.module > 0 => format!("{}.{function}", module.name),
            _ => function.to_owned(),
        }
    }

    /// Returns a function of a module as the caller of what it asks for.
    pub(crate) fn caller(&self, module: usize, function: &str, stage: Option<Arc<str>>) -> Arc<Caller> {
        let module = self.modules().loaded.get(module).map_or("", |module| &module.name);
        Arc::new(Caller { function: format!("{module}.{}", readable(function)).into(), stage })
    }

    /// Calls a function. The failures that it was told of come with its answer.
    async fn enter(self: &Arc<Self>, call: FunctionCall) -> (Result<Value, CallError>, Vec<Failure>) {
        let FunctionCall { module: index, function, args, env, origin } = call;
        let module = &self.modules().loaded[index];
        let caller = origin.unwrap_or_else(|| self.caller(index, &function, None));
        let name = Arc::clone(&caller.function);
        let Some(component) = module.component.as_ref() else {
            let exported = Vec::new();
            return (Err(CallError::NoSuchStage { module: module.name.clone(), function, exported }), Vec::new());
        };
        let bridge = Arc::new(StageBridge::new(self, index, caller, env));
        let log = Arc::clone(&self.options.log);
        let call = Call {
            module: module.name.clone(),
            function,
            args,
            bridge: Arc::clone(&bridge) as Arc<dyn api::Bridge>,
            granted: module.granted.clone(),
            stderr: Some(Arc::new(move |bytes: &[u8]| {
                log(LogLevel::Info, &name, String::from_utf8_lossy(bytes).trim_end());
            })),
            instance: Arc::clone(&module.instance),
        };
        let ended = Component::call(component, call).await;
        (ended, bridge.take_failures())
    }
}

/// Returns the object that a function makes if it can be made later, and whether it is inside a `result`.
fn made_later(signature: &Signature) -> Option<(String, bool)> {
    let (made, is_result) = match signature.result.as_ref()? {
        Type::Result(ok, _) => (ok.as_deref()?, true),
        other => (other, false),
    };
    match made {
        Type::Object(name) if Pending::CALLABLE.contains(&name.as_str()) => Some((name.clone(), is_result)),
        _ => None,
    }
}
