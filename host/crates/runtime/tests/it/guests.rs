//! Guest programs in Rust, from `tests/functions`. They require the target `wasm32-wasip2`.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::{Container, Directory, Object, Secret, Value};
use engine::{ExecFailure, ExecStatus, Failure};
use graph::{Blame, DefinitionDigest, Diagnostic, SecretName};
use runtime::{Call, CallError, Component, Limits, Power, TrapCause};

use crate::fake::FakeBridge;
use crate::support::{call, call_granting, call_with, error, load_guest, ok, text, trap};

fn load(name: &str) -> Option<Component> {
    load_guest(name, Limits::default())
}

/// Limits that a slow machine cannot exceed by its slowness.
fn patient() -> Limits {
    Limits { time: Duration::from_secs(3600), ..Limits::default() }
}

/// Calls a function with arguments in WAVE and expects the same values back.
async fn check_return(component: &Component, function: &str, texts: &[&str]) {
    let args: Vec<Value> = texts
        .iter()
        .enumerate()
        .map(|(param, text)| component.parse_wave(function, param, text).unwrap_or_else(|e| panic!("{text}: {e}")))
        .collect();
    let expect = match args.as_slice() {
        [] => Value::unit(),
        [one] => one.clone(),
        several => Value::Tuple(several.to_vec()),
    };
    let returned = call(component, function, args).await.unwrap();
    assert_eq!(text(&returned), text(&expect), "{function}");
}

#[tokio::test]
async fn every_type_goes_there_and_back() {
    let Some(values) = load("values") else { return };
    for (function, texts) in [
        ("string", &["\"héllo \\\"x\\\"\\n\""] as &[_]),
        ("string", &["\"\""]),
        ("text", &["\"x\""]),
        ("boolean", &["true"]),
        ("character", &["'🦀'"]),
        ("unsigned", &["255", "65535", "4294967295", "18446744073709551615"]),
        ("signed", &["-128", "-32768", "-2147483648", "-9223372036854775808"]),
        ("floats", &["1.5", "-inf"]),
        ("enum", &["very-high"]),
        ("optional", &["none"]),
        ("optional", &["some(\"\")"]),
        ("list", &["[]"]),
        ("list", &["[\"a\", \"\"]"]),
        ("bytes", &["[]"]),
        ("bytes", &["[0, 1, 255]"]),
        ("record", &["{x: 1, y: -2}"]),
        ("tuple", &["(\"a\", 7, false)"]),
        ("nest", &["{%type: \"t\", points: [{x: 1, y: 2}], pairs: [none, some((1, \"b\"))]}"]),
        ("nest", &["{%type: \"t\", points: [], level: some(low), pairs: []}"]),
        ("variant", &["nothing"]),
        ("variant", &["circle(2.5)"]),
        ("variant", &["square({x: 1, y: 2})"]),
        ("variant", &["polygon([{x: 1, y: 2}, {x: 3, y: 4}])"]),
        ("nothing", &[]),
    ] {
        check_return(&values, function, texts).await;
    }
}

#[tokio::test]
async fn flags_and_results_go_there_and_back() {
    let (Some(by_hand), Some(values)) = (load("by-hand"), load("values")) else { return };
    let what = by_hand.parse_wave("count", 1, "{directories}").unwrap();
    let args = vec![Directory::default().into(), what];
    assert_eq!(text(&call(&by_hand, "count", args).await.unwrap()), "Result(Ok(Some(U32(0))))");
    let args = |fails| vec![Value::Bool(fails)];
    assert_eq!(text(&call(&values, "nothing-or-error", args(false)).await.unwrap()), "Result(Ok(None))");
    let failed = call(&values, "nothing-or-error", args(true)).await.unwrap();
    assert_eq!(error(&failed).1, "it was told to fail");
    let rich = call(&values, "rich-error", Vec::new()).await.unwrap();
    assert_eq!(error(&rich), ("not-found".to_owned(), "no `a.txt`".to_owned()));
    assert!(text(&rich).contains("(\"attributes\", List([Tuple([String(\"path\"), String(\"a.txt\")]), "), "{rich:?}");
}

