//! The graph of a run as data: operations, their inputs and their identity.
//!
//! A [`Vertex`] is an [`Op`] with its inputs. An [`Edge`] names one output of a vertex. A [`Definition`] has all
//! vertices that some edges need. Vertices are immutable and shared by `Arc`: a graph is built like any other value.
//!
//! Four digests are kept apart by four types: [`DefinitionDigest`] identifies a definition,
//! [`CacheKey`] decides whether a result of another run can be used,
//! [`ContentDigest`] names bytes, and [`ImageDigest`] names bytes as registries do.
//!
//! This crate does no IO, reads no clock and no environment, draws no random number, and never fails for a reason
//! outside its arguments. Its `clippy.toml` enforces that.
//!
//! Read [`op`] and [`vertex`] first, then [`definition`].

pub mod contents;
pub mod definition;
pub mod diagnostic;
pub mod digest;
pub mod expand;
pub mod image;
pub mod image_digest;
pub mod op;
pub mod pairs;
pub mod path;
pub mod platform;
pub mod reference;
pub mod vertex;

pub use contents::Contents;
pub use definition::Definition;
pub use diagnostic::{Blame, Diagnostic, NO_SPACE_HINT, is_no_space};
pub use digest::{CacheKey, ContentDigest, DefinitionDigest, DigestError, KeyHasher, SecretDigest};
pub use image::{ImageConfig, ImageOp, ImageOrigin, PackForm, PackOp};
pub use image_digest::{ImageDigest, ImageDigestError};
pub use op::{
    CacheSharing, CopyOp, CopySource, ExecOp, Expect, FailOp, FileOp, Limits, Mount, MountKind, Op, RemoveKind, Reuse,
    SecretName, SourceOp, Stdin,
};
pub use pairs::Pairs;
pub use path::{PathError, TreePath};
pub use platform::Platform;
pub use reference::{Reference, Repository};
pub use vertex::{Edge, Selection, Vertex};
