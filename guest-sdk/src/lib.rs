//! Write the stages of a pipeline in Rust, in one file and without WIT.
//!
//! A stage is an ordinary function. The module that contains the stages has the attribute
//! [`#[guest_sdk::stages]`](macro@stages), which derives the interface of the component from it:
//! names, types and documentation.
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
//!         /// The source tree; it has a `Makefile`.
//!         src: Directory,
//!         /// The number of files to compile at the same time; the default is 2.
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
//! `host call build --src .` runs it. [`macro@stages`] lists the types that a stage can take and
//! return.
//!
//! - **Objects** are lazy: [`Container`], [`Directory`], [`File`], [`Secret`], [`Service`] and
//!   [`CacheVolume`]. Most methods only record what to do; those that return a [`Result`] evaluate.
//!   [`sync_all`] evaluates several objects at the same time.
//! - **Options** are set by chaining: `with_exec(args)`, and
//!   `with_exec_options(args, ExecOptions::new().timeout_seconds(60))`.
//! - **Errors** are passed on by `?`: those of the host, of the standard library and of other
//!   crates. [`bail!`] and [`ensure!`] return one, and [`Context`] adds text to one. A panic is
//!   reported to the caller with its message, file and line.
//! - **Reports** list the cases of a check for `host check`: [`Report`].
//! - **Powers** ([`machine`], [`sources`], [`effects`], [`secret_access`]) must be granted by the
//!   caller. A module asks for a power by calling one of its functions.
//!
//! Stages are deterministic: they see no environment variables, no files except those that they
//! get, no real clock and no network.
//!
//! # Custom objects
//!
//! A `struct` of the module with `#[derive(Object)]` is a type that callers can create, pass around
//! and call methods on. They do not see its fields. [`macro@stages`] has the rules.
//!
//! ```
//! # use guest_sdk::prelude::*;
//! #[guest_sdk::stages]
//! mod stages {
//! #   use super::*;
//!     /// Checks sources at a chosen level of strictness.
//!     #[derive(Object)]
//!     pub struct Linter {
//!         level: u32,
//!     }
//!
//!     impl Linter {
//!         /// Returns a linter with this level.
//!         pub fn new(level: u32) -> Self {
//!             Self { level }
//!         }
//!
//!         /// Returns a linter with another level.
//!         pub fn with_level(&self, level: u32) -> Self {
//!             Self { level }
//!         }
//!
//!         /// Returns the files that contain tabs, if the level is at least 2.
//!         pub fn check(&self, src: &Directory) -> Result<Vec<String>> {
//!             if self.level < 2 {
//!                 return Ok(Vec::new());
//!             }
//!             Ok(src.search("\t")?.into_iter().map(|found| found.path).collect())
//!         }
//!     }
//!
//!     /// Fails if a file contains tabs.
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
//! `host.toml` names the modules that a module uses, and [`import!`] makes a Rust module of each.
//! Its functions are called like other functions, and run in an instance with its own memory.
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
//! # Programs
//!
//! A pipeline can also be an ordinary program, which `host run FILE.wasm ARGS` runs. It has
//! arguments, standard output, and the powers that the caller grants. An error that `main` returns
//! is printed in full.
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
//! [`wit`] shows how to write the WIT by hand.

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
pub use directory::{CopyOptions, Directory, MatchPart, NewOptions, SearchMatch, SearchOptions, SearchResult};
pub use error::{Context, Error, ExecFailure, Result, code};
pub use file::{File, Stat};
pub use guest_sdk_macros::{Enum, Object, Record, Variant};
pub use lazy::{Lazy, sync_all};
pub use powers::{effects, machine, secret_access, sources};
pub use report::{Report, TestCase, Verdict};
pub use secret::Secret;
pub use service::Service;

