//! `host plan` and `host graph --ops`, which run nothing.

use expect_test::{Expect, expect};
use serde_json::Value as Json;
use testkit::{Scratch, guest, require};

/// A module whose stage `build` runs a command on `src`. Stage `test` reads the result, and `pack` needs both.
fn shop() -> Option<Scratch> {
    if !require("crun") || !require("wasm32-wasip2") {
        return None;
    }
    let scratch = Scratch::new();
    scratch.write("src/main.c", "int main;\n");
    let (component, objects) = (guest("linked"), guest("objects"));
    let manifest = format!(
        "name = \"shop\"\nversion = \"0.1.0\"\ncomponent = '{}'\nallow = [\"machine\"]\n\
         [dependencies]\nobjects = {{ component = '{}' }}\n[stages.build]\nargs = {{ src = \"src\" }}\n",
        component.display(),
        objects.display()
    );
    scratch.write("host.toml", manifest);
    Some(scratch)
}

fn plan(scratch: &Scratch, args: &[&str]) -> String {
    let answer = scratch.host([&["plan"], args].concat());
    assert_eq!((answer.code, answer.stderr.as_str()), (Some(0), ""), "{}", answer.stdout);
    answer.stdout
}

fn check(scratch: &Scratch, args: &[&str], expect: &Expect) {
    expect.assert_eq(&plan(scratch, args));
}

fn call(scratch: &Scratch, args: &[&str]) {
    let answer = scratch.host([&["call"], args].concat());
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
}

/// Returns the commands of a plan with their reasons.
fn commands(scratch: &Scratch, args: &[&str]) -> Vec<(String, String)> {
    let json: Json = serde_json::from_str(&plan(scratch, &[args, &["--json"]].concat())).unwrap();
    let stages = json["stages"].as_array().unwrap().iter();
    let operations = stages.flat_map(|stage| stage["operations"].as_array().unwrap());
    let texts = operations.map(|operation| {
        (operation["name"].as_str().unwrap().to_owned(), operation["reason"].as_str().unwrap().to_owned())
    });
    texts.filter(|(name, _)| name.starts_with("exec ")).collect()
}

