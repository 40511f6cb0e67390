//! The engine against real Dockers and against fakes.
//!
//! Real ones are named by the variable `HOST_TEST_DOCKER`, as DOCKER_HOST takes them. Without it these tests say so
//! and pass; with `REQUIRE=docker` they fail.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::disallowed_methods, reason = "a fake ends with its test")]

mod chains;
mod classic;
mod fakes;
mod harness;
mod images;
mod registry;
