//! The runtime: an engine with limits and a cache of compiled components.

use std::path::Path;
use std::sync::Arc;

use crate::component::Component;
use crate::load::{self, LoadError};
use crate::setup::{RuntimeConfig, RuntimeError};
use crate::shared::Shared;

/// Loads components. Cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    shared: Arc<Shared>,
}

impl Runtime {
    /// Sets up an engine. No thread is started and nothing is compiled before it is needed.
    ///
    /// # Errors
    /// If the cache directory cannot be used or is not safe, or if the engine refuses the limits.
    pub fn new(config: RuntimeConfig) -> Result<Self, RuntimeError> {
        Ok(Self { shared: Arc::new(Shared::new(config)?) })
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
