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
                  "docs": null,
                  "default": null
                }
              ],
              "result": "string"
            },
            {"#]]
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
        kept 1 entries, 1.0 MiB, because runs use them
        files that nothing needs stay while a run uses the store: clear it again afterwards
    "#]],
    );
    check(
        &["cache", "verify"],
        &expect![[r#"
        exit 4
        -- stderr
        checked 12 results, 3 layers
        damaged and removed: layer `18c4-7-1`: `/bin/ls` is missing
        damaged and removed: result `exec make`
        error: 2 entries of the store were damaged, and are removed
        hint: the next run makes again what it needs of them
    "#]],
    );
    check(
        &["cache", "verify", "--json"],
        &expect![[r#"
        exit 4
        -- stdout
        {
          "checked": {
            "results": 12,
            "layers": 3
          },
          "damaged": [
            {
              "kind": "layer",
              "name": "18c4-7-1",
              "what": "`/bin/ls` is missing"
            },
            {
              "kind": "result",
              "name": "exec make",
              "what": ""
            }
          ]
        }
        -- stderr
        error: 2 entries of the store were damaged, and are removed
        hint: the next run makes again what it needs of them
    "#]],
    );
    check(
        &["cache", "empty"],
        &expect![[r#"
            exit 2
            -- stderr
            error: `host cache` has no `empty`
            hint: it has: size, list, clear, verify
            usage: host cache [OPTIONS] [size|list|clear|verify]
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
            hint: the commands are call, run, check, plan, graph, watch, functions, init, build, wit, inspect, engine, cache, doctor, completions
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
            usage: host functions [OPTIONS] [MODULE]
        "#]],
    );
    check(
        &["engine", "surplus"],
        &expect![[r#"
            exit 2
            -- stderr
            error: `host engine` does not take `surplus`
            usage: host engine [OPTIONS]
        "#]],
    );
    check(
        &["build", "-m"],
        &expect![[r#"
            exit 2
            -- stderr
            error: option `--module` needs a value: MODULE
            usage: host build [OPTIONS] [MODULE]
        "#]],
    );
    check(
        &["engine", "--json=yes"],
        &expect![[r#"
            exit 2
            -- stderr
            error: option `--json` takes no value, and was given `yes`
            usage: host engine [OPTIONS]
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

#[test]
fn commands_that_other_tools_have_get_an_answer() {
    for (name, hint) in [
        ("list", "`host functions` lists the stages of a module"),
        ("completion", "`host completions bash`, `zsh` or `fish` prints a script"),
        ("version", "`host --version` shows it"),
        ("Clean", "`host cache clear` empties the store"),
        ("functoins", "did you mean `functions`?"),
    ] {
        let shown = World::new().run(&[name]);
        let expected = format!("exit 2\n-- stderr\nerror: there is no command `{name}`\nhint: {hint}\n");
        assert!(shown.starts_with(&expected), "{shown}");
    }
    check(
        &["login"],
        &expect![[r#"
        exit 2
        -- stderr
        error: there is no command `login`
        hint: host uses the credentials of Docker: `docker login REGISTRY` stores them in `~/.docker/config.json`
        usage: host COMMAND [OPTIONS]
    "#]],
    );
    check(
        &["exec", "ls"],
        &expect![[r#"
        exit 2
        -- stderr
        error: there is no command `exec`
        hint: commands run in the containers that stages describe: `host call STAGE` calls a stage, and `host call STAGE with-exec --args ... stdout` runs a command in a container that it returns
        usage: host COMMAND [OPTIONS]
    "#]],
    );
    check(
        &["shell"],
        &expect![[r#"
        exit 2
        -- stderr
        error: there is no command `shell`
        hint: host opens no terminal in a container in this version; `host call STAGE with-exec --args ... stdout` runs a command in a container that a stage returns
        usage: host COMMAND [OPTIONS]
    "#]],
    );
    check(
        &["logs"],
        &expect![[r#"
        exit 2
        -- stderr
        error: there is no command `logs`
        hint: `-v` of `host call` and `host run` shows what commands print, and `--events FILE` writes what happened
        usage: host COMMAND [OPTIONS]
    "#]],
    );
}

#[test]
fn no_hint_sends_to_a_command_that_does_not_exist() {
    let names: Vec<String> = host::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
    for word in
        ["list", "exec", "shell", "login", "logs", "new", "make", "test", "clean", "show", "push", "add", "dev", "why"]
    {
        let shown = World::new().run(&[word]);
        for (at, _) in shown.match_indices("`host ").filter(|(at, _)| !shown[*at..].starts_with("`host --")) {
            let name = shown[at + 6..].split([' ', '`']).next().unwrap();
            assert!(names.iter().any(|known| known == name), "{word}: {name}");
        }
    }
}

#[test]
fn a_module_may_be_named_by_a_path_alone() {
    let world = World::new();
    let by_option = world.run(&["inspect", "-m", "demo.wasm"]);
    assert_eq!(world.run(&["inspect", "demo.wasm"]), by_option);
    assert!(by_option.starts_with("exit 0"), "{by_option}");
    assert_eq!(world.run(&["functions", "."]), world.run(&["functions"]));
    world.check(
        &["build", ".", "-m", "."],
        &expect![[r#"
        exit 2
        -- stderr
        error: `MODULE` and `--module` cannot be given together
        usage: host build [OPTIONS] [MODULE]
    "#]],
    );
}

#[test]
fn two_hyphens_end_the_options() {
    check(
        &["call", "--", "hello", "--name", "Ann"],
        &expect![[r#"
        exit 0
        -- stdout
        Hello, Ann!
    "#]],
    );
    check(
        &["run", "--", "-k"],
        &expect![[r#"
        exit 2
        -- stderr
        error: module `demo` has no stage `-k`
        hint: it has: hello, add, switch, render, limit, limit-all, mixed, pair, build, sum, login, cached, test, shell, all, names, info, maybe, nothing, bytes, refuse, command-fails, trap, cancelled, broken
    "#]],
    );
    check(
        &["run", "--", "hello", "-k"],
        &expect![[r#"
        exit 2
        -- stderr
        error: module `demo` has no stage `-k`
        hint: it has: hello, add, switch, render, limit, limit-all, mixed, pair, build, sum, login, cached, test, shell, all, names, info, maybe, nothing, bytes, refuse, command-fails, trap, cancelled, broken
    "#]],
    );
    check(
        &["call", "hello", "--", "--name", "Ann"],
        &expect![[r#"
        exit 2
        -- stderr
        error: stage `hello` returns `string`, which has no method `--name`
        hint: methods can be called on containers, directories, files and other objects; flags begin with `--`
    "#]],
    );
}

#[test]
fn help_is_a_command_too() {
    let world = World::new();
    assert_eq!(world.run(&["help", "build"]), world.run(&["build", "--help"]));
    assert_eq!(world.run(&["help", "call", "build"]), world.run(&["call", "build", "--help"]));
    assert_eq!(world.run(&["help"]), world.run(&["--help"]));
    world.check(&["help", "zzz"], &expect![[r#"
        exit 2
        -- stderr
        error: there is no command `zzz`
        hint: the commands are call, run, check, plan, graph, watch, functions, init, build, wit, inspect, engine, cache, doctor, completions
        usage: host COMMAND [OPTIONS]
    "#]]);
}
