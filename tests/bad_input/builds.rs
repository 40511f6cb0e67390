//! Modules that cannot be built.

use std::os::unix::fs::PermissionsExt as _;

use testkit::{Answer, Scratch, require};

use crate::case::{ENVIRONMENT, VERDICT, refused, works};

/// Writes a module without dependencies, with this library.
fn module(scratch: &Scratch, library: &str, kind: &str) {
    scratch.write("m/host.toml", "name = \"m\"\nversion = \"0.1.0\"\nlanguage = \"rust\"\n");
    let manifest = "[package]\nname = \"m\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";
    scratch.write("m/Cargo.toml", format!("{manifest}[lib]\ncrate-type = [\"{kind}\"]\n"));
    scratch.write("m/src/lib.rs", library);
}

#[test]
fn the_messages_of_the_compiler_are_shown() {
    if !require("wasm32-wasip2") {
        return;
    }
    let scratch = Scratch::new();
    module(&scratch, "pub fn f() -> u32 { \"x\" }", "cdylib");
    let says = ["error[E0308]: mismatched types", "src/lib.rs:1:21", "error: cargo could not build module `m`"];
    refused(&scratch.host(["call", "-m", "m", "x"]), VERDICT, &says);
    refused(&scratch.host(["build", "-m", "m", "-q"]), VERDICT, &says);
    module(&scratch, "pub fn f() {}", "rlib");
    let says = ["the crate of module `m` makes no `.wasm` file", "hint: add `crate-type = [\"cdylib\"]`"];
    refused(&scratch.host(["build", "-m", "m"]), VERDICT, &says);
    scratch.write("m/Cargo.toml", "[pack");
    refused(&scratch.host(["build", "-m", "m"]), VERDICT, &["Cargo.toml:1:6", "cargo could not build module `m`"]);
    works(&scratch);
}

#[test]
fn without_cargo_a_build_says_how_to_get_it() {
    let scratch = Scratch::new();
    module(&scratch, "", "cdylib");
    let answer = scratch.command(["call", "-m", "m", "x"]).env("PATH", scratch.path("work")).env("HOME", "/").output();
    refused(&answer.unwrap().into(), ENVIRONMENT, &["cannot run `cargo`", "hint: install Rust with `curl"]);
    let answer = scratch.command(["build", "-m", "m"]).env("CARGO", "/no/such/cargo").output();
    refused(&answer.unwrap().into(), ENVIRONMENT, &["cannot run `/no/such/cargo`"]);
    works(&scratch);
}

#[test]
fn without_the_target_nothing_is_compiled() {
    let scratch = Scratch::new();
    module(&scratch, "", "cdylib");
    let tool = |name: &str, text: &str| {
        scratch.write(&format!("bin/{name}"), format!("#!/bin/sh\n{text}\n"));
        let path = scratch.path("work/bin").join(name);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    tool("cargo", "echo compiling for a long time >&2; exit 101");
    tool("rustc", "echo /no/such/lib");
    let answer = scratch.command(["call", "-m", "m", "x"]).env("CARGO", scratch.path("work/bin/cargo")).output();
    let answer: Answer = answer.unwrap().into();
    assert!(!answer.stderr.contains("compiling for"), "{}", answer.stderr);
    let says = ["the Rust target `wasm32-wasip2` is not installed", "hint: install it with `rustup target add"];
    refused(&answer, ENVIRONMENT, &says);
    works(&scratch);
}