#[test]
fn a_plan_reports_every_step_before_a_run_and_none_after_it() {
    let Some(scratch) = shop() else { return };
    for _ in 0..2 {
        // A plan keeps no results.
        assert_eq!(commands(&scratch, &["build"]), [("exec sh -c 'ls > built'".to_owned(), "never-ran".to_owned())]);
    }
    call(&scratch, &["build", "entries"]);
    check(
        &scratch,
        &["build"],
        &expect![[r#"
        build: shop.build
          = 2 cached
        0 would run, 2 cached
    "#]],
    );
}

#[test]
fn a_function_is_planned_up_to_the_value_that_it_waits_for() {
    let Some(scratch) = shop() else { return };
    check(
        &scratch,
        &["pack"],
        &expect![[r#"
        build: shop.build
          + exec sh -c 'ls > built'  nothing like it ran before
          = 1 cached
        test: shop.test
          ? known up to here: `shop.test` goes on when `exec sh -c 'ls > built'` has run
        pack: shop.pack
          ? known up to here: `shop.test` goes on when `exec sh -c 'ls > built'` has run
        1 would run, 1 cached, 2 stages not known to the end
    "#]],
    );
    call(&scratch, &["build", "entries"]);
    // Now `test` returns, so all of `pack` is known.
    check(
        &scratch,
        &["pack"],
        &expect![[r#"
        build: shop.build
          = 2 cached
        test: shop.test
        pack: shop.pack
          + exec tar -C /pack -cf /pack.tar .  nothing like it ran before
          = 2 cached
        1 would run, 4 cached
    "#]],
    );
}

#[test]
fn a_plan_reports_the_steps_that_a_change_reaches() {
    let Some(scratch) = shop() else { return };
    call(&scratch, &["pack", "size"]);
    assert_eq!(commands(&scratch, &["pack"]), []);
    scratch.write("src/other.c", "int other;\n");
    assert_eq!(commands(&scratch, &["pack"]), [("exec sh -c 'ls > built'".to_owned(), "input-changed".to_owned())]);
    let ran = scratch.host(["call", "build", "entries"]);
    assert_eq!(ran.stdout, "built\nmain.c\nother.c\n");
    // The text that `test` read is in a file that is packed, so the definition differs.
    let after = commands(&scratch, &["pack"]);
    assert_eq!(after, [("exec tar -C /pack -cf /pack.tar .".to_owned(), "never-ran".to_owned())]);
}

#[test]
fn a_plan_reports_results_that_a_run_would_not_use() {
    let Some(scratch) = shop() else { return };
    call(&scratch, &["build", "entries"]);
    assert_eq!(commands(&scratch, &["build"]), []);
    let without = commands(&scratch, &["build", "--no-cache"]);
    assert_eq!(without, [("exec sh -c 'ls > built'".to_owned(), "no-cache".to_owned())]);
    assert_eq!(scratch.host(["cache", "clear"]).code, Some(0));
    assert_eq!(commands(&scratch, &["build"]), [("exec sh -c 'ls > built'".to_owned(), "evicted".to_owned())]);
}

#[test]
fn a_plan_executes_nothing_and_writes_nothing() {
    if !require("crun") || !require("wasm32-wasip2") {
        return;
    }
    let scratch = Scratch::new();
    scratch.write("src/Makefile", "all:\n\tdate +%N > /build/when\n\tcat /build/when\n");
    let module = guest("pipelines");
    let module = module.to_str().unwrap();
    let args = ["--allow", "machine", "--arg", "src=src", "--arg", "key=planned", "--arg", "note=n"];
    let events = scratch.path("events");
    let events = events.to_str().unwrap();
    let plan = scratch.host([&["plan", "-m", module, "make-into-volume", "--events", events], &args[..]].concat());
    assert_eq!(plan.code, Some(0), "{}", plan.stderr);
    assert!(plan.stdout.contains("? known up to here: `pipelines.make-into-volume` goes on"), "{}", plan.stdout);
    let text = std::fs::read_to_string(events).unwrap();
    let lines: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let execs: Vec<&str> = lines
        .iter()
        .filter(|line| line["operation"] == "exec")
        .map(|line| line["outcome"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(execs, ["planned"]);
    // The first command that mounts a volume creates it.
    let listed = scratch.host(["cache", "list"]);
    assert!(!listed.stdout.contains("cache-volume"), "{}", listed.stdout);
    let called = ["call", "-m", module, "--allow", "machine", "make-into-volume", "--src", "src", "--key", "planned"];
    let called = scratch.host(called);
    assert_eq!(called.code, Some(0), "{}", called.stderr);
    assert!(scratch.host(["cache", "list"]).stdout.contains("cache-volume"));
}

#[test]
fn operations_are_drawn_with_the_stages_that_ask_for_them() {
    let Some(scratch) = shop() else { return };
    let drawn = scratch.host(["graph", "build", "test", "--ops"]);
    assert_eq!(drawn.code, Some(0), "{}", drawn.stderr);
    expect![[r#"
        flowchart LR
          n0["build<br/>src = #34;directory#34;<br/>-#62; directory"]
          n1["test<br/>-#62; string"]
          n2[("local src")]
          n3[("machine rootfs")]
          n4("copy to /src<br/>cached")
          n5[["exec sh -c #39;ls #62; built#39;<br/>would run"]]
          n0 --> n1
          n2 --> n4
          n3 --> n4
          n4 --> n5
          n5 --> n0
    "#]]
    .assert_eq(&drawn.stdout);
    expect![[r#"
        `test` is drawn up to where `shop.test` waits for `exec sh -c 'ls > built'`
    "#]]
    .assert_eq(&drawn.stderr);
}
