//! What the tests share: loading, calling, and building guests.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock};

use api::Value;
use runtime::{Call, CallError, Component, Limits, Power, Runtime, RuntimeConfig, Trap};

use crate::fake::FakeBridge;

/// A runtime without a cache.
pub(crate) fn runtime(limits: Limits) -> Runtime {
    Runtime::new(RuntimeConfig { cache_dir: None, limits }).unwrap()
}

/// Loads a component that is written as text.
pub(crate) fn load_wat(limits: Limits, text: &str) -> Component {
    runtime(limits).load_bytes("m", &wat::parse_str(text).unwrap()).unwrap()
}

/// A component with one stage `run` without parameters, from the text of its core function.
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

/// Calls a stage of a module `m` with all that it asks for.
pub(crate) async fn call(component: &Component, function: &str, args: Vec<Value>) -> Result<Value, CallError> {
    call_with(component, function, args, Arc::new(FakeBridge::default())).await
}

/// Calls a stage with an engine of the test's own.
pub(crate) async fn call_with(
    component: &Component,
    function: &str,
    args: Vec<Value>,
    bridge: Arc<FakeBridge>,
) -> Result<Value, CallError> {
    call_granting(component, function, args, bridge, component.powers()).await
}

/// Calls a stage with some powers.
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

/// The trap that a call ended with.
pub(crate) fn trap(called: Result<Value, CallError>) -> Trap {
    match called {
        Err(CallError::Trap(trap)) => *trap,
        other => panic!("not a trap: {other:?}"),
    }
}

/// Writes a value for comparison.
pub(crate) fn text(value: &Value) -> String {
    format!("{value:?}")
}

/// The text in an `ok`.
pub(crate) fn ok(value: Value) -> Value {
    match value {
        Value::Result(Ok(Some(value))) => *value,
        other => panic!("not an ok: {other:?}"),
    }
}

/// The code and the message in an `err`.
pub(crate) fn error(value: &Value) -> (String, String) {
    let Value::Result(Err(Some(error))) = value else { panic!("not an error: {value:?}") };
    let Value::Record(fields) = &**error else { panic!("not a record: {value:?}") };
    match fields.as_slice() {
        [(_, Value::String(code)), (_, Value::String(message)), ..] => (code.clone(), message.clone()),
        other => panic!("not an error: {other:?}"),
    }
}

/// The root of the project.
pub(crate) fn project() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.."))
}

/// Where things are built, in cargo's target directory.
pub(crate) fn target(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join(name)
}

/// Whether a tool is there. Its absence is a failure if the variable `REQUIRE` names it, as in
/// `REQUIRE=wasm32-wasip2,node`.
pub(crate) fn require(tool: &str, is_there: bool) -> bool {
    let required = std::env::var("REQUIRE").unwrap_or_default();
    let is_required = required.split(',').any(|required| required == tool);
    assert!(is_there || !is_required, "{tool} is required and not there");
    if !is_there {
        eprintln!("skipped: {tool} is not there");
    }
    is_there
}

/// Whether a command succeeds.
pub(crate) fn succeeds(program: &str, args: &[&str]) -> bool {
    Command::new(program).args(args).output().is_ok_and(|output| output.status.success())
}

/// Runs a command that has to succeed.
pub(crate) fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Requires `wasm32-wasip2`, and returns the path of a guest program of `tests/functions`.
pub(crate) fn guest(name: &str) -> Option<PathBuf> {
    static BUILT: LazyLock<Option<PathBuf>> = LazyLock::new(build_guests);
    BUILT.as_ref().map(|dir| dir.join(format!("{}.wasm", name.replace('-', "_"))))
}

fn build_guests() -> Option<PathBuf> {
    let sysroot = Command::new("rustc").args(["--print", "target-libdir", "--target", "wasm32-wasip2"]).output();
    let is_there = sysroot.is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir());
    if !require("wasm32-wasip2", is_there) {
        return None;
    }
    let packages = ["values", "hostile", "powers", "by-hand"].into_iter().flat_map(|name| ["-p", name]);
    run(Command::new("cargo")
        .args(["build", "--release", "--target", "wasm32-wasip2"])
        .args(packages)
        .current_dir(project().join("tests/functions"))
        .env("CARGO_TARGET_DIR", target("guests"))
        // What cargo sets for the host's tests is not meant for guests.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS"));
    Some(target("guests/wasm32-wasip2/release"))
}
