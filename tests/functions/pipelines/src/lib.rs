//! Stages for tests of whole runs: containers to chain on, and pipelines of several steps.

use check::{output, sh};
use guest_sdk::prelude::*;

/// Makes containers, and runs pipelines that tests observe from outside.
#[guest_sdk::stages]
mod stages {
    use super::*;

    /// Returns a container with this machine's tools.
    pub fn machine() -> Container {
        machine::rootfs()
    }

    /// Returns an empty container.
    pub fn empty() -> Container {
        Container::new()
    }

    /// Compiles a source file, which removes comments, and packs the result in another container.
    pub fn pack(src: &Directory) -> Result<String> {
        let script = "mkdir /out && grep -v '^#' /src/main > /out/main";
        let compiled = sh(&machine::rootfs().with_mounted_directory("/src", src), script);
        let packed = machine::rootfs().with_mounted_directory("/in", compiled.directory("/out"));
        output(&packed, "tr a-z A-Z < /in/main")
    }

    /// Sleeps in steps that do not depend on each other.
    pub fn sleepers(n: u32, seconds: &str) -> Result<u32> {
        let sleepers: Vec<Container> =
            (0..n).map(|n| sh(&machine::rootfs(), &format!("sleep {seconds}; echo {n}"))).collect();
        sync_all(&sleepers)?;
        Ok(n)
    }

    /// Builds with `make` in one step, and returns the output of `make` in the next.
    pub fn make(
        src: &Directory,
        /// A variable of the second step.
        note: &str,
    ) -> Result<String> {
        let built = machine::rootfs().with_directory("/src", src).with_workdir("/src").with_exec(["make"]);
        built.with_env_variable("NOTE", note).with_exec(["make"]).stdout()
    }

    /// Builds with `make` into a cache volume.
    pub fn make_into_volume(src: &Directory, key: &str) -> Result<String> {
        let container = machine::rootfs().with_directory("/src", src).with_workdir("/src");
        container.with_mounted_cache("/build", CacheVolume::new(key)).with_exec(["make"]).stdout()
    }

    /// Counts the files of a mounted directory.
    pub fn count(src: &Directory) -> Result<String> {
        output(&machine::rootfs().with_mounted_directory("/src", src), "find /src -type f | wc -l")
    }

    /// Runs a command that succeeds, and then one that fails.
    pub fn fail(script: &str) -> Result<String> {
        output(&sh(&machine::rootfs(), "echo before > /before"), script)
    }
}
