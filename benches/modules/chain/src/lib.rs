//! What the benchmarks call.

use guest_sdk::prelude::*;

/// Returns the command that writes the number of a step to a file, and prints it.
fn write(n: u32, salt: &str) -> [String; 3] {
    // `benches/src/figures/docker_chain.rs` writes the same line into a Dockerfile.
    ["sh".to_owned(), "-c".to_owned(), format!("echo \"{n} {salt}\" > /f{n} && echo {n}")]
}

/// Stages that do as little as can be, so that what is measured is all around them.
#[guest_sdk::stages]
mod stages {
    use super::*;

    /// Runs commands one after the other, each in what the one before left, and returns what the
    /// last printed: its number.
    pub fn chain(
        /// How many.
        n: u32,
    ) -> Result<String> {
        let first = machine::rootfs();
        (1..=n).fold(first, |container, n| container.with_exec(args!["echo", n])).stdout()
    }

    /// Runs commands one after the other on an image, each of which writes a file, and returns what
    /// the last printed: its number.
    pub fn chain_on(
        /// The image, which has a shell.
        image: Container,
        /// How many.
        n: u32,
        /// Is part of each command: steps with another were never run.
        salt: String,
    ) -> Result<String> {
        (1..=n).fold(image, |container, n| container.with_exec(write(n, &salt))).stdout()
    }

    /// Sleeps in steps that do not depend on each other.
    pub fn sleepers(
        /// The image, which has a shell.
        image: Container,
        /// How many.
        n: u32,
        /// For how long each.
        seconds: f64,
        /// Is part of each command: steps with another were never run.
        salt: String,
    ) -> Result<()> {
        let sleep = |n| image.with_exec(["sh", "-c", &format!("sleep {seconds}; : {n} {salt}")]);
        sync_all((1..=n).map(sleep))
    }

    /// Runs one command on an image.
    pub fn step(
        /// The image, which has a shell.
        image: Container,
        /// Whether the step can reach the network.
        network: bool,
        /// Is part of the command: a step with another was never run.
        salt: String,
    ) -> Result<String> {
        let options = ExecOptions::new();
        let options = if network { options } else { options.without_network() };
        image.with_exec_options(write(1, &salt), options).stdout()
    }

    /// Returns an image as it is.
    pub fn image(
        /// The image.
        image: Container,
    ) -> Container {
        image
    }

    /// Returns the digest of what is in a directory.
    pub fn digest(
        /// The directory.
        src: Directory,
    ) -> Result<String> {
        src.digest()
    }

    /// Sleeps in one step, after those that it is fed by, and returns a directory with its name.
    pub fn nap(
        /// What it is called; a part of the command.
        name: &str,
        /// For how long.
        seconds: f64,
        /// Is part of the command: a step with another was never run.
        salt: &str,
        /// One that it waits for.
        a: Option<Directory>,
        /// Another one.
        b: Option<Directory>,
        /// Yet another one.
        c: Option<Directory>,
    ) -> Directory {
        let waited = [("/a", a), ("/b", b), ("/c", c)];
        let machine = waited.into_iter().fold(machine::rootfs(), |container, (path, directory)| match directory {
            Some(directory) => container.with_mounted_directory(path, directory),
            None => container,
        });
        let script = format!("sleep {seconds}; mkdir /out; echo {salt} > /out/{name}");
        machine.with_exec(["sh", "-c", &script]).directory("/out")
    }

    /// Returns its name, whatever it is given.
    pub fn pass(
        /// What it is called: no two are the same call.
        name: String,
        /// What the stage before it returned.
        text: Option<String>,
    ) -> String {
        drop(text);
        name
    }

    /// Leaves the comments out of a source, as a compiler does.
    pub fn compile(
        /// The source.
        src: &File,
    ) -> File {
        let script = "grep -v '^#' /src > /compiled";
        machine::rootfs().with_file("/src", src).with_exec(["sh", "-c", script]).file("/compiled")
    }

    /// Uses what was compiled.
    pub fn test(
        /// What was compiled.
        compile: &File,
    ) -> Result<String> {
        machine::rootfs().with_file("/compiled", compile).with_exec(["cat", "/compiled"]).stdout()
    }
}
