//! `host run`: which stages, with which values, and what is told of them. The engine's stages need nothing of each
//! other unless a manifest links them.

use expect_test::expect;

use crate::world::{World, check};

/// A module with stages of a manifest.
fn module(stages: &str) -> World {
    let world = World::new();
    world.write("host.toml", format!("name = \"demo\"\nversion = \"0.1.0\"\ncomponent = \"demo.wasm\"\n{stages}"));
    world
}

#[test]
fn the_text_of_one_stage_is_data_and_the_outcome_is_talk() {
    check(
        &["run", "hello"],
        &expect![[r#"
            exit 0
            -- stdout
            Hello, world!
            -- stderr
            done     hello  2 ms
        "#]],
    );
    check(
        &["run", "names", "hello", "hello"],
        &expect![[r#"
            exit 0
            -- stderr
            done     names  2 ms
            done     hello  2 ms
        "#]],
    );
    check(
        &["run", "-q", "nothing"],
        &expect![[r#"
            exit 0
        "#]],
    );
}

#[test]
fn a_stage_that_fails_is_shown_with_its_command_and_the_end_of_its_output() {
    check(
        &["run", "hello", "trap", "refuse"],
        &expect![[r#"
            exit 1
            -- stderr
            error: stage `trap` failed
              caused by: command `make` exited with code 2
              stderr:
                no rule
            error: stage `refuse` failed
              caused by: the tree is on fire
            done     hello   2 ms
            failed   trap    3 ms
            failed   refuse  3 ms
        "#]],
    );
    check(
        &["run", "-q", "broken", "trap"],
        &expect![[r#"
            exit 70
            -- stderr
            error: stage `broken` failed
              caused by: 2 is 3
            this is a bug in host: please report it with the lines above and `host --version`
            error: stage `trap` failed
              caused by: command `make` exited with code 2
              stderr:
                no rule
        "#]],
    );
}

#[test]
fn a_failure_that_the_manifest_allows_is_none() {
    module("[stages.trap]\nallow-failure = true\n").check(
        &["run", "hello", "trap"],
        &expect![[r#"
            exit 0
            -- stderr
            warning: stage `trap` failed, which is allowed
              caused by: command `make` exited with code 2
              stderr:
                no rule
            done     hello  2 ms
            failed   trap   3 ms (allowed)
        "#]],
    );
}

#[test]
fn an_interrupt_is_no_outcome_of_a_stage() {
    check(
        &["run", "hello", "cancelled"],
        &expect![[r#"
            exit 130
            -- stderr
            error: cancelled
        "#]],
    );
}

#[test]
fn outcomes_are_json_on_demand() {
    check(
        &["run", "--json", "-q", "hello", "refuse", "shell"],
        &expect![[r#"
            exit 1
            -- stdout
            {
              "stages": [
                {
                  "stage": "hello",
                  "outcome": "done",
                  "wanted": true,
                  "duration_ms": 2.0,
                  "value": "Hello, world!"
                },
                {
                  "stage": "refuse",
                  "outcome": "failed",
                  "wanted": true,
                  "duration_ms": 3.0,
                  "error": "the tree is on fire",
                  "function": null
                },
                {
                  "stage": "shell",
                  "outcome": "done",
                  "wanted": true,
                  "duration_ms": 2.0
                }
              ],
              "not_run": []
            }
            -- stderr
            error: stage `refuse` failed
              caused by: the tree is on fire
        "#]],
    );
}

#[test]
fn a_stage_that_lacks_an_argument_is_refused_before_anything_runs() {
    check(
        &["run", "hello", "add"],
        &expect![[r#"
            exit 2
            -- stderr
            error: stage `add` needs `a` (s32) and `b` (u8)
            hint: give it by `--arg add.a=VALUE` and `--arg add.b=VALUE`, or by `args` under `[stages.add]` in the manifest
        "#]],
    );
    check(
        &["run", "hallo"],
        &expect![[r#"
            exit 2
            -- stderr
            error: module `demo` has no stage `hallo`
            hint: did you mean `hello`?
        "#]],
    );
}

#[test]
fn values_are_given_to_every_stage_that_takes_them_or_to_one() {
    check(
        &["run", "add", "--arg", "a=1", "--arg", "add.b=2"],
        &expect![[r#"
            exit 0
            -- stdout
            3
            -- stderr
            done     add  2 ms
        "#]],
    );
    // What is meant for one stage beats what is meant for all; a list is given piece by piece.
    check(
        &[
            "run",
            "-q",
            "render",
            "--arg",
            "quality=draft",
            "--arg",
            "tags=a",
            "--arg",
            "tags=b",
            "--arg",
            "build.quality=print-ready",
            "--arg",
            "render.quality=print-ready",
        ],
        &expect![[r#"
            exit 0
            -- stdout
            Enum("print-ready"); [a, b]
        "#]],
    );
    check(
        &["run", "-q", "login", "--arg", "token=env:TOKEN"],
        &expect![[r#"
            exit 0
            -- stdout
            secret(token); none; token = Env(TOKEN)
        "#]],
    );
}

#[test]
fn values_that_no_stage_takes_are_refused() {
    let refused = |arg: &str, expect: &expect_test::Expect| check(&["run", "hello", "--arg", arg], expect);
    refused(
        "qualty=draft",
        &expect![[r#"
            exit 2
            -- stderr
            error: no stage has a parameter `qualty`
            hint: did you mean `quality`?
        "#]],
    );
    refused(
        "add.c=1",
        &expect![[r#"
            exit 2
            -- stderr
            error: stage `add` has no parameter `c`
            hint: there are: a, b
        "#]],
    );
    refused(
        "shel.a=1",
        &expect![[r#"
            exit 2
            -- stderr
            error: module `demo` has no stage `shel`
            hint: did you mean `shell`?
        "#]],
    );
    refused(
        "name",
        &expect![[r#"
            exit 2
            -- stderr
            error: option `--arg` takes NAME=VALUE or STAGE.NAME=VALUE, not `name`
        "#]],
    );
    refused(
        "add.b=300",
        &expect![[r#"
            exit 2
            -- stderr
            error: flag `--b` of stage `add` takes a whole number (u8), not `300`
        "#]],
    );
}

#[test]
fn results_are_written_under_the_names_of_their_stages() {
    let world = World::new();
    world.check(
        &["run", "-o", "out", "hello", "bytes", "build", "shell", "nothing", "--arg", "src=src"],
        &expect![[r#"
            exit 0
            -- stderr
            = 1 cached
            + exec make (3.2 s)
            1 ran, 1 cached, 0 ms
            done     hello    2 ms
            done     bytes    2 ms
            done     build    2 ms
            done     shell    2 ms
            done     nothing  2 ms
        "#]],
    );
    assert_eq!(world.read("out/hello"), "Hello, world!");
    assert_eq!(world.read("out/bytes"), "a\x01b");
    let exports =
        world.platform.exports.lock().unwrap().join("\n").replace(&world.root().display().to_string(), "$ROOT");
    assert_eq!(exports, "directory to $ROOT/out/build\ncontainer to $ROOT/out/shell");
    world.check(
        &["run", "-o", "host.toml", "hello"],
        &expect![[r#"
            exit 3
            -- stderr
            error: cannot write results to `$ROOT/host.toml`: a file is in the way
        "#]],
    );
    world.check(
        &["run", "-o", "docker-daemon:x", "shell"],
        &expect![[r#"
            exit 2
            -- stderr
            error: `-o` of `host run` takes a directory, and no place of an image
            hint: `host call STAGE -o IMAGE` writes a container as an image
        "#]],
    );
}

#[test]
fn a_program_is_a_file_and_what_is_behind_it_is_its_own() {
    check(
        &["run", "demo.wasm", "--json", "x"],
        &expect![[r#"
            exit 2
            -- stderr
            error: `demo.wasm` is no program: it has the stages hello, add, switch, render, limit, limit-all, mixed, pair, build, sum, login, cached, test, shell, all, names, info, maybe, nothing, bytes, refuse, command-fails, trap, cancelled, broken
            hint: `host run -m demo.wasm [STAGE]...` runs its stages
        "#]],
    );
    check(
        &["run", "gone.wasm"],
        &expect![[r#"
            exit 3
            -- stderr
            error: there is no module at `gone.wasm`
            hint: `-m` takes a directory with a `host.toml` or a `.wasm` file
        "#]],
    );
    check(
        &["run", "-k", "demo.wasm"],
        &expect![[r#"
            exit 2
            -- stderr
            error: option `--keep-going` is about stages, and `demo.wasm` is run as a program
            hint: options behind the file belong to the program
        "#]],
    );
}

#[test]
fn changes_need_git_and_a_commit() {
    let mut world = World::new();
    world.check(
        &["run", "hello", "--only-changed-since", "HEAD"],
        &expect![[r#"
            exit 4
            -- stderr
            error: `--only-changed-since` needs `git`, which is not on the `PATH`
        "#]],
    );
    world.config.path = std::env::split_paths(&std::env::var_os("PATH").unwrap()).collect();
    let shown = world.run(&["run", "hello", "--only-changed-since", "HEAD"]);
    let head = "exit 3\n-- stderr\nerror: `--only-changed-since` needs a git repository around `$ROOT`\n";
    assert!(shown.starts_with(head), "{shown}");
}

#[test]
fn a_leaf_whose_secret_or_image_is_missing_is_left_out_by_name_and_the_others_go_on() {
    let lacking = "[stages.login]\nargs.token = \"env:NOPE\"\n[stages.test]\nargs.build = \"oci-archive:gone.tar\"\n";
    let others = "[stages.hello]\ncheck = true\n[stages.refuse]\nallow-failure = true\n";
    let world = module(&format!("{lacking}check = true\n{others}"));
    let without_warnings = |words: &[&str]| {
        let shown = world.run(words);
        shown.lines().filter(|line| !line.starts_with("warning:")).collect::<Vec<_>>().join("\n")
    };
    expect![[r#"
        exit 0
        -- stdout
        {
          "stages": [
            {
              "stage": "hello",
              "outcome": "done",
              "wanted": true,
              "duration_ms": 2.0,
              "value": "Hello, world!"
            }
          ],
          "not_run": [
            {
              "stage": "test",
              "why": "stage `test` cannot use the `build` that the manifest gives it: there is no file at `gone.tar` in `$ROOT`"
            }
          ]
        }
        -- stderr
        not run: stage `test` cannot use the `build` that the manifest gives it: there is no file at `gone.tar` in `$ROOT`
        passed   hello  2 ms
        checks: 1 passed, 1 not run"#]]
    .assert_eq(&without_warnings(&["check", "--json"]));
    expect![[r#"
        exit 3
        -- stderr
        error: 1 stage was not run, which is a mistake with `--strict` and in CI
          caused by: stage `test` cannot use the `build` that the manifest gives it: there is no file at `gone.tar` in `$ROOT`"#]]
    .assert_eq(&without_warnings(&["check", "--strict", "-q"]));
    world.check(
        &["check", "test"],
        &expect![[r#"
            exit 3
            -- stderr
            error: stage `test` cannot use the `build` that the manifest gives it
              caused by: there is no file at `gone.tar` in `$ROOT`
        "#]],
    );
    let planned = world.run(&["plan"]);
    let left_out: Vec<&str> = planned.lines().filter(|line| line.contains("manifest")).collect();
    expect![[r#"
        not planned: stage `login` cannot use the `token` that the manifest gives it: the environment variable `NOPE` of a secret is not set
        not planned: stage `test` cannot use the `build` that the manifest gives it: there is no file at `gone.tar` in `$ROOT`"#]].assert_eq(&left_out.join("\n"));
    assert!(planned.contains("hello: demo.hello\n"), "{planned}");
    let planned = world.run(&["plan", "--json", "-q"]);
    assert!(planned.contains(r#""not_planned": ["#), "{planned}");
}

#[test]
fn a_module_of_which_no_leaf_can_be_run_says_what_is_missing() {
    let world = module("[stages.login]\ncheck = true\nargs.token = \"env:NOPE\"\n");
    world.check(&["check"], &expect![[r#"
        exit 3
        -- stderr
        error: no check of module `demo` can be run
          caused by: stage `login` cannot use the `token` that the manifest gives it: the environment variable `NOPE` of a secret is not set
        hint: set it, or hand the secret over as `file:PATH` or `cmd:COMMAND`
    "#]]);
}
