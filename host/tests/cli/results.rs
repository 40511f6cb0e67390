//! What becomes of results, and how runs are shown.

use expect_test::expect;

use crate::world::{World, check};

#[test]
fn results_are_printed_plain() {
    check(
        &["call", "names"],
        &expect![[r#"
        exit 0
        -- stdout
        a
        b
    "#]],
    );
    check(
        &["call", "info"],
        &expect![[r#"
        exit 0
        -- stdout
        {
          "cpus": 2,
          "label": "x"
        }
    "#]],
    );
    check(
        &["call", "maybe"],
        &expect![[r#"
        exit 0
        -- stdout
        null
    "#]],
    );
    check(
        &["call", "nothing"],
        &expect![[r#"
        exit 0
    "#]],
    );
    check(
        &["call", "bytes"],
        &expect![[r#"
        exit 0
        -- stdout
        ab"#]],
    );
    check(
        &["call", "all"],
        &expect![[r#"
        exit 0
        -- stdout
        directory blake3:d1
        directory blake3:d1
    "#]],
    );
    check(
        &["call", "shell"],
        &expect![[r#"
            exit 0
            -- stdout
            container blake3:c12075ead2c5cd922f0b957395a41c5ff9b2b0c75153988d4d92760ada9a63ed
        "#]],
    );
}

#[test]
fn results_are_printed_as_json() {
    check(
        &["call", "--json", "names"],
        &expect![[r#"
        exit 0
        -- stdout
        [
          "a",
          "b"
        ]
    "#]],
    );
    check(
        &["call", "info", "--json"],
        &expect![[r#"
        exit 0
        -- stdout
        {
          "cpus": 2,
          "label": "x"
        }
    "#]],
    );
    check(
        &["call", "maybe", "--json"],
        &expect![[r#"
        exit 0
        -- stdout
        null
    "#]],
    );
    check(
        &["call", "all", "--json"],
        &expect![[r#"
        exit 0
        -- stdout
        [
          {
            "type": "directory",
            "digest": "blake3:d1"
          },
          {
            "type": "directory",
            "digest": "blake3:d1"
          }
        ]
    "#]],
    );
}

#[test]
fn a_result_can_be_written_to_a_path() {
    let world = World::new();
    world.check(
        &["call", "build", "-q", "--src", "src", "-o", "out"],
        &expect![[r#"
        exit 0
    "#]],
    );
    assert_eq!(*world.platform.exports.lock().unwrap(), [format!("directory to {}/out", world.root().display())]);
    world.check(
        &["call", "hello", "-o", "deep/hello.txt"],
        &expect![[r#"
        exit 0
        -- stderr
        saved deep/hello.txt
    "#]],
    );
    assert_eq!(world.read("deep/hello.txt"), "Hello, world!");
    world.check(
        &["call", "all", "-o", "out"],
        &expect![[r#"
            exit 2
            -- stderr
            error: `-o` cannot write what `all` returns: a list of objects
            hint: `-o` writes a directory, a file, a container's image or root file system, a scalar or a record
        "#]],
    );
    world.check(
        &["call", "nothing", "-o", "out"],
        &expect![[r#"
            exit 2
            -- stderr
            error: `-o` cannot write what `nothing` returns: nothing
            hint: `-o` writes a directory, a file, a container's image or root file system, a scalar or a record
        "#]],
    );
}

#[test]
fn a_run_is_told_line_by_line() {
    check(
        &["call", "build", "--src", "src", "--progress", "none"],
        &expect![[r#"
        exit 0
        -- stdout
        directory blake3:d1
    "#]],
    );
    let shown = World::new().run(&["call", "build", "--src", "src"]);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(
        lines[..6],
        ["exit 0", "-- stdout", "directory blake3:d1", "-- stderr", "= 1 cached", "+ exec make (3.2 s)"]
    );
    assert!(lines[6].starts_with("1 ran, 1 cached, "), "{shown}");
}

#[test]
fn a_run_can_be_explained() {
    check(
        &["call", "build", "--src", "src", "-q", "--explain"],
        &expect![[r#"
        exit 0
        -- stdout
        directory blake3:d1
        -- stderr
        OUTCOME        TIME  VERTEX          WHY
        ran            1 ms  local $SRC      it is looked at in every run
        cached         0 ms  exec configure  its key was found
        ran           3.2 s  exec make       nothing like it ran before
    "#]],
    );
    let shown = World::new().run(&["call", "build", "--src", "src", "-q", "--explain=json"]);
    assert!(shown.contains("\"reason\": \"never-ran\""), "{shown}");
}

#[test]
fn events_are_lines_of_json() {
    let world = World::new();
    world.run(&["call", "build", "--src", "src", "--events", "events.jsonl"]);
    let events = world.read("events.jsonl");
    expect![[r#"{"event":"vertex","vertex":"blake3:b1d3ca4ad574d785b4a3e9f6fcc4b07519b004e5b42ebcbd1d04f3a90bee726e","name":"exec make","operation":"exec","start":"1970-01-01T00:01:00.000Z","end":"1970-01-01T00:01:03.200Z","duration_ms":3200.0,"outcome":"ran","reason":"never-ran","reason_text":"nothing like it ran before","inputs":[],"stage":"build"}"#]].assert_eq(events.lines().nth(2).unwrap());
    assert!(events.lines().last().unwrap().starts_with("{\"event\":\"end\",\"ran\":1,\"cached\":1,"), "{events}");
}

#[test]
fn each_kind_of_failure_has_its_exit_code() {
    check(
        &["call", "refuse"],
        &expect![[r#"
        exit 1
        -- stderr
        error: stage `refuse` failed
          caused by: the tree is on fire
    "#]],
    );
    check(
        &["call", "command-fails"],
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
    check(
        &["call", "trap"],
        &expect![[r#"
        exit 1
        -- stderr
        error: command `make` exited with code 2
          stderr:
            no rule
    "#]],
    );
    check(
        &["call", "cancelled"],
        &expect![[r#"
        exit 130
        -- stderr
        error: cancelled
    "#]],
    );
    check(
        &["call", "broken"],
        &expect![[r#"
        exit 70
        -- stderr
        error: 2 is 3
        this is a bug in host: please report it with the lines above and `host --version`
    "#]],
    );
    check(
        &["call", "hello", "--events", "/no/such/dir/x"],
        &expect![[r#"
            exit 3
            -- stderr
            error: cannot write the events to `/no/such/dir/x`
              caused by: No such file or directory (os error 2)
        "#]],
    );
}

#[test]
fn options_of_the_run_are_checked() {
    check(
        &["call", "hello", "--jobs", "0"],
        &expect![[r#"
        exit 2
        -- stderr
        error: option `--jobs` takes a number from 1 on, not `0`
    "#]],
    );
    check(
        &["call", "hello", "--timeout", "soon"],
        &expect![[r#"
        exit 2
        -- stderr
        error: option `--timeout` takes a time as in `90`, `500ms`, `10m` or `2h`, not `soon`
    "#]],
    );
    check(
        &["call", "hello", "--engine", "podman"],
        &expect![[r#"
            exit 2
            -- stderr
            error: there is no engine `podman`
            hint: engines: embedded, docker, docker-classic
        "#]],
    );
    check(
        &["call", "hello", "--engine", "embeded"],
        &expect![[r#"
        exit 2
        -- stderr
        error: there is no engine `embeded`
        hint: did you mean `embedded`?
    "#]],
    );
    check(
        &["call", "hello", "--allow", "machin"],
        &expect![[r#"
        exit 2
        -- stderr
        error: there is no power `machin`
        hint: did you mean `machine`?
    "#]],
    );
    check(
        &["call", "hello", "--progress", "loud"],
        &expect![[r#"
        exit 2
        -- stderr
        error: option `--progress` takes one of auto, plain, tty, none, not `loud`
    "#]],
    );
    check(
        &["call", "render", "--quality", "draft", "--tags", "a", "--allow", "machine"],
        &expect![[r#"
        exit 0
        -- stdout
        Enum("draft"); [a]; granted {"machine"}
    "#]],
    );
}
