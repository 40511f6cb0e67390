//! The setup of a runtime: its configuration, the limits of calls, and the errors.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use graph::{Blame, Diagnostic};

/// How a [`Runtime`] is set up.
#[derive(Debug, Clone, Default)]
pub struct RuntimeConfig {
    /// Where compiled components are kept; none compiles on every load.
    pub cache_dir: Option<PathBuf>,
    /// What one call may use.
    pub limits: Limits,
}

/// What one call may use. What needs more ends with a [`Trap`](crate::Trap).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The bytes of all its memories and tables.
    pub memory_bytes: u64,
    /// The time that its own code runs. What it waits for does not count.
    pub time: Duration,
    /// The bytes of its stack.
    pub stack_bytes: usize,
    /// The objects that it holds at the same time.
    pub n_handles: u32,
    /// The bytes that it prints.
    pub output_bytes: u64,
}

impl Default for Limits {
    /// 1 GiB of memory, 60 s, 1 MiB of stack, 100,000 objects, 1 MiB of output.
    fn default() -> Self {
        Self {
            memory_bytes: 1 << 30,
            time: Duration::from_secs(60),
            stack_bytes: 1 << 20,
            n_handles: 100_000,
            output_bytes: 1 << 20,
        }
    }
}

/// Why there is no runtime.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The engine refuses the limits, or this machine.
    #[error("cannot set up the WebAssembly engine: {reason}")]
    Engine {
        /// What the engine says.
        reason: String,
    },
    /// The directory cannot be made or looked at.
    #[error("cannot use `{}` for compiled components", path.display())]
    CacheDir {
        /// Which directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody else could put code there that this program would run.
    #[error("cannot use `{}` for compiled components: {reason}", path.display())]
    UnsafeCacheDir {
        /// Which directory.
        path: PathBuf,
        /// What is wrong with it.
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
