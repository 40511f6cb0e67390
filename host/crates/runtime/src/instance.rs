//! The instance of a module in which its custom objects live.
//!
//! A resource belongs to the instance that made it. Functions that take or return objects of the module itself are
//! therefore called in one instance, one after the other; all others in an instance of their own each. An instance
//! that trapped cannot be entered again: the next call begins a new one, and the objects of the old are lost.

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use api::{CustomObject, CustomType, Object};
use wasmtime::Store;
use wasmtime::component::{Instance as Instantiated, ResourceAny};

use crate::output::Output;
use crate::state::State;

/// Where the custom objects of a module live during a run.
#[derive(Default)]
pub struct Instance {
    live: tokio::sync::Mutex<Option<Live>>,
    n_begun: AtomicU64,
    /// Objects that nobody has any more; freed by the next call.
    unused: Mutex<Vec<(u64, ResourceAny)>>,
}

/// An instance that can be entered.
pub(crate) struct Live {
    pub(crate) store: Store<State>,
    pub(crate) instantiated: Instantiated,
    /// What it prints, in whichever call.
    pub(crate) output: Output,
}

/// An instance as its own store knows it.
#[derive(Clone)]
pub(crate) struct Home {
    instance: Weak<Instance>,
    generation: u64,
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
        let handle = (object as &dyn Any).downcast_ref::<Handle>();
        handle.is_some_and(|handle| std::ptr::eq(Arc::as_ptr(&handle.instance), self))
    }

    /// Waits until no other call is in it. What is put back into the answer stays for the next one.
    pub(crate) async fn enter(&self) -> tokio::sync::MutexGuard<'_, Option<Live>> {
        self.live.lock().await
    }

    /// Returns the home of objects of an instance that begins now.
    pub(crate) fn begin(self: &Arc<Self>) -> Home {
        Home { instance: Arc::downgrade(self), generation: self.n_begun.fetch_add(1, Ordering::Relaxed) }
    }

    /// Returns the objects of a home that nobody has any more.
    pub(crate) fn unused(&self, home: &Home) -> Vec<ResourceAny> {
        let mut unused = self.unused.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *unused)
            .into_iter()
            .filter_map(|(generation, resource)| (generation == home.generation).then_some(resource))
            .collect()
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Instance")
    }
}

/// A custom object, as everybody but its own instance holds it.
pub(crate) struct Handle {
    ty: CustomType,
    identity: u64,
    instance: Arc<Instance>,
    generation: u64,
    /// None once it was given away.
    resource: Mutex<Option<ResourceAny>>,
}

/// Numbers the objects of this process.
static N_HANDLES: AtomicU64 = AtomicU64::new(0);

impl Handle {
    /// Makes the object of a resource that lives in `home`. None if the home is gone.
    pub(crate) fn make(ty: CustomType, home: &Home, resource: ResourceAny) -> Option<Object> {
        let handle = Self {
            ty,
            identity: N_HANDLES.fetch_add(1, Ordering::Relaxed),
            instance: home.instance.upgrade()?,
            generation: home.generation,
            resource: Mutex::new(Some(resource)),
        };
        Some(Object::Custom(Arc::new(handle)))
    }

    /// Returns the handle of an object, if it lives in `home`.
    pub(crate) fn of<'a>(object: &'a dyn CustomObject, home: Option<&Home>) -> Option<&'a Self> {
        let handle = (object as &dyn Any).downcast_ref::<Self>()?;
        let home = home?;
        let is_there = std::ptr::eq(Arc::as_ptr(&handle.instance), home.instance.as_ptr());
        (is_there && handle.generation == home.generation).then_some(handle)
    }

    /// Gives the resource away. None if it was.
    pub(crate) fn take(&self) -> Option<ResourceAny> {
        self.resource.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Lends the resource. None if it was given away.
    pub(crate) fn lend(&self) -> Option<ResourceAny> {
        *self.resource.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Some(resource) = self.take() {
            let mut unused = self.instance.unused.lock().unwrap_or_else(PoisonError::into_inner);
            unused.push((self.generation, resource));
        }
    }
}

impl CustomObject for Handle {
    fn ty(&self) -> &CustomType {
        &self.ty
    }

    fn identity(&self) -> u64 {
        self.identity
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.ty.name, self.identity)
    }
}
