//! Flags of every type.

use expect_test::expect;

use crate::world::{World, check};

#[test]
fn an_option_may_be_left_out() {
    check(
        &["call", "hello"],
        &expect![[r#"
        exit 0
        -- stdout
        Hello, world!
    "#]],
    );
    check(
        &["call", "hello", "--name", "Ann"],
        &expect![[r#"
        exit 0
        -- stdout
        Hello, Ann!
    "#]],
    );
    check(
        &["call", "hello", "--name=--Ann"],
        &expect![[r#"
        exit 0
        -- stdout
        Hello, --Ann!
    "#]],
    );
}

#[test]
fn numbers_are_checked() {
    check(
        &["call", "add", "--a", "-4", "--b=5"],
        &expect![[r#"
        exit 0
        -- stdout
        1
    "#]],
    );
    check(
        &["call", "add", "--a", "x", "--b=5"],
        &expect![[r#"
        exit 2
        -- stderr
        error: flag `--a` of stage `add` takes a whole number (s32), not `x`
    "#]],
    );
    check(
        &["call", "add", "--a", "1", "--b", "256"],
        &expect![[r#"
        exit 2
        -- stderr
        error: flag `--b` of stage `add` takes a whole number (u8), not `256`
    "#]],
    );
}

#[test]
fn a_switch_stands_alone_or_says_what_it_is() {
    check(
        &["call", "switch"],
        &expect![[r#"
        exit 0
        -- stdout
        Bool(false); none
    "#]],
    );
    check(
        &["call", "switch", "--dry-run", "--loud=false"],
        &expect![[r#"
        exit 0
        -- stdout
        Bool(true); some(Bool(false))
    "#]],
    );
    check(
        &["call", "switch", "--dry-run=maybe"],
        &expect![[r#"
        exit 2
        -- stderr
        error: flag `--dry-run` of stage `switch` takes true or false, not `maybe`
    "#]],
    );
}

#[test]
fn enums_and_lists() {
    check(
        &["call", "render", "--quality", "PRINT_READY", "--tags", "a,\"b,c\"", "--tags", "d"],
        &expect![[r#"
            exit 0
            -- stdout
            Enum("print-ready"); [a,"b,c", d]
        "#]],
    );
    check(
        &["call", "render", "--quality", "draft", "--tags", "[\"a\", \"b\"]"],
        &expect![[r#"
        exit 0
        -- stdout
        Enum("draft"); [a, b]
    "#]],
    );
    check(
        &["call", "render", "--quality", "final", "--tags", ""],
        &expect![[r#"
        exit 2
        -- stderr
        error: flag `--quality` of stage `render` takes one of draft, print-ready, not `final`
    "#]],
    );
}

#[test]
fn records_are_json_or_wave() {
    check(
        &["call", "limit", "--limits", "{\"cpus\": 2}"],
        &expect![[r#"
        exit 0
        -- stdout
        Record([("cpus", U8(2)), ("label", Option(None))])
    "#]],
    );
    check(
        &["call", "limit", "--limits", "{cpus: 3}"],
        &expect![[r#"
        exit 0
        -- stdout
        Record([("cpus", U8(3)), ("label", Option(None))])
    "#]],
    );
    check(
        &["call", "limit", "--limits", "{\"cpu\": 2}"],
        &expect![[r#"
        exit 2
        -- stderr
        error: flag `--limits` of stage `limit` takes record { cpus: u8, label: option<string> }, not `{"cpu": 2}`
          caused by: there is no field `cpu`; did you mean `cpus`?
    "#]],
    );
    check(
        &["call", "limit", "--limits", "{cpus}"],
        &expect![[r#"
        exit 2
        -- stderr
        error: flag `--limits` of stage `limit` takes record { cpus: u8, label: option<string> }, not `{cpus}`
          caused by: expected `}` at 1:9
    "#]],
    );
    check(
        &["call", "limit-all", "--limits", "{\"cpus\": 2}", "--limits", "{\"cpus\": 4}"],
        &expect![[r#"
        exit 0
        -- stdout
        some([Record([("cpus", U8(2)), ("label", Option(None))]), Record([("cpus", U8(4)), ("label", Option(None))])])
    "#]],
    );
    check(
        &["call", "pair", "--pair", "[\"a\", 7]"],
        &expect![[r#"
        exit 0
        -- stdout
        Tuple([String("a"), U8(7)])
    "#]],
    );
}

#[test]
fn other_scalars() {
    check(
        &["call", "mixed", "--ratio", "0.5", "--letter", "é", "--raw", "ab"],
        &expect![[r#"
        exit 0
        -- stdout
        F64(0.5); Char('é'); Bytes([97, 98])
    "#]],
    );
    check(
        &["call", "mixed", "--ratio", "half", "--letter", "ab", "--raw", "ab"],
        &expect![[r#"
        exit 2
        -- stderr
        error: flag `--ratio` of stage `mixed` takes a number (f64), not `half`
    "#]],
    );
}

#[test]
fn directories_and_files_are_given_by_path() {
    let world = World::new();
    world.check(
        &["call", "-q", "build", "--src", "src", "file", "--path", "a", "name"],
        &expect![[r#"
            exit 0
            -- stdout
            a
        "#]],
    );
    world.check(&["call", "sum", "--files", "src/main.c,~/notes.txt"], &expect![[r#"
        exit 0
        -- stdout
        [file(main.c at /main.c of local $ROOT/src/main.c include [] exclude []), file(notes.txt at /notes.txt of local $ROOT/home/notes.txt include [] exclude [])]
    "#]]);
    world.check(
        &["call", "sum", "--files", "src"],
        &expect![[r#"
        exit 3
        -- stderr
        error: cannot use flag `--files` of stage `sum`
          caused by: `src` is a directory, not a file
    "#]],
    );
    world.check(
        &["call", "build", "--src", "sources"],
        &expect![[r#"
            exit 3
            -- stderr
            error: cannot use flag `--src` of stage `build`
              caused by: there is no directory at `sources` in `$ROOT`
        "#]],
    );
    world.check(
        &["call", "build", "--src", "src/main.c"],
        &expect![[r#"
        exit 3
        -- stderr
        error: cannot use flag `--src` of stage `build`
          caused by: `src/main.c` is a file, not a directory
    "#]],
    );
}

#[test]
fn a_linked_file_keeps_the_name_of_its_link() {
    let world = World::new();
    std::os::unix::fs::symlink("src/main.c", world.root().join("link.c")).unwrap();
    world.check(
        &["call", "sum", "--files", "link.c"],
        &expect![[r#"
        exit 0
        -- stdout
        [file(link.c at /main.c of local $ROOT/src/main.c include [] exclude [])]
    "#]],
    );
}

#[test]
fn secrets_are_given_by_source() {
    let world = World::new();
    world.check(
        &["call", "login", "--token", "env:TOKEN", "--other", "cmd:pass show x"],
        &expect![[r#"
        exit 0
        -- stdout
        secret(token); some(secret(other)); token = Env(TOKEN); other = Command(pass show x)
    "#]],
    );
    world.check(
        &["call", "login", "--token", "env://TOKEN", "--other", "file:home/notes.txt"],
        &expect![[r#"
        exit 0
        -- stdout
        secret(token); some(secret(other)); token = Env(TOKEN); other = File($ROOT/home/notes.txt)
    "#]],
    );
    world.check(
        &["call", "login", "--token", "env:GONE"],
        &expect![[r#"
            exit 3
            -- stderr
            error: cannot use flag `--token` of stage `login`
              caused by: the environment variable `GONE` of a secret is not set
            hint: set it, or hand the secret over as `file:PATH` or `cmd:COMMAND`
        "#]],
    );
    world.check(
        &["call", "login", "--token", "file:gone"],
        &expect![[r#"
            exit 3
            -- stderr
            error: cannot use flag `--token` of stage `login`
              caused by: there is no file at `gone` in `$ROOT`
        "#]],
    );
    world.check(
        &["call", "login", "--token", "hunter2"],
        &expect![[r#"
        exit 2
        -- stderr
        error: cannot use flag `--token` of stage `login`
          caused by: a secret is given as `env:NAME`, `file:PATH` or `cmd:COMMAND`, never as itself
    "#]],
    );
}

#[test]
fn cache_volumes_are_given_by_key_and_containers_as_images() {
    check(
        &["call", "cached", "--volume", "npm"],
        &expect![[r#"
        exit 0
        -- stdout
        cache-volume(npm)
    "#]],
    );
    check(
        &["call", "test"],
        &expect![[r#"
            exit 2
            -- stderr
            error: stage `test` needs `--build`
              caused by: `test.build <- build` does not fit: it makes `directory`, not `container`
            usage: host call test --build IMAGE
        "#]],
    );
    check(
        &["call", "test", "--build", "alpine"],
        &expect![[r#"
            exit 0
            -- stdout
            Object(Pending(Pending(container.from-image blake3:1cdda1c0b4093d416d5cfd18e16c402bc825ac22595fbcd43c6cd89d054a8726)))
        "#]],
    );
}

#[test]
fn names_are_taken_in_any_case() {
    check(
        &["call", "limitAll", "--limits", "{\"cpus\": 1}"],
        &expect![[r#"
        exit 0
        -- stdout
        some([Record([("cpus", U8(1)), ("label", Option(None))])])
    "#]],
    );
    check(
        &["call", "switch", "--dryRun"],
        &expect![[r#"
        exit 0
        -- stdout
        Bool(true); none
    "#]],
    );
    check(
        &["call", "switch", "--dry_run"],
        &expect![[r#"
        exit 0
        -- stdout
        Bool(true); none
    "#]],
    );
}

#[test]
fn a_value_may_be_given_by_arg_and_a_flag_beats_it() {
    for args in [
        ["call", "add", "--arg", "a=1", "--arg", "add.b=2"],
        ["call", "--arg", "a=1", "add", "--b", "2"],
        ["call", "add", "--b", "2", "--arg=add.a=1", "--arg=add.b=9"],
    ] {
        check(&args, &expect!["exit 0\n-- stdout\n3\n"]);
    }
}

#[test]
fn missing_surplus_and_unknown_flags_are_told() {
    check(
        &["call", "add", "--a", "1"],
        &expect![[r#"
        exit 2
        -- stderr
        error: stage `add` needs `--b`
        usage: host call add --a NUMBER --b NUMBER
    "#]],
    );
    check(
        &["call", "add"],
        &expect![[r#"
        exit 2
        -- stderr
        error: stage `add` needs `--a` and `--b`
        usage: host call add --a NUMBER --b NUMBER
    "#]],
    );
    check(
        &["call", "hello", "--nam", "Ann"],
        &expect![[r#"
        exit 2
        -- stderr
        error: stage `hello` has no flag `--nam`
        hint: did you mean `--name`?
        usage: host call hello [--name TEXT]
    "#]],
    );
    check(
        &["call", "hello", "--name"],
        &expect![[r#"
        exit 2
        -- stderr
        error: flag `--name` of stage `hello` needs a value
        usage: host call hello [--name TEXT]
    "#]],
    );
    check(
        &["call", "hello", "--name", "a", "--name", "b"],
        &expect![[r#"
        exit 2
        -- stderr
        error: flag `--name` of stage `hello` was given more than once
    "#]],
    );
    check(
        &["call", "hello", "Ann"],
        &expect![[r#"
            exit 2
            -- stderr
            error: stage `hello` returns `string`, which has no method `Ann`
            hint: methods can be called on containers, directories, files and other objects; flags begin with `--`
        "#]],
    );
}

#[test]
fn patterns_leave_files_out() {
    check(
        &[
            "call",
            "-q",
            "build",
            "--src",
            "src",
            "--src-exclude",
            "*.o",
            "--src-exclude",
            "target",
            "--src-include",
            "**/*.c",
        ],
        &expect![[r#"
            exit 0
            -- stdout
            directory blake3:d1
        "#]],
    );
}

#[test]
fn a_flag_that_is_repeated_takes_its_items_as_they_are() {
    check(
        &["call", "render", "--quality", "draft", "--tags", "a,b"],
        &expect![[r#"
        exit 0
        -- stdout
        Enum("draft"); [a, b]
    "#]],
    );
    check(
        &["call", "render", "--quality", "draft", "--tags", "x", "--tags", "a,b"],
        &expect![[r#"
        exit 0
        -- stdout
        Enum("draft"); [x, a,b]
    "#]],
    );
}

#[test]
fn a_value_without_its_flag_is_told_with_the_command() {
    check(
        &["call", "build", "."],
        &expect![[r#"
        exit 2
        -- stderr
        error: a directory has no method `.`
        hint: a value needs its flag: `host call build --src .`
    "#]],
    );
    check(
        &["call", "build", "src/main.c"],
        &expect![[r#"
        exit 2
        -- stderr
        error: a directory has no method `src/main.c`
        hint: a value needs its flag: `host call build --src src/main.c`
    "#]],
    );
    check(
        &["call", "add", "5"],
        &expect![[r#"
        exit 2
        -- stderr
        error: stage `add` returns `s64`, which has no method `5`
        hint: a value needs its flag: `host call add --a 5`
    "#]],
    );
}

#[test]
fn a_flag_is_written_in_the_case_of_any_language_and_its_value_too() {
    check(
        &["call", "build", "--src=src", "--srcExclude", "*.o", "--src_include=*.c", "-q", "entries"],
        &expect![[r#"
        exit 0
        -- stdout
        a
        dir/
    "#]],
    );
}

/// A module in which `greet` says what `switch` answers.
fn fed() -> World {
    let world = World::new();
    let head = "name = \"demo\"\nversion = \"0.1.0\"\ncomponent = \"demo.wasm\"\n";
    world.write("host.toml", format!("{head}[stages.greet]\ncall = \"hello\"\nargs.name = {{ from = \"switch\" }}\n"));
    world
}

#[test]
fn a_flag_of_the_only_stage_that_feeds_the_called_one_and_has_it_is_taken() {
    fed().check(
        &["call", "greet", "--dry-run", "--loud=false"],
        &expect![[r#"
        exit 0
        -- stdout
        Bool(true); some(Bool(false))
        -- stderr
        stage `greet` is fed by `switch` as `name`
    "#]],
    );
    fed().check(
        &["call", "greet", "--dry-rum"],
        &expect![[r#"
        exit 2
        -- stderr
        error: stage `greet` has no flag `--dry-rum`
        hint: did you mean `--dry-run`?
        usage: host call greet [--name TEXT]
    "#]],
    );
    fed().check(
        &["call", "greet", "--name", "x", "--dry-run"],
        &expect![[r#"
        exit 2
        -- stderr
        error: a flag is for stage `switch`, which does not feed `greet` any more
        hint: leave out that flag, or the one that replaces its result
    "#]],
    );
}

#[test]
fn help_of_a_stage_has_the_flags_of_the_stages_that_feed_it() {
    let help = fed().run(&["call", "greet", "--help"]);
    let (_, flags) = help.split_once("Flags of the stages that feed it:\n").unwrap_or_else(|| panic!("{help}"));
    let flags: Vec<&str> = flags.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
    expect![[r#"
        --dry-run[=<true|false>]  [stage: switch]
        --loud[=<true|false>]     [stage: switch]"#]]
    .assert_eq(&flags.join("\n"));
}
