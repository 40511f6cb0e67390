//! The instance that the custom objects of a module live in.
//!
//! A resource belongs to the instance that made it. Functions that take or return objects of the module are therefore
//! called in one instance, one after the other. Every other function is called in a new instance. An instance that
//! trapped cannot be entered again: the next call begins another one, and the objects of the old one are lost.

use std::fmt;
use std::sync::Arc;

use api::CustomObject;
use wasmtime::Store;
use wasmtime::component::Instance as Instantiated;

use crate::home::{Home, Registry};
use crate::output::Output;
use crate::state::State;

/// The instance that the custom objects of a module live in during a run.
#[derive(Default)]
pub struct Instance {
    live: tokio::sync::Mutex<Option<Live>>,
    registry: Arc<Registry>,
}

/// An instance that can be entered.
pub(crate) struct Live {
    pub(crate) store: Store<State>,
    pub(crate) instantiated: Instantiated,
    /// The output of the instance, in all its calls.
    pub(crate) output: Output,
}

impl Instance {
    /// Makes a place for an instance. The first call begins the instance.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Returns whether an object lives in this instance.
    #[must_use]
    pub fn holds(&self, object: &dyn CustomObject) -> bool {
        self.registry.holds(object)
    }

    /// Waits until no other call is in the instance. The next call gets the value that is left in the guard.
    pub(crate) async fn enter(&self) -> tokio::sync::MutexGuard<'_, Option<Live>> {
        self.live.lock().await
    }

    /// Returns the home for the objects of an instance that begins now.
    pub(crate) fn begin(&self) -> Home {
        Home::begin(&self.registry)
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Instance")
    }
}
