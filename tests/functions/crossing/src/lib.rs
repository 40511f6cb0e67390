//! Stages that call those of another module several times.

use guest_sdk::prelude::*;

guest_sdk::import!(links);

/// Calls another module.
#[guest_sdk::stages]
mod stages {
    use super::*;

    /// Begins two steps of the other module, then reads what they print, one after the other.
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

    /// Takes a tree of the other module, and does nothing with it.
    pub fn unused() -> String {
        let _ = links::tree();
        "unused".to_owned()
    }

    /// Meets the error of a function where what it makes is looked at.
    pub fn late() -> Result<String> {
        let broken = links::broken().context("the call")?;
        Ok(broken.entries().context("the look")?.join(", "))
    }

    /// Goes on when a function of the other module ends without an answer.
    pub fn survives() -> Result<String> {
        match links::dark() {
            Ok(text) => Ok(text),
            Err(error) => Ok(format!("it failed: {error}")),
        }
    }
}
