//! Runs of cargo.

use std::io::{self, BufRead as _, BufReader, Read as _, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

use serde_json::Value;

/// The target that `host build` compiles for.
pub const TARGET: &str = "wasm32-wasip2";

/// The result of a run of cargo.
pub(crate) struct CargoRun {
    pub(crate) status: ExitStatus,
    /// The `.wasm` files that the libraries of the package became.
    pub(crate) artifacts: Vec<PathBuf>,
}

/// Runs `cargo build` in `root` and passes its messages to `diagnostics`.
pub(crate) fn build(
    cargo: &Path,
    root: &Path,
    target_dir: Option<&Path>,
    is_colored: bool,
    diagnostics: &mut (dyn Write + Send),
) -> io::Result<CargoRun> {
    let mut command = Command::new(cargo);
    command
        .args(["build", "--release", "--target", TARGET, "--message-format=json-render-diagnostics"])
        .args(["--color", if is_colored { "always" } else { "never" }])
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(target_dir) = target_dir {
        command.env("CARGO_TARGET_DIR", root.join(target_dir));
    }
    let mut child = command.spawn()?;
    let artifacts = drain(&mut child, root, diagnostics)?;
    Ok(CargoRun { status: child.wait()?, artifacts })
}

/// Reads both streams to their ends, at the same time.
fn drain(child: &mut Child, root: &Path, diagnostics: &mut (dyn Write + Send)) -> io::Result<Vec<PathBuf>> {
    let stderr = child.stderr.take();
    let stdout = child.stdout.take();
    thread::scope(|scope| {
        let forward = scope.spawn(move || -> io::Result<()> {
            let Some(mut stderr) = stderr else { return Ok(()) };
            let mut buffer = [0; 4096];
            loop {
                let n_bytes = stderr.read(&mut buffer)?;
                if n_bytes == 0 {
                    return Ok(());
                }
                diagnostics.write_all(buffer.get(..n_bytes).unwrap_or_default())?;
                diagnostics.flush()?;
            }
        });
        let mut artifacts = Vec::new();
        for line in stdout.map(BufReader::new).into_iter().flat_map(BufReader::lines) {
            artifacts.extend(artifact(&line?, root));
        }
        forward.join().map_err(|_| io::Error::other("the reader of cargo's messages panicked"))??;
        Ok(artifacts)
    })
}

/// Returns the `.wasm` file in a message of cargo, if the message is about the package in `root`.
///
/// Source: The Cargo Book, "External tools", "Artifact messages".
fn artifact(message: &str, root: &Path) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    if message.get("reason")?.as_str()? != "compiler-artifact" {
        return None;
    }
    let manifest = Path::new(message.get("manifest_path")?.as_str()?);
    // Cargo's paths have no links in them.
    let root = root.canonicalize().ok()?;
    if manifest.parent()?.canonicalize().ok()? != root {
        return None;
    }
    let files = message.get("filenames")?.as_array()?;
    files.iter().filter_map(Value::as_str).map(PathBuf::from).find(|path| path.extension().is_some_and(|e| e == "wasm"))
}

/// Returns whether the standard library for modules in Rust is installed, which costs no more than a start of the
/// compiler. None if there is no compiler beside `cargo` to ask. A file `rust-toolchain.toml` in or above `root` counts.
#[must_use]
pub fn has_target(cargo: &Path, root: &Path) -> Option<bool> {
    // The rustc that cargo uses is beside it, whether rustup or a distribution installed them.
    let rustc = match cargo.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory.join("rustc"),
        _ => PathBuf::from("rustc"),
    };
    let output = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(root)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let output = output.ok().filter(|output| output.status.success())?;
    Some(Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_module_s_own_artifact_counts() {
        let dir = tempfile::tempdir().unwrap();
        let message = |manifest: &Path| {
            format!(
                r#"{{"reason":"compiler-artifact","manifest_path":{manifest:?},"filenames":["/t/x.rlib","/t/x.wasm"]}}"#
            )
        };
        assert_eq!(artifact(&message(&dir.path().join("Cargo.toml")), dir.path()), Some("/t/x.wasm".into()));
        assert_eq!(artifact(&message(Path::new("/elsewhere/Cargo.toml")), dir.path()), None);
        assert_eq!(artifact(r#"{"reason":"build-finished"}"#, dir.path()), None);
        assert_eq!(artifact("warning", dir.path()), None);
    }
}
