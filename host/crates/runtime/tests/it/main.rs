//! Components, loaded and called.
//!
//! `load` and `limits` write their components as text and need nothing; `guests` and `polyglot`
//! build programs and say what they require.

#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy sees no tests in what they share")]

mod cache;
mod fake;
mod guests;
mod limits;
mod load;
mod objects;
mod polyglot;
mod support;
