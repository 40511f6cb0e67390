//! Calls a module in another language.

guest_sdk::import!(polyglot);

/// Stages that call a function of another module.
#[guest_sdk::stages]
mod stages {
    use super::*;

    /// Calls the function `n` times, each time with the answer of the call before.
    pub fn relay(
        /// The argument of the first call.
        name: String,
        /// The number of calls.
        n: u32,
    ) -> String {
        (0..n).fold(name, |name, _| polyglot::greet(Some(&name)))
    }
}
