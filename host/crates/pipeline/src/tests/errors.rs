//! Mistakes in links and their messages.

use expect_test::{Expect, expect};

use super::support::{check, check_order, linked, order};

const FUNCTIONS: &str = "build(src: directory, jobs: option<u32>) -> directory
    base() -> container
    count() -> option<directory>
    options() -> exec-options
    deploy(app: file)
    ---
    new linter(level: u32)
    linter.check(fix: bool) -> result<string>
    check(src: directory) -> result";

/// Checks the error of a manifest's stages.
fn fails(stages: &str, expect: &Expect) {
    check(FUNCTIONS, &format!("[stages]\n{stages}\n"), expect);
}

#[test]
fn expressions_begin_with_a_stage_and_call_methods_that_it_has() {
    fails(
        "x = { from = 'biuld.file(\"a\")' }",
        &expect![[r#"
        `host.toml:6:15`: there is no stage `biuld`, with which `biuld.file("a")` begins
        hint: did you mean `build`?"#]],
    );
    fails(
        "x = { from = 'build.fil(\"a\")' }",
        &expect![[r#"
        `host.toml:6:15`: a directory has no method `fil`
        hint: did you mean `file` or `filter`?"#]],
    );
    fails(
        "x = { from = 'build.file(7)' }",
        &expect![[r#"
        `host.toml:6:15`: `path` of method `file` takes `string`: `7` is not a string
        hint: "#]],
    );
    fails(
        "x = { from = 'build.file()' }",
        &expect![[r#"
        `host.toml:6:15`: method `file` takes (path: string), and nothing is given
        hint: "#]],
    );
    fails(
        "x = { from = 'build.file(\"a\", 2)' }",
        &expect![[r#"
        `host.toml:6:15`: method `file` takes (path: string), and 2 arguments are given
        hint: "#]],
    );
    fails(
        "x = { from = 'deploy.file(\"a\")' }",
        &expect![[r#"
        `host.toml:6:15`: stage `deploy` makes nothing, which has no method `file`
        hint: a method is called on a container, a directory, a file or another object"#]],
    );
    fails(
        "x = { from = 'count.file(\"a\")' }",
        &expect![[r#"
        `host.toml:6:15`: stage `count` makes `option<directory>`, which has no method `file`
        hint: a method is called on a container, a directory, a file or another object"#]],
    );
    fails(
        "x = { from = 'build.file(\"a\").name().file(\"b\")' }",
        &expect![[r#"
        `host.toml:6:15`: method `name` makes `string`, which has no method `file`
        hint: a method is called on a container, a directory, a file or another object"#]],
    );
    fails(
        "x = { from = 'build.with-directory(\"a\", \"b\")' }",
        &expect![[r#"
            `host.toml:6:15`: method `with-directory` takes `source: directory`, and no text is one
            hint: give it what a stage makes, by the name of the stage: `with-file("NOTES.md", notes)`"#]],
    );
}

#[test]
fn options_are_not_made_in_expressions() {
    fails(
        "x = { from = 'base.with-exec-options([\"make\"], \"x\")' }",
        &expect![[r#"
            `host.toml:6:15`: method `with-exec-options` takes `options: exec-options`, and no text is one
            hint: give it what a stage makes, by the name of the stage: `with-file("NOTES.md", notes)`"#]],
    );
    fails(
        "x = { from = 'options.with-stdin(\"x\")' }",
        &expect![[r#"
        `host.toml:6:15`: stage `options` makes `exec-options`, which has no method `with-stdin`
        hint: a method is called on a container, a directory, a file or another object"#]],
    );
}

#[test]
fn methods_of_custom_objects_are_checked() {
    let linter = "linter = { call = \"lint.linter\" }\n";
    fails(
        &format!("{linter}x = {{ from = 'linter.chek()' }}"),
        &expect![[r#"
        `host.toml:7:15`: a linter has no method `chek`
        hint: did you mean `check`?"#]],
    );
    fails(
        &format!("{linter}x = {{ from = 'linter.check(\"yes\")' }}"),
        &expect![[r#"
        `host.toml:7:15`: `fix` of method `check` takes `bool`: `"yes"` is not a bool
        hint: "#]],
    );
    fails(
        &format!("{linter}x = {{ from = 'linter.check().check()' }}"),
        &expect![[r#"
        `host.toml:7:15`: method `check` makes `string`, which has no method `check`
        hint: a method is called on a container, a directory, a file or another object"#]],
    );
}

#[test]
fn a_link_by_manifest_has_the_type_of_the_parameter() {
    fails(
        "deploy = { args = { app = { from = \"build\" } } }",
        &expect![[r#"
        `host.toml:6:37`: `deploy.app <- build`: it makes `directory`, and the parameter takes `file`
        hint: "#]],
    );
    fails(
        "deploy = { args = { app = { from = \"deploy\" } } }",
        &expect![[r#"
        `host.toml:6:37`: `deploy.app <- deploy`: it makes nothing, and the parameter takes `file`
        hint: "#]],
    );
}

#[test]
fn what_a_manifest_says_of_parameters_is_checked() {
    fails(
        "build = { args = { job = 4 } }",
        &expect![[r#"
        `host.toml:6:20`: stage `build` has no parameter `job`
        hint: did you mean `jobs`?"#]],
    );
    fails(
        "base = { defaults = { job = 4 } }",
        &expect![[r#"
        `host.toml:6:23`: stage `base` has no parameter `job`
        hint: it has: nothing"#]],
    );
    fails(
        "build = { args = { jobs = \"many\" } }",
        &expect![[r#"
        `host.toml:6:20`: parameter `jobs` of stage `build` takes `option<u32>`: `"many"` is not a u32
        hint: "#]],
    );
    fails(
        "build = { args = { jobs = -1 } }",
        &expect![[r#"
        `host.toml:6:20`: parameter `jobs` of stage `build` takes `option<u32>`: `-1` is not a u32
        hint: "#]],
    );
    fails(
        "build = { ignore = { sources = [\"x\"] } }",
        &expect![[r#"
            `host.toml:6:32`: stage `build` has no parameter `sources`
            hint: it has: src, jobs"#]],
    );
    fails(
        "build = { ignore = { jobs = [\"x\"] } }",
        &expect![[r#"
        `host.toml:6:29`: parameter `jobs` of stage `build` takes `option<u32>`, of which nothing can be ignored
        hint: `ignore` is for parameters that take a directory"#]],
    );
}

#[test]
fn a_function_must_exist() {
    fails(
        "biuld = {}",
        &expect![[r#"
        `host.toml:6:1`: the module has no function `biuld`
        hint: did you mean `build`?"#]],
    );
    fails(
        "x = { call = \"biuld\" }",
        &expect![[r#"
        `host.toml:6:14`: the module has no function `biuld`
        hint: did you mean `build`?"#]],
    );
    fails(
        "x = { call = \"lint.chekc\" }",
        &expect![[r#"
        `host.toml:6:14`: dependency `lint` has no function `chekc`
        hint: did you mean `check`?"#]],
    );
    check(
        "---\ncheck()",
        "[stages]\nbuild = {}\ncheck = { call = \"lint.check\" }\n",
        &expect![[r#"
        `host.toml:6:1`: stage `build` calls a function of the module, which has no code
        hint: let it `call` a function of a dependency, or be a part of another stage by `from`"#]],
    );
}

#[test]
fn a_name_is_that_of_one_stage() {
    fails(
        "build = { call = \"lint.check\" }",
        &expect![[r#"
        `host.toml:6:1`: stage `build` exists twice: as a function of the module and here
        hint: give one of them another name; without `call` and `from` it sets up the function"#]],
    );
    fails(
        "base = { from = \"build\" }",
        &expect![[r#"
        `host.toml:6:1`: stage `base` exists twice: as a function of the module and here
        hint: give one of them another name; without `call` and `from` it sets up the function"#]],
    );
}

#[test]
fn of_very_many_names_a_hint_lists_a_few() {
    let functions: String = (0..100).map(|index| format!("{index}()\n")).collect();
    check(
        &functions,
        "[stages]\nx = { from = \"build\" }\n",
        &expect![[r#"
            `host.toml:6:15`: there is no stage `build`, with which `build` begins
            hint: a text needs quotes, and the stages are: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, and 77 more"#]],
    );
}

#[test]
fn an_argument_that_is_missing_is_named_with_the_way_out() {
    check_order(
        FUNCTIONS,
        "",
        &["build"],
        &expect![[r#"
            stage `build` needs `src` (directory)
            hint: give it by `--arg build.src=VALUE`, or by `args` under `[stages.build]` in the manifest"#]],
    );
    check_order(
        "a(x: string, y: u32)",
        "",
        &["a"],
        &expect![[r#"
            stage `a` needs `x` (string) and `y` (u32)
            hint: give it by `--arg a.x=VALUE` and `--arg a.y=VALUE`, or by `args` under `[stages.a]` in the manifest"#]],
    );
    check_order(
        "build(src: directory) -> directory
         test(build: directory) -> string
         report(test: string)",
        "",
        &["report"],
        &expect![[r#"
            stage `build` needs `src` (directory)
            hint: give it by `--arg build.src=VALUE`, or by `args` under `[stages.build]` in the manifest; `report.test <- test.build <- build` needs it"#]],
    );
}

#[test]
fn what_nearly_fits_is_named() {
    check_order(
        "build() -> file\n test(build: directory)",
        "",
        &["test"],
        &expect![[r#"
            stage `test` needs `build` (directory); `test.build <- build` does not fit: it makes `file`, not `directory`
            hint: give it by `--arg test.build=VALUE`, or by `args` under `[stages.test]` in the manifest"#]],
    );
    check_order(
        "build() -> file\n test(biuld: file)",
        "",
        &["test"],
        &expect![[r#"
        stage `test` needs `biuld` (file)
        hint: stage `build` makes one: `args = { biuld = { from = "build" } }` under `[stages.test]` links it"#]],
    );
    check_order(
        "build() -> file\n test(biuld: directory)",
        "",
        &["test"],
        &expect![[r#"
            stage `test` needs `biuld` (directory)
            hint: give it by `--arg test.biuld=VALUE`, or by `args` under `[stages.test]` in the manifest"#]],
    );
}

#[test]
fn a_cycle_shows_its_path() {
    let by_name = "a(b: string) -> string\n b(c: string) -> string\n c(a: string) -> string\n d(a: string)";
    check_order(
        by_name,
        "",
        &["d"],
        &expect![[r#"
        stage `a` needs itself: `a.b <- b.c <- c.a <- a`
        hint: give `a.b` a value by its flag or by `args` in the manifest"#]],
    );
    check_order(
        "build(src: directory) -> directory",
        "[stages]\nbuild = { args = { src = { from = 'build.subdirectory(\"x\")' } } }\n",
        &["build"],
        &expect![[r#"
            stage `build` needs itself: `build.src <- build`
            hint: give `build.src` a value by its flag or by `args` in the manifest"#]],
    );
    check_order(
        "build(src: directory) -> directory",
        "[stages]\nbuild = { args = { src = { from = \"part\" } } }\npart = { from = 'build.subdirectory(\"x\")' }\n",
        &["part"],
        &expect![[r#"
            stage `part` needs itself: `part <- build.src <- part`
            hint: give `build.src` a value by its flag or by `args` in the manifest"#]],
    );
}

#[test]
fn stages_that_are_parts_of_each_other_are_a_cycle_when_asked_for() {
    let stages =
        "[stages]\na = { from = 'b.file(\"x\")' }\nb = { from = 'a.file(\"y\")' }\nc = { from = 'b.stat()' }\n";
    let graph = linked("d()\ntake(a: file)", stages).unwrap();
    assert_eq!(order(&graph, &["d"]), "d");
    expect![[r#"
        stage `b` needs itself: `b <- a <- b`
        hint: take one of them out of the expression of the one before it"#]]
    .assert_eq(&order(&graph, &["c"]));
    expect![[r#"
        stage `a` needs itself: `a <- b <- a`
        hint: take one of them out of the expression of the one before it"#]]
    .assert_eq(&order(&graph, &["take"]));
}

#[test]
fn a_long_path_is_shortened() {
    let stage = |index: usize| format!("s{index}(s{}: string) -> string\n", (index + 1) % 100);
    check_order(
        &(0..100).map(stage).collect::<String>(),
        "",
        &["s0"],
        &expect![[r#"
        stage `s0` needs itself: `s0.s1 <- s1.s2 <- s2.s3 <- s3.s4 <- s4.s5 <- s5.s6 <- (89 more) <- s95.s96 <- s96.s97 <- s97.s98 <- s98.s99 <- s99.s0 <- s0`
        hint: give `s0.s1` a value by its flag or by `args` in the manifest"#]],
    );
}

#[test]
fn what_cannot_be_joined_is_an_error_at_its_place() {
    const FUNCTIONS: &str = "archive() -> directory
        notes() -> file
        size() -> u64
        pack(files: list<file>, one: file)";
    let check = |stage: &str, expect: &Expect| check(FUNCTIONS, &format!("[stages]\n{stage}\n"), expect);
    check(
        "x = { from = 'archive.with-file(\"N\", note)' }",
        &expect![[r#"
        `host.toml:6:38`: there is no stage `note`, with which `note` begins
        hint: did you mean `notes`?"#]],
    );
    check(
        "x = { from = 'archive.with-file(\"N\", archive)' }",
        &expect![[r#"
        `host.toml:6:38`: `with-file(source) <- archive`: it makes `directory`, and the parameter takes `file`
        hint: "#]],
    );
    check(
        "x = { from = 'archive.with-file(\"N\", \"notes.md\")' }",
        &expect![[r#"
            `host.toml:6:15`: method `with-file` takes `source: file`, and no text is one
            hint: give it what a stage makes, by the name of the stage: `with-file("NOTES.md", notes)`"#]],
    );
    check(
        "x = { from = 'archive.with-file(\"N\", [notes])' }",
        &expect![[r#"
        `host.toml:6:15`: `source` of method `with-file` takes `file`: this is a list
        hint: "#]],
    );
    check(
        "x = { from = 'archive.with-file(notes)' }",
        &expect![[r#"
        `host.toml:6:33`: `with-file(path) <- notes`: it makes `file`, and the parameter takes `string`
        hint: "#]],
    );
    check(
        "pack = { args = { files = [{ from = 'notes' }, { from = 'size' }] } }",
        &expect![[r#"
        `host.toml:6:58`: `pack.files <- size`: it makes `u64`, and the parameter takes `file`
        hint: "#]],
    );
    check(
        "pack = { args = { one = [{ from = 'notes' }] } }",
        &expect![[r#"
        `host.toml:6:19`: parameter `one` of stage `pack` takes `file`: this is a list
        hint: "#]],
    );
}

#[test]
fn stages_that_are_arguments_of_each_other_are_a_circle() {
    let check = |stages: &str, expect: &Expect| {
        check_order("archive() -> directory", &format!("[stages]\n{stages}\n"), &["x"], expect);
    };
    check(
        "x = { from = 'archive.with-directory(\"a\", x)' }",
        &expect![[r#"
            stage `x` needs itself: `x <- x`
            hint: take one of them out of the expression of the one before it"#]],
    );
    check(
        "x = { from = 'archive.with-directory(\"a\", y)' }\ny = { from = 'archive.merge([archive, x])' }",
        &expect![[r#"
            stage `x` needs itself: `x <- y <- x`
            hint: take one of them out of the expression of the one before it"#]],
    );
}
