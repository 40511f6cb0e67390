//! Modules: their manifests, their builds and their components.
//!
//! A module is a directory with a `host.toml`, or a component in a `.wasm` file. [`find`] makes a [`Module`] of
//! either, and [`resolve`] makes a [`ModuleTree`] of it with all modules that it needs. [`interface_wit`] returns the
//! WIT that importers of a module need, and [`write_dependencies_wit`] writes it where the tools of languages look for
//! it. [`build`] makes the component of a directory with the tools of its language and embeds its documentation; [`freshness`] tells
//! cheaply whether that is needed. [`documentation`], [`inspect`] and [`api_functions`] read components and the WIT
//! package `pipeline:api`; none of them is needed to call a stage.
//!
//! The results of `host build` are in `<module>/target/host/`, or in `$CARGO_TARGET_DIR/host/`:
//!
//! ```text
//! target/host/NAME.wasm     the component, with the custom section `pipeline:docs`
//! target/host/NAME.stamp    what it was made of: sizes and times of its sources
//! ```
//!
//! A module with the key `build` has its component where the manifest says, and the stamp in `.host/`.
//!
//! The WIT of dependencies is beside the module's own WIT:
//!
//! ```text
//! wit/deps/ALIAS/package.wit    the interface of a dependency
//! ```
//!
//! This crate runs no WebAssembly and prints nothing. No other crate runs the tools of a language, or the command of a manifest.

// The files that are read here were written by others.
#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

mod build;
mod cargo;
mod dependencies;
mod distribution;
mod docs;
mod document;
mod fs;
mod inspect;
mod interface;
mod languages;
mod manifest;
mod methods;
mod near;
mod reference;
mod scaffold;
mod sdk;
mod sections;
mod set_ups;
mod sources;
mod stamp;
#[cfg(test)]
mod testing;
mod wit;
mod wit_deps;

pub use build::{BuildError, BuildOptions, Built, build};
pub use cargo::{TARGET, has_target};
pub use dependencies::{DependencyEntry, DependencyError, ModuleTree, Node, NodeDependency, resolve};
pub use distribution::Distribution;
pub use docs::{Documentation, MemberDocs, ObjectDocs, StageDocs, TypeDocs, documentation, documented_stages};
pub use document::documentation_of;
pub use fs::FsError;
pub use inspect::{Export, InspectError, Inspection, Producer, inspect};
pub use interface::{InterfaceError, InterfaceWit, PackageWit, interface_wit};
pub use languages::{LanguageTools, language_tools};
pub use manifest::{
    Argument, CallTarget, Dependency, Expression, ExpressionStep, Ignore, Keys, Language, MANIFEST_NAME, ManifestError,
    ManifestProblem, ModuleManifest, POWERS, Policy, Position, Setting, StageEntry, StageWork, parse_duration,
};
pub use methods::{ApiMethod, find_method, grouped_methods, methods_of};
pub use near::{near, suggestion};
pub use reference::{FindError, Module, ModuleDirectory, find};
pub use scaffold::{ScaffoldError, Sdk, Template, scaffold};
pub use set_ups::SetUpProblem;
pub use sources::{left_out, source_paths};
pub use stamp::{Freshness, built_from, freshness};
pub use wit::{ApiFunction, api_functions, api_methods_of};
pub use wit_deps::{WitDepsError, placed_wit, write_api_wit, write_dependencies_wit, write_dependency_wit};
