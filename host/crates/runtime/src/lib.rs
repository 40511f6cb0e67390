//! The runtime of components: it loads them and calls their stages.
//!
//! A [`Runtime`] has the engine and the limits. [`Runtime::load`] makes a [`Component`]. Its
//! [`stages`](Component::stages) are the functions of the interface that it exports, and [`Component::call`] calls one
//! of them. Arguments and results are [`api::Value`]s, which belong to no instance.
//!
//! ```text
//! Runtime ── load ──> Component ── call ──> one wasmtime::Store: instance, table of objects,
//!    engine             types                virtual WASI, limiter, stopwatch
//!    compiled-v1/       linked once          dropped with the call
//! ```
//!
//! Objects that a module defines live in an instance that is kept for the run ([`Instance`]). Functions of other
//! modules are called through the bridge, each in a store of its own. A component that exports `wasi:cli/run` is a
//! program, and [`Component::run`] runs it.
//!
//! A guest can reach two things: the functions of `pipeline:api` that [`api::find`] finds, and a WASI in which nothing
//! is real. Each call has limits on time, memory, stack, objects and output. A call that exceeds a limit ends with a
//! [`Trap`] that says so.
//!
//! No other crate knows wasmtime, and the public interface of this one does not show it. This crate does not know what
//! a container is, where a component comes from, or whether the result of a call can be reused.

#![warn(clippy::indexing_slicing)]

mod budget;
mod bulk;
mod cache;
mod call;
mod component;
mod failure;
mod home;
mod instance;
mod kinds;
mod link;
mod load;
mod method;
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
mod wasm;

pub use cache::verify_compiled;
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
