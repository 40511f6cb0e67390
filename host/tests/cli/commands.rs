//! The other commands.

use expect_test::expect;

use crate::world::{World, check};

#[test]
fn functions_are_listed() {
    let shown = World::new().run(&["functions"]);
    expect![[r#"
        exit 0
        -- stdout
        Builds the demo.

          hello                       Greets someone.
              host call hello [--name TEXT] -> string
          add
              host call add --a NUMBER --b NUMBER -> s64
          switch
              host call switch [--dry-run] [--loud] -> string
          render
              host call render --quality draft|print-ready --tags TEXT,... -> string"#]]
    .assert_eq(&shown.lines().take(12).collect::<Vec<_>>().join("\n"));
    let shown = World::new().run(&["functions", "--json"]);
    expect![[r#"
        exit 0
        -- stdout
        {
          "module": "demo",
          "interface": "local:demo/stages@0.1.0",
          "stages": [
            {
              "name": "hello",
              "docs": "Greets someone.",
              "params": [
                {
                  "name": "name",
                  "type": "option<string>",
                  "docs": null
                }
              ],
              "result": "string"
            },
            {
              "name": "add","#]]
    .assert_eq(&shown.lines().take(20).collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_component_is_inspected() {
    let shown = World::new().run(&["inspect"]);
    expect![[r#"
        exit 0
        -- stdout
        module      demo
        component   $ROOT/demo.wasm
        made with   nothing
        documented  yes
        powers      none: it can only compute, and ask for containers and files that it was given
        exports     nothing
        imports     nothing"#]]
    .assert_eq(
        &shown
            .lines()
            .filter(|line| !line.starts_with("digest") && !line.starts_with("size"))
            .collect::<Vec<_>>()
            .join("\n"),
    );
}

#[test]
fn the_engine_is_described() {
    check(
        &["engine"],
        &expect![[r#"
            exit 0
            -- stdout
            engine    embedded
            why       it is the only one in this version
            store     /store

                      embedded  docker
            network   no        -       commands can reach the network
            owners    yes       -       files can belong to any user
            limits    yes       -       memory, processes and processors can be limited
            images    no        -       images can be pulled
            services  no        -       services can run
            machine   yes       -       the tools of this machine can be used
            temp      yes       -       directories in memory can have a limit
            keys      yes       -       a command is found again however its equal inputs were made
            layers    yes       -       layers are compared with the configuration of their image
            embedded: limits need cgroup v2
            docker: cannot be used here: Docker does not answer
        "#]],
    );
    check(
        &["engine", "--engine", "buildkit"],
        &expect![[r#"
            exit 2
            -- stderr
            error: there is no engine `buildkit`
            hint: engines: embedded, docker, docker-classic
        "#]],
    );
}

#[test]
fn the_store_is_shown_and_emptied() {
    check(
        &["cache"],
        &expect![[r#"
        exit 0
        -- stdout
        6.0 MiB in 2 entries, in /store
    "#]],
    );
    check(
        &["cache", "size", "--json"],
        &expect![[r#"
        exit 0
        -- stdout
        {
          "store": "/store",
          "size_bytes": 6291456,
          "entries": 2
        }
    "#]],
    );
    check(
        &["cache", "list"],
        &expect![[r#"
        exit 0
        -- stdout
           5.0 MiB  cache-volume    npm
           1.0 KiB  result          exec make
    "#]],
    );
    check(
        &["cache", "clear"],
        &expect![[r#"
        exit 0
        -- stderr
        removed 2 entries, 6.0 MiB
    "#]],
    );
    check(
        &["cache", "empty"],
        &expect![[r#"
        exit 2
        -- stderr
        error: `host cache` has no `empty`
        hint: it has: size, list, clear
        usage: host cache [size|list|clear] [--json]
    "#]],
    );
}

#[test]
fn a_module_is_made_once() {
    let world = World::new();
    world.write("sdk/Cargo.toml", "");
    world.check(
        &["init", "my_module", "--sdk", "sdk"],
        &expect![[r#"
        exit 0
        -- stderr
        wrote my_module/host.toml
        wrote my_module/Cargo.toml
        wrote my_module/src/lib.rs
        wrote my_module/.gitignore
        try it: cd my_module && host call hello
    "#]],
    );
    assert!(world.read("my_module/host.toml").starts_with("name = \"my-module\"\n"));
    world.check(
        &["init", "my_module"],
        &expect![[r#"
        exit 3
        -- stderr
        error: `$ROOT/my_module/host.toml` is there already
        hint: name another directory: nothing is overwritten
    "#]],
    );
    world.check(
        &["init", "Other!"],
        &expect![[r#"
        exit 3
        -- stderr
        error: `other!` cannot be the name of a module: it takes lowercase letters, digits and single hyphens
        hint: give one with `--name`, as in `--name my-module`
    "#]],
    );
}

#[test]
fn unknown_commands_and_options_are_told() {
    check(
        &["cal"],
        &expect![[r#"
        exit 2
        -- stderr
        error: there is no command `cal`
        hint: did you mean `call`?
        usage: host COMMAND [OPTIONS]
    "#]],
    );
    check(
        &["zzz"],
        &expect![[r#"
            exit 2
            -- stderr
            error: there is no command `zzz`
            hint: commands: call, run, check, plan, graph, watch, functions, init, build, wit, inspect, engine, cache, doctor
            usage: host COMMAND [OPTIONS]
        "#]],
    );
    check(
        &["functions", "--jsn"],
        &expect![[r#"
        exit 2
        -- stderr
        error: `host functions` has no option `--jsn`
        hint: did you mean `--json`?
        usage: host functions [-m MODULE] [--json]
    "#]],
    );
    check(
        &["functions", "surplus"],
        &expect![[r#"
        exit 2
        -- stderr
        error: `host functions` does not take `surplus`
        usage: host functions [-m MODULE] [--json]
    "#]],
    );
    check(
        &["build", "-m"],
        &expect![[r#"
        exit 2
        -- stderr
        error: option `--module` needs a value: MODULE
    "#]],
    );
    check(
        &["engine", "--json=yes"],
        &expect![[r#"
        exit 2
        -- stderr
        error: option `--json` takes no value, and was given `yes`
    "#]],
    );
    check(
        &["--version"],
        &expect![[r#"
        exit 0
        -- stdout
        host 0.1.0
    "#]],
    );
}

#[test]
fn words_that_are_not_utf8_are_told() {
    use std::os::unix::ffi::OsStringExt as _;
    let world = World::new();
    let word = std::ffi::OsString::from_vec(vec![b'a', 0xff]);
    let stderr = host::io::Stderr::new(Box::new(std::io::sink()), false);
    let mut io = host::Io::new(Box::new(std::io::sink()), stderr);
    assert_eq!(host::run([word], &mut io, &world.config, &world.platform).code(), 2);
}