/// Makes a Rust module of the interface of a dependency: `import!(lint);`, or
/// `import!(pub lint);`.
///
/// The name is that of the dependency in `host.toml`, in snake case. The macro reads the interface
/// from `wit/deps/NAME/package.wit`, which `host build` and `host wit` write. The component is found
/// when the module is called. The import has the name of the interface, such as
/// `local:lint/stages@0.1.0`, so a crate can import an interface only once.
///
/// Functions of the dependency become functions of the module and fail with an [`Error`]. A custom
/// object becomes a type with methods, and `new` is its constructor. Records, enums and variants
/// become types of the module. The types of `pipeline:api` are those of the SDK.
///
/// A parameter of the type [`Container`], [`Directory`], [`File`] or [`CacheVolume`] accepts a value
/// or a reference. A [`Secret`] or a [`Service`] is passed by value, because the API cannot make a
/// second handle to it. For a custom object, the interface decides whether it is passed by value or
/// by reference.
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
/// The interface is `stages` in the package `local:NAME@VERSION`, with the name and the version of
/// the crate. Its names are in kebab case: the function `build_all` is the stage `build-all`. `host`
/// shows the doc comments of the module, its functions, their parameters, and the types with their
/// fields and cases.
///
/// # Types
///
/// | in Rust | in the interface |
/// | --- | --- |
/// | `bool`, `u8` to `u64`, `i8` to `i64`, `f32`, `f64`, `char` | `bool`, `u8`, `s8`, ..., `char` |
/// | `String`, `&str` | `string` |
/// | `Vec<T>`, `&[T]` | `list<t>` |
/// | `Option<T>` | `option<t>`: an optional argument |
/// | `(A, B)` | `tuple<a, b>` |
/// | `Container`, `Directory`, `File`, `Secret`, `Service`, `CacheVolume` | the resource |
/// | `CacheSharing`, `Port`, `Protocol`, `MatchPart`, `SearchMatch`, `SearchResult`, `Stat` | the type of the API |
/// | `Report`, `TestCase`, `Verdict` | the type of the API; `host check` counts the cases |
/// | a `struct` of the module with `#[derive(Record)]` | `record` |
/// | an `enum` of the module with `#[derive(Enum)]` | `enum` |
/// | an `enum` of the module with `#[derive(Variant)]`, each case with one value or none | `variant` |
/// | a `struct` of the module with `#[derive(Object)]` | `resource` |
/// | `&T` of such a `struct`, also in `Option`, `Vec` and `&[]` | `borrow<t>` |
///
/// A parameter can be a reference (`&Directory`, `Option<&str>`). A stage returns nothing, one of
/// these types, or a `Result` of one. The error can be any type that `?` converts to an [`Error`].
///
/// `#[check]` above a function makes it a check, which `host check` runs. A stage that returns a
/// [`Report`] is one without that.
///
/// A parameter with the name of another stage and the type of its result gets that result, unless
/// the caller gives the flag.
///
/// ```
/// use guest_sdk::prelude::*;
///
/// /// Checks and packs web sites.
/// #[guest_sdk::stages]
/// mod stages {
///     use super::*;
///
///     /// The compression of the site.
///     #[derive(Record)]
///     pub struct Compression {
///         /// The level, from 1 to 9.
///         pub level: u8,
///         /// Patterns for the names of the files to compress.
///         pub endings: Vec<String>,
///     }
///
///     /// The treatment of broken links.
///     #[derive(Enum, PartialEq)]
///     pub enum Links {
///         /// Accepts them.
///         Ignore,
///         /// Fails if there is one.
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
///         /// The pages of the site.
///         site: Directory,
///         /// The default is no compression.
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
/// The `pub fn`s in the `impl` blocks of a `struct` with `#[derive(Object)]` are part of the
/// interface. Their parameters and results follow the same rules as those of stages.
///
/// - `new` returns `Self` and is the constructor. It cannot fail, because not every language can
///   express that. A stage that returns `Result<Linter>` can be used instead.
/// - Functions with `&self` are methods. Objects are values: a method that changes something returns
///   a new object.
/// - Other functions are static functions.
///
/// A stage that takes `&Linter` borrows the object. A stage that takes `Linter` consumes it, so that
/// nobody else can use it afterwards. A parameter with the name of the type gets a new object from the
/// constructor, unless the caller gives the flag.
///
/// Functions that are not `pub` are not part of the interface. A crate has one module of stages.
pub use guest_sdk_macros::stages;

/// Items that generated code uses. They may change in every version.
#[doc(hidden)]
pub mod __private {
    pub use wit_bindgen;
}
