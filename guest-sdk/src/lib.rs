//! Write the stages of a pipeline in Rust: one file and no WIT.
//!
//! A stage is an ordinary documented function. The module that holds the stages is
//! marked by [`#[guest_sdk::stages]`](macro@stages), and the interface of the
//! component is derived from it: names, types, documentation.
//!
//! ```
//! use guest_sdk::prelude::*;
//!
//! /// Builds C projects.
//! #[guest_sdk::stages]
//! mod stages {
//!     use super::*;
//!
//!     /// Compiles the sources and returns the program.
//!     pub fn build(
//!         /// The source tree, with a `Makefile`.
//!         src: Directory,
//!         /// How many files are compiled at once; 2 unless given.
//!         jobs: Option<u32>,
//!     ) -> Result<File> {
//!         let built = machine::rootfs()
//!             .with_directory("/src", src)
//!             .with_workdir("/src")
//!             .with_exec(args!["make", "-j", jobs.unwrap_or(2)]);
//!         built.sync()?;
//!         Ok(built.file("app"))
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! `host call build --src .` runs it. [`macro@stages`] says which types a stage can
//! take and return.
//!
//! - **Objects** are lazy: [`Container`], [`Directory`], [`File`], [`Secret`],
//!   [`Service`], [`CacheVolume`]. Their methods only record what is to be done; those
//!   that return a [`Result`] evaluate. [`sync_all`] evaluates many at once.
//! - **Options** are built by chaining: `with_exec(args)`, and
//!   `with_exec_options(args, ExecOptions::new().timeout_seconds(60))`.
//! - **Errors** travel by `?`: the host's, those of the standard library and of other
//!   crates; [`bail!`] and [`ensure!`] make one, [`Context`] adds to one. A panic is a
//!   fault of the module: its message, file and line reach the caller.
//! - **Reports** tell `host check` case by case what a stage checked: [`Report`].
//! - **Powers** ([`machine`], [`sources`], [`effects`], [`secret_access`]) are granted
//!   by whoever uses the module; calling one of their functions is asking for it.
//!
//! Stage code is deterministic: it sees no environment, no files but those it was
//! handed, no clock and no network.
//!
//! # Objects of one's own
//!
//! A `struct` of the module of stages with `#[derive(Object)]` is a type that callers
//! make, hand around and ask, and whose fields they do not see. [`macro@stages`] has the
//! rules.
//!
//! ```
//! # use guest_sdk::prelude::*;
//! #[guest_sdk::stages]
//! mod stages {
//! #   use super::*;
//!     /// Checks trees with a strictness of its own.
//!     #[derive(Object)]
//!     pub struct Linter {
//!         level: u32,
//!     }
//!
//!     impl Linter {
//!         /// A linter of this level.
//!         pub fn new(level: u32) -> Self {
//!             Self { level }
//!         }
//!
//!         /// The same linter with another level.
//!         pub fn with_level(&self, level: u32) -> Self {
//!             Self { level }
//!         }
//!
//!         /// Returns the files with tabs, from level 2 on.
//!         pub fn check(&self, src: &Directory) -> Result<Vec<String>> {
//!             if self.level < 2 {
//!                 return Ok(Vec::new());
//!             }
//!             Ok(src.search("\t")?.into_iter().map(|found| found.path).collect())
//!         }
//!     }
//!
//!     /// Fails if there is bad style.
//!     pub fn style(src: &Directory, linter: &Linter) -> Result<()> {
//!         let found = linter.check(src)?;
//!         ensure!(found.is_empty(), "tabs in {}", found.join(", "));
//!         Ok(())
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! # Dependencies
//!
//! `host.toml` names the modules that a module uses, and [`import!`] makes a Rust module
//! of each. What it has is called as any function; the host runs it in a store of its own.
//!
//! ```
//! use guest_sdk::prelude::*;
//!
//! guest_sdk::import!(lint); // `lint = "../lint"` under `[dependencies]`
//!
//! fn checked(src: &Directory) -> Result<Vec<String>> {
//!     lint::check(src)?;
//!     lint::Linter::new(1).with_level(3).check(src)
//! }
//! # fn main() {}
//! ```
//!
//! # One program
//!
//! A pipeline may also be an ordinary program, which `host run FILE.wasm ARGS` runs. It
//! has arguments and standard output, and no more powers than a module. An error that
//! `main` returns is printed in full.
//!
//! ```no_run
//! use guest_sdk::prelude::*;
//!
//! fn main() -> Result<()> {
//!     let names: Vec<String> = std::env::args().skip(1).collect();
//!     let root = machine::rootfs();
//!     let greetings: Vec<Container> = names.iter().map(|name| root.with_exec(["echo", "hello", name])).collect();
//!     sync_all(&greetings)?;
//!     for greeting in &greetings {
//!         print!("{}", greeting.stdout()?);
//!     }
//!     Ok(())
//! }
//! ```
//!
//! Who wants to write the WIT by hand finds the way in [`wit`].

