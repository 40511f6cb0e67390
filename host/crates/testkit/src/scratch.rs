//! A store and a working directory of one test, and the real binary in them.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use crate::{binary, scratch_dir};

/// A store and a working directory of one test. Both are removed with it.
pub struct Scratch {
    dir: tempfile::TempDir,
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

/// The result of one run of `host`.
#[derive(Debug)]
pub struct Answer {
    /// Standard output as text.
    pub stdout: String,
    /// Standard error as text.
    pub stderr: String,
    /// The exit code; none if a signal ended the process.
    pub code: Option<i32>,
}

impl Scratch {
    /// Makes an empty store and an empty working directory.
    ///
    /// # Panics
    /// If the disk is full.
    #[must_use]
    pub fn new() -> Self {
        Self::within(scratch_dir("scratch-"))
    }

    /// Makes them inside a directory, which is removed in the end.
    ///
    /// # Panics
    /// If the directory cannot be written or is not empty.
    #[must_use]
    pub fn within(dir: tempfile::TempDir) -> Self {
        let scratch = Self { dir };
        std::fs::create_dir(scratch.path("work")).expect("the directory is empty and can be written");
        scratch
    }

    /// Returns a path inside the directory of the test: `work` is the working directory, `store` the store.
    #[must_use]
    pub fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// Writes a file below the working directory, creates its parents, and returns its path.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn write(&self, path: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path("work").join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(&path)).expect("the directory can be written");
        std::fs::write(&path, contents).expect("the directory can be written");
        path
    }

    /// Returns a command that runs `host` in the working directory, with the store of the test and without the
    /// environment of the caller.
    #[must_use]
    pub fn command(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new(binary());
        command.args(args).current_dir(self.path("work")).stdin(Stdio::null()).env_clear();
        for name in ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "SSL_CERT_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.env("HOST_STORE", self.path("store"));
        command
    }

    /// Runs `host`, as [`command`](Self::command) has it.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn host(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Answer {
        self.command(args).output().map(Answer::from).expect("the binary was built")
    }
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        Self {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code(),
        }
    }
}
