//! Stages linked by name and by manifest, within a module and across modules.

use std::path::Path;

use expect_test::{Expect, expect};
use testkit::{Answer, Scratch, guest, require};

/// Writes a module with the component of a guest program and a manifest.
fn module(scratch: &Scratch, directory: &str, component: &str, manifest: &str) {
    let component = guest(component);
    let head = format!("name = \"{directory}\"\nversion = \"0.1.0\"\ncomponent = '{}'\n", component.display());
    scratch.write(&format!("{directory}/host.toml"), format!("{head}{manifest}"));
}

/// Writes a module without code.
fn pipeline(scratch: &Scratch, manifest: &str) {
    scratch.write("host.toml", format!("name = \"shop\"\nversion = \"0.1.0\"\n{manifest}"));
}

fn dependency(alias: &str, component: &str) -> String {
    format!("[dependencies]\n{alias} = {{ component = '{}' }}\n", guest(component).display())
}

/// Returns an answer as text, without paths of this machine.
fn shown(answer: &Answer, scratch: &Scratch) -> String {
    let text = format!("{}{}exit {}\n", answer.stdout, answer.stderr, answer.code.unwrap_or(-1));
    let lines = text.replace(&*scratch.path("work").to_string_lossy(), "$WORK");
    let lines = lines.replace(&*guest("x").parent().unwrap_or(Path::new("")).to_string_lossy(), "$GUESTS");
    // Line numbers of guests and times differ from run to run.
    let lines = without_lines(&lines);
    let timeless = |line: &str| match line.rsplit_once(" (") {
        Some((rest, time)) if time.ends_with("s)") => format!("{rest}\n"),
        _ => format!("{line}\n"),
    };
    lines.lines().filter(|line| !line.contains(" ran, ")).map(timeless).collect()
}

/// Removes the line numbers of the guest `links`.
fn without_lines(text: &str) -> String {
    let mut parts = text.split("links/src/lib.rs:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':');
        // The text after the line number stays.
        let end = if part[..part.len() - rest.len()].ends_with(':') { ":" } else { "" };
        format!("{text}links/src/lib.rs:LINE{end}{rest}")
    })
}

fn check(scratch: &Scratch, args: &[&str], expect: &Expect) {
    expect.assert_eq(&shown(&scratch.host([&["call", "--progress", "plain"], args].concat()), scratch));
}

