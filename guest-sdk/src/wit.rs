//! Support for modules whose WIT is written by hand.
//!
//! [`generate!`](crate::generate) is `wit_bindgen::generate!` with a `with:` that maps each
//! interface of `pipeline:api` to the module of the same name below. The exports of the component
//! are then written with [`Container`](crate::Container), [`Directory`](crate::Directory) and the
//! other types of the SDK.
//!
//! ```text
//! // wit/world.wit
//! package acme:tools@0.1.0;
//!
//! interface stages {
//!     use pipeline:api/directory@0.1.0.{directory};
//!     use pipeline:api/errors@0.1.0.{error};
//!
//!     /// Lists the sources.
//!     sources: func(src: directory) -> result<list<string>, error>;
//! }
//!
//! world module {
//!     include pipeline:api/imports@0.1.0;
//!     export stages;
//! }
//! ```
//!
//! ```
//! use guest_sdk::prelude::*;
//!
//! guest_sdk::generate!({
//! #   path: "../wit",
//! #   world: "acme:tools/module",
//! #   inline: "
//! #       package acme:tools@0.1.0;
//! #       interface stages {
//! #           use pipeline:api/directory@0.1.0.{directory};
//! #           use pipeline:api/errors@0.1.0.{error};
//! #           sources: func(src: directory) -> result<list<string>, error>;
//! #       }
//! #       world module { include pipeline:api/imports@0.1.0; export stages; }
//! #   ",
//! # });
//! # /*
//!     path: ["../../wit", "wit"], // `pipeline:api`, then this package
//!     world: "module",
//! });
//! guest_sdk::embed_wit!("wit/world.wit");
//! # */
//!
//! struct Component;
//!
//! impl exports::acme::tools::stages::Guest for Component {
//!     fn sources(src: Directory) -> Result<Vec<String>, guest_sdk::wit::errors::Error> {
//!         Ok(src.glob("**/*.c")?)
//!     }
//! }
//!
//! export!(Component);
//! # fn main() {}
//! ```
//!
//! The world must include all of `pipeline:api/imports@0.1.0`. It does not have to name the powers
//! that the module uses through the SDK.

/// The types of `pipeline:api/cache`.
pub mod cache {
    pub use crate::{CacheSharing, CacheVolume};
}

/// The types of `pipeline:api/container`.
pub mod container {
    pub use crate::{BuildOptions, Container, ExecOptions, MountOptions, Port, Protocol};
}

/// The types of `pipeline:api/directory`.
pub mod directory {
    pub use crate::{CopyOptions, Directory, MatchPart, NewOptions, SearchMatch, SearchOptions, SearchResult};
}

/// The types of `pipeline:api/errors`. `?` converts its `error` to an [`Error`](crate::Error) and
/// back.
pub mod errors {
    pub use crate::error::record::{Error, ExecFailure};
}

/// The types of `pipeline:api/file`.
pub mod file {
    pub use crate::{File, Stat};
}

/// The types of `pipeline:api/log`.
pub mod log {
    pub use crate::log::{Level, emit};
}

/// The types of `pipeline:api/report`. A world that imports this interface is generated with `with:
/// { "pipeline:api/report@0.1.0": ::guest_sdk::wit::report }` in addition.
pub mod report {
    pub use crate::{Report, TestCase, Verdict};
}

/// The types of `pipeline:api/secret`.
pub mod secret {
    pub use crate::Secret;
}

/// The types of `pipeline:api/service`.
pub mod service {
    pub use crate::Service;
}

/// Calls `wit_bindgen::generate!` with the types of the SDK in place of those of `pipeline:api`;
/// see [`wit`](crate::wit).
#[macro_export]
macro_rules! generate {
    ({ $($option:tt)* }) => {
        // Written with `::guest_sdk`, because wit-bindgen does not understand `$crate`.
        ::guest_sdk::__private::wit_bindgen::generate!({
            runtime_path: "::guest_sdk::__private::wit_bindgen::rt",
            with: {
                "pipeline:api/cache@0.1.0": ::guest_sdk::wit::cache,
                "pipeline:api/container@0.1.0": ::guest_sdk::wit::container,
                "pipeline:api/directory@0.1.0": ::guest_sdk::wit::directory,
                "pipeline:api/errors@0.1.0": ::guest_sdk::wit::errors,
                "pipeline:api/file@0.1.0": ::guest_sdk::wit::file,
                "pipeline:api/log@0.1.0": ::guest_sdk::wit::log,
                "pipeline:api/secret@0.1.0": ::guest_sdk::wit::secret,
                "pipeline:api/service@0.1.0": ::guest_sdk::wit::service,
            },
            $($option)*
        });
    };
}

/// Embeds the text of a WIT file of the crate in the component, as the custom section
/// `pipeline:wit`. `host build` reads the documentation for `--help` from it.
///
/// The path is relative to the crate. [`stages`](macro@crate::stages) does this by itself.
#[macro_export]
macro_rules! embed_wit {
    ($path:literal) => {
        $crate::__embed_wit!(include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $path)));
    };
}

/// Puts bytes into the custom section `pipeline:wit`.
#[doc(hidden)]
#[macro_export]
macro_rules! __embed_wit {
    ($bytes:expr) => {
        const _: () = {
            const TEXT: &[u8] = $bytes;

            // On other targets, where only tests run, a section may not have this name.
            #[cfg_attr(target_arch = "wasm32", unsafe(link_section = "pipeline:wit"))]
            #[used]
            static SECTION: [u8; TEXT.len()] = {
                let mut section = [0; TEXT.len()];
                section.copy_from_slice(TEXT);
                section
            };
        };
    };
}
