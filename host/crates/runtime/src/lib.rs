//! Loads components and calls their stages.
//!
//! A [`Runtime`] holds the engine and the limits; [`Runtime::load`] makes a [`Component`], whose
//! [`stages`](Component::stages) are the functions of the interface that it exports, and
//! [`Component::call`] runs one of them. Values cross as [`api::Value`]: an object in them is what
//! it stands for, so that no value belongs to an instance.
//!
//! ```text
//! Runtime ── load ──> Component ── call ──> one wasmtime::Store: instance, table of objects,
//!    engine             types                virtual WASI, limiter, stopwatch
//!    compiled-v1/       linked once          dropped with the call
//! ```
//!
//! Objects that a module defines itself live in an instance of it that is kept for the run
//! ([`Instance`]); functions of other modules are called through the bridge, each in a store of
//! its own. A component that exports `wasi:cli/run` is a program, which [`Component::run`] runs.
//!
//! What a guest can reach is written down in two places: the functions of `pipeline:api`, which
//! are those of [`api::find`] and of nothing else, and a WASI in which nothing is real. Every call
//! has limits on time, memory, stack, objects and output; what goes over one of them ends the call
//! with a [`Trap`] that says so.
//!
//! This room alone knows wasmtime; its public interface does not. It does not know what a
//! container is, where a component comes from, or whether a call's result can be reused.

#![warn(clippy::indexing_slicing)]

mod bulk;
mod cache;
mod call;
mod component;
mod engine;
mod failure;
mod home;
mod instance;
mod kinds;
mod link;
mod load;
mod objects;
mod output;
mod power;
mod program;
mod report;
mod runtime;
mod setup;
mod shared;
mod state;
mod ticker;
mod time;
mod trap;
mod types;
mod values;
mod wasi;

pub use call::{Call, CallError};
pub use component::{Component, DependencyImport};
pub use instance::Instance;
pub use load::LoadError;
pub use output::ByteSink;
pub use power::{Power, UnknownPower};
pub use program::ProgramCall;
pub use runtime::Runtime;
pub use setup::{Limits, RuntimeConfig, RuntimeError};
pub use trap::{Trap, TrapCause};
