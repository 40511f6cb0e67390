//! A minimal module, which needs no power.

use guest_sdk::prelude::*;

/// Greets people by name.
#[guest_sdk::stages]
mod stages {
    use super::*;

    /// Returns a greeting.
    pub fn hello(
        /// The person to greet; the default is the world.
        name: Option<String>,
    ) -> String {
        format!("Hello, {}!", name.as_deref().unwrap_or("world"))
    }

    /// Adds a greeting to a directory, as the file `HELLO.txt`.
    pub fn card(
        /// The directory; the default is an empty one.
        dir: Option<Directory>,
        /// The person to greet; the default is the world.
        name: Option<String>,
    ) -> Directory {
        dir.unwrap_or_default().with_new_file("HELLO.txt", hello(name) + "\n")
    }
}
