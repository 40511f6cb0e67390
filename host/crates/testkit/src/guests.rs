//! The real binary, and guest programs in Rust. Each is built at most once in a process.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::{root, run, target_dir};

/// Returns the binary `host`, built from this tree in the profile of the tests. The variable `HOST_BIN` names one that
/// is built already, as where the tests run again as another user.
///
/// # Panics
/// If it cannot be built.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(binary) = std::env::var_os("HOST_BIN") {
            return binary.into();
        }
        run(Command::new("cargo").args(["build", "--quiet", "--locked", "-p", "host"]).current_dir(root()));
        target_dir().join("debug/host")
    })
}

/// Builds the guest programs of `tests/functions` and returns the component of one. The variable `HOST_GUESTS` names a
/// directory that has them already. A test calls `require("wasm32-wasip2")` before.
///
/// # Panics
/// If they cannot be built.
pub fn guest(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let dir = BUILT.get_or_init(|| {
        if let Some(dir) = std::env::var_os("HOST_GUESTS") {
            return dir.into();
        }
        let target = target_dir().join("guests");
        run(Command::new("cargo")
            .args(["build", "--quiet", "--release", "--locked", "--target", "wasm32-wasip2", "--workspace"])
            .current_dir(root().join("tests/functions"))
            .env("CARGO_TARGET_DIR", &target)
            // Flags for the programs of this machine are not meant for guests.
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS"));
        target.join("wasm32-wasip2/release")
    });
    dir.join(format!("{}.wasm", name.replace('-', "_")))
}
