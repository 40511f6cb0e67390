//! The runtime: an engine with limits and a cache of compiled components.

use std::path::Path;
use std::sync::Arc;

use crate::component::Component;
use crate::load::{self, LoadError};
use crate::setup::{RuntimeConfig, RuntimeError};
use crate::shared::Shared;

/// Loads components. It is cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    shared: Arc<Shared>,
}

impl Runtime {
    /// Sets up an engine. It starts no thread and compiles nothing before that is needed.
    ///
    /// # Errors
    /// Fails if the cache directory cannot be used or is not safe, or if the engine refuses the limits.
    pub fn new(config: RuntimeConfig) -> Result<Self, RuntimeError> {
        Ok(Self { shared: Arc::new(Shared::new(config)?) })
    }

    /// Loads the component in a file. The module is named after the file.
    ///
    /// # Errors
    /// Fails if the file cannot be read, is not a component with stages, or has an import that the host does not have.
    pub fn load(&self, path: &Path) -> Result<Component, LoadError> {
        load::load_file(&self.shared, path)
    }

    /// Loads the component in a file if it was compiled before and has not changed since. Compiles nothing.
    #[must_use]
    pub fn load_compiled(&self, path: &Path) -> Option<Component> {
        load::load_compiled(&self.shared, path)
    }

    /// Loads a component from its bytes.
    ///
    /// # Errors
    /// Fails like [`load`](Self::load).
    pub fn load_bytes(&self, name: &str, bytes: &[u8]) -> Result<Component, LoadError> {
        load::load_bytes(&self.shared, name, bytes)
    }
}
