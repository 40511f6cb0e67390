//! Stages linked by name and by manifest, within a module and across modules.

use std::path::Path;

use expect_test::{Expect, expect};
use support::{Answer, Place, guest, require};

/// A module with the component of a guest program and a manifest of its own.
fn module(place: &Place, directory: &str, component: &str, manifest: &str) {
    let component = guest(component);
    let head = format!("name = \"{directory}\"\nversion = \"0.1.0\"\ncomponent = '{}'\n", component.display());
    place.write(&format!("{directory}/host.toml"), format!("{head}{manifest}"));
}

/// A module without code.
fn pipeline(place: &Place, manifest: &str) {
    place.write("host.toml", format!("name = \"shop\"\nversion = \"0.1.0\"\n{manifest}"));
}

fn dependency(alias: &str, component: &str) -> String {
    format!("[dependencies]\n{alias} = {{ component = '{}' }}\n", guest(component).display())
}

/// Returns what an answer was, paths of this machine left out.
fn shown(answer: &Answer, place: &Place) -> String {
    let text = format!("{}{}exit {}\n", answer.stdout, answer.stderr, answer.code.unwrap_or(-1));
    let lines = text.replace(&*place.path("work").to_string_lossy(), "$WORK");
    let lines = lines.replace(&*guest("x").parent().unwrap_or(Path::new("")).to_string_lossy(), "$GUESTS");
    // Where a line of a guest is, and how long something took, differs.
    let lines = without_lines(&lines);
    let timeless = |line: &str| match line.rsplit_once(" (") {
        Some((rest, time)) if time.ends_with("s)") => format!("{rest}\n"),
        _ => format!("{line}\n"),
    };
    lines.lines().filter(|line| !line.contains(" ran, ")).map(timeless).collect()
}

/// Leaves out the numbers of lines of the guest `links`.
fn without_lines(text: &str) -> String {
    let mut parts = text.split("links/src/lib.rs:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':');
        // What stood behind the place is kept.
        let end = if part[..part.len() - rest.len()].ends_with(':') { ":" } else { "" };
        format!("{text}links/src/lib.rs:LINE{end}{rest}")
    })
}

fn check(place: &Place, args: &[&str], expect: &Expect) {
    expect.assert_eq(&shown(&place.host([&["call", "--progress", "plain"], args].concat()), place));
}

