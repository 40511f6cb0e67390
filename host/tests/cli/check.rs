//! `host check`: which stages are checks, and what is told of them.

use expect_test::expect;

use crate::world::{World, check};

#[test]
fn a_check_passes_or_fails_and_all_run_to_their_end() {
    check(
        &["check", "refuse", "hello", "nothing"],
        &expect![[r#"
            exit 1
            -- stderr
            error: stage `refuse` failed
              caused by: the tree is on fire
            failed   refuse   3 ms
            passed   hello    2 ms
            passed   nothing  2 ms
            checks: 2 passed, 1 failed
        "#]],
    );
    check(
        &["check", "hello", "-q"],
        &expect![[r#"
            exit 0
        "#]],
    );
}

#[test]
fn what_makes_an_object_is_no_check() {
    check(
        &["check", "hello", "shell"],
        &expect![[r#"
            exit 2
            -- stderr
            error: stage `shell` is no check: it makes `container`
            hint: `host run shell` runs it; with `check = true` under `[stages.shell]` in `host.toml` it is a check
        "#]],
    );
    check(
        &["check", "login"],
        &expect![[r#"
            exit 2
            -- stderr
            error: stage `login` needs `token` (secret)
            hint: give it by `--arg login.token=VALUE`, or by `args` under `[stages.login]` in the manifest
        "#]],
    );
    check(
        &["check", "--output", "x"],
        &expect![[r#"
            exit 2
            -- stderr
            error: `host check` has no option `--output`
            hint: it has: --module, --fail-fast, --report, --strict, --arg, --json, --allow, --no-network, --no-cache, --jobs, --timeout, --max-entries, --max-bytes, --max-results, --max-result-bytes, --max-depth, --engine, --explain, --events, --progress, --quiet, --verbose
            usage: host check [OPTIONS] [STAGE]...
        "#]],
    );
}

#[test]
fn outcomes_are_a_report_for_other_tools() {
    let world = World::new();
    world.check(
        &["check", "hello", "command-fails", "--report", "junit.xml", "-q"],
        &expect![[r#"
            exit 1
            -- stderr
            error: stage `command-fails` failed
              caused by: command `make` exited with code 2
              stderr:
                boom
                make: *** [all] Error 1
        "#]],
    );
    expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="demo" tests="2" failures="1" errors="0" skipped="0" time="0.005">
          <testsuite name="hello" tests="1" failures="0" errors="0" skipped="0" time="0.002">
            <testcase name="hello" classname="demo.hello" time="0.002"/>
            <system-out>Hello, world!</system-out>
          </testsuite>
          <testsuite name="command-fails" tests="1" failures="1" errors="0" skipped="0" time="0.003">
            <testcase name="command-fails" classname="demo.command-fails" time="0.003">
              <failure message="command `make` exited with code 2">error: stage `command-fails` failed
          caused by: command `make` exited with code 2
          stderr:
            boom
            make: *** [all] Error 1</failure>
            </testcase>
          </testsuite>
        </testsuites>
    "#]]
    .assert_eq(&world.read("junit.xml"));
    world.check(
        &["check", "hello", "--report", "no/such/dir.xml", "-q"],
        &expect![[r#"
            exit 3
            -- stderr
            error: cannot write the report to `$ROOT/no/such/dir.xml`
              caused by: No such file or directory (os error 2)
        "#]],
    );
}

#[test]
fn outcomes_are_json_on_demand() {
    check(
        &["check", "hello", "--json", "-q"],
        &expect![[r#"
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
              "not_run": []
            }
        "#]],
    );
}
