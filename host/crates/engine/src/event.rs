//! Events: what happens to vertices, told when it happens.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use graph::{ContentDigest, DefinitionDigest};

use crate::failure::ExecStatus;

/// Takes events. It is called from any thread and must not block.
pub type EventSink = Arc<dyn Fn(Event) + Send + Sync>;

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// The evaluation of a vertex began.
    Started(VertexEvent),
    /// A command printed something. Secrets in it are replaced.
    Output {
        /// The vertex of the command.
        vertex: DefinitionDigest,
        /// The stream that it printed to.
        stream: OutputStream,
        /// The bytes that it printed.
        bytes: Arc<[u8]>,
    },
    /// A vertex has a value, or will have none.
    Finished {
        /// The vertex that ended.
        vertex: VertexEvent,
        /// How the evaluation ended.
        outcome: Outcome,
        /// Why the vertex was evaluated, or why that was not needed.
        reason: Reason,
        /// The time that the evaluation took.
        duration: Duration,
    },
    /// An image was found. Until the session ends, its name means this image.
    Image {
        /// The name as the caller wrote it.
        name: String,
        /// Its full reference, pinned by its digest.
        reference: String,
    },
    /// Something that a person should know.
    Warning {
        /// The sentence that is shown.
        message: String,
    },
}

/// A vertex, as events describe it.
#[derive(Debug, Clone)]
pub struct VertexEvent {
    /// The digest that identifies the vertex.
    pub digest: DefinitionDigest,
    /// A line that says what the vertex does.
    pub name: Arc<str>,
    /// The vertices that this one needs.
    pub inputs: Arc<[DefinitionDigest]>,
    /// The time at which the evaluation began.
    pub at: SystemTime,
}

/// A stream of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputStream {
    /// The standard output of the command.
    Stdout,
    /// The standard error of the command.
    Stderr,
}

/// How the evaluation of a vertex ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The result was known.
    Cached,
    /// The vertex was evaluated.
    Ran,
    /// The command ended otherwise than expected.
    ExecFailed(ExecStatus),
    /// The vertex could not be evaluated.
    Failed(String),
    /// The evaluation was stopped.
    Cancelled,
    /// The vertex would be evaluated if the session were not a dry one.
    Planned,
}

/// Why a vertex was evaluated, or why that was not needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// A result is recorded under its key.
    Hit,
    /// The vertex is a source that is looked at in every run: a local directory, or this machine.
    Source,
    /// The evaluation costs less than a look-up.
    Cheap,
    /// Nothing like it ever ran with this store.
    NeverRan,
    /// The content of an input differs from the last time.
    InputChanged {
        /// A description of the input, for people.
        input: String,
        /// The digest of the last time.
        was: ContentDigest,
        /// The digest of now.
        is: ContentDigest,
        /// The files that differ; nothing if the input is no directory, or if the old one is not in the store any more.
        changes: Changes,
    },
    /// A secret has another value than the last time.
    SecretChanged {
        /// The name of the secret.
        secret: String,
    },
    /// The result of this key was removed from the store.
    Evicted,
    /// The session forbids the use of earlier results.
    NoCache,
    /// The command forbids the use of an earlier result.
    Never,
    /// An input would be evaluated, so that the key is not known.
    InputPlanned {
        /// The input, as in `exec make`.
        input: Arc<str>,
    },
    /// The cache of BuildKit decides whether the vertex is evaluated, and can be asked only by evaluating it.
    Undecided,
}

/// The first entries in which two directories differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The first entries, in the order of their paths.
    pub first: Vec<Change>,
    /// Whether there are more.
    pub has_more: bool,
}

/// An entry that differs between two directories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// How the entry differs.
    pub kind: ChangeKind,
    /// The path of the entry. The path of a directory ends in `/`.
    pub path: String,
}

/// How an entry differs between an old and a new directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// Both have the entry, with other contents, or with another kind, mode or owner.
    Changed,
    /// Only the new directory has the entry.
    Added,
    /// Only the old directory has the entry.
    Removed,
}

impl ChangeKind {
    /// Returns the word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Added => "added",
            Self::Removed => "removed",
        }
    }
}

impl Changes {
    /// Returns the changes in words, as in ``changed `a`, added `b` `c` ``; empty if there are none.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut parts = Vec::new();
        for kind in [ChangeKind::Changed, ChangeKind::Added, ChangeKind::Removed] {
            let paths = self.first.iter().filter(|change| change.kind == kind);
            let paths: Vec<String> = paths.map(|change| format!("`{}`", change.path)).collect();
            if !paths.is_empty() {
                parts.push(format!("{} {}", kind.word(), paths.join(" ")));
            }
        }
        if self.has_more {
            parts.push("and more".to_owned());
        }
        parts.join(", ")
    }
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
            Self::SecretChanged { .. } => "secret-changed",
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
            Self::InputChanged { input, was, is, changes } => match changes.describe() {
                nothing if nothing.is_empty() => format!("{input} changed from {} to {}", was.short(), is.short()),
                changes => format!("{input}: {changes}"),
            },
            Self::SecretChanged { secret } => format!("a secret changed: `{secret}`"),
            Self::Evicted => "its result was removed from the store".to_owned(),
            Self::NoCache => "--no-cache forbids reuse".to_owned(),
            Self::Never => "the command forbids reuse".to_owned(),
            Self::InputPlanned { input } => format!("its input `{input}` would run"),
            Self::Undecided => "Docker's own cache decides".to_owned(),
        }
    }
}
