//! Helpers for the tests of all crates. Only tests depend on this crate.
//!
//! [`require`] skips a test that lacks a tool of this machine. [`Scratch`] is a store with a working directory and the
//! real binary, [`guest`] and [`Language`] build guest programs, [`Registry`] and [`Docker`] are servers of one test.

#![allow(clippy::panic, clippy::print_stderr, reason = "a test reports what it lacks, and fails by a panic")]

mod docker;
mod guests;
mod paths;
mod polyglot;
mod registry;
mod scratch;
mod tools;
mod users;

pub use docker::Docker;
pub use guests::{binary, guest};
pub use paths::{root, scratch_dir, short_dir, target_dir};
pub use polyglot::Language;
pub use registry::{PASSWORD, Registry, USER};
pub use scratch::{Answer, Scratch};
pub use tools::{docker_address, is_root, is_there, require, run};
pub use users::{UID, run_as_user};
