//! Calls a module in another language.

guest_sdk::import!(polyglot);

/// Hands what one call answers to the next.
#[guest_sdk::stages]
mod stages {
    use super::*;

    /// Calls the other module so often, each time with what it answered before.
    pub fn relay(
        /// What the first call is given.
        name: String,
        /// How often.
        n: u32,
    ) -> String {
        (0..n).fold(name, |name, _| polyglot::greet(Some(&name)))
    }
}