#[test]
fn a_parameter_is_fed_by_the_stage_of_its_name_and_each_is_called_once() {
    if !require("cargo-wasm") {
        return;
    }
    let place = Place::new();
    module(&place, "links", "links", "allow = [\"machine\"]\n");
    check(
        &place,
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
    // What may be left out is.
    check(
        &place,
        &["-m", "links", "maybe"],
        &expect![[r#"
            nothing
            exit 0
        "#]],
    );
    // A flag comes first.
    check(
        &place,
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
fn what_nobody_looks_at_is_not_called() {
    if !require("cargo-wasm") {
        return;
    }
    let place = Place::new();
    module(&place, "links", "links", "allow = [\"machine\"]\n");
    check(
        &place,
        &["-m", "links", "idle"],
        &expect![[r#"
            idle
            stage `idle` is fed by `tree`
            exit 0
        "#]],
    );
    check(
        &place,
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
fn wrong_links_are_told_with_their_path_before_anything_runs() {
    if !require("cargo-wasm") {
        return;
    }
    let place = Place::new();
    module(&place, "links", "links", "allow = [\"machine\"]\n");
    check(
        &place,
        &["-m", "links", "ping"],
        &expect![[r#"
        error: stage `ping` needs itself: `ping.pong <- pong.ping <- ping`
        hint: give `ping.pong` a value by its flag or by `args` in the manifest
        exit 3
    "#]],
    );
    // A flag cuts the circle.
    check(
        &place,
        &["-m", "links", "ping", "--pong", "x"],
        &expect![[r#"
        ping x
        exit 0
    "#]],
    );
    check(
        &place,
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
fn a_stage_that_fails_fails_who_needs_it_with_its_own_words() {
    if !require("cargo-wasm") {
        return;
    }
    let place = Place::new();
    module(&place, "links", "links", "allow = [\"machine\"]\n");
    check(
        &place,
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
    if !require("cargo-wasm") {
        return;
    }
    let place = Place::new();
    place.write("texts/a.txt", "short\n");
    place.write("texts/skip/b.txt", "x".repeat(200));
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
    pipeline(&place, &format!("{}{stages}", dependency("lint", "objects")));
    check(
        &place,
        &["style"],
        &expect![[r#"
        {"path":"a.txt","n-lines":1}
        stage `style` is fed by `strict` as `linter`
        exit 0
    "#]],
    );
    check(
        &place,
        &["level"],
        &expect![[r#"
            checked at level 3
            stage `level` is `strict.with-level(3).check()`
            exit 0
        "#]],
    );
    check(
        &place,
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
        &place,
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
        exit 0
    "#]],
    );
}

#[test]
fn functions_of_one_instance_can_feed_each_other() {
    if !require("cargo-wasm") {
        return;
    }
    let place = Place::new();
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
    pipeline(&place, &format!("{}{stages}", dependency("lint", "objects")));
    let answer = place.host(["call", "-q", "style"]);
    assert_eq!((answer.stdout.as_str(), answer.code), ("{\"path\":\"good.txt\",\"n-lines\":1}\n", Some(0)));
}

#[test]
fn dangling_references_of_a_manifest_have_line_and_column() {
    if !require("cargo-wasm") {
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
        let place = Place::new();
        pipeline(&place, &format!("{}{stages}", dependency("lint", "objects")));
        check(&place, &["a"], &expect);
    }
}

#[test]
fn functions_and_objects_of_a_dependency_are_used_as_ones_own() {
    if !require("cargo-wasm") {
        return;
    }
    let place = Place::new();
    let dependencies = format!("allow = [\"machine\"]\n{}", dependency("objects", "objects"));
    module(&place, "linked", "linked", &dependencies);
    check(
        &place,
        &["-m", "linked", "style", "--level", "4"],
        &expect![[r#"
        a linter of level 4: checked at level 4
        exit 0
    "#]],
    );
    check(
        &place,
        &["-m", "linked", "every-way"],
        &expect![[r#"
        23
        exit 0
    "#]],
    );
    check(
        &place,
        &["-m", "linked", "style", "--level", "0"],
        &expect![[r#"
        error: stage `style` failed
          caused by: the dependency: a linter of level 0 checks nothing
        exit 1
    "#]],
    );
    check(
        &place,
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
    if !require("cargo-wasm") {
        return;
    }
    let place = Place::new();
    module(&place, "objects", "objects", "");
    check(
        &place,
        &["-m", "objects", "linter", "--level", "3", "with-level", "--level", "7", "check"],
        &expect![[r#"
            checked at level 7
            exit 0
        "#]],
    );
    check(
        &place,
        &["-m", "objects", "linter", "chek"],
        &expect![[r#"
        error: a linter has no method `chek`
        hint: did you mean `check`?
        exit 2
    "#]],
    );
    check(
        &place,
        &["-m", "objects", "strict", "--level", "12", "check"],
        &expect![[r#"
        error: stage `strict` failed
          caused by: there is no level 12: 9 is the highest
        exit 1
    "#]],
    );
    check(
        &place,
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
    if !require("cargo-wasm") {
        return;
    }
    let stages = "[stages.seed]\ncall = \"links.seed\"\n";
    let place = Place::new();
    pipeline(&place, &format!("{}{stages}", dependency("links", "links")));
    check(
        &place,
        &["seed"],
        &expect![[r#"
        error: dependency `links` of module `shop` needs the power `machine`, which `shop` was not granted
        hint: grant it with `--allow machine`, or with `allow` in `host.toml`
        exit 3
    "#]],
    );
    check(
        &place,
        &["--allow", "machine", "seed"],
        &expect![[r#"
        seed
        [links.seed] called
        exit 0
    "#]],
    );
    let withheld = dependency("links", "links").replace(" }", ", allow = [] }");
    pipeline(&place, &format!("allow = [\"machine\"]\n{withheld}{stages}"));
    check(
        &place,
        &["seed"],
        &expect![[r#"
        error: dependency `links` of module `shop` needs the power `machine`, which `shop` was not granted
        hint: add "machine" to `allow` of the dependency `links` in `host.toml`
        exit 3
    "#]],
    );
}

#[test]
fn an_import_that_nothing_provides_is_told() {
    if !require("cargo-wasm") {
        return;
    }
    let place = Place::new();
    module(&place, "linked", "linked", "allow = [\"machine\"]\n");
    check(
        &place,
        &["-m", "linked", "style"],
        &expect![[r#"
        error: module `linked` imports `local:objects/stages@0.1.0`, which the host does not have
        hint: name the module that exports it under `[dependencies]` in `host.toml`
        exit 3
    "#]],
    );
    module(&place, "linked", "linked", &format!("allow = [\"machine\"]\n{}", dependency("objects", "links")));
    check(
        &place,
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
    if !require("cargo-wasm") {
        return;
    }
    let place = Place::new();
    let stages = "[stages.dark]\ncall = \"links.panics\"\n[stages.seed]\ncall = \"links.seed\"\n";
    pipeline(&place, &format!("allow = [\"machine\"]\n{}{stages}", dependency("links", "links")));
    check(
        &place,
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
        &place,
        &["seed"],
        &expect![[r#"
        seed
        [links.seed] called
        exit 0
    "#]],
    );
}

#[test]
fn what_was_begun_goes_on_while_another_is_read() {
    if !require("cargo-wasm") || !require("crun") {
        return;
    }
    let place = Place::new();
    module(&place, "crossing", "crossing", &format!("allow = [\"machine\"]\n{}", dependency("links", "links")));
    let args = ["call", "-m", "crossing", "--jobs", "2", "--events", "events", "side-by-side"];
    assert_eq!(place.host(args).stdout, "one\nother\n");
    let events = std::fs::read_to_string(place.path("work/events")).unwrap();
    let naps: Vec<serde_json::Value> = events
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|event: &serde_json::Value| event["operation"] == "exec")
        .collect();
    let time = |nap: usize, key: &str| naps[nap][key].as_str().unwrap().to_owned();
    assert_eq!(naps.len(), 2, "{events}");
    assert!(time(0, "start") < time(1, "end") && time(1, "start") < time(0, "end"), "{events}");
    // Both say which function asked for them.
    assert!(naps.iter().all(|nap| nap["function"] == "links.nap"), "{events}");
}

#[test]
fn a_function_of_a_dependency_is_called_once_and_only_if_it_is_needed() {
    if !require("cargo-wasm") {
        return;
    }
    let place = Place::new();
    module(&place, "crossing", "crossing", &format!("allow = [\"machine\"]\n{}", dependency("links", "links")));
    check(
        &place,
        &["-m", "crossing", "twice"],
        &expect![[r#"
        seedseed
        [links.seed] called
        exit 0
    "#]],
    );
    check(
        &place,
        &["-m", "crossing", "unused"],
        &expect![[r#"
        unused
        exit 0
    "#]],
    );
    check(
        &place,
        &["-m", "crossing", "late"],
        &expect![[r#"
        error: stage `late` failed
          caused by: the look: it is broken
        exit 1
    "#]],
    );
    check(
        &place,
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
    if !require("cargo-wasm") || !require("crun") {
        return;
    }
    let place = Place::new();
    let stages = "[stages.variable]\nenv = { CITY = \"Ulm\" }\nargs = { name = \"CITY\" }\n\n[stages.bare]\ncall = \"variable\"\n";
    module(&place, "links", "links", &format!("allow = [\"machine\"]\n{stages}"));
    let said = |stage: &str| place.host(["call", "-m", "links", stage, "--name", "CITY"]).stdout;
    assert_eq!((said("variable").as_str(), said("bare").as_str()), ("Ulm\n", "\n"));
}
