//! Helpers of the tests: loading components, calling their stages, and reading the results.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::Value;
use runtime::{Call, CallError, Component, Limits, Power, Runtime, RuntimeConfig, Trap};

use crate::fake::FakeBridge;

/// Returns a runtime without a cache.
pub(crate) fn runtime(limits: Limits) -> Runtime {
    Runtime::new(RuntimeConfig { cache_dir: None, limits }).unwrap()
}

/// Loads a component from its text.
pub(crate) fn load_wat(limits: Limits, text: &str) -> Component {
    runtime(limits).load_bytes("m", &wat::parse_str(text).unwrap()).unwrap()
}

/// Returns the text of a component with one stage `run` without parameters, from the text of its core function.
pub(crate) fn stage_wat(core: &str) -> String {
    format!(
        r#"(component
            (core module $m {core})
            (core instance $i (instantiate $m))
            (func $run (canon lift (core func $i "run")))
            (instance $stages (export "run" (func $run)))
            (export "test:wat/stages@0.1.0" (instance $stages)))"#
    )
}

/// Calls a stage of a module `m`, and grants every power that the module asks for.
pub(crate) async fn call(component: &Component, function: &str, args: Vec<Value>) -> Result<Value, CallError> {
    call_with(component, function, args, Arc::new(FakeBridge::default())).await
}

/// Calls a stage over a bridge of the test.
pub(crate) async fn call_with(
    component: &Component,
    function: &str,
    args: Vec<Value>,
    bridge: Arc<FakeBridge>,
) -> Result<Value, CallError> {
    call_granting(component, function, args, bridge, component.powers()).await
}

/// Calls a stage with the given powers.
pub(crate) async fn call_granting(
    component: &Component,
    function: &str,
    args: Vec<Value>,
    bridge: Arc<FakeBridge>,
    granted: BTreeSet<Power>,
) -> Result<Value, CallError> {
    let (module, function) = ("m".to_owned(), function.to_owned());
    component
        .call(Call { module, function, args, bridge, granted, stderr: None, instance: runtime::Instance::new() })
        .await
}

/// Returns the trap that a call ended with.
pub(crate) fn trap(called: Result<Value, CallError>) -> Trap {
    match called {
        Err(CallError::Trap(trap)) => *trap,
        other => panic!("not a trap: {other:?}"),
    }
}

/// Returns a value as text, for comparison.
pub(crate) fn text(value: &Value) -> String {
    format!("{value:?}")
}

/// Returns the value in an `ok`.
pub(crate) fn ok(value: Value) -> Value {
    match value {
        Value::Result(Ok(Some(value))) => *value,
        other => panic!("not an ok: {other:?}"),
    }
}

/// Returns the code and the message in an `err`.
pub(crate) fn error(value: &Value) -> (String, String) {
    let Value::Result(Err(Some(error))) = value else { panic!("not an error: {value:?}") };
    let Value::Record(fields) = &**error else { panic!("not a record: {value:?}") };
    match fields.as_slice() {
        [(_, Value::String(code)), (_, Value::String(message)), ..] => (code.clone(), message.clone()),
        other => panic!("not an error: {other:?}"),
    }
}

/// Returns the runtime for guest programs. What it compiles is kept in the target directory: without optimisation,
/// compiling takes longer than all the tests.
pub(crate) fn kept_runtime(limits: Limits) -> Runtime {
    Runtime::new(RuntimeConfig { cache_dir: Some(testkit::target_dir().join("guests")), limits }).unwrap()
}

/// Loads a guest program of `tests/functions`, unless the machine cannot build it.
pub(crate) fn load_guest(name: &str, limits: Limits) -> Option<Component> {
    testkit::require("wasm32-wasip2").then(|| kept_runtime(limits).load(&testkit::guest(name)).unwrap())
}
