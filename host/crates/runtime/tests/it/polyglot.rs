//! The same module in Python and in JavaScript, built with their public tools.
//!
//! Requires `python3` and `node` with `npm`, and registries where a tool is not yet in
//! `target/polyglot`. A build takes seconds and differs each time, so that what was built is kept
//! by the digest of its sources.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use api::{Directory, Object, Value};
use runtime::{Component, Runtime, RuntimeConfig, TrapCause};

use crate::fake::FakeBridge;
use crate::support::{call, call_with, error, ok, project, require, run, succeeds, target, text, trap};

const COMPONENTIZE_PY: &str = "componentize-py==0.25.1";
const COMPONENTIZE_QJS: &str = "componentize-qjs@0.4.5";

fn sources() -> PathBuf {
    project().join("tests/functions/polyglot")
}

/// Returns the component of a source, built unless it was.
fn built(source: &str, tool: &str, build: impl FnOnce(&Path, &Path)) -> Component {
    let mut files = vec![sources().join("wit/world.wit"), sources().join(source)];
    let mut api: Vec<_> = fs::read_dir(project().join("wit")).unwrap().map(|entry| entry.unwrap().path()).collect();
    api.sort();
    files.extend(api.iter().cloned());
    let mut hasher = graph::KeyHasher::new("polyglot/1");
    hasher.text(tool);
    hasher.list(files.iter(), |hasher, file| hasher.bytes(&fs::read(file).unwrap()));
    let dir = target("polyglot").join(hasher.content().short());
    let component = dir.join("module.wasm");
    if !component.exists() {
        let deps = dir.join("wit/deps/pipeline-api");
        fs::create_dir_all(&deps).unwrap();
        fs::copy(sources().join("wit/world.wit"), dir.join("wit/world.wit")).unwrap();
        for file in &api {
            fs::copy(file, deps.join(file.file_name().unwrap())).unwrap();
        }
        let partial = dir.join("partial.wasm");
        build(&dir.join("wit"), &partial);
        fs::rename(&partial, &component).unwrap();
    }
    // In an unoptimised build compiling takes long; it is kept like the component.
    let config = RuntimeConfig { cache_dir: Some(target("polyglot")), ..RuntimeConfig::default() };
    Runtime::new(config).unwrap().load(&component).unwrap()
}

fn python() -> Option<Component> {
    let tools = target("polyglot/py");
    let tool = tools.join("bin/componentize-py");
    if !require("python3", tool.exists() || succeeds("python3", &["-m", "venv", "--help"])) {
        return None;
    }
    Some(built("python/app.py", COMPONENTIZE_PY, |wit, output| {
        if !tool.exists() {
            run(Command::new("python3").args(["-m", "venv"]).arg(&tools));
            run(Command::new(tools.join("bin/pip")).args(["install", "--quiet", COMPONENTIZE_PY]));
        }
        let mut command = Command::new(&tool);
        command.arg("-d").arg(wit).args(["-w", "module", "componentize", "-p"]).arg(sources().join("python"));
        run(command.args(["app", "-o"]).arg(output));
    }))
}

fn javascript() -> Option<Component> {
    if !require("node", succeeds("node", &["--version"]) && succeeds("npm", &["--version"])) {
        return None;
    }
    let tools = target("polyglot/js");
    let tool = tools.join("node_modules/.bin/componentize-qjs");
    Some(built("javascript/app.js", COMPONENTIZE_QJS, |wit, output| {
        if !tool.exists() {
            fs::create_dir_all(&tools).unwrap();
            run(Command::new("npm").args(["install", "--silent", "--prefix"]).arg(&tools).arg(COMPONENTIZE_QJS));
        }
        let mut command = Command::new(&tool);
        command.arg("--wit").arg(wit).args(["-n", "module", "--js"]).arg(sources().join("javascript/app.js"));
        run(command.args(["--sync", "--opt-size", "-o"]).arg(output));
    }))
}

fn directory() -> Value {
    Directory::default().into()
}

/// What every language has to do in the same way.
async fn check(component: &Component, language: &str) {
    let names: Vec<_> = component.stages().iter().map(|stage| stage.name.as_str()).collect();
    assert_eq!(names, ["greet", "build", "names", "missing", "written", "reversed", "refuse", "fail"]);
    assert_eq!(component.interface(), "test:polyglot/stages@0.1.0");

    let greet = |name| call(component, "greet", vec![Value::from(name)]);
    assert_eq!(text(&greet(None).await.unwrap()), "String(\"Hello, world!\")");
    assert_eq!(text(&greet(Some("Ada".to_owned())).await.unwrap()), "String(\"Hello, Ada!\")");

    let built = ok(call(component, "build", vec![directory()]).await.unwrap());
    let Value::Object(Object::Directory(built)) = built else { panic!("not a directory: {built:?}") };
    let definition = graph::Definition::of([&built.selection.edge]).to_text();
    assert_eq!(definition, "%0 = scratch []\n%1 = make file /built.txt [%0]\n", "{language}");

    let bridge = Arc::new(FakeBridge::default());
    let listed = ok(call_with(component, "names", vec![directory()], Arc::clone(&bridge)).await.unwrap());
    assert_eq!((text(&listed), bridge.n_solved()), ("String(\"a.txt src/\")".to_owned(), 1));
    let missing = ok(call(component, "missing", vec![directory()]).await.unwrap());
    assert_eq!(text(&missing), "String(\"invalid-path\")");

    let written = ok(call(component, "written", vec![directory()]).await.unwrap());
    assert_eq!(text(&written), text(&Value::Bytes(b"conte".to_vec())));
    let reversed = call(component, "reversed", vec![Value::Bytes(vec![1, 2, 255])]).await.unwrap();
    assert_eq!(text(&reversed), "Bytes([255, 2, 1])");
    let refused = call(component, "refuse", Vec::new()).await.unwrap();
    assert_eq!(error(&refused), ("custom".to_owned(), "not today".to_owned()));
}

#[tokio::test]
async fn a_module_in_python_does_what_one_in_rust_does() {
    let Some(component) = python() else { return };
    check(&component, "Python").await;
    let trap = trap(call(&component, "fail", vec!["too bad".to_owned().into()]).await);
    assert_eq!(trap.cause, TrapCause::Panic { message: "ValueError: too bad".to_owned() }, "{}", trap.stderr_tail);
    assert_eq!(trap.to_string(), "stage `fail` of module `m` panicked at app.py:36: ValueError: too bad");
}

#[tokio::test]
async fn a_module_in_javascript_does_what_one_in_rust_does() {
    let Some(component) = javascript() else { return };
    check(&component, "JavaScript").await;
    let trap = trap(call(&component, "fail", vec!["too bad".to_owned().into()]).await);
    assert_eq!(trap.cause, TrapCause::Panic { message: "too bad".to_owned() }, "{}", trap.stderr_tail);
    assert_eq!(trap.source_line.as_deref(), Some("app.js:40:26"), "{}", trap.stderr_tail);
}
