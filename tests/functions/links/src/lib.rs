//! Stages that are linked in every way, right and wrong.

use guest_sdk::prelude::*;

/// Links stages in every way.
#[guest_sdk::stages]
mod stages {
    use super::*;

    /// Logs that it was called.
    pub fn seed() -> String {
        log::info!("called");
        "seed".to_owned()
    }

    /// Takes the seed.
    pub fn left(seed: String) -> Result<String> {
        Ok(format!("left of {seed}"))
    }

    /// Takes the seed as well.
    pub fn right(seed: &str) -> String {
        format!("right of {seed}")
    }

    /// Takes the seed if it is given.
    pub fn maybe(
        /// The default is none.
        seed: Option<String>,
    ) -> String {
        seed.unwrap_or_else(|| "nothing".to_owned())
    }

    /// Takes both results.
    pub fn both(left: &str, right: &str) -> String {
        format!("{left}, {right}")
    }

    /// Makes a directory, and logs that it was called.
    pub fn tree() -> Directory {
        log::info!("called");
        Directory::new().with_new_file("a.txt", "a\n")
    }

    /// Adds to the directory without reading it.
    pub fn more(tree: &Directory) -> Directory {
        tree.with_new_file("b.txt", "b\n")
    }

    /// Does not use the directory.
    pub fn idle(tree: &Directory) -> String {
        let _ = tree.with_new_file("c.txt", "c\n");
        "idle".to_owned()
    }

    /// Fails with an error.
    pub fn broken() -> Result<Directory> {
        bail!("it is broken")
    }

    /// Reads the result of the stage that fails.
    pub fn after(broken: &Directory) -> Result<Vec<String>> {
        broken.entries()
    }

    /// Needs the stage `pong`.
    pub fn ping(pong: String) -> String {
        format!("ping {pong}")
    }

    /// Needs the stage `ping`.
    pub fn pong(ping: String) -> String {
        format!("pong {ping}")
    }

    /// Takes a number from a stage that returns text.
    pub fn wrong(seed: u32) -> u32 {
        seed
    }

    /// Returns a variable of its container.
    pub fn variable(
        name: &str,
        /// The container to start from; the default is this machine.
        base: Option<Container>,
    ) -> Result<String> {
        let base = base.unwrap_or_else(machine::rootfs);
        base.with_exec(["sh", "-c", &format!("echo ${name}")]).stdout()
    }

    /// Sleeps in a step.
    pub fn nap(name: &str) -> Container {
        machine::rootfs().with_exec(["sh", "-c", &format!("sleep 0.5; echo {name}")])
    }

    /// Panics although it could return an error.
    pub fn dark() -> Result<String> {
        panic!("it is too dark")
    }

    /// Panics with a message.
    pub fn panics() -> String {
        panic!("it is too dark")
    }
}
