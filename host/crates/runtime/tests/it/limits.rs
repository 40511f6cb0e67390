//! The limits of a call, and the ends of calls that exceed them.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use graph::{Blame, Diagnostic};
use runtime::{Limits, TrapCause};

use crate::fake::FakeBridge;
use crate::support::{call, call_with, load_wat, stage_wat, trap};

const ENDLESS: &str = r#"(func (export "run") (loop br 0))"#;

/// A stage that makes directories in a loop and drops none.
const HOARD: &str = r#"(component
    (import "pipeline:api/directory@0.1.0" (instance $d
        (export "directory" (type $dir (sub resource)))
        (export "[constructor]directory" (func (result (own $dir))))))
    (core func $new (canon lower (func $d "[constructor]directory")))
    (core module $m
        (import "" "new" (func $new (result i32)))
        (func (export "run") (loop (drop (call $new)) br 0)))
    (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
    (func $run (canon lift (core func $i "run")))
    (instance $stages (export "run" (func $run)))
    (export "test:wat/stages@0.1.0" (instance $stages)))"#;

/// A stage that evaluates a new directory as often as its argument says.
const SYNC: &str = r#"(component
    (import "pipeline:api/errors@0.1.0" (instance $e
        (type $exec (record (field "args" (list string)) (field "exit-code" s32)
            (field "stdout-tail" string) (field "stderr-tail" string)))
        (export "exec-failure" (type $exec2 (eq $exec)))
        (type $error (record (field "code" string) (field "message" string) (field "exec" (option $exec2))
            (field "attributes" (list (tuple string string)))))
        (export "error" (type (eq $error)))))
    (alias export $e "error" (type $error))
    (import "pipeline:api/directory@0.1.0" (instance $d
        (export "directory" (type $dir (sub resource)))
        (alias outer 1 $error (type $error1))
        (export "error" (type $error2 (eq $error1)))
        (export "[constructor]directory" (func (result (own $dir))))
        (export "[method]directory.sync" (func (param "self" (borrow $dir)) (result (result (error $error2)))))))
    (core module $memory
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
    (core instance $mem (instantiate $memory))
    (alias core export $mem "memory" (core memory $memory0))
    (alias core export $mem "realloc" (core func $realloc))
    (core func $new (canon lower (func $d "[constructor]directory")))
    (core func $sync (canon lower (func $d "[method]directory.sync") (memory $memory0) (realloc $realloc)))
    (core module $m
        (import "" "new" (func $new (result i32)))
        (import "" "sync" (func $sync (param i32 i32)))
        (func (export "run") (param $n i32) (local $dir i32)
            (local.set $dir (call $new))
            (loop
                (call $sync (local.get $dir) (i32.const 0))
                (local.set $n (i32.sub (local.get $n) (i32.const 1)))
                (br_if 0 (local.get $n)))))
    (core instance $i (instantiate $m (with "" (instance
        (export "new" (func $new)) (export "sync" (func $sync))))))
    (func $run (param "n" u32) (canon lift (core func $i "run")))
    (instance $stages (export "run" (func $run)))
    (export "test:wat/stages@0.1.0" (instance $stages)))"#;

fn brief() -> Limits {
    Limits { time: Duration::from_millis(100), ..Limits::default() }
}

async fn check(limits: Limits, wat: &str, cause: TrapCause, message: &str) {
    let trap = trap(call(&load_wat(limits, wat), "run", Vec::new()).await);
    assert_eq!(trap.cause, cause);
    assert_eq!(trap.to_string(), message);
    assert_eq!(trap.blame(), Blame::Function);
}

#[tokio::test]
async fn memory_that_grows_beyond_the_limit_is_refused_with_a_message() {
    let grow = r#"(memory 1) (func (export "run") (loop (drop (memory.grow (i32.const 16))) br 0))"#;
    let limits = Limits { memory_bytes: 64 << 20, ..Limits::default() };
    let message = "stage `run` of module `m` needs more than 64 MiB of memory";
    check(limits, &stage_wat(grow), TrapCause::OutOfMemory { limit_bytes: 64 << 20 }, message).await;
}

