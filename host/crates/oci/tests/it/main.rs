//! Tests of this crate through its public functions.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

mod archives;
mod archives_images;
mod layers_case;
mod layers_corpus;
mod layers_mutations;
mod layers_pack;
mod registry;
mod support;
