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

#[test]
fn stages_that_need_the_failed_one_are_skipped_and_never_stopped() {
    if !require("crun") {
        return;
    }
    let reader = |name: &str| {
        format!("[stages.{name}]\ncall = 'say'\nargs = {{ script = 'ls /first', first = {{ from = 'build' }} }}\n")
    };
    let build = "[stages.build]\ncall = 'make'\nargs = { script = 'exit 3' }\n";
    let stages = [build, &reader("a"), &reader("b"), &reader("c")].concat();
    for words in [&["run"][..], &["run", "--keep-going"]] {
        let ran = Pipeline::new(&stages).run(words);
        let skipped = |name| format!("skipped {name} because `build` failed");
        assert_eq!(ran.outcomes(), [skipped("a"), skipped("b"), skipped("c"), "failed build".to_owned()], "{words:?}");
    }
}

#[test]
fn a_stage_that_changed_something_outside_is_not_told_to_have_been_stopped() {
    if !require("crun") {
        return;
    }
    let pipeline = Pipeline::of(
        "powers",
        &["machine", "effects", "sources", "secret-access"],
        "[stages.deploy]\nargs = { path = 'deployed', script = 'sleep 3' }\n\
         [stages.verify]\nargs = { script = 'sleep 1; exit 4' }\n",
    );
    let ran = pipeline.run(&["run", "deploy", "verify"]);
    assert_eq!(ran.answer.code, Some(1), "{}", ran.answer.stderr);
    let deploy = if pipeline.scratch.path("work/deployed").exists() { "done deploy" } else { "stopped deploy" };
    assert_eq!(ran.outcomes(), [deploy, "failed verify"], "{}", ran.answer.stderr);
}

#[test]
fn a_report_with_a_failed_case_fails_its_stage_and_is_written_all_the_same() {
    if !require("crun") {
        return;
    }
    let pipeline = Pipeline::new(
        "[stages.cases]\nargs = { lines = ['passed one', 'failed two because', 'failed three'] }\n\
         [stages.other]\ncall = 'say'\nargs = { script = 'echo fine' }\n",
    );
    let ran = pipeline.run(&["run", "-k", "-o", "out", "--report", "junit.xml"]);
    assert_eq!(ran.answer.code, Some(1), "{}", ran.answer.stderr);
    assert_eq!(ran.outcomes(), ["failed cases 2 of 3 cases failed: two, three", "done other"]);
    let read = |path: &str| std::fs::read_to_string(pipeline.scratch.path(path)).unwrap();
    assert!(read("work/out/cases").contains("cases of a text"), "{}", read("work/out/cases"));
    assert!(read("work/junit.xml").contains("<testsuite name=\"cases\" tests=\"3\" failures=\"2\""));

    let called = pipeline.run(&["call", "cases"]);
    assert_eq!(called.answer.code, Some(1), "{}", called.answer.stderr);
    assert!(called.answer.stdout.contains("cases of a text"), "{}", called.answer.stdout);
    assert!(called.answer.stderr.contains("2 of 3 cases failed"), "{}", called.answer.stderr);
}

#[test]
fn a_report_with_a_failed_case_that_is_allowed_is_a_success() {
    if !require("crun") {
        return;
    }
    let pipeline = Pipeline::new("[stages.cases]\nallow-failure = true\nargs = { lines = ['failed one'] }\n");
    let ran = pipeline.run(&["run", "cases"]);
    assert_eq!(ran.answer.code, Some(0), "{}", ran.answer.stderr);
    assert_eq!(ran.outcomes(), ["failed cases (allowed) 1 of 1 case failed: one"]);
}