#[allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    unused_qualifications,
    clippy::allow_attributes_without_reason,
    clippy::undocumented_unsafe_blocks,
    reason = "generated by wit-bindgen"
)]
mod bindings;

mod args;
mod cache;
mod container;
mod directory;
mod error;
mod file;
mod handle;
mod lazy;
pub mod log;
mod powers;
pub mod prelude;
mod report;
mod secret;
mod service;
pub mod wit;

pub use cache::{CacheSharing, CacheVolume};
pub use container::{BuildOptions, Container, ExecOptions, MountOptions, Port, Protocol};
pub use directory::{CopyOptions, Directory, NewOptions, SearchOptions, SearchResult};
pub use error::{Context, Error, ExecFailure, Result, code};
pub use file::{File, Stat};
pub use guest_sdk_macros::{Enum, Object, Record, Variant};
pub use lazy::{Lazy, sync_all};
pub use powers::{effects, machine, secret_access, sources};
pub use report::{Report, TestCase, Verdict};
pub use secret::Secret;
pub use service::Service;

/// Makes a Rust module of what a dependency exports: `import!(lint);`, or
/// `import!(pub lint);`.
///
/// The name is that of the dependency in `host.toml`, in snake case. Its interface is in
/// `wit/deps/NAME/package.wit`, which `host build` (or `host wit`) writes; its component is
/// found when the module is used. The import has the interface's own name, as in
/// `local:lint/stages@0.1.0`, so one crate imports it under one name.
///
/// Functions are functions of the module, and fail with an [`Error`]. A custom object is a
/// type with methods; `new` makes one if it has a constructor. Records, enums and variants
/// are types of the module. What belongs to `pipeline:api` is the SDK's own.
///
/// A function takes [`Container`], [`Directory`], [`File`] and [`CacheVolume`] by value or
/// by reference; [`Secret`] and [`Service`] by value, for the API makes no second handle to
/// these. Whether it takes an object of its own by value or by reference is what its
/// interface says.
///
/// ```
/// mod tools {
///     guest_sdk::import!(pub lint);
/// }
///
/// use guest_sdk::prelude::*;
/// use tools::lint::{self, Linter};
///
/// fn strict(src: Directory) -> Result<String> {
///     let found = Linter::new(9).check(&src).context("the linter")?;
///     lint::check(src)?;
///     Ok(found.join("\n"))
/// }
/// # fn main() {}
/// ```
pub use guest_sdk_macros::import;

