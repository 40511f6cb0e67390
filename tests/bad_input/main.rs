//! Wrong input, through the real binary.
//!
//! In each case the message names what is wrong, the exit code is that of its kind, nothing is printed on standard
//! output, and the next call works with the store; [`case`] checks it. A table has a name for each row, which a
//! failure reports.

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
mod outputs;
mod paths;
mod secrets;
mod steps;
mod stores;
mod streams;
mod values;
mod words;
