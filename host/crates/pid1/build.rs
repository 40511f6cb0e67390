//! Compiles the programs of this crate to static executables, which its library embeds.

use std::env;
use std::path::PathBuf;
use std::process::Command;

fn main() -> Result<(), String> {
    println!("cargo::rerun-if-changed=src");
    compile("init", "src/init.rs")?;
    compile("shim", "src/shim/shim.rs")
}

fn compile(name: &str, source: &str) -> Result<(), String> {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join(name);
    let target = env::var("TARGET").expect("cargo sets it");
    let rustc = env::var_os("RUSTC").expect("cargo sets it");

    // rust-lld comes with rustc; a distribution's rustc may lack it and has a C compiler then.
    let lld: &[&str] = &["-Clinker=rust-lld", "-Clinker-flavor=ld.lld", "-Clink-arg=-static"];
    let cc: &[&str] = &["-Clink-arg=-nostartfiles", "-Clink-arg=-nostdlib", "-Clink-arg=-static"];
    let mut errors = Vec::new();
    for linker in [lld, cc] {
        let built = Command::new(&rustc)
            .args(["--edition=2024", "--crate-type=bin", "--crate-name", name, "--target", &target])
            .args(["-Cpanic=abort", "-Copt-level=s", "-Cstrip=symbols", "-Crelocation-model=static"])
            .args(["-Ctarget-feature=+crt-static", "-Cforce-unwind-tables=no", "-Coverflow-checks=no"])
            .args(["-Cdebug-assertions=no", "-Clink-arg=--build-id=none"].iter().filter(|_| linker == lld))
            .args(linker)
            .arg("-o")
            .arg(&out)
            .arg(source)
            .output();
        match built {
            Ok(output) if output.status.success() => return Ok(()),
            Ok(output) => errors.push(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => errors.push(error.to_string()),
        }
    }
    Err(format!("cannot compile `{source}` for {target}:\n{}", errors.join("\n")))
}
