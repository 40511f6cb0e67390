//! A Docker of one test, started by `scripts/docker`.

use std::path::Path;
use std::process::{Command, Stdio};

/// A Docker with images and containers of its own. It ends when it is dropped.
pub struct Docker {
    dir: tempfile::TempDir,
    address: String,
}

impl Drop for Docker {
    fn drop(&mut self) {
        let _ = self.script("stop").status();
    }
}

impl Docker {
    /// Starts a Docker, which takes some seconds. A test calls `require("docker")` before.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start() -> Self {
        // The path of its socket must be short.
        let dir = crate::short_dir();
        let mut docker = Self { dir, address: String::new() };
        let output = docker.script("start").output().expect("a script of the repository can be run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        docker.address = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        docker
    }

    /// Returns the address, for `DOCKER_HOST`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Runs `docker`, which must succeed, and returns its standard output.
    ///
    /// # Panics
    /// If it fails.
    #[must_use]
    pub fn run(&self, args: &[&str]) -> String {
        let output = Command::new("docker").args(args).env("DOCKER_HOST", &self.address).output();
        let output = output.expect("`docker` is there, as a test asked for it");
        assert!(output.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn script(&self, what: &str) -> Command {
        let mut command = Command::new(crate::root().join("scripts/docker"));
        let dir: &Path = self.dir.path();
        command.arg(what).arg(dir.join("d")).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}
