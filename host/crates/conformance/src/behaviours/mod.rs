//! All behaviours, by subject.

mod caches;
mod config;
mod copies;
mod directories;
mod dry;
mod env;
mod equality;
mod exec;
mod files;
mod images;
mod machine;
mod mounts;
mod outcomes;
mod reuse;
mod secrets;
mod streams;
mod together;
mod user;
mod workdir;

use crate::behaviour::Behaviour;

/// Returns all behaviours, in the order of `docs/conformance.md`.
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
        files::ALL,
        directories::ALL,
        copies::ALL,
        reuse::ALL,
        dry::ALL,
        together::ALL,
        machine::ALL,
        images::ALL,
        equality::ALL,
    ]
    .concat()
}
