//! The instance of a module in which its custom objects live.
//!
//! A resource belongs to the instance that made it. Functions that take or return objects of the module itself are
//! therefore called in one instance, one after the other; all others in an instance of their own each. An instance
//! that trapped cannot be entered again: the next call begins a new one, and the objects of the old are lost.

use std::fmt;
use std::sync::Arc;

use api::CustomObject;
use wasmtime::Store;
use wasmtime::component::Instance as Instantiated;

use crate::home::{Home, Registry};
use crate::output::Output;
use crate::state::State;

/// Where the custom objects of a module live during a run.
#[derive(Default)]
pub struct Instance {
    live: tokio::sync::Mutex<Option<Live>>,
    registry: Arc<Registry>,
}

/// An instance that can be entered.
pub(crate) struct Live {
    pub(crate) store: Store<State>,
    pub(crate) instantiated: Instantiated,
    /// What it prints, in whichever call.
    pub(crate) output: Output,
}

impl Instance {
    /// Makes a place without an instance; the first call begins it.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Returns whether an object lives here.
    #[must_use]
    pub fn holds(&self, object: &dyn CustomObject) -> bool {
        self.registry.holds(object)
    }

    /// Waits until no other call is in it. What is put back into the answer stays for the next one.
    pub(crate) async fn enter(&self) -> tokio::sync::MutexGuard<'_, Option<Live>> {
        self.live.lock().await
    }

    /// Returns the home of objects of an instance that begins now.
    pub(crate) fn begin(&self) -> Home {
        Home::begin(&self.registry)
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Instance")
    }
}