#[test]
fn a_parameter_is_fed_by_the_stage_of_its_name_and_each_is_called_once() {
    if !require("wasm32-wasip2") {
        return;
    }
    let scratch = Scratch::new();
    module(&scratch, "links", "links", "allow = [\"machine\"]\n");
    check(
        &scratch,
        &["-m", "links", "both"],
        &expect![[r#"
            left of seed, right of seed
            stage `left` is fed by `seed`
            stage `right` is fed by `seed`
            stage `both` is fed by `left`, `right`
            [links.seed] called
            exit 0
        "#]],
    );
    // Optional parameters are left out.
    check(
        &scratch,
        &["-m", "links", "maybe"],
        &expect![[r#"
            nothing
            exit 0
        "#]],
    );
    // A flag wins over a link.
    check(
        &scratch,
        &["-m", "links", "both", "--left", "here"],
        &expect![[r#"
            here, right of seed
            stage `right` is fed by `seed`
            stage `both` is fed by `right`
            [links.seed] called
            exit 0
        "#]],
    );
}

#[test]
fn a_stage_whose_result_nothing_reads_is_not_called() {
    if !require("wasm32-wasip2") {
        return;
    }
    let scratch = Scratch::new();
    module(&scratch, "links", "links", "allow = [\"machine\"]\n");
    check(
        &scratch,
        &["-m", "links", "idle"],
        &expect![[r#"
            idle
            stage `idle` is fed by `tree`
            exit 0
        "#]],
    );
    check(
        &scratch,
        &["-m", "links", "more", "entries"],
        &expect![[r#"
            a.txt
            b.txt
            stage `more` is fed by `tree`
            [links.tree] called
            + make file /a.txt
            + make file /b.txt
            exit 0
        "#]],
    );
}

#[test]
fn wrong_links_are_reported_with_their_path_before_anything_runs() {
    if !require("wasm32-wasip2") {
        return;
    }
    let scratch = Scratch::new();
    module(&scratch, "links", "links", "allow = [\"machine\"]\n");
    check(
        &scratch,
        &["-m", "links", "ping"],
        &expect![[r#"
        error: stage `ping` needs itself: `ping.pong <- pong.ping <- ping`
        hint: give `ping.pong` a value by its flag or by `args` in the manifest
        exit 3
    "#]],
    );
    // A flag removes the link that closes the circle.
    check(
        &scratch,
        &["-m", "links", "ping", "--pong", "x"],
        &expect![[r#"
        ping x
        exit 0
    "#]],
    );
    check(
        &scratch,
        &["-m", "links", "wrong"],
        &expect![[r#"
            error: stage `wrong` needs `--seed`
              caused by: `wrong.seed <- seed` does not fit: it makes `string`, not `u32`
            usage: host call wrong --seed NUMBER
            exit 2
        "#]],
    );
}

#[test]
fn a_failure_of_a_stage_is_that_of_the_stages_that_need_it() {
    if !require("wasm32-wasip2") {
        return;
    }
    let scratch = Scratch::new();
    module(&scratch, "links", "links", "allow = [\"machine\"]\n");
    check(
        &scratch,
        &["-m", "links", "after"],
        &expect![[r#"
        stage `after` is fed by `broken`
        error: stage `after` failed
          caused by: it is broken
        exit 1
    "#]],
    );
}

#[test]
fn a_pipeline_of_other_modules_needs_no_code() {
    if !require("wasm32-wasip2") {
        return;
    }
    let scratch = Scratch::new();
    scratch.write("texts/a.txt", "short\n");
    scratch.write("texts/skip/b.txt", "x".repeat(200));
    let stages = r#"
        [stages.style]
        call = "lint.find"
        args = { src = "texts", linter = { from = "strict" } }
        ignore = ["skip"]

        [stages.strict]
        call = "lint.linter"
        args = { level = 8 }

        [stages.level]
        from = "strict.with-level(3).check()"

        [stages.good]
        call = "lint.check"
        args = { src = "texts" }

        [stages.name]
        from = 'texts.file("good.txt").contents()'

        [stages.texts]
        call = "lint.sources"
    "#;
    pipeline(&scratch, &format!("{}{stages}", dependency("lint", "objects")));
    check(
        &scratch,
        &["style"],
        &expect![[r#"
        {"path":"a.txt","n-lines":1}
        stage `style` is fed by `strict` as `linter`
        exit 0
    "#]],
    );
    check(
        &scratch,
        &["level"],
        &expect![[r#"
            checked at level 3
            stage `level` is `strict.with-level(3).check()`
            exit 0
        "#]],
    );
    check(
        &scratch,
        &["name"],
        &expect![[r#"
            short
            stage `name` is `texts.file("good.txt").contents()`
            + make file /good.txt
            + make file /bad.txt
            exit 0
        "#]],
    );
    check(
        &scratch,
        &["good", "--src", "texts/skip"],
        &expect![[r#"
        {
          "summary": "text files",
          "cases": [
            {
              "name": "b.txt",
              "verdict": "failed",
              "message": "200 bytes",
              "duration-ms": 0
            }
          ]
        }
        error: stage `good` failed
          caused by: 1 of 1 case failed: text files
          b.txt: 200 bytes
        exit 1
    "#]],
    );
}

#[test]
fn functions_of_one_instance_can_feed_each_other() {
    if !require("wasm32-wasip2") {
        return;
    }
    let scratch = Scratch::new();
    let stages = r#"
        [stages.strict]
        call = "lint.linter"
        args = { level = 8 }

        [stages.texts]
        call = "lint.sources"

        [stages.filtered]
        call = "lint.filtered"
        args = { src = { from = "texts" }, linter = { from = "strict" } }

        [stages.style]
        call = "lint.find"
        args = { src = { from = "filtered" }, linter = { from = "strict" } }
    "#;
    pipeline(&scratch, &format!("{}{stages}", dependency("lint", "objects")));
    let answer = scratch.host(["call", "-q", "style"]);
    assert_eq!((answer.stdout.as_str(), answer.code), ("{\"path\":\"good.txt\",\"n-lines\":1}\n", Some(0)));
}

#[test]
fn dangling_references_of_a_manifest_have_line_and_column() {
    if !require("wasm32-wasip2") {
        return;
    }
    for (stages, expect) in [
        (
            "[stages.a]\ncall = \"lnt.check\"\n",
            expect![[r#"
            error: `$WORK/host.toml:6:8`: there is no dependency `lnt`
            hint: did you mean `lint`?
            exit 3
        "#]],
        ),
        (
            "[stages.a]\ncall = \"lint.chek\"\n",
            expect![[r#"
            error: `$WORK/host.toml:6:8`: dependency `lint` has no function `chek`
            hint: did you mean `check`?
            exit 3
        "#]],
        ),
        (
            "[stages.a]\nfrom = \"b.check()\"\n",
            expect![[r#"
            error: `$WORK/host.toml:6:9`: there is no stage `b`, with which `b.check()` begins
            hint: stages: a
            exit 3
        "#]],
        ),
        (
            "[stages.a]\ncall = \"lint.sources\"\nargs = { x = 1 }\n",
            expect![[r#"
            error: `$WORK/host.toml:7:10`: stage `a` has no parameter `x`
            hint: it has: nothing
            exit 3
        "#]],
        ),
        (
            "[stages.a]\ncall = \"lint.strict\"\nargs = { level = \"high\" }\n",
            expect![[r#"
            error: `$WORK/host.toml:7:10`: parameter `level` of stage `a` takes `u32`: `"high"` is not a u32
            exit 3
        "#]],
        ),
        (
            "[stages.a]\nfrom = \"s.entries(1)\"\n[stages.s]\ncall = \"lint.sources\"\n",
            expect![[r#"
            error: `$WORK/host.toml:6:9`: `path` of method `entries` takes `option<string>`: `1` is not a string
            exit 3
        "#]],
        ),
    ] {
        let scratch = Scratch::new();
        pipeline(&scratch, &format!("{}{stages}", dependency("lint", "objects")));
        check(&scratch, &["a"], &expect);
    }
}

#[test]
fn functions_and_objects_of_a_dependency_can_be_used() {
    if !require("wasm32-wasip2") {
        return;
    }
    let scratch = Scratch::new();
    let dependencies = format!("allow = [\"machine\"]\n{}", dependency("objects", "objects"));
    module(&scratch, "linked", "linked", &dependencies);
    check(
        &scratch,
        &["-m", "linked", "style", "--level", "4"],
        &expect![[r#"
        a linter of level 4: checked at level 4
        exit 0
    "#]],
    );
    check(
        &scratch,
        &["-m", "linked", "every-way"],
        &expect![[r#"
        23
        exit 0
    "#]],
    );
    check(
        &scratch,
        &["-m", "linked", "style", "--level", "0"],
        &expect![[r#"
        error: stage `style` failed
          caused by: the dependency: a linter of level 0 checks nothing
        exit 1
    "#]],
    );
    check(
        &scratch,
        &["-m", "linked", "sources", "file", "--path", "good.txt", "contents"],
        &expect![[r#"
            short
            + make file /good.txt
            + make file /bad.txt
            exit 0
        "#]],
    );
}

#[test]
fn custom_objects_are_used_by_chains() {
    if !require("wasm32-wasip2") {
        return;
    }
    let scratch = Scratch::new();
    module(&scratch, "objects", "objects", "");
    check(
        &scratch,
        &["-m", "objects", "linter", "--level", "3", "with-level", "--level", "7", "check"],
        &expect![[r#"
            checked at level 7
            exit 0
        "#]],
    );
    check(
        &scratch,
        &["-m", "objects", "linter", "chek"],
        &expect![[r#"
        error: a linter has no method `chek`
        hint: did you mean `check`?
        exit 2
    "#]],
    );
    check(
        &scratch,
        &["-m", "objects", "strict", "--level", "12", "check"],
        &expect![[r#"
        error: stage `strict` failed
          caused by: there is no level 12: 9 is the highest
        exit 1
    "#]],
    );
    check(
        &scratch,
        &["-m", "objects", "describe"],
        &expect![[r#"
        a linter of level 1
        stage `describe` is fed by `linter`
        exit 0
    "#]],
    );
}

#[test]
fn a_dependency_has_no_more_powers_than_its_importer() {
    if !require("wasm32-wasip2") {
        return;
    }
    let stages = "[stages.seed]\ncall = \"links.seed\"\n";
    let scratch = Scratch::new();
    pipeline(&scratch, &format!("{}{stages}", dependency("links", "links")));
    check(
        &scratch,
        &["seed"],
        &expect![[r#"
        error: dependency `links` of module `shop` needs the power `machine`, which `shop` was not granted
        hint: grant it with `--allow machine`, or with `allow` in `host.toml`
        exit 3
    "#]],
    );
    check(
        &scratch,
        &["--allow", "machine", "seed"],
        &expect![[r#"
        seed
        [links.seed] called
        exit 0
    "#]],
    );
    let withheld = dependency("links", "links").replace(" }", ", allow = [] }");
    pipeline(&scratch, &format!("allow = [\"machine\"]\n{withheld}{stages}"));
    check(
        &scratch,
        &["seed"],
        &expect![[r#"
        error: dependency `links` of module `shop` needs the power `machine`, which `shop` was not granted
        hint: add "machine" to `allow` of the dependency `links` in `host.toml`
        exit 3
    "#]],
    );
}

#[test]
fn an_import_that_nothing_provides_is_named() {
    if !require("wasm32-wasip2") {
        return;
    }
    let scratch = Scratch::new();
    module(&scratch, "linked", "linked", "allow = [\"machine\"]\n");
    check(
        &scratch,
        &["-m", "linked", "style"],
        &expect![[r#"
        error: module `linked` imports `local:objects/stages@0.1.0`, which the host does not have
        hint: name the module that exports it under `[dependencies]` in `host.toml`
        exit 3
    "#]],
    );
    module(&scratch, "linked", "linked", &format!("allow = [\"machine\"]\n{}", dependency("objects", "links")));
    check(
        &scratch,
        &["-m", "linked", "style"],
        &expect![[r#"
        error: module `linked` imports `local:objects/stages@0.1.0`, which the host does not have
        hint: of its dependencies, `objects` provides `local:links/stages@0.1.0`
        exit 3
    "#]],
    );
}

#[test]
fn a_trap_of_a_dependency_is_a_failure_of_that_call() {
    if !require("wasm32-wasip2") {
        return;
    }
    let scratch = Scratch::new();
    let stages = "[stages.dark]\ncall = \"links.panics\"\n[stages.seed]\ncall = \"links.seed\"\n";
    pipeline(&scratch, &format!("allow = [\"machine\"]\n{}{stages}", dependency("links", "links")));
    check(
        &scratch,
        &["dark"],
        &expect![[r#"
            [links.panics] 
            thread '<unnamed>' (1) panicked at links/src/lib.rs:LINE:
            it is too dark
            [links.panics] note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
            error: stage `panics` of module `links` panicked at links/src/lib.rs:LINE: it is too dark
            exit 1
        "#]],
    );
    check(
        &scratch,
        &["seed"],
        &expect![[r#"
        seed
        [links.seed] called
        exit 0
    "#]],
    );
}

#[test]
fn a_started_object_is_evaluated_while_another_is_read() {
    if !require("wasm32-wasip2") || !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    module(&scratch, "crossing", "crossing", &format!("allow = [\"machine\"]\n{}", dependency("links", "links")));
    let args = ["call", "-m", "crossing", "--jobs", "2", "--events", "events", "side-by-side"];
    assert_eq!(scratch.host(args).stdout, "one\nother\n");
    let events = std::fs::read_to_string(scratch.path("work/events")).unwrap();
    let naps: Vec<serde_json::Value> = events
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|event: &serde_json::Value| event["operation"] == "exec")
        .collect();
    let time = |nap: usize, key: &str| naps[nap][key].as_str().unwrap().to_owned();
    assert_eq!(naps.len(), 2, "{events}");
    assert!(time(0, "start") < time(1, "end") && time(1, "start") < time(0, "end"), "{events}");
    // Both commands name the function that asked for them.
    assert!(naps.iter().all(|nap| nap["function"] == "links.nap"), "{events}");
}

#[test]
fn a_function_of_a_dependency_is_called_once_and_only_if_it_is_needed() {
    if !require("wasm32-wasip2") {
        return;
    }
    let scratch = Scratch::new();
    module(&scratch, "crossing", "crossing", &format!("allow = [\"machine\"]\n{}", dependency("links", "links")));
    check(
        &scratch,
        &["-m", "crossing", "twice"],
        &expect![[r#"
        seedseed
        [links.seed] called
        exit 0
    "#]],
    );
    check(
        &scratch,
        &["-m", "crossing", "unused"],
        &expect![[r#"
        unused
        exit 0
    "#]],
    );
    check(
        &scratch,
        &["-m", "crossing", "late"],
        &expect![[r#"
        error: stage `late` failed
          caused by: the look: it is broken
        exit 1
    "#]],
    );
    check(
        &scratch,
        &["-m", "crossing", "survives"],
        &expect![[r#"
        it failed: stage `dark` of module `links` panicked at links/src/lib.rs:LINE: it is too dark
        [links.dark] 
        thread '<unnamed>' (1) panicked at links/src/lib.rs:LINE:
        it is too dark
        [links.dark] note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
        exit 0
    "#]],
    );
}

#[test]
fn the_variables_of_a_stage_are_in_every_container_that_it_begins_with() {
    if !require("wasm32-wasip2") || !require("crun") {
        return;
    }
    let scratch = Scratch::new();
    let stages = "[stages.variable]\nenv = { CITY = \"Ulm\" }\nargs = { name = \"CITY\" }\n\n[stages.bare]\ncall = \"variable\"\n";
    module(&scratch, "links", "links", &format!("allow = [\"machine\"]\n{stages}"));
    let said = |stage: &str| scratch.host(["call", "-m", "links", stage, "--name", "CITY"]).stdout;
    assert_eq!((said("variable").as_str(), said("bare").as_str()), ("Ulm\n", "\n"));
}
