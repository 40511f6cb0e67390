//! Retries and time-outs of stages.

use super::Pipeline;
use testkit::require;

/// A stage that fails until its third run. It counts its runs in a cache volume.
fn flaky(n_runs: u32, n_retries: u32) -> String {
    let script = "n=$(cat /volume/n || echo 0); echo $((n + 1)) > /volume/n; echo run $((n + 1)); test $n -ge";
    format!("[stages.flaky]\ncall = \"say\"\nretry = {n_retries}\nargs = {{ script = '{script} {}' }}\n", n_runs - 1)
}

#[test]
fn a_stage_is_tried_again_until_it_succeeds() {
    if !require("crun") {
        return;
    }
    let ran = Pipeline::new(&flaky(3, 5)).run(&["run", "flaky"]);
    assert_eq!(ran.answer.stdout, "run 3\n", "{}", ran.answer.stderr);
    let outcomes: Vec<&str> = ran.stages().into_iter().map(|(_, outcome)| outcome).collect();
    assert_eq!(outcomes, ["failed", "retried", "failed", "retried", "returned"]);
    assert_eq!(ran.commands("/volume/n").len(), 3);
}

#[test]
fn a_stage_is_tried_no_more_often_than_it_may() {
    if !require("crun") {
        return;
    }
    let ran = Pipeline::new(&flaky(9, 2)).run(&["run", "flaky"]);
    assert_eq!(ran.answer.code, Some(1), "{}", ran.answer.stderr);
    assert_eq!(ran.commands("/volume/n").len(), 3);
    assert!(ran.answer.stderr.contains("    run 3\n"), "the last try is shown: {}", ran.answer.stderr);
}

#[test]
fn a_stage_that_takes_too_long_is_stopped_and_named() {
    if !require("crun") {
        return;
    }
    let stages = r#"
[stages.slow]
call = "make"
timeout = "2s"
args = { script = "sleep 60.75" }
[stages.after]
call = "say"
args = { script = "ls /first", first = { from = "slow" } }
"#;
    let ran = Pipeline::new(stages).run(&["run", "after"]);
    assert_eq!(ran.answer.code, Some(1), "{}", ran.answer.stderr);
    assert_eq!(ran.outcomes(), ["skipped after because `slow` failed", "failed slow"]);
    let said = "caused by: it took longer than 2 s, which its `timeout` is\n";
    assert!(ran.answer.stderr.contains(said), "{}", ran.answer.stderr);
    assert!(ran.commands("sleep 60.75").iter().all(|event| event["outcome"] == "cancelled"), "{:?}", ran.events);
}
