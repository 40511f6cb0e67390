//! The command line as its users see it: words in, standard output, standard error and exit code
//! out. The engine is a fake; what commands run is tested elsewhere.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod chains;
mod check;
mod commands;
mod completions;
mod fake;
mod flags;
mod graph;
mod help;
mod modules;
mod plan;
mod results;
mod run;
mod watch;
mod world;
