//! The backend against real Dockers and against fakes.
//!
//! Real ones are named by the variable `HOST_TEST_DOCKER`, as DOCKER_HOST takes them. Without it these tests say so
//! and pass; with `REQUIRE=docker` they fail.

mod chains;
mod fakes;
mod harness;
mod images;