#[tokio::test]
async fn objects_are_what_they_stand_for() {
    let Some(values) = load("values") else { return };
    let given = Directory::default().subdirectory("a/b");
    let returned = call(&values, "directory", vec![given.clone().into()]).await.unwrap();
    let Value::Object(Object::Directory(returned)) = returned else { panic!("{returned:?}") };
    assert_eq!(returned.selection, given.selection);

    let name = SecretName("TOKEN".to_owned());
    let name = call(&values, "secret-name", vec![Secret { name }.into()]).await.unwrap();
    assert_eq!(text(&name), "String(\"TOKEN\")");

    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    let files = vec![Value::pairs([pair("a", "1"), pair("b", "2")])];
    let Value::List(files) = call(&values, "files", files).await.unwrap() else { panic!("not a list") };
    let names: Vec<_> = files
        .iter()
        .map(|file| match file {
            Value::Object(Object::File(file)) => file.name.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["a", "b"]);
    let fed = call(&values, "fed", vec![Container::default().into()]).await.unwrap();
    assert_eq!(text(&ok(fed)), "String(\"/\")");
}

#[tokio::test]
async fn an_argument_of_another_type_is_refused_before_anything_runs() {
    let Some(values) = load("values") else { return };
    for (function, args, expect) in [
        ("string", vec![Value::U32(1)], "cannot call `string` of module `m`: `value` it takes a string, not the u32 1"),
        (
            "directory",
            vec![Container::default().into()],
            "cannot call `directory` of module `m`: `value` it takes a directory, not a container",
        ),
        ("string", vec![], "cannot call `string` of module `m`: it takes 1 arguments, not 0"),
        (
            "record",
            vec![Value::Record(vec![("x".to_owned(), Value::S32(1))])],
            "cannot call `record` of module `m`: `value` the field `y` is missing",
        ),
    ] {
        let error = call(&values, function, args).await.unwrap_err();
        assert_eq!(error.to_string(), expect);
        assert_eq!(error.blame(), Blame::User);
    }
    assert!(values.parse_wave("directory", 0, "x").unwrap_err().contains("is a directory"));
    assert!(values.parse_wave("unsigned", 0, "256").is_err());
}

#[tokio::test]
async fn a_failed_command_reaches_the_guest_with_all_that_is_known() {
    let Some(values) = load("values") else { return };
    let exec = ExecFailure {
        vertex: graph::Vertex::scratch().digest(),
        args: vec!["make".to_owned()],
        status: ExecStatus::Exited { code: 2 },
        stdout_tail: "out".to_owned(),
        stderr_tail: "err".to_owned(),
    };
    let _: DefinitionDigest = exec.vertex;
    let file: Value = Directory::default().file("a").into();
    let bridge = Arc::new(FakeBridge::failing_with(Failure::Exec(Box::new(exec))));
    let failed = call_with(&values, "contents", vec![file.clone()], bridge).await.unwrap();
    assert_eq!(error(&failed), ("exec".to_owned(), "command `make` exited with code 2".to_owned()));
    let exec = "(\"exec\", Option(Some(Record([(\"args\", List([String(\"make\")])), (\"exit-code\", S32(2)), \
                (\"stdout-tail\", String(\"out\")), (\"stderr-tail\", String(\"err\"))]))))";
    assert!(text(&failed).contains(exec), "{failed:?}");

    let bridge = Arc::new(FakeBridge::failing_with(Failure::bug("a broken store")));
    let bug = call_with(&values, "contents", vec![file], bridge).await.unwrap_err();
    assert_eq!(bug.blame(), Blame::Bug);
    assert!(bug.to_string().ends_with("a broken store"), "{bug}");
}

#[tokio::test]
async fn each_power_is_refused_by_name_unless_it_is_granted() {
    let Some(powers) = load("powers") else { return };
    let all: BTreeSet<_> = Power::ALL.iter().copied().collect();
    assert_eq!(powers.powers(), all);
    for power in Power::ALL {
        let mut granted = all.clone();
        granted.remove(power);
        let bridge = Arc::new(FakeBridge::default());
        let error = call_granting(&powers, "harmless", Vec::new(), bridge, granted).await.unwrap_err();
        assert_eq!(error.to_string(), format!("module `m` needs the power `{power}`, which was not granted"));
        let hint = format!("grant it with `--allow {power}` or with `allow = [\"{power}\"]` in host.toml");
        assert_eq!((error.hint(), error.blame()), (Some(hint), Blame::User));
    }
    assert_eq!(text(&call(&powers, "harmless", Vec::new()).await.unwrap()), "String(\"harmless\")");
}

#[tokio::test]
async fn each_power_works_where_it_is_granted() {
    let Some(powers) = load("powers") else { return };
    let echoed = call(&powers, "echo", vec!["x".to_owned().into()]).await.unwrap();
    assert_eq!(text(&ok(echoed)), "String(\"output\\n\")");
    let args = vec![Directory::default().into(), "out".to_owned().into()];
    let exported = call(&powers, "export-directory", args).await.unwrap();
    assert_eq!(text(&ok(exported)), "String(\"/exports/out\")");
    let secret = Secret { name: SecretName("TOKEN".to_owned()) };
    let length = call(&powers, "secret-length", vec![secret.into()]).await.unwrap();
    assert!(matches!(ok(length), Value::U32(n) if n > 0));
}

#[tokio::test]
async fn what_is_not_in_this_version_answers_that_it_is_unavailable() {
    let Some(powers) = load("powers") else { return };
    let string = |text: &str| Value::from(text.to_owned());
    let none = || Value::Option(None);
    let message = |name: &str| ("unavailable".to_owned(), format!("`{name}` is not available in this version"));
    let git = call(&powers, "git", vec![string("u"), string("main")]).await.unwrap();
    assert_eq!(error(&git), message("sources.git"));
    let http = call(&powers, "http", vec![string("u"), none()]).await.unwrap();
    assert_eq!(error(&http), message("sources.http"));
}

#[tokio::test]
async fn a_panic_says_where_and_why() {
    let Some(hostile) = load("hostile") else { return };
    let panicked = trap(call(&hostile, "panic-with-message", vec!["oh\nno".to_owned().into()]).await);
    assert_eq!(panicked.cause, TrapCause::Panic { message: "oh\nno".to_owned() });
    let place = panicked.source_line.clone().unwrap();
    assert!(place.starts_with("hostile/src/lib.rs:") || place.starts_with("src/lib.rs:"), "{place}");
    assert_eq!(panicked.to_string(), format!("stage `panic-with-message` of module `m` panicked at {place}: oh\nno"));
    assert!(panicked.stderr_tail.contains("panicked at"), "{}", panicked.stderr_tail);

    let index = trap(call(&hostile, "index-out-of-bounds", vec![Value::U32(5)]).await);
    assert!(index.to_string().ends_with("index out of bounds: the len is 3 but the index is 5"), "{index}");
    let aborted = trap(call(&hostile, "trap", Vec::new()).await);
    assert_eq!(aborted.cause, TrapCause::Unreachable);
    assert!(aborted.source_line.unwrap().contains("src/lib.rs:"));
    let exited = trap(call(&hostile, "exit", vec![Value::S32(3)]).await);
    assert!(matches!(exited.cause, TrapCause::Exit { .. }), "{exited}");
}

#[tokio::test]
async fn every_limit_holds_for_a_real_program() {
    let limits = Limits { time: Duration::from_millis(300), ..Limits::default() };
    let Some(hostile) = load_guest("hostile", limits) else { return };
    let looped = trap(call(&hostile, "endless-loop", Vec::new()).await);
    assert!(matches!(looped.cause, TrapCause::TimeOut { .. }), "{looped}");
    assert!(looped.source_line.unwrap().contains("src/lib.rs:"));
    let limits = Limits { memory_bytes: 64 << 20, n_handles: 1000, ..patient() };
    let Some(hostile) = load_guest("hostile", limits) else { return };
    let bomb = trap(call(&hostile, "memory-bomb", Vec::new()).await);
    assert_eq!(bomb.cause, TrapCause::OutOfMemory { limit_bytes: 64 << 20 });
    let deep = trap(call(&hostile, "stack-overflow", Vec::new()).await);
    assert!(matches!(deep.cause, TrapCause::StackOverflow { .. }), "{deep}");
    let handles = trap(call(&hostile, "million-handles", vec![Value::Option(None)]).await);
    assert_eq!(handles.cause, TrapCause::TooManyHandles { limit: 1000 });
}

#[tokio::test]
async fn a_flood_on_either_stream_is_stopped() {
    // So low that no machine is so slow that the time comes first.
    let limits = Limits { output_bytes: 64 << 10, ..patient() };
    let Some(hostile) = load_guest("hostile", limits) else { return };
    for flood in ["stdout-flood", "stderr-flood"] {
        let flooded = trap(call(&hostile, flood, vec![Value::U32(1)]).await);
        assert_eq!(flooded.cause, TrapCause::TooMuchOutput { limit_bytes: 64 << 10 });
        assert!(flooded.to_string().starts_with(&format!("stage `{flood}` of module `m` printed more than 64 KiB")));
    }
}

#[tokio::test]
async fn a_flood_of_messages_is_stopped_and_what_came_before_is_shown() {
    let limits = Limits { message_bytes: 10 << 10, ..patient() };
    let Some(hostile) = load_guest("hostile", limits) else { return };
    let bridge = Arc::new(FakeBridge::default());
    call_with(&hostile, "log-flood", vec![Value::U32(10)], Arc::clone(&bridge)).await.unwrap();
    let flooded = trap(call_with(&hostile, "log-flood", vec![Value::U32(11)], Arc::clone(&bridge)).await);
    assert_eq!(flooded.cause, TrapCause::TooManyMessages { limit_bytes: 10 << 10 });
    let message = "stage `log-flood` of module `m` logged more than 10 KiB of messages";
    assert!(flooded.to_string().starts_with(message), "{flooded}");
    assert_eq!(bridge.logged.lock().unwrap().len(), 20);
}

#[tokio::test]
async fn objects_that_are_dropped_do_not_count() {
    let limits = Limits { n_handles: 100, ..Limits::default() };
    let Some(hostile) = load_guest("hostile", limits) else { return };
    let n = Value::Option(Some(Box::new(Value::U32(5_000))));
    assert_eq!(text(&call(&hostile, "million-drops", vec![n]).await.unwrap()), "U32(5000)");
}

#[tokio::test]
async fn the_world_of_a_guest_is_empty_and_the_same_every_time() {
    let Some(hostile) = load("hostile") else { return };
    let seen = text(&call(&hostile, "look-around", Vec::new()).await.unwrap());
    for expect in [
        "arguments: []",
        "variables: []",
        "time: Ok(946684800s)",
        "files: Err(",
        "network: Err(",
        "input: Ok(\\\"\\\")",
    ] {
        assert!(seen.contains(expect), "{expect}: {seen}");
    }
    assert_eq!(seen, text(&call(&hostile, "look-around", Vec::new()).await.unwrap()));
    assert_eq!(text(&call(&hostile, "count-calls", Vec::new()).await.unwrap()), "U32(1)");
    assert_eq!(text(&call(&hostile, "count-calls", Vec::new()).await.unwrap()), "U32(1)");
}

#[tokio::test]
async fn sleeping_takes_no_time() {
    // A million seconds are more than the limit.
    let Some(hostile) = load_guest("hostile", patient()) else { return };
    call(&hostile, "sleep", vec![Value::U32(1_000_000)]).await.unwrap();
}

#[tokio::test]
async fn large_values_cross() {
    let Some(hostile) = load("hostile") else { return };
    let Value::String(text) = call(&hostile, "huge-result", vec![Value::U32(50)]).await.unwrap() else { panic!() };
    assert_eq!(text.len(), 50 << 20);
    ok(call(&hostile, "huge-argument", vec![Value::U32(50)]).await.unwrap());
}

#[tokio::test]
async fn what_a_guest_prints_arrives_line_by_line() {
    let Some(hostile) = load("hostile") else { return };
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&heard);
    let call = Call {
        module: "m".to_owned(),
        function: "terminal-escape".to_owned(),
        args: Vec::new(),
        bridge: Arc::new(FakeBridge::default()),
        granted: hostile.powers(),
        stderr: Some(Arc::new(move |bytes: &[u8]| sink.lock().unwrap().extend_from_slice(bytes))),
        instance: runtime::Instance::new(),
    };
    hostile.call(call).await.unwrap();
    assert_eq!(heard.lock().unwrap().as_slice(), b"\x1b[2Jwritten\r\x07\n");
}

#[tokio::test]
async fn a_host_that_panics_is_a_mistake_of_the_host() {
    let Some(values) = load("values") else { return };
    let file: Value = Directory::default().file("a").into();
    let bridge = Arc::new(FakeBridge::panicking());
    let error = call_with(&values, "contents", vec![file], bridge).await.unwrap_err();
    assert!(matches!(error, CallError::Bug { .. }));
    assert!(error.to_string().ends_with("the fake engine panics"), "{error}");
}
