//! The order of stages, and stages at the same time.

use super::Pipeline;
use testkit::require;

const DIAMOND: &str = r#"
[stages.build]
call = "make"
args = { script = "echo built > a" }
[stages.left]
call = "make"
args = { script = "cat /first/a > l; sleep 1.4", first = { from = "build" } }
[stages.right]
call = "make"
args = { script = "cat /first/a > r; sleep 1.5", first = { from = "build" } }
[stages.both]
call = "say"
args = { script = "cat /first/l /second/r", first = { from = "left" }, second = { from = "right" } }
"#;

#[test]
fn a_diamond_evaluates_the_shared_stage_once_and_its_sides_at_the_same_time() {
    if !require("crun") {
        return;
    }
    let ran = Pipeline::new(DIAMOND).run(&["run", "both", "-j", "4"]);
    assert_eq!(ran.answer.stdout, "built\nbuilt\n", "{}", ran.answer.stderr);
    assert_eq!(ran.outcomes(), ["done both"]);
    let calls = ran.stages().iter().filter(|stage| **stage == ("build", "returned")).count();
    assert_eq!((calls, ran.commands("echo built").len()), (1, 1), "{:?}", ran.events);
    let (left, right) = (ran.commands("sleep 1.4")[0], ran.commands("sleep 1.5")[0]);
    let time = |event: &serde_json::Value, key: &str| event[key].as_str().map(str::to_owned);
    assert!(time(left, "start") < time(right, "end") && time(right, "start") < time(left, "end"), "{left} {right}");
}

#[test]
fn every_vertex_names_its_stage_also_if_several_stages_call_the_same_function() {
    if !require("crun") {
        return;
    }
    let pipeline =
        Pipeline::new(&format!("{DIAMOND}check = true\n[stages.part]\nfrom = 'build.without-file(\"b\")'\n"));
    pipeline.scratch.write("src/a", "1");
    for (command, options) in [("run", ["--arg", "left.src=src"]), ("check", ["--arg", "right.src=src"])] {
        let ran = pipeline.run(&[&[command, "-v"][..], &options].concat());
        assert_eq!(ran.answer.code, Some(0), "{}", ran.answer.stderr);
        let stage = |script: &str| ran.commands(script).iter().map(|event| event["stage"].clone()).collect::<Vec<_>>();
        let stages = ["echo built", "sleep 1.4", "sleep 1.5", "cat /first/l"].map(stage);
        assert_eq!(stages, [["build"], ["left"], ["right"], ["both"]], "{:?}", ran.events);
        let vertices: Vec<_> = ran.events.iter().filter(|event| event["event"] == "vertex").collect();
        assert!(vertices.iter().all(|vertex| vertex["stage"] != "shop"), "{vertices:?}");
        let source: Vec<_> = vertices.iter().filter(|vertex| vertex["operation"] == "local").collect();
        let taking = if command == "run" { "left" } else { "right" };
        assert!(source.iter().any(|vertex| vertex["stage"] == taking), "{source:?}");
        let part: Vec<_> = vertices.iter().filter(|vertex| vertex["operation"] == "remove").collect();
        assert_eq!(part.iter().any(|vertex| vertex["stage"] == "part"), command == "run", "{part:?}");
        if command == "run" {
            assert!(ran.answer.stderr.contains("\n[both] exec sh "), "{}", ran.answer.stderr);
        }
    }
}

#[test]
fn all_leaves_run_and_one_that_lacks_an_argument_is_named() {
    if !require("crun") {
        return;
    }
    let ran = Pipeline::new(DIAMOND).run(&["run", "-o", "out"]);
    assert_eq!(ran.answer.code, Some(0), "{}", ran.answer.stderr);
    assert_eq!(ran.answer.stdout, "");
    assert!(ran.answer.stderr.contains("not run: stage `verify` needs `script` (string)\n"), "{}", ran.answer.stderr);
    // The functions of the component are stages as well, and lack an argument.
    assert_eq!(ran.outcomes(), ["done both"]);
}

