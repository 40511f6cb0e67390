//! Modules that cannot be built.

use support::{Place, require};

use crate::case::{ENVIRONMENT, VERDICT, refused, works};

/// Makes a module without dependencies whose library is this.
fn module(place: &Place, library: &str, kind: &str) {
    place.write("m/host.toml", "name = \"m\"\nversion = \"0.1.0\"\nlanguage = \"rust\"\n");
    let manifest = "[package]\nname = \"m\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";
    place.write("m/Cargo.toml", format!("{manifest}[lib]\ncrate-type = [\"{kind}\"]\n"));
    place.write("m/src/lib.rs", library);
}

#[test]
fn what_the_compiler_says_of_a_module_is_shown_as_it_is() {
    if !require("cargo-wasm") {
        return;
    }
    let place = Place::new();
    module(&place, "pub fn f() -> u32 { \"x\" }", "cdylib");
    let says = ["error[E0308]: mismatched types", "src/lib.rs:1:21", "error: cargo could not build module `m`"];
    refused(&place.host(["call", "-m", "m", "x"]), VERDICT, &says);
    refused(&place.host(["build", "-m", "m", "-q"]), VERDICT, &says);
    module(&place, "pub fn f() {}", "rlib");
    let says = ["the crate of module `m` makes no `.wasm` file", "hint: add `crate-type = [\"cdylib\"]`"];
    refused(&place.host(["build", "-m", "m"]), VERDICT, &says);
    place.write("m/Cargo.toml", "[pack");
    refused(&place.host(["build", "-m", "m"]), VERDICT, &["Cargo.toml:1:6", "cargo could not build module `m`"]);
    works(&place);
}

#[test]
fn without_cargo_a_build_says_how_to_get_it() {
    let place = Place::new();
    module(&place, "", "cdylib");
    let answer = place.command(["call", "-m", "m", "x"]).env("PATH", place.path("work")).env("HOME", "/").output();
    refused(&answer.unwrap().into(), ENVIRONMENT, &["cannot run `cargo`", "hint: install Rust with `curl"]);
    let answer = place.command(["build", "-m", "m"]).env("CARGO", "/no/such/cargo").output();
    refused(&answer.unwrap().into(), ENVIRONMENT, &["cannot run `/no/such/cargo`"]);
    works(&place);
}