#[tokio::test]
async fn memory_that_is_too_large_from_the_start_is_refused() {
    let limits = Limits { memory_bytes: 1 << 20, ..Limits::default() };
    let message = "stage `run` of module `m` needs more than 1 MiB of memory";
    let wat = stage_wat(r#"(memory 17) (func (export "run"))"#);
    check(limits, &wat, TrapCause::OutOfMemory { limit_bytes: 1 << 20 }, message).await;
}

#[tokio::test]
async fn a_table_counts_as_memory() {
    let grow = r#"(table $t 1 funcref)
        (func (export "run") (loop (drop (table.grow $t (ref.null func) (i32.const 100000))) br 0))"#;
    let limits = Limits { memory_bytes: 8 << 20, ..Limits::default() };
    let message = "stage `run` of module `m` needs more than 8 MiB of memory";
    check(limits, &stage_wat(grow), TrapCause::OutOfMemory { limit_bytes: 8 << 20 }, message).await;
}

#[tokio::test]
async fn a_guests_own_limit_is_no_trap() {
    let grow = r#"(memory 1 2) (func (export "run")
        (if (i32.ne (memory.grow (i32.const 5)) (i32.const -1)) (then unreachable)))"#;
    call(&load_wat(Limits::default(), &stage_wat(grow)), "run", Vec::new()).await.unwrap();
}

#[tokio::test]
async fn an_endless_loop_is_stopped() {
    let limit = Duration::from_millis(100);
    let message = "stage `run` of module `m` ran for more than 0.1 s";
    check(brief(), &stage_wat(ENDLESS), TrapCause::TimeOut { limit }, message).await;
}

