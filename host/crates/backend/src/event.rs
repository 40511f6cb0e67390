//! What happens to vertices, as it happens.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use graph::{ContentDigest, DefinitionDigest};

use crate::failure::ExecStatus;

/// Takes events; called from any thread, must not block.
pub type EventSink = Arc<dyn Fn(Event) + Send + Sync>;

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A vertex is being evaluated.
    Started(VertexEvent),
    /// A command printed; secrets are replaced.
    Output {
        /// The vertex that printed.
        vertex: DefinitionDigest,
        /// The stream that was written to.
        stream: OutputStream,
        /// The bytes as they were printed.
        bytes: Arc<[u8]>,
    },
    /// A vertex has a value, or will have none.
    Finished {
        /// The vertex that ended.
        vertex: VertexEvent,
        /// How it ended.
        outcome: Outcome,
        /// Why it ran, or why it need not.
        reason: Reason,
        /// How long it took.
        duration: Duration,
    },
    /// An image was found; from now on its name means this one.
    Image {
        /// The name as it was written.
        name: String,
        /// Its full reference, pinned by its digest.
        reference: String,
    },
    /// Something that a person should know.
    Warning {
        /// The message, as one sentence.
        message: String,
    },
}

/// A vertex, as events describe it.
#[derive(Debug, Clone)]
pub struct VertexEvent {
    /// The digest of the definition of the vertex.
    pub digest: DefinitionDigest,
    /// What it does, in one line.
    pub name: Arc<str>,
    /// The vertices that it needs.
    pub inputs: Arc<[DefinitionDigest]>,
    /// When it began.
    pub at: SystemTime,
}

/// Which stream of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputStream {
    /// The standard output of a command.
    Stdout,
    /// The standard error of a command.
    Stderr,
}

/// How a vertex ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Its result was there.
    Cached,
    /// It was evaluated.
    Ran,
    /// A command ended otherwise than expected.
    ExecFailed(ExecStatus),
    /// It could not be evaluated.
    Failed(String),
    /// It was stopped.
    Cancelled,
    /// It would be evaluated; the session is a dry one.
    Planned,
}

/// Why a vertex ran, or why it need not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Its key was found.
    Hit,
    /// It is looked at in every run: a local directory, this machine.
    Source,
    /// It costs less than a look-up.
    Cheap,
    /// Nothing like it ever ran in this store.
    NeverRan,
    /// The content of an input is another than the last time.
    InputChanged {
        /// Which input, for people.
        input: String,
        /// What it was.
        was: ContentDigest,
        /// What it is.
        is: ContentDigest,
    },
    /// The same key was there and its result is gone.
    Evicted,
    /// The run forbids reuse.
    NoCache,
    /// The command forbids reuse.
    Never,
    /// An input would be evaluated, so that its key is not known.
    InputPlanned {
        /// What would, as in `exec make`.
        input: Arc<str>,
    },
    /// Whether it is evaluated is decided by a cache that only knows when it is asked to evaluate: BuildKit's.
    Undecided,
}

impl Reason {
    /// Returns the reason in a few words without white space, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Source => "source",
            Self::Cheap => "cheap",
            Self::NeverRan => "never-ran",
            Self::InputChanged { .. } => "input-changed",
            Self::Evicted => "evicted",
            Self::NoCache => "no-cache",
            Self::Never => "without-cache",
            Self::InputPlanned { .. } => "input-planned",
            Self::Undecided => "maybe",
        }
    }

    /// Returns the reason as a sentence, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Hit => "its key was found".to_owned(),
            Self::Source => "it is looked at in every run".to_owned(),
            Self::Cheap => "it costs less than a look-up".to_owned(),
            Self::NeverRan => "nothing like it ran before".to_owned(),
            Self::InputChanged { input, was, is } => {
                format!("{input} changed from {} to {}", was.short(), is.short())
            }
            Self::Evicted => "its result was removed from the store".to_owned(),
            Self::NoCache => "--no-cache forbids reuse".to_owned(),
            Self::Never => "the command forbids reuse".to_owned(),
            Self::InputPlanned { input } => format!("its input `{input}` would run"),
            Self::Undecided => "Docker's own cache decides".to_owned(),
        }
    }
}