#[test]
fn no_leaf_that_can_run_is_wrong_usage() {
    let ran = Pipeline::new("").run(&["run"]);
    assert_eq!(ran.answer.code, Some(2));
    for part in ["no stage of module `shop` can be run", "stage `make` needs `script` (string)", "`--arg NAME=VALUE`"] {
        assert!(ran.answer.stderr.contains(part), "`{part}` is missing: {}", ran.answer.stderr);
    }
    let ran = Pipeline::new("").run(&["run", "say", "--arg", "say.script=echo given"]);
    assert_eq!(ran.answer.stdout, "given\n", "{}", ran.answer.stderr);
}

#[test]
fn results_are_written_under_the_names_of_their_stages() {
    if !require("crun") {
        return;
    }
    let stages = r#"
[stages.tree]
call = "make"
args = { script = "mkdir d; echo 1 > d/a" }
[stages.one]
from = 'tree.file("d/a")'
[stages.box]
from = 'tree.directory("d")'
"#;
    let stages = stages.replace("tree.directory", "tree.subdirectory");
    let pipeline = Pipeline::new(&stages);
    let ran = pipeline.run(&["run", "tree", "one", "box", "say", "--arg", "say.script=echo text", "-o", "out"]);
    assert_eq!(ran.answer.code, Some(0), "{}", ran.answer.stderr);
    let read = |path: &str| std::fs::read_to_string(pipeline.scratch.path("work/out").join(path)).unwrap();
    assert_eq!([read("tree/d/a"), read("one/a"), read("box/a"), read("say")], ["1\n", "1\n", "1\n", "text\n"]);
}

#[test]
fn expressions_and_lists_join_what_stages_make() {
    if !require("crun") {
        return;
    }
    let pipeline = Pipeline::new(
        r#"
[stages.build]
call = "make"
args = { script = "echo built > a" }
[stages.notes]
call = "say"
args = { script = "printf 'passed notes'" }
[stages.archive]
from = 'build.with-new-file("NOTES.md", notes).with-file("copy", build.file("a")).merge([build.filter(["b"], [])])'
[stages.names]
from = 'archive.entries()'
[stages.copied]
from = 'archive.file("copy").contents()'
[stages.judged]
call = "cases"
args = { lines = [{ from = "notes" }, "passed text", { from = 'archive.file("NOTES.md").contents()' }] }
"#,
    );
    let ran = pipeline.run(&["run", "names"]);
    assert_eq!(ran.answer.stdout, "NOTES.md\na\ncopy\n", "{}", ran.answer.stderr);
    assert_eq!(pipeline.run(&["run", "copied"]).answer.stdout, "built\n");
    let ran = pipeline.run(&["check", "judged"]);
    assert_eq!(ran.answer.code, Some(0), "{}", ran.answer.stderr);
    let ran = pipeline.run(&["call", "judged"]);
    assert_eq!(ran.answer.stdout.matches("\"verdict\": \"passed\"").count(), 3, "{}", ran.answer.stdout);
    let fed = "stage `judged` is fed by `[notes, \"passed text\", archive.file(\"NOTES.md\").contents()]` as `lines`\n";
    assert!(ran.answer.stderr.contains(fed), "{}", ran.answer.stderr);
}

#[test]
fn a_set_up_of_a_dependency_reads_its_own_files() {
    if !require("crun") {
        return;
    }
    let stages = "dependencies = { flow = 'dep' }\n[stages.told]\ncall = 'flow.stages.tell'\n";
    let pipeline = Pipeline::new(stages);
    let component = testkit::guest("flow");
    let tell = "[stages.tell]\ncall = 'say'\nargs = { script = 'cat /src/a', src = 'data' }\n";
    let head = format!("name = 'dep'\nversion = '0.1.0'\ncomponent = '{}'\n", component.display());
    pipeline.scratch.write("dep/host.toml", format!("{head}{tell}"));
    pipeline.scratch.write("dep/data/a", "of the dependency\n");
    let ran = pipeline.run(&["run", "told"]);
    assert_eq!(ran.answer.stdout, "of the dependency\n", "{}", ran.answer.stderr);
}
