//! `host check`, and its report.

use super::Pipeline;
use testkit::require;

const CHECKS: &str = r#"
[stages.good]
call = "verify"
check = true
args = { script = "true" }
[stages.bad]
call = "verify"
check = true
args = { script = "printf 'out]]>\\033[31m\\377'; exit 4" }
[stages.broken]
call = "make"
args = { script = "exit 3" }
[stages.after]
call = "say"
check = true
args = { script = "ls /first", first = { from = "broken" } }
[stages.suite]
call = "cases"
args = { lines = ["passed one", "failed two because <it> is", "skipped three later"] }
"#;

#[test]
fn a_failed_check_does_not_stop_the_others_and_all_are_counted() {
    if !require("crun") {
        return;
    }
    let pipeline = Pipeline::new(CHECKS);
    let ran = pipeline.run(&["check", "--report", "junit.xml"]);
    assert_eq!(ran.answer.code, Some(1), "{}", ran.answer.stderr);
    let outcomes = [
        "passed good",
        "failed bad",
        "skipped after because `broken` failed",
        "failed suite 1 of 3 cases failed: two",
        "failed broken",
    ];
    assert_eq!(ran.outcomes(), outcomes);
    assert!(ran.answer.stderr.ends_with("checks: 1 passed, 2 failed, 1 skipped\n"), "{}", ran.answer.stderr);
    let failed =
        "error: stage `suite` failed\n  caused by: 1 of 3 cases failed: cases of a text\n  two: because <it> is\n";
    assert!(ran.answer.stderr.contains(failed), "{}", ran.answer.stderr);

    let xml = std::fs::read_to_string(pipeline.scratch.path("work/junit.xml")).unwrap();
    for part in [
        "<testsuites name=\"shop\" tests=\"6\" failures=\"2\" errors=\"1\" skipped=\"1\"",
        "<testcase name=\"good\" classname=\"shop.good\" time=",
        "out]]&gt;\u{fffd}[31m\u{fffd}</failure>",
        "<error message=\"stage `broken` failed, which it needs\">",
        "<failure message=\"because &lt;it&gt; is\">because &lt;it&gt; is</failure>",
        "<skipped message=\"later\"/>",
    ] {
        assert!(xml.contains(part), "`{part}` is missing: {xml}");
    }
    assert!(!xml.chars().any(|c| c.is_control() && c != '\n'), "{xml:?}");
    if require("python") {
        let script = "import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])";
        let junit = pipeline.scratch.path("work/junit.xml");
        let parsed = std::process::Command::new("python3").args(["-c", script]).arg(junit).output().unwrap();
        assert!(parsed.status.success(), "{}", String::from_utf8_lossy(&parsed.stderr));
    }
}

#[test]
fn checks_that_pass_are_a_success() {
    if !require("crun") {
        return;
    }
    let ran = Pipeline::new(CHECKS).run(&["check", "good"]);
    assert_eq!((ran.answer.code, &*ran.answer.stdout), (Some(0), ""), "{}", ran.answer.stderr);
    assert_eq!(ran.outcomes(), ["passed good"]);
}

#[test]
fn what_nobody_calls_a_check_is_not_run_and_is_told() {
    if !require("crun") {
        return;
    }
    let ran = Pipeline::new(
        "[stages.deploy]\ncall = 'verify'\nargs = { script = 'touch /deployed' }\n[stages.known]\ncall = 'say'\n\
         check = false\nargs = { script = 'true' }\n[stages.cases]\nargs = { lines = ['passed one'] }\n",
    )
    .run(&["check"]);
    assert_eq!(ran.answer.code, Some(0), "{}", ran.answer.stderr);
    assert_eq!(ran.outcomes(), ["passed cases"]);
    assert!(ran.commands("deployed").is_empty(), "{:?}", ran.events);
    let warning = "warning: stage `deploy` returns nothing and is no check: add `check = true` under `[stages.deploy]`";
    assert!(ran.answer.stderr.contains(warning), "{}", ran.answer.stderr);
    assert!(!ran.answer.stderr.contains("stage `known`"), "{}", ran.answer.stderr);
}

#[test]
fn a_check_that_lacks_an_argument_is_told_and_is_a_mistake_where_that_counts() {
    if !require("crun") {
        return;
    }
    let pipeline = Pipeline::new(
        "[stages.cases]\nargs = { lines = ['passed one'] }\n[stages.lacking]\ncall = 'verify'\ncheck = true\n",
    );
    let ran = pipeline.run(&["check", "--strict", "--report", "junit.xml", "--json"]);
    assert_eq!(ran.answer.code, Some(2), "{}", ran.answer.stderr);
    assert!(ran.answer.stderr.contains("not run: stage `lacking` needs `script` (string)\n"), "{}", ran.answer.stderr);
    let json: serde_json::Value = serde_json::from_str(&ran.answer.stdout).unwrap();
    assert_eq!(json["not_run"][0]["stage"], "lacking");
    let xml = std::fs::read_to_string(pipeline.scratch.path("work/junit.xml")).unwrap();
    assert!(xml.contains("<error message=\"not run: stage `lacking` needs `script` (string)\">"), "{xml}");
}
