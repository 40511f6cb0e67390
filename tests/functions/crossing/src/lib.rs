//! Stages that call several stages of another module.

use guest_sdk::prelude::*;

guest_sdk::import!(links);

/// Calls another module.
#[guest_sdk::stages]
mod stages {
    use super::*;

    /// Starts two steps of the other module, and then reads their output one after the other.
    pub fn side_by_side() -> Result<String> {
        let (one, other) = (links::nap("one"), links::nap("other"));
        one.start();
        other.start();
        Ok(one.stdout()? + &other.stdout()?)
    }

    /// Calls the same function twice.
    pub fn twice() -> String {
        links::seed() + &links::seed()
    }

    /// Takes a directory of the other module and does not use it.
    pub fn unused() -> String {
        let _ = links::tree();
        "unused".to_owned()
    }

    /// Gets the error of a function when it reads the function's result.
    pub fn late() -> Result<String> {
        let broken = links::broken().context("the call")?;
        Ok(broken.entries().context("the look")?.join(", "))
    }

    /// Continues after a function of the other module ended without an answer.
    pub fn survives() -> Result<String> {
        match links::dark() {
            Ok(text) => Ok(text),
            Err(error) => Ok(format!("it failed: {error}")),
        }
    }
}
