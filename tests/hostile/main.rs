//! Attacks that stay: hostile components, commands and registries, kills, full disks, and runs beside a collector.
//!
//! Each attack gets a [`verdict`]: the answer is right, what was damaged is healed, or the fault is told. Everything
//! else is WRONG, and there may be none of it. Each process has [`bounds`] on its memory, and is killed when it takes
//! far too long. With `HOSTILE=long`, as `scripts/hostile` sets it, there are many more attacks of each kind.

#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "clippy sees no tests in what they share")]

mod bounds;
mod components;
mod disk;
mod kills;
mod registry;
mod steps;
mod together;
mod users;
mod verdict;
mod warm;
