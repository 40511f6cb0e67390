//! For modules with a hand-written WIT: the SDK's types in the place of generated ones.
//!
//! [`generate!`](crate::generate) is `wit_bindgen::generate!` with `with:` set so that
//! each interface of `pipeline:api` means the module of the same name below. What the
//! component exports is then written with [`Container`](crate::Container),
//! [`Directory`](crate::Directory) and the others, and everything of the SDK works on it.
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
//! The world must include all of `pipeline:api/imports@0.1.0`. It need not name the
//! powers that it uses through the SDK.

/// `pipeline:api/cache`
pub mod cache {
    pub use crate::{CacheSharing, CacheVolume};
}

/// `pipeline:api/container`
pub mod container {
    pub use crate::{BuildOptions, Container, ExecOptions, MountOptions, Port, Protocol};
}

/// `pipeline:api/directory`
pub mod directory {
    pub use crate::{CopyOptions, Directory, NewOptions, SearchOptions, SearchResult};
}

/// `pipeline:api/errors`, whose `error` is what is in an [`Error`](crate::Error): `?` makes one of
/// the other.
pub mod errors {
    pub use crate::error::record::{Error, ExecFailure};
}

/// `pipeline:api/file`
pub mod file {
    pub use crate::{File, Stat};
}

/// `pipeline:api/log`
pub mod log {
    pub use crate::log::{Level, emit};
}

/// `pipeline:api/report`, which not every world has: one that has it is generated with
/// `with: { "pipeline:api/report@0.1.0": ::guest_sdk::wit::report }` besides.
pub mod report {
    pub use crate::{Report, TestCase, Verdict};
}

/// `pipeline:api/secret`
pub mod secret {
    pub use crate::Secret;
}

/// `pipeline:api/service`
pub mod service {
    pub use crate::Service;
}

/// `wit_bindgen::generate!` with the types of the SDK for those of `pipeline:api`; see
/// [`wit`](crate::wit).
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

/// Embeds the text of a WIT file of the crate, documentation included, as the custom
/// section `pipeline:wit`: there `host build` finds what `--help` shows.
///
/// The path is relative to the crate. [`stages`](macro@crate::stages) does this by
/// itself.
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
