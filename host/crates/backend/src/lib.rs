//! The contract between the engine and whatever runs container operations.
//!
//! A [`Backend`] evaluates edges of a graph to [`Snapshot`]s and reads files out of them. It is
//! asked for whole graphs, not for single operations, so that one which batches and caches by
//! itself can. The engine owns container configuration, cache keys and secrets; a backend gets
//! operations.
//!
//! This room has no implementation and does no IO. Read [`backend`] first, then [`failure`] and
//! [`event`].

pub mod backend;
pub mod dry;
pub mod event;
pub mod failure;
pub mod image;
pub mod redact;
pub mod snapshot;

pub use backend::{Backend, Caps, SecretProvider, SessionIo};
pub use event::{Event, EventSink, Outcome, OutputStream, Reason, VertexEvent};
pub use failure::{ExecFailure, ExecRecord, ExecStatus, Failure, FailureCode, StageFailure, TAIL_BYTES, tail};
pub use image::{DockerImages, ImageAccess, ImageSource, ImageTarget, Login, ResolvedImage};
pub use redact::Redactor;
pub use snapshot::{EntryKind, ExecResult, FileStat, OutputRef, SearchMatch, SearchQuery, Snapshot, Solved};
