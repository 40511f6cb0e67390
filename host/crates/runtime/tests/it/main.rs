//! Components, loaded and called.
//!
//! `load` and `limits` write their components as text and need nothing; `guests` and `polyglot`
//! build programs and say what they require.

#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

mod cache;
mod fake;
mod guests;
mod limits;
mod load;
mod polyglot;
mod support;
