//! What the host keeps for the objects of a guest.

use std::sync::Arc;
use std::time::Duration;

use api::Value;
use graph::Diagnostic;
use runtime::{Limits, TrapCause};

use crate::fake::FakeBridge;
use crate::support::{call, call_with, load_guest, text, trap};

/// A budget so small that it is used up at once.
const KEPT_BYTES: u64 = 4 << 20;

fn limits() -> Limits {
    Limits { kept_bytes: KEPT_BYTES, time: Duration::from_secs(3600), ..Limits::default() }
}

fn hoard(what: &str, n: u32, kib: u32) -> Vec<Value> {
    vec![Value::String(what.to_owned()), Value::U32(n), Value::U32(kib)]
}

#[tokio::test]
async fn objects_of_more_than_the_budget_end_the_call_whatever_they_are_made_of() {
    let Some(hostile) = load_guest("hostile", limits()) else { return };
    for what in ["files", "directories", "variables", "labels", "arguments", "errors", "keys"] {
        // Shorter contents of files are kept in memory.
        let trap = trap(call(&hostile, "hoard", hoard(what, 200, 63)).await);
        assert_eq!(trap.cause, TrapCause::TooMuchKept { limit_bytes: KEPT_BYTES }, "{what}");
        let message = "stage `hoard` of module `m` made objects for which more than 4 MiB must be kept";
        assert!(trap.to_string().starts_with(message), "{trap}");
        assert!(trap.hint().unwrap().contains("64 KiB"));
    }
}

#[tokio::test]
async fn contents_of_files_go_to_the_store_and_need_no_budget() {
    let Some(hostile) = load_guest("hostile", limits()) else { return };
    let bridge = Arc::new(FakeBridge::default());
    call_with(&hostile, "hoard", hoard("files", 60, 200), Arc::clone(&bridge)).await.unwrap();
    // Each begins with its number.
    assert_eq!(bridge.n_kept(), 60 * 200 * 1024 + 10 + 2 * 50);
}

#[tokio::test]
async fn twenty_thousand_variables_in_a_chain_need_memory_for_each_once() {
    let limits = Limits { kept_bytes: 24 << 20, ..limits() };
    let Some(hostile) = load_guest("hostile", limits) else { return };
    assert_eq!(text(&call(&hostile, "hoard", hoard("variables", 20_000, 0)).await.unwrap()), "U32(20000)");
}

#[tokio::test]
async fn a_text_that_is_too_long_is_refused_and_named() {
    let limits = Limits { text_bytes: 10 << 10, ..limits() };
    let Some(hostile) = load_guest("hostile", limits) else { return };
    for (what, param) in [
        ("directories", "`container.with-new-directory` as its `path`"),
        ("variables", "`container.with-env-variable` as its `value`"),
        ("labels", "`container.with-label` as its `value`"),
        ("arguments", "`container.with-exec` as its `args`"),
        ("errors", "`container.with-error` as its `message`"),
        ("keys", "`cache-volume constructor` as its `key`"),
    ] {
        let trap = trap(call(&hostile, "hoard", hoard(what, 1, 11)).await);
        let message = format!("stage `hoard` of module `m` passed a text of more than 10 KiB to {param}");
        assert!(trap.to_string().starts_with(&message), "{trap}");
    }
    call(&hostile, "hoard", hoard("files", 1, 11)).await.unwrap();
}

#[tokio::test]
async fn what_is_dropped_is_kept_no_longer() {
    let limits = Limits { kept_bytes: 64 << 10, ..limits() };
    let Some(hostile) = load_guest("hostile", limits) else { return };
    let n = Value::Option(Some(Box::new(Value::U32(5_000))));
    assert_eq!(text(&call(&hostile, "million-drops", vec![n]).await.unwrap()), "U32(5000)");
}
