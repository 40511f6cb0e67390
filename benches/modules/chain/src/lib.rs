//! The stages that the benchmarks call.

use guest_sdk::prelude::*;

/// Returns the command that writes the number of a step to a file, and prints it.
fn write(n: u32, salt: &str) -> [String; 3] {
    // `benches/src/figures/docker_chain.rs` writes the same line into a Dockerfile.
    ["sh".to_owned(), "-c".to_owned(), format!("echo \"{n} {salt}\" > /f{n} && echo {n}")]
}

/// Stages that do as little as possible, so that the time of everything else is measured.
#[guest_sdk::stages]
mod stages {
    use super::*;

    /// Runs commands one after the other, each in what the one before left, and returns what the
    /// last printed: its number.
    pub fn chain(
        /// The number of steps.
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
        /// The number of steps.
        n: u32,
        /// A part of each command. Steps with a new salt were never run.
        salt: String,
    ) -> Result<String> {
        (1..=n).fold(image, |container, n| container.with_exec(write(n, &salt))).stdout()
    }

    /// Sleeps in steps that do not depend on each other.
    pub fn sleepers(
        /// The image, which has a shell.
        image: Container,
        /// The number of steps.
        n: u32,
        /// The seconds that each step sleeps.
        seconds: f64,
        /// A part of each command. Steps with a new salt were never run.
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
        /// A part of the command. A step with a new salt was never run.
        salt: String,
    ) -> Result<String> {
        let options = ExecOptions::new();
        let options = if network { options } else { options.without_network() };
        image.with_exec_options(write(1, &salt), options).stdout()
    }

    /// Returns an image as it is.
    pub fn image(
        /// The image that is returned.
        image: Container,
    ) -> Container {
        image
    }

    /// Returns the digest of what is in a directory.
    pub fn digest(
        /// The directory whose digest is returned.
        src: Directory,
    ) -> Result<String> {
        src.digest()
    }

    /// Sleeps in one step, after the steps that it waits for, and returns a directory with a file of its name.
    pub fn nap(
        /// The name of the step, which is a part of the command.
        name: &str,
        /// The seconds that it sleeps.
        seconds: f64,
        /// A part of the command. A step with a new salt was never run.
        salt: &str,
        /// A step that it waits for.
        a: Option<Directory>,
        /// Another step that it waits for.
        b: Option<Directory>,
        /// A third step that it waits for.
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

    /// Returns its name.
    pub fn pass(
        /// The name, which makes each call a different one.
        name: String,
        /// The answer of the stage before it.
        text: Option<String>,
    ) -> String {
        drop(text);
        name
    }

    /// Removes the comments of a source, as a compiler does.
    pub fn compile(
        /// The source with comments.
        src: &File,
    ) -> File {
        let script = "grep -v '^#' /src > /compiled";
        machine::rootfs().with_file("/src", src).with_exec(["sh", "-c", script]).file("/compiled")
    }

    /// Prints the compiled source.
    pub fn test(
        /// The compiled source.
        compile: &File,
    ) -> Result<String> {
        machine::rootfs().with_file("/compiled", compile).with_exec(["cat", "/compiled"]).stdout()
    }
}