/// Makes the `pub fn`s of a module the stages of a component.
///
/// From the module, the interface `stages` of the package `local:NAME@VERSION` is
/// derived, with the name and the version of the crate. Names are written in kebab
/// case there: `build_all` is the stage `build-all`. What is documented with `///` is
/// what `host` shows: the module, its stages, their parameters, types, fields, cases.
///
/// # Types
///
/// | in Rust | in the interface |
/// | --- | --- |
/// | `bool`, `u8` to `u64`, `i8` to `i64`, `f32`, `f64`, `char` | `bool`, `u8`, `s8`, ..., `char` |
/// | `String`, `&str` | `string` |
/// | `Vec<T>`, `&[T]` | `list<t>` |
/// | `Option<T>` | `option<t>`: an argument that may be left out |
/// | `(A, B)` | `tuple<a, b>` |
/// | `Container`, `Directory`, `File`, `Secret`, `Service`, `CacheVolume` | the resource |
/// | `CacheSharing`, `Port`, `Protocol`, `SearchResult`, `Stat` | the type of the API |
/// | `Report`, `TestCase`, `Verdict` | the type of the API: what `host check` counts |
/// | a `struct` of the module with `#[derive(Record)]` | `record` |
/// | an `enum` of the module with `#[derive(Enum)]` | `enum` |
/// | an `enum` of the module with `#[derive(Variant)]`, each case with one value or none | `variant` |
/// | a `struct` of the module with `#[derive(Object)]` | `resource` |
/// | `&T` of such a `struct`, also in `Option`, `Vec` and `&[]` | `borrow<t>` |
///
/// A parameter may be taken by reference (`&Directory`, `Option<&str>`). A stage
/// returns nothing, one of these types, or a `Result` of them; any error type that
/// becomes a [`Error`] by `?` will do. A parameter with the name of another
/// stage and the type of its result is fed by that stage unless the caller gives it.
///
/// ```
/// use guest_sdk::prelude::*;
///
/// /// Checks and packs web sites.
/// #[guest_sdk::stages]
/// mod stages {
///     use super::*;
///
///     /// How much the site is compressed.
///     #[derive(Record)]
///     pub struct Compression {
///         /// From 1 to 9.
///         pub level: u8,
///         /// The endings of the files to compress.
///         pub endings: Vec<String>,
///     }
///
///     /// What is done about broken links.
///     #[derive(Enum, PartialEq)]
///     pub enum Links {
///         /// Nothing.
///         Ignore,
///         /// Refuses the site.
///         Refuse,
///     }
///
///     /// Checks the pages.
///     pub fn check(site: &Directory, links: Option<Links>) -> Result<Vec<String>> {
///         let broken = site.search("href=\"\"")?;
///         if links == Some(Links::Refuse) {
///             ensure!(broken.is_empty(), "{} broken links", broken.len());
///         }
///         Ok(broken.into_iter().map(|link| link.path).collect())
///     }
///
///     /// Packs the site.
///     pub fn pack(
///         /// The site.
///         site: Directory,
///         /// Not compressed unless given.
///         compression: Option<Compression>,
///     ) -> File {
///         let mut container = machine::rootfs().with_mounted_directory("/site", site);
///         for ending in compression.iter().flat_map(|compression| &compression.endings) {
///             container = container.with_exec(args!["find", "/site", "-name", ending, "-exec", "gzip", "-k", "{}", "+"]);
///         }
///         container.with_exec(["tar", "-C", "/site", "-cf", "/site.tar", "."]).file("/site.tar")
///     }
/// }
/// # fn main() {}
/// ```
///
/// # Objects
///
/// The `pub fn`s in the `impl` blocks of a `struct` with `#[derive(Object)]` belong to its
/// interface; their parameters and results are as those of stages.
///
/// - `new` returns `Self` and is the constructor. It cannot fail, because not every
///   language of callers has a way to say so: a stage that returns `Result<Linter>` can.
/// - Those with `&self` are methods. Objects are values: a method that would change one
///   returns a new one.
/// - Others are static functions.
///
/// A stage that takes `&Linter` borrows the object, and one that takes `Linter` uses it up:
/// then nobody else can have it. A parameter with the name of the type is fed by the
/// constructor unless the caller gives it.
///
/// Functions that are not `pub` are helpers. One crate has one module of stages.
pub use guest_sdk_macros::stages;

/// What generated code needs; no part of the SDK's promise.
#[doc(hidden)]
pub mod __private {
    pub use wit_bindgen;
}
