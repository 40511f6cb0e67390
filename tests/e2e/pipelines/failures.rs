//! A stage that fails stops what depends on it.

use super::Pipeline;
use testkit::require;

const STAGES: &str = r#"
[stages.compile]
call = "make"
args = { script = "echo compiling; echo 'no such header' >&2; exit 2" }
[stages.link]
call = "make"
args = { script = "cp /first/a b", first = { from = "compile" } }
[stages.ship]
call = "say"
args = { script = "cat /first/b", first = { from = "link" } }
[stages.lint]
call = "say"
args = { script = "sleep 1; echo clean" }
"#;

#[test]
fn a_failed_stage_stops_what_depends_on_it_and_nothing_else() {
    if !require("crun") {
        return;
    }
    let ran = Pipeline::new(STAGES).run(&["run", "--keep-going"]);
    assert_eq!(ran.answer.code, Some(1), "{}", ran.answer.stderr);
    assert_eq!(ran.outcomes(), ["skipped ship because `compile` failed", "done lint", "failed compile"]);
    assert!(ran.commands("cp /first/a").iter().all(|event| event["outcome"] != "ran"), "{:?}", ran.events);
    let said = "error: stage `compile` failed
  caused by: command `sh -e -c 'echo compiling; echo '\\''no such header'\\'' >&2; exit 2'` exited with code 2
  stdout:
    compiling
  stderr:
    no such header
  asked for by: `shop.make`
  skipped: `ship <- link <- compile`
";
    assert!(ran.answer.stderr.contains(said), "{}", ran.answer.stderr);
}

#[test]
fn the_first_failure_stops_all_stages_without_keep_going() {
    if !require("crun") {
        return;
    }
    let ran = Pipeline::new(&STAGES.replace("sleep 1", "sleep 60.5")).run(&["run", "ship", "lint"]);
    assert_eq!(ran.answer.code, Some(1), "{}", ran.answer.stderr);
    assert_eq!(ran.outcomes(), ["skipped ship because `compile` failed", "stopped lint", "failed compile"]);
    assert!(ran.commands("sleep 60.5").iter().all(|event| event["outcome"] == "cancelled"), "{:?}", ran.events);
}

#[test]
fn an_allowed_failure_skips_the_stages_after_it_and_is_a_success() {
    if !require("crun") {
        return;
    }
    let stages = STAGES.replace("[stages.compile]", "[stages.compile]\nallow-failure = true");
    let ran = Pipeline::new(&stages).run(&["run"]);
    assert_eq!(ran.answer.code, Some(0), "{}", ran.answer.stderr);
    assert_eq!(ran.outcomes(), ["skipped ship because `compile` failed", "done lint", "failed compile (allowed)"]);
    assert!(ran.answer.stderr.contains("warning: stage `compile` failed, which is allowed"), "{}", ran.answer.stderr);
}
