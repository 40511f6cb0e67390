//! The behaviours, by subject.

mod caches;
mod config;
mod env;
mod exec;
mod mounts;
mod outcomes;
mod secrets;
mod streams;
mod user;
mod workdir;

use crate::behaviour::Behaviour;

/// Returns all behaviours.
#[must_use]
pub fn all() -> Vec<Behaviour> {
    [
        exec::ALL,
        outcomes::ALL,
        streams::ALL,
        env::ALL,
        user::ALL,
        workdir::ALL,
        config::ALL,
        mounts::ALL,
        caches::ALL,
        secrets::ALL,
    ]
    .concat()
}
