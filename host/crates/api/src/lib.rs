//! The objects of the WIT package `pipeline:api` and their methods.
//!
//! An object is a value. A [`Container`] is a root file system (an edge of the graph), a configuration and mounts.
//! Each of its `with-` methods makes another value and adds at most one vertex. Only LEAF methods ask the [`Bridge`]
//! to evaluate something.
//!
//! One table leads from the names of the WIT functions to their implementations; [`find`] looks a function up. Stage
//! functions reach the table through the runtime, the command line through its chains, and both get the same answers.
//! A function of the WIT package that is not in the table is not available in this version. [`unavailable`] lists
//! these functions, and a test compares the list with the package and with `docs/unavailable.md`.
//!
//! This crate knows neither WebAssembly nor any engine, only the trait of engines, and it does no IO.

mod args;
mod bridge;
mod container;
pub mod csv;
mod directory;
mod dispatch;
mod file;
mod identity;
pub mod json;
mod options;
mod origins;
mod pending;
mod resources;
pub mod shown;
mod stages;
mod table;
mod types;
mod value;
mod weight;

pub use args::{Args, ArgumentError};
pub use bridge::{Bridge, LogLevel};
pub use container::{Config, Container, ContainerMount, MountSource, Port};
pub use directory::Directory;
pub use dispatch::{Function, Lazy, Leaf, find, invoke, unavailable, with_env};
pub use file::File;
pub use identity::identity;
pub use options::{BuildOptions, CopyOptions, ExecOptions, MountOptions, NewOptions, SearchOptions};
pub use origins::{Caller, Origins};
pub use pending::force;
pub use resources::{CacheVolume, Secret, Service};
pub use stages::{NoStages, can_be_stage, obstacle, stage_interface};
pub use table::LeafFuture;
pub use types::{CustomType, ObjectType, Signature, Type};
pub use value::{CustomObject, Making, Object, Pending, Value};
pub use weight::{Weight, text_bytes};
