//! Tests of loading and calling components.
//!
//! `load` and `limits` have their components as text. `guests`, `objects` and `polyglot` build guest programs.

#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy sees no tests in what they share")]

mod cache;
mod fake;
mod guests;
mod kept;
mod limits;
mod load;
mod objects;
mod polyglot;
mod support;
