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
        hint: remove `component` from `host.toml` to build it here
    "#]],
    );
    world.write("host.toml", "name = \"demo\"\nversion = \"0.1.0\"\nlanguage = \"python\"\n");
    world.check(&["build"], &expect![[r#"
        exit 3
        -- stderr
        error: module `demo` is written in python, and `host build` builds Rust in this version
        hint: build the component with the language's own tool and name it with `component = "PATH.wasm"`, or call the `.wasm` file with `-m`
    "#]]);
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
