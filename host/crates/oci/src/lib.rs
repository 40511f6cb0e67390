//! Images as the Open Container Initiative specifies them: references, manifests, configurations,
//! registries, layouts, archives, and the tar files of layers.
//!
//! This crate knows neither the store nor an engine. It reads and writes bytes, directories and
//! HTTP. Read [`image`] first.

pub mod archive;
pub mod compression;
pub mod credentials;
pub mod image;
pub mod layer;
pub mod layout;
mod platform;
pub mod registry;

pub use graph::reference::{self, Reference};
pub use graph::{ImageDigest as Digest, ImageDigestError as DigestError};
