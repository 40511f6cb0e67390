//! The same module in Python and in JavaScript, built with the public tools of these languages.

use std::sync::Arc;

use api::{Directory, Object, Value};
use runtime::{Component, Limits, TrapCause};
use testkit::Language;

use crate::fake::FakeBridge;
use crate::support::{call, call_with, error, kept_runtime, ok, text, trap};

/// Loads the module in a language, unless the machine cannot build it.
fn load(language: Language, name: &str) -> Option<Component> {
    language.is_there().then(|| kept_runtime(Limits::default()).load(&language.guest(name)).unwrap())
}

fn directory() -> Value {
    Directory::default().into()
}

/// Checks what the module does in every language.
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
    let Some(component) = load(Language::Python, "python") else { return };
    check(&component, "Python").await;
    let trap = trap(call(&component, "fail", vec!["too bad".to_owned().into()]).await);
    assert_eq!(trap.cause, TrapCause::Exception { message: "ValueError: too bad".to_owned() }, "{}", trap.stderr_tail);
    assert_eq!(
        trap.to_string(),
        "stage `fail` of module `m` ended with an exception at app.py:36: ValueError: too bad"
    );
}

#[tokio::test]
async fn a_module_in_javascript_does_what_one_in_rust_does() {
    let Some(component) = load(Language::JavaScript, "javascript") else { return };
    check(&component, "JavaScript").await;
    let trap = trap(call(&component, "fail", vec!["too bad".to_owned().into()]).await);
    assert_eq!(trap.cause, TrapCause::Exception { message: "too bad".to_owned() }, "{}", trap.stderr_tail);
    assert_eq!(trap.source_line.as_deref(), Some("app.js:40:26"), "{}", trap.stderr_tail);
}
