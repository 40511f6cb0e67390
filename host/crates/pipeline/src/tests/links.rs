//! Links by name and by manifest, as text.

use expect_test::expect;

use super::support::{check, check_order, linked, order};
use crate::Source;

#[test]
fn a_parameter_with_name_and_type_of_a_stage_is_fed_by_it() {
    check(
        "build(src: directory, jobs: option<u32>) -> result<directory, string>
         test(build: directory) -> string
         publish(build: option<directory>, test: option<string>, dry: bool)",
        "",
        &expect![[r#"
            build = build(src missing, jobs omitted) -> result<directory, string>
            test = test(build <- build) -> string
            publish = publish(build omitted, test omitted, dry omitted)
        "#]],
    );
}

#[test]
fn a_stage_does_not_feed_itself() {
    check(
        "build(build: option<file>) -> file",
        "",
        &expect![[r#"
        build = build(build omitted) -> file
    "#]],
    );
}

#[test]
fn a_stage_of_another_type_is_told_where_a_value_is_required() {
    check(
        "build() -> file
         nothing()
         test(build: directory, nothing: string)
         check(build: option<directory>)",
        "",
        &expect![[r#"
            build = build() -> file
            nothing = nothing()
            test = test(build missing (`test.build <- build` does not fit: it makes `file`, not `directory`), nothing missing (`test.nothing <- nothing` does not fit: it makes nothing, not `string`))
            check = check(build omitted)
        "#]],
    );
}

#[test]
fn a_constructor_is_a_stage_and_feeds_by_name() {
    check(
        "new linter(strict: bool)
         linter.check() -> string
         lint(linter: linter) -> string",
        "",
        &expect![[r#"
            lint = lint(linter <- linter) -> string
            linter = [constructor]linter(strict omitted) -> linter
        "#]],
    );
}

#[test]
fn a_manifest_sets_up_functions() {
    check(
        "build(src: directory, jobs: option<u32>, cflags: string, app: option<file>) -> directory",
        r#"
[stages.build]
args = { src = ".", jobs = 4 }
defaults = { cflags = "-O2" }
ignore = ["target", "*.o"]

[stages.debug]
call = "build"
args = { cflags = "-g" }
ignore = { src = ["target"] }
"#,
        &expect![[r#"
            build = build(src = directory . without target without *.o, jobs = 4, cflags = "-O2" (default), app omitted) -> directory
            debug = build(src missing, jobs omitted, cflags = "-g", app omitted) -> directory
        "#]],
    );
}

#[test]
fn args_beat_links_and_links_beat_defaults() {
    let functions = "cflags() -> string
         jobs() -> u32
         one(cflags: string)
         two(cflags: string)
         three(jobs: string)
         four(jobs: option<string>)";
    check(
        functions,
        r#"
[stages]
one = { args = { cflags = "-g" } }
two = { defaults = { cflags = "-O2" } }
three = { defaults = { jobs = "many" } }
"#,
        &expect![[r#"
            cflags = cflags() -> string
            jobs = jobs() -> u32
            one = one(cflags = "-g")
            two = two(cflags <- cflags)
            three = three(jobs = "many" (default))
            four = four(jobs omitted)
        "#]],
    );
}

#[test]
fn stages_are_parts_of_others() {
    check(
        "build(src: directory) -> result<directory, string>
         deploy(app: file, logs: option<directory>)
         ---
         new linter(level: u32)
         linter.with-level(level: u32, name: option<string>) -> linter
         linter.check(fix: bool) -> result<file>
         check(src: directory) -> result",
        r#"
[stages.build]
args = { src = "." }
[stages.style]
call = "lint.check"
args = { src = { from = 'build.subdirectory("src")' } }
[stages.linter]
call = "lint.linter"
args = { level = 1 }
[stages.report]
from = 'strict.check()'
[stages.strict]
from = "linter.with_level(3)"
[stages.deploy]
args = { app = { from = 'build.file("app")' } }
defaults = { logs = { from = "build" } }
"#,
        &expect![[r#"
            build = build(src = directory .) -> result<directory, string>
            deploy = deploy(app <= build.[method]directory.file("app"), logs <= build)
            style = lint.check(src <= build.[method]directory.subdirectory("src")) -> result
            linter = lint.[constructor]linter(level = 1) -> linter
            report = <= strict.[method]linter.check(false) -> result<file>
            strict = <= linter.[method]linter.with-level(3, null) -> linter
        "#]],
    );
}

#[test]
fn expressions_and_lists_join_what_several_stages_make() {
    check(
        "archive() -> directory
         notes() -> result<file, string>
         build() -> directory
         title() -> string
         pack(files: list<file>, more: option<list<string>>)",
        r#"
[stages.all]
from = 'archive.with-file("NOTES.md", notes).with-file("app", build.file("app"))'
[stages.merged]
from = 'all.merge([build, archive.subdirectory("x")]).filter([title, "*.c"], [])'
[stages.maybe]
from = 'archive.entries(title)'
[stages.pack]
args = { files = [{ from = "notes" }, "b.txt", { from = 'all.file("app")' }], more = [{ from = "title" }, "x"] }
"#,
        &expect![[r#"
            archive = archive() -> directory
            notes = notes() -> result<file, string>
            build = build() -> directory
            title = title() -> string
            pack = pack(files [<= notes, file b.txt, <= all.[method]directory.file("app")], more [<= title, "x"])
            all = <= archive.[method]directory.with-file("NOTES.md", <= notes).[method]directory.with-file("app", <= build.[method]directory.file("app")) -> directory
            merged = <= all.[method]directory.merge([<= build, <= archive.[method]directory.subdirectory("x")]).[method]directory.filter([<= title, "*.c"], []) -> directory
            maybe = <= archive.[method]directory.entries(some <= title) -> result<list<string>, record { code: string, message: string, exec: option<record { args: list<string>, exit-code: s32, stdout-tail: string, stderr-tail: string }>, attributes: list<tuple<string, string>> }>
        "#]],
    );
    check_order(
        "a() -> directory
         b() -> file
         c(l: list<file>)",
        "[stages]\nd = { from = 'a.with-file(\"b\", b)' }\nc = { args = { l = [{ from = 'd.file(\"x\")' }] } }\n",
        &["c"],
        &expect!["a b d c"],
    );
}

#[test]
fn a_pipeline_needs_no_code() {
    check_order(
        "---
         make() -> directory
         check(make: directory) -> result",
        "[stages]\nmake = { call = \"lint.make\" }\nstyle = { call = \"lint.check\" }\n",
        &["style"],
        &expect!["make style"],
    );
}

#[test]
fn what_a_manifest_says_of_a_stage_is_kept() {
    let manifest = r#"
[stages.build]
description = "Compiles it"
env = { CI = "1" }
retry = 2
timeout = "10m"
allow-failure = true
"#;
    let graph = linked("build()", manifest).unwrap();
    let stage = graph.stage(graph.find("build").unwrap());
    let kept = format!("{:?} {:?} {:?} {:?}", stage.description, stage.env, stage.policy, stage.position);
    expect![[r#"Some("Compiles it") [("CI", "1")] Policy { n_retries: 2, timeout: Some(600s), is_failure_allowed: true } Some(Position { line: 6, column: 9 })"#]].assert_eq(&kept);
}

const PIPELINE: &str = "source() -> directory
    build(source: directory) -> directory
    test(build: directory) -> string
    lint(source: directory) -> string
    report(test: string, lint: string)
    new tool()";

#[test]
fn feeders_come_before_what_they_feed() {
    check_order(PIPELINE, "", &["report"], &expect!["source build test lint report"]);
    check_order(PIPELINE, "", &["lint", "build"], &expect!["source lint build"]);
}

#[test]
fn leaves_feed_nothing_and_are_no_constructors() {
    let graph = linked(PIPELINE, "").unwrap();
    let names = |ids: Vec<usize>| ids.iter().map(|id| graph.stage(*id).name.as_str()).collect::<Vec<_>>().join(" ");
    assert_eq!(names(graph.leaves()), "report");
    assert_eq!(names(graph.feeders(graph.find("report").unwrap())), "test lint");
    assert_eq!(names(graph.feeders(graph.find("source").unwrap())), "");
}

#[test]
fn a_flag_cuts_a_link() {
    let mut graph = linked(PIPELINE, "").unwrap();
    let report = graph.find("report").unwrap();
    graph.give(report, 0, "done".to_owned().into());
    assert!(matches!(graph.stage(report).params[0].source, Source::Given(_)));
    assert_eq!(order(&graph, &["report"]), "source lint report");
}

#[test]
fn a_flag_cuts_a_cycle() {
    let mut graph = linked("a(b: string) -> string\n b(a: string) -> string\n c()", "").unwrap();
    assert_eq!(order(&graph, &["c"]), "c");
    expect![[r#"
        stage `a` needs itself: `a.b <- b.a <- a`
        hint: give `a.b` a value by its flag or by `args` in the manifest"#]]
    .assert_eq(&order(&graph, &["a"]));
    graph.give(graph.find("b").unwrap(), 0, "x".to_owned().into());
    assert_eq!(order(&graph, &["a"]), "b a");
}

#[test]
fn a_chain_can_be_longer_than_the_stack() {
    let stage = |index: usize| match index {
        0 => "s0() -> string\n".to_owned(),
        index => format!("s{index}(s{}: string) -> string\n", index - 1),
    };
    let graph = linked(&(0..10_000).map(stage).collect::<String>(), "").unwrap();
    let order = graph.order(&[9_999]).unwrap();
    assert!(order.into_iter().eq(0..10_000));
}

#[test]
fn a_chain_of_parts_can_be_longer_than_the_stack() {
    let stage = |index: usize| format!("s{index} = {{ from = \"s{}\" }}\n", index + 1);
    let parts: String = (0..10_000).map(stage).collect();
    let graph = linked("s10000() -> string", &format!("[stages]\n{parts}")).unwrap();
    assert_eq!(graph.order(&[graph.find("s0").unwrap()]).unwrap().len(), 10_001);
}

#[test]
fn a_stage_is_found_in_whatever_case_it_is_written() {
    let graph = linked("build-all()", "").unwrap();
    for name in ["build-all", "build_all", "buildAll"] {
        assert_eq!(graph.find(name), Some(0));
    }
    assert_eq!(graph.find("build"), None);
}
