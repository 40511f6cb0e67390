//! Bad input, through the real binary.
//!
//! Each case says what is wrong by name, ends with the exit code of its kind, prints no data, and
//! leaves a store that the next call works with; [`case`] holds that all of them do. A table has a
//! name for each of its rows, which a failure names.

#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy sees no tests in what they share")]

mod builds;
mod case;
mod components;
mod directories;
mod exports;
mod faults;
mod images;
mod inside;
mod layers;
mod machine;
mod manifests;
mod options;
mod paths;
mod secrets;
mod steps;
mod stores;
mod streams;
mod values;
mod words;
