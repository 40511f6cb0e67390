//! The setup of a runtime: its configuration, the limits of calls, and the errors.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use graph::{Blame, Diagnostic};

/// The configuration of a [`Runtime`](crate::Runtime).
#[derive(Debug, Clone, Default)]
pub struct RuntimeConfig {
    /// The directory for compiled components; without one, every load compiles.
    pub cache_dir: Option<PathBuf>,
    /// The limits of each call.
    pub limits: Limits,
}

/// The limits of a call. A call that exceeds one of them ends with a [`Trap`](crate::Trap).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The limit on all memories and tables, in bytes.
    pub memory_bytes: u64,
    /// The limit on the time that the guest's own code runs. The time that it waits does not count.
    pub time: Duration,
    /// The limit on the stack, in bytes.
    pub stack_bytes: usize,
    /// The limit on the number of objects that the guest holds at the same time.
    pub n_handles: u32,
    /// The limit on what the host keeps for the objects that the guest makes, in bytes. The contents of files that are in
    /// the store do not count.
    pub kept_bytes: u64,
    /// The limit on each name, value and message that the guest passes to a method, in bytes. The contents of files may
    /// be longer.
    pub text_bytes: u64,
    /// The limit on the output, in bytes.
    pub output_bytes: u64,
    /// The limit on the messages of the interface `log`, in bytes. A short message counts as 64 bytes.
    pub message_bytes: u64,
}

impl Default for Limits {
    /// Returns limits of 1 GiB of memory, 60 s, 1 MiB of stack, 100,000 objects, 256 MiB that are kept for
    /// them, 1 MiB for a text, 1 MiB of output and 16 MiB of messages.
    fn default() -> Self {
        Self {
            memory_bytes: 1 << 30,
            time: Duration::from_secs(60),
            stack_bytes: 1 << 20,
            n_handles: 100_000,
            kept_bytes: 256 << 20,
            text_bytes: 1 << 20,
            output_bytes: 1 << 20,
            message_bytes: 16 << 20,
        }
    }
}

/// The reason why a runtime cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The engine refuses the limits, or does not run on this machine.
    #[error("cannot set up the WebAssembly engine: {reason}")]
    Engine {
        /// The message of the engine.
        reason: String,
    },
    /// The cache directory cannot be made or read.
    #[error("cannot use `{}` for compiled components", path.display())]
    CacheDir {
        /// The path of the directory.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Another user could put code into the cache directory, and this program would run it.
    #[error("cannot use `{}` for compiled components: {reason}", path.display())]
    UnsafeCacheDir {
        /// The path of the directory.
        path: PathBuf,
        /// The problem, as a sentence.
        reason: String,
    },
}

impl Diagnostic for RuntimeError {
    fn blame(&self) -> Blame {
        match self {
            Self::Engine { .. } => Blame::Bug,
            Self::CacheDir { .. } | Self::UnsafeCacheDir { .. } => Blame::Environment,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::UnsafeCacheDir { path, .. } => {
                Some(format!("it must be yours and nobody else's to write: `chmod 700 {}`", path.display()))
            }
            Self::Engine { .. } | Self::CacheDir { .. } => None,
        }
    }
}
