//! Evaluates graphs on this machine: no daemon, no image, no registry needed.
//!
//! [`Embedded`] implements `backend::Backend`. The solver schedules; operations on files are operations
//! on the Merkle trees of the store; commands run in the [`zone`], a helper process in namespaces of
//! its own, under crun over an overlay of layers.
//!
//! The function that runs one command is five: *gather*, *prepare*, *run*, *collect*, *record*.
//!
//! This room does not know what a stage is, and does not decide what a key is made of: operations say
//! so themselves.

mod embedded;
mod engine;
mod exec;
mod graphs;
mod image;
mod layout;
mod locks;
mod maintenance;
mod value;
mod zones;

use std::process::ExitCode;

pub use ::zone;

pub use embedded::{Embedded, probe};

/// What the zone can be asked to do besides running commands.
const FUNCTIONS: &[(&str, zone::ZoneFunction)] = &[
    (exec::NAME, exec::ingest),
    (image::NAME, image::unpack),
    (layout::NAME, layout::write),
    (layout::RENAME, layout::rename),
    (maintenance::NAME, maintenance::empty_trash),
];

/// Runs the zone: what a program does when its first argument is [`zone::ARGUMENT`], before anything else.
#[must_use]
pub fn zone_main() -> ExitCode {
    zone::main(FUNCTIONS)
}
