//! What the benchmarks call.

use guest_sdk::prelude::*;

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

    /// Returns the digest of what is in a directory.
    pub fn digest(
        /// The directory.
        src: Directory,
    ) -> Result<String> {
        src.digest()
    }
}
