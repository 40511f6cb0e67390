//! Stages that are linked in every way, right and wrong.

use guest_sdk::prelude::*;

/// Links.
#[guest_sdk::stages]
mod stages {
    use super::*;

    /// Says that it was called.
    pub fn seed() -> String {
        log::info!("called");
        "seed".to_owned()
    }

    /// Takes the seed.
    pub fn left(seed: String) -> Result<String> {
        Ok(format!("left of {seed}"))
    }

    /// Takes the seed, too.
    pub fn right(seed: &str) -> String {
        format!("right of {seed}")
    }

    /// Does without the seed.
    pub fn maybe(
        /// Nothing unless given.
        seed: Option<String>,
    ) -> String {
        seed.unwrap_or_else(|| "nothing".to_owned())
    }

    /// Takes both.
    pub fn both(left: &str, right: &str) -> String {
        format!("{left}, {right}")
    }

    /// Makes a tree, and says that it was called.
    pub fn tree() -> Directory {
        log::info!("called");
        Directory::new().with_new_file("a.txt", "a\n")
    }

    /// Adds to the tree without looking at it.
    pub fn more(tree: &Directory) -> Directory {
        tree.with_new_file("b.txt", "b\n")
    }

    /// Does not look at the tree at all.
    pub fn idle(tree: &Directory) -> String {
        let _ = tree.with_new_file("c.txt", "c\n");
        "idle".to_owned()
    }

    /// Fails.
    pub fn broken() -> Result<Directory> {
        bail!("it is broken")
    }

    /// Looks at what is broken.
    pub fn after(broken: &Directory) -> Result<Vec<String>> {
        broken.entries()
    }

    /// Needs `pong`.
    pub fn ping(pong: String) -> String {
        format!("ping {pong}")
    }

    /// Needs `ping`.
    pub fn pong(ping: String) -> String {
        format!("pong {ping}")
    }

    /// Wants a number where a stage of the same name makes text.
    pub fn wrong(seed: u32) -> u32 {
        seed
    }

    /// Returns a variable of its containers.
    pub fn variable(
        name: &str,
        /// What it begins with; this machine's tools unless given.
        base: Option<Container>,
    ) -> Result<String> {
        let base = base.unwrap_or_else(machine::rootfs);
        base.with_exec(["sh", "-c", &format!("echo ${name}")]).stdout()
    }

    /// Sleeps in a step.
    pub fn nap(name: &str) -> Container {
        machine::rootfs().with_exec(["sh", "-c", &format!("sleep 0.5; echo {name}")])
    }

    /// Panics where it could have answered with an error.
    pub fn dark() -> Result<String> {
        panic!("it is too dark")
    }

    /// Panics.
    pub fn panics() -> String {
        panic!("it is too dark")
    }
}
