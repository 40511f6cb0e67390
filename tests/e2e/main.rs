//! Whole runs through the real binary.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod exports;
mod failures;
mod files;
mod guests;
mod images;
mod install;
mod kills;
mod linking;
mod machine;
mod page;
mod pipelines;
mod planning;
mod polyglot;
mod readme;
mod reuse;
mod run;
mod secrets;
mod together;
mod users;
mod volumes;
mod watching;
