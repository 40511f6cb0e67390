//! The contract between a session and the engine that evaluates its graphs.
//!
//! A [`Engine`] is an engine: it evaluates edges of a graph to [`Snapshot`]s and reads files out of them. A session
//! asks it for whole graphs and not for single operations, so that an engine can batch and cache on its own. The
//! configuration of containers belongs to the session, and the engine gets operations only.
//!
//! This room has no implementation and does no IO. Read [`engine`] first, then [`failure`] and [`event`].

pub mod dry;
pub mod engine;
pub mod event;
pub mod failure;
pub mod image;
pub mod redact;
pub mod snapshot;

pub use engine::{Caps, Engine, MAX_OUTPUT_BYTES, Rules, SecretProvider, SessionIo};
pub use event::{Change, ChangeKind, Changes, Event, EventSink, Outcome, OutputStream, Reason, VertexEvent};
pub use failure::{ExecFailure, ExecRecord, ExecStatus, Failure, FailureCode, StageFailure, TAIL_BYTES, chain, tail};
pub use image::{DockerImages, ImageAccess, ImageSource, ImageTarget, Login, ResolvedImage};
pub use redact::Redactor;
pub use snapshot::{EntryKind, ExecResult, FileStat, OutputRef, SearchMatch, SearchQuery, Snapshot, Solved};
