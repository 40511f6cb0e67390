//! The smallest module: what `host init` writes.

use guest_sdk::prelude::*;

/// Says hello.
#[guest_sdk::stages]
mod stages {
    use super::*;

    /// Greets somebody.
    pub fn hello(
        /// Who is greeted; the world unless given.
        name: Option<String>,
    ) -> String {
        format!("Hello, {}!", name.as_deref().unwrap_or("world"))
    }

    /// Adds a greeting to a directory, as the file `HELLO.txt`.
    pub fn card(
        /// The directory; an empty one unless given.
        dir: Option<Directory>,
        /// Who is greeted; the world unless given.
        name: Option<String>,
    ) -> Directory {
        dir.unwrap_or_default().with_new_file("HELLO.txt", hello(name) + "\n")
    }
}
