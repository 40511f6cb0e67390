//! The engine with its limits and caches, as a runtime and its components share it.

use crate::cache::CompiledCache;
use crate::setup::{Limits, RuntimeConfig, RuntimeError};
use crate::ticker::Ticker;
use crate::wasm;

/// The state that a runtime and its components share.
pub(crate) struct Shared {
    pub(crate) engine: wasmtime::Engine,
    pub(crate) limits: Limits,
    pub(crate) cache: Option<CompiledCache>,
    pub(crate) ticker: Ticker,
}

impl Shared {
    /// Sets up an engine. It starts no thread and compiles nothing before that is needed.
    pub(crate) fn new(config: RuntimeConfig) -> Result<Self, RuntimeError> {
        let RuntimeConfig { cache_dir, limits } = config;
        let engine = wasmtime::Engine::new(&wasm::config(&limits))
            .map_err(|error| RuntimeError::Engine { reason: format!("{error:#}") })?;
        let cache = cache_dir.map(|dir| CompiledCache::open(&dir, &engine)).transpose()?;
        let ticker = Ticker::new(engine.clone());
        Ok(Self { engine, limits, cache, ticker })
    }
}
