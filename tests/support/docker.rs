//! A Docker of one test: `scripts/docker`.

use std::path::Path;
use std::process::{Command, Stdio};

/// A Docker with images and containers of its own. It ends with its owner.
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
    /// Starts one; takes some seconds.
    ///
    /// # Panics
    /// If it does not start; see [`require`](crate::require).
    #[must_use]
    pub fn start() -> Self {
        let dir = tempfile::Builder::new().prefix("docker-").tempdir_in(crate::places());
        let dir = dir.expect("the build directory can be written");
        let mut docker = Self { dir, address: String::new() };
        let output = docker.script("start").output().expect("a script of the repository can be run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        docker.address = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        docker
    }

    /// Returns its address, for `DOCKER_HOST`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Runs `docker`, which must succeed, and returns what it prints.
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