#[tokio::test]
async fn a_loop_in_the_start_function_is_stopped() {
    let wat = stage_wat(r#"(func $start (loop br 0)) (start $start) (func (export "run"))"#);
    let trap = trap(call(&load_wat(brief(), &wat), "run", Vec::new()).await);
    assert!(matches!(trap.cause, TrapCause::TimeOut { .. }), "{trap}");
}

#[tokio::test]
async fn an_endless_recursion_is_stopped() {
    let recursion = r#"(func $f (export "run") (call $f))"#;
    let limits = Limits { stack_bytes: 256 << 10, ..Limits::default() };
    let message = "stage `run` of module `m` overflowed its stack of 256 KiB";
    check(limits, &stage_wat(recursion), TrapCause::StackOverflow { limit_bytes: Some(256 << 10) }, message).await;
}

#[tokio::test]
async fn a_guest_that_gives_up_is_told_how_to_say_where() {
    let wat = stage_wat(r#"(func (export "run") unreachable)"#);
    let trap = trap(call(&load_wat(Limits::default(), &wat), "run", Vec::new()).await);
    assert_eq!(trap.to_string(), "stage `run` of module `m` gave up without a message");
    assert!(trap.hint().unwrap().contains("debug = 1"));
}

#[tokio::test]
async fn what_webassembly_forbids_is_named() {
    let divide = r#"(func (export "run") (drop (i32.div_s (i32.const 1) (i32.const 0))))"#;
    let trap = trap(call(&load_wat(Limits::default(), &stage_wat(divide)), "run", Vec::new()).await);
    assert!(trap.to_string().ends_with("trapped: integer divide by zero"), "{trap}");
}

#[tokio::test]
async fn a_guest_that_hoards_objects_is_stopped() {
    let limits = Limits { n_handles: 1000, ..Limits::default() };
    let message = "stage `run` of module `m` holds more than 1000 objects";
    check(limits, HOARD, TrapCause::TooManyHandles { limit: 1000 }, message).await;
}

/// A stage that takes and returns these types, with this code, memory and `realloc`.
fn abi_wat(params: &str, result: &str, core: &str) -> String {
    format!(
        r#"(component
            (core module $m (memory (export "memory") 1) {core})
            (core instance $i (instantiate $m))
            (func $run {params} {result}
                (canon lift (core func $i "run") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
            (instance $stages (export "run" (func $run)))
            (export "test:wat/stages@0.1.0" (instance $stages)))"#
    )
}

#[tokio::test]
async fn values_that_break_the_abi_are_the_guests_fault() {
    let realloc = |place: &str| {
        format!(
            r#"(func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const {place}))
               (func (export "run") (param i32 i32))"#
        )
    };
    let returns = |value: &str| {
        format!(
            r#"(func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
               (data (i32.const 16) "\20\00\00\00\02\00\00\00") (data (i32.const 32) "\ff\fe")
               (data (i32.const 48) "\00\00\ff\ff\09\00\00\00")
               (func (export "run") (result i32) (i32.const {value}))"#
        )
    };
    let text = || vec![api::Value::String("text".into())];
    let numbers = || vec![api::Value::List(vec![api::Value::U32(1)])];
    let cases = [
        ("a realloc beyond memory", r#"(param "a" string)"#, "", realloc("0x7ffffff0"), text()),
        ("a realloc that is not aligned", r#"(param "a" (list u32))"#, "", realloc("1"), numbers()),
        ("a discriminant of 9", "", "(result (result))", returns("9"), Vec::new()),
        ("text that is not UTF-8", "", "(result string)", returns("16"), Vec::new()),
        ("text out of bounds", "", "(result string)", returns("48"), Vec::new()),
        ("a result beyond memory", "", "(result string)", returns("0x7ffffff0"), Vec::new()),
        ("a result that is not aligned", "", "(result string)", returns("17"), Vec::new()),
        ("a character that is none", "", "(result char)", returns("0xd800"), Vec::new()),
    ];
    for (name, params, result, core, args) in cases {
        let component = load_wat(Limits::default(), &abi_wat(params, result, &core));
        let trap = trap(call(&component, "run", args).await);
        assert!(matches!(trap.cause, TrapCause::Fault { .. }), "{name}: {trap}");
    }
}

#[tokio::test]
async fn a_handle_that_is_none_is_the_guests_fault() {
    let wat = SYNC.replace("(local.set $dir (call $new))", "(local.set $dir (i32.const 77))");
    let trap = trap(call(&load_wat(Limits::default(), &wat), "run", vec![api::Value::U32(1)]).await);
    assert!(matches!(trap.cause, TrapCause::Fault { .. }), "{trap}");
}

#[tokio::test]
async fn waiting_for_a_leaf_is_not_counted() {
    let limits = Limits { time: Duration::from_secs(1), ..Limits::default() };
    let component = load_wat(limits, SYNC);
    // Five of them take longer than the limit.
    let bridge = Arc::new(FakeBridge::with_delay(Duration::from_millis(250)));
    call_with(&component, "run", vec![api::Value::U32(5)], Arc::clone(&bridge)).await.unwrap();
    assert_eq!(bridge.n_solved(), 5);
}

#[tokio::test]
async fn a_busy_guest_lets_others_work() {
    let component = load_wat(brief(), &stage_wat(ENDLESS));
    let is_over = Cell::new(false);
    let busy = async {
        let called = call(&component, "run", Vec::new()).await;
        is_over.set(true);
        called
    };
    let other = async {
        // The first turn comes before the guest has had one.
        tokio::task::yield_now().await;
        is_over.get()
    };
    let (other, busy) = tokio::join!(other, busy);
    assert!(matches!(trap(busy).cause, TrapCause::TimeOut { .. }));
    assert!(!other, "the other task had to wait for the end of the guest");
}

#[tokio::test]
async fn dropping_a_call_stops_it_and_frees_all_that_it_had() {
    let component = load_wat(Limits::default(), SYNC);
    let bridge = Arc::new(FakeBridge::with_delay(Duration::from_secs(3600)));
    let waiting = call_with(&component, "run", vec![api::Value::U32(1)], Arc::clone(&bridge));
    let asked = async {
        while bridge.n_solved() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        called = waiting => panic!("it did not wait: {called:?}"),
        () = asked => {}
    }
    assert_eq!((bridge.n_solved(), Arc::strong_count(&bridge)), (1, 1));

    let endless = load_wat(Limits::default(), &stage_wat(ENDLESS));
    let running = call_with(&endless, "run", Vec::new(), Arc::clone(&bridge));
    assert!(tokio::time::timeout(Duration::from_millis(50), running).await.is_err());
    assert_eq!(Arc::strong_count(&bridge), 1);
}

#[tokio::test]
async fn a_thousand_calls_are_in_flight_at_the_same_time() {
    let component = load_wat(Limits::default(), SYNC);
    let bridge = Arc::new(FakeBridge::waiting_for(1000));
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..1000 {
        let (component, bridge) = (component.clone(), Arc::clone(&bridge));
        calls.spawn(async move { call_with(&component, "run", vec![api::Value::U32(1)], bridge).await });
    }
    while let Some(called) = calls.join_next().await {
        called.unwrap().unwrap();
    }
    assert_eq!(bridge.n_solved(), 1000);
}
