//! Modules: found, built, refused.

use expect_test::expect;

use crate::world::{World, check};

#[test]
fn a_module_is_a_directory_or_a_file() {
    let world = World::new();
    world.check(
        &["call", "-m", "demo.wasm", "hello"],
        &expect![[r#"
        exit 0
        -- stdout
        Hello, world!
    "#]],
    );
    world.check(
        &["call", "-m", ".", "hello"],
        &expect![[r#"
        exit 0
        -- stdout
        Hello, world!
    "#]],
    );
    world.check(
        &["call", "-m", "gone", "hello"],
        &expect![[r#"
        exit 3
        -- stderr
        error: there is no module at `gone`
        hint: `-m` takes a directory with a `host.toml` or a `.wasm` file
    "#]],
    );
    world.check(
        &["call", "-m", "ghcr.io/acme/tools:1.0", "hello"],
        &expect![[r#"
        exit 3
        -- stderr
        error: there is no module at `ghcr.io/acme/tools:1.0`
        hint: modules in registries are not available in this version
    "#]],
    );
    world.check(
        &["call", "-m", "src", "hello"],
        &expect![[r#"
        exit 3
        -- stderr
        error: directory `src` has no `host.toml`
        hint: `host init` makes a module
    "#]],
    );
    world.check(
        &["call", "-m", "src/main.c", "hello"],
        &expect![[r#"
        exit 3
        -- stderr
        error: `src/main.c` is neither a directory with a `host.toml` nor a `.wasm` file
    "#]],
    );
    world.check(
        &["call", "hello", "-m", "."],
        &expect![[r#"
        exit 2
        -- stderr
        error: `-m MODULE` stands before the stage, whose flags depend on it
    "#]],
    );
}

#[test]
fn no_module_is_told() {
    let mut world = World::new();
    let empty = tempfile::tempdir().unwrap();
    world.config.cwd = empty.path().canonicalize().unwrap();
    let shown = world.run(&["call", "hello"]).replace(&world.config.cwd.display().to_string(), "$CWD");
    expect![[r#"
        exit 3
        -- stderr
        error: there is no `host.toml` in `$CWD` or a directory above it
        hint: name a module with `-m DIRECTORY` or `-m FILE.wasm`, or make one with `host init`
    "#]]
    .assert_eq(&shown);
}

#[test]
fn a_wrong_manifest_is_told_with_its_place() {
    let world = World::new();
    world.write("host.toml", "name = \"demo\"\nversion = \"0.1.0\"\nlangauge = \"rust\"\n");
    world.check(
        &["call", "hello"],
        &expect![[r#"
        exit 3
        -- stderr
        error: `$ROOT/host.toml:3:1`: there is no key `langauge` in a manifest
        hint: did you mean `language`?
    "#]],
    );
}

#[test]
fn what_is_no_component_is_told() {
    let world = World::new();
    world.write("core.wasm", b"\0asm\x01\0\0\0");
    world.check(
        &["call", "-m", "core.wasm", "hello"],
        &expect![[r#"
        exit 3
        -- stderr
        error: cannot load module `core`
          caused by: it is a core module, not a component
        hint: build for `wasm32-wasip2`, or run `wasm-tools component new` on it
    "#]],
    );
    world.check(
        &["inspect", "-m", "core.wasm"],
        &expect![[r#"
        exit 3
        -- stderr
        error: `$ROOT/core.wasm` cannot be inspected
          caused by: it is a core module, not a component
        hint: build for `wasm32-wasip2`, or run `wasm-tools component new` on it
    "#]],
    );
    world.write("text.wasm", "hello");
    world.check(
        &["inspect", "-m", "text.wasm"],
        &expect![[r#"
        exit 3
        -- stderr
        error: `$ROOT/text.wasm` cannot be inspected
          caused by: it is not WebAssembly
    "#]],
    );
}

#[test]
fn an_unknown_stage_is_told_with_what_is_near() {
    check(
        &["call", "buidl"],
        &expect![[r#"
        exit 2
        -- stderr
        error: module `demo` has no stage `buidl`
        hint: did you mean `build`?
    "#]],
    );
    check(
        &["call"],
        &expect![[r#"
            exit 2
            -- stderr
            error: `host call` needs a stage
            hint: module `demo` has: hello, add, switch, render, limit, limit-all, mixed, pair, build, sum, login, cached, test, shell, all, names, info, maybe, nothing, bytes, refuse, command-fails, trap, cancelled, broken
            usage: host call [OPTIONS] STAGE [--FLAG VALUE]... [METHOD [--FLAG VALUE]...]...
        "#]],
    );
}

#[test]
fn a_module_in_another_language_is_called_and_not_built() {
    let world = World::new();
    world.check(
        &["build"],
        &expect![[r#"
            exit 3
            -- stderr
            error: module `demo` names the component `demo.wasm`, which another tool makes
            hint: add the command that makes it to `host.toml`: `build = "COMMAND"`
        "#]],
    );
    world.write("host.toml", "name = \"demo\"\nversion = \"0.1.0\"\nlanguage = \"go\"\n");
    world.check(
        &["build"],
        &expect![[r#"
            exit 3
            -- stderr
            error: module `demo` is written in go, and `host build` builds Rust, Python, JavaScript and TypeScript in this version
            hint: add `component = "demo.wasm"` to `host.toml`, and the command that makes it: `build = "make"`
        "#]],
    );
}

#[test]
fn a_module_in_another_language_is_built_by_its_command() {
    let world = World::new();
    let head = "name = \"demo\"\nversion = \"0.1.0\"\nlanguage = \"python\"\ncomponent = \"made.wasm\"\n";
    let build = |command: &str| world.write("host.toml", format!("{head}build = \"{command}\"\n"));
    build("echo compiling; cp demo.wasm made.wasm");
    world.check(
        &["call", "hello"],
        &expect![[r#"
        exit 0
        -- stdout
        Hello, world!
        -- stderr
        building module `demo`: it was not built before
        compiling
    "#]],
    );
    world.check(
        &["call", "hello"],
        &expect![[r#"
        exit 0
        -- stdout
        Hello, world!
    "#]],
    );
    world.write("src/main.c", "int main; int more;");
    world.check(
        &["call", "hello"],
        &expect![[r#"
            exit 0
            -- stdout
            Hello, world!
            -- stderr
            building module `demo`: `src/main.c` changed
            compiling
        "#]],
    );
    world.check(
        &["build"],
        &expect![[r#"
            exit 0
            -- stdout
            $ROOT/made.wasm
            -- stderr
            compiling
            built module `demo`, 12.6 KiB
        "#]],
    );
    build("echo wrong; exit 7");
    world.check(
        &["call", "-q", "hello"],
        &expect![[r#"
        exit 1
        -- stderr
        wrong
        error: the command `echo wrong; exit 7`, which builds module `demo`, exited with code 7
        hint: `build` in `host.toml` is run by `sh` in the directory of the module
    "#]],
    );
    build("no-such-tool 2> /dev/null");
    world.check(
        &["check"],
        &expect![[r#"
        exit 4
        -- stderr
        building module `demo`: `host.toml` changed
        error: `no-such-tool`, which builds module `demo`, was not found
        hint: install it, or add its directory to `PATH`
    "#]],
    );
}

#[test]
fn the_documentation_of_wit_that_was_written_by_hand_is_shown() {
    let world = World::new();
    world.write("plain.wasm", b"\0asm\x0d\0\x01\0");
    world.write("lint/wit/world.wit", crate::fake::WIT);
    let head =
        "name = \"demo\"\nversion = \"0.1.0\"\ncomponent = \"demo.wasm\"\nbuild = \"cp ../plain.wasm demo.wasm\"\n";
    world.write("lint/host.toml", head);
    let shown = world.run(&["functions", "-m", "lint", "-q"]);
    assert!(shown.contains("  build                       Compiles the source.\n"), "{shown}");
    let shown = world.run(&["call", "-m", "lint/demo.wasm", "build", "--help"]);
    assert!(shown.contains("--src <DIRECTORY>") && shown.contains("The source tree."), "{shown}");
}

#[test]
fn a_dependency_is_built_by_its_command() {
    let world = World::new();
    world.write("lint/lint.py", "");
    world.write(
        "lint/host.toml",
        "name = \"lint\"\nversion = \"0.1.0\"\ncomponent = \"lint.wasm\"\nbuild = \"cp ../demo.wasm lint.wasm\"\n",
    );
    world.write(
        "host.toml",
        "name = \"demo\"\nversion = \"0.1.0\"\ncomponent = \"demo.wasm\"\n[dependencies]\nlint = \"lint\"\n",
    );
    world.check(
        &["call", "hello"],
        &expect![[r#"
        exit 0
        -- stdout
        Hello, world!
        -- stderr
        building module `lint`: it was not built before
    "#]],
    );
    world.check(
        &["call", "hello"],
        &expect![[r#"
        exit 0
        -- stdout
        Hello, world!
    "#]],
    );
    world.write("lint/lint.py", "changed");
    world.check(
        &["call", "hello"],
        &expect![[r#"
        exit 0
        -- stdout
        Hello, world!
        -- stderr
        building module `lint`: `lint.py` changed
    "#]],
    );
}

#[test]
fn a_module_is_built_before_it_is_called_and_says_so() {
    let world = World::new();
    world.write("host.toml", "name = \"demo\"\nversion = \"0.1.0\"\nlanguage = \"rust\"\n");
    world.check(
        &["call", "hello"],
        &expect![[r#"
        exit 3
        -- stderr
        building module `demo`: it was not built before
        error: module `demo` has no `Cargo.toml`
        hint: `host init` makes one
    "#]],
    );
    world.write("Cargo.toml", "");
    world.check(
        &["call", "hello"],
        &expect![[r#"
        exit 4
        -- stderr
        building module `demo`: it was not built before
        error: cannot run `/no/such/cargo`
          caused by: No such file or directory (os error 2)
        hint: install Rust with `curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh`
    "#]],
    );
}

#[test]
fn the_wit_that_a_module_imports_is_placed_beside_its_own() {
    let world = World::new();
    world.check(
        &["wit"],
        &expect![[r#"
            exit 0
            -- stdout
            wit/deps/pipeline-api
        "#]],
    );
    world.check(
        &["wit", "-m", "demo.wasm"],
        &expect![[r#"
        exit 3
        -- stderr
        error: `$ROOT/demo.wasm` is built already
        hint: `-m` takes the directory of a module here
    "#]],
    );
}
