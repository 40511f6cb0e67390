//! The runtime: an engine with limits and a cache of compiled components.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use graph::{Blame, Diagnostic};

use crate::cache::CompiledCache;
use crate::component::Component;
use crate::engine;
use crate::load::{self, LoadError};
use crate::ticker::Ticker;

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

/// Loads components. Cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    shared: Arc<Shared>,
}

/// What a runtime and its components share.
pub(crate) struct Shared {
    pub(crate) engine: wasmtime::Engine,
    pub(crate) limits: Limits,
    pub(crate) cache: Option<CompiledCache>,
    pub(crate) ticker: Ticker,
}

impl Runtime {
    /// Sets up an engine. No thread is started and nothing is compiled before it is needed.
    ///
    /// # Errors
    /// If the cache directory cannot be used or is not safe, or if the engine refuses the limits.
    pub fn new(config: RuntimeConfig) -> Result<Self, RuntimeError> {
        let RuntimeConfig { cache_dir, limits } = config;
        let engine = wasmtime::Engine::new(&engine::config(&limits))
            .map_err(|error| RuntimeError::Engine { reason: format!("{error:#}") })?;
        let cache = cache_dir.map(|dir| CompiledCache::open(&dir, &engine)).transpose()?;
        let ticker = Ticker::new(engine.clone());
        Ok(Self { shared: Arc::new(Shared { engine, limits, cache, ticker }) })
    }

    /// Loads the component in a file. Its module is named after the file.
    ///
    /// # Errors
    /// If it cannot be read, is not a component of stages, or needs what is not there.
    pub fn load(&self, path: &Path) -> Result<Component, LoadError> {
        load::load_file(&self.shared, path)
    }

    /// Loads a component from its bytes.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_bytes(&self, name: &str, bytes: &[u8]) -> Result<Component, LoadError> {
        load::load_bytes(&self.shared, name, bytes)
    }
}
