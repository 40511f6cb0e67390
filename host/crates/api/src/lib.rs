//! The objects of the WIT package `pipeline:api` and what their methods do.
//!
//! An object is a value: a [`Container`] is a root file system (an edge of the graph), a
//! configuration and mounts; each of its `with-` methods makes another value and adds at most a
//! vertex. Only LEAF methods ask the [`Bridge`] to evaluate something.
//!
//! There is one table from the names of the WIT functions to what they do, [`find`]. Stage
//! functions reach it through the runtime, the command line through its chains, and both get the
//! same answers. A function of the WIT package that the table does not have is one that is not
//! available in this version; [`unavailable`] lists them, and a test compares the list with the
//! package and with `docs/unavailable.md`.
//!
//! This room knows neither Wasm nor any backend but its contract, and does no IO.

mod args;
mod bridge;
mod container;
mod directory;
mod dispatch;
mod file;
mod identity;
pub mod json;
mod options;
mod origins;
mod pending;
mod resources;
mod stages;
mod table;
mod types;
mod value;

pub use args::{Args, ArgumentError};
pub use bridge::{Bridge, LogLevel};
pub use container::{Config, Container, ContainerMount, MountSource, Port};
pub use directory::Directory;
pub use dispatch::{Function, Lazy, Leaf, find, invoke, unavailable, with_env};
pub use file::File;
pub use identity::identity;
pub use options::{BuildOptions, CopyOptions, ExecOptions, MountOptions, NewOptions, SearchOptions};
pub use origins::Origins;
pub use pending::force;
pub use resources::{CacheVolume, Secret, Service};
pub use stages::{NoStages, can_be_stage, obstacle, stage_interface};
pub use table::LeafFuture;
pub use types::{CustomType, ObjectType, Signature, Type};
pub use value::{CustomObject, Making, Object, Pending, Value};
