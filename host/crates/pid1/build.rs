//! Compiles the programs of this crate to static executables, which its library embeds.
//!
//! `src/lib.rs` says how. rustc is called by hand because cargo can neither build a program for a library
//! nor one without the standard library beside crates that have it. It needs no target but this machine's.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Output};

/// The root of both programs.
const SOURCE: &str = "src/lib.rs";

/// A change of any of these, or of a file below one, compiles the programs again.
pub(crate) const WATCHED: [&str; 3] = ["src", "build.rs", "../engine/src/redact"];

const PROGRAMS: [&str; 2] = ["init", "shim"];

fn main() -> Result<(), String> {
    WATCHED.iter().for_each(|path| println!("cargo::rerun-if-changed={path}"));
    println!("cargo::rustc-check-cfg=cfg(program, values(none(), \"init\", \"shim\"))");
    PROGRAMS.into_iter().try_for_each(compile)
}

/// Compiles a program with the linker of rustc, or with a C compiler where a distribution's rustc has none.
fn compile(program: &str) -> Result<(), String> {
    const RUST_LLD: &[&str] =
        &["-Clinker=rust-lld", "-Clinker-flavor=ld.lld", "-Clink-arg=-static", "-Clink-arg=--build-id=none"];
    const C_COMPILER: &[&str] = &["-Clink-arg=-nostartfiles", "-Clink-arg=-nostdlib", "-Clink-arg=-static"];
    let mut errors = Vec::new();
    for linker in [RUST_LLD, C_COMPILER] {
        let output = call_rustc(program, linker)?;
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() {
            printed.lines().for_each(|line| println!("cargo::warning={line}"));
            return Ok(());
        }
        errors.push(printed);
    }
    Err(format!("cannot compile the program `{program}`:\n{}", errors.join("\n")))
}

fn call_rustc(program: &str, linker: &[&str]) -> Result<Output, String> {
    let variable = |name: &str| env::var_os(name).ok_or_else(|| format!("cargo did not set {name}"));
    let (rustc, target, out) = (variable("RUSTC")?, variable("TARGET")?, variable("OUT_DIR")?);
    let cfg = format!("program=\"{program}\"");
    let mut command = Command::new(&rustc);
    command
        .args(["--edition=2024", "--crate-type=bin", "--crate-name", program, "--cfg", "program", "--cfg", &cfg])
        // What this program does not call the other does; the library knows of both.
        .args(["-Adead_code", "-Aunexpected_cfgs"])
        .args([OsString::from("--target"), target])
        .args(["-Cpanic=abort", "-Copt-level=s", "-Cstrip=symbols", "-Crelocation-model=static"])
        .args(["-Ctarget-feature=+crt-static", "-Cforce-unwind-tables=no", "-Coverflow-checks=no"])
        .args(["-Cdebug-assertions=no"])
        .args(linker)
        .arg("-o")
        .arg(Path::new(&out).join(program))
        .arg(SOURCE);
    command.output().map_err(|error| format!("cannot run {}: {error}", rustc.display()))
}
