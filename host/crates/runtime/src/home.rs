//! The home of custom objects: handles of them, and the instance that they belong to.

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use api::{CustomObject, CustomType, Object};
use wasmtime::component::ResourceAny;

/// The objects of one module in one run.
#[derive(Default)]
pub(crate) struct Registry {
    n_begun: AtomicU64,
    /// Objects whose handles were dropped; the next call frees them.
    unused: Mutex<Vec<(u64, ResourceAny)>>,
}

/// An instance as its own store knows it: the module's registry, and the number of the instance in it.
#[derive(Clone)]
pub(crate) struct Home {
    registry: Arc<Registry>,
    generation: u64,
}

impl Registry {
    /// Returns whether an object belongs to the module.
    pub(crate) fn holds(self: &Arc<Self>, object: &dyn CustomObject) -> bool {
        let handle = (object as &dyn Any).downcast_ref::<Handle>();
        handle.is_some_and(|handle| Arc::ptr_eq(&handle.home.registry, self))
    }
}

impl Home {
    /// Makes the home of objects of an instance that begins now.
    pub(crate) fn begin(registry: &Arc<Registry>) -> Self {
        let generation = registry.n_begun.fetch_add(1, Ordering::Relaxed);
        Self { registry: Arc::clone(registry), generation }
    }

    /// Takes the objects of this instance whose handles were dropped. Those of earlier instances are lost with these.
    pub(crate) fn take_unused(&self) -> Vec<ResourceAny> {
        let mut unused = self.registry.unused.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *unused)
            .into_iter()
            .filter_map(|(generation, resource)| (generation == self.generation).then_some(resource))
            .collect()
    }
}

/// A custom object, as everybody but its own instance holds it.
pub(crate) struct Handle {
    ty: CustomType,
    identity: u64,
    home: Home,
    /// None once it was given away.
    resource: Mutex<Option<ResourceAny>>,
}

/// Numbers the objects of this process.
static N_HANDLES: AtomicU64 = AtomicU64::new(0);

impl Handle {
    /// Makes the object of a resource that lives in `home`.
    pub(crate) fn make(ty: CustomType, home: &Home, resource: ResourceAny) -> Object {
        let handle = Self {
            ty,
            identity: N_HANDLES.fetch_add(1, Ordering::Relaxed),
            home: home.clone(),
            resource: Mutex::new(Some(resource)),
        };
        Object::Custom(Arc::new(handle))
    }

    /// Returns the handle of an object, if it lives in `home`.
    pub(crate) fn of<'a>(object: &'a dyn CustomObject, home: Option<&Home>) -> Option<&'a Self> {
        let handle = (object as &dyn Any).downcast_ref::<Self>()?;
        let home = home?;
        let is_there = Arc::ptr_eq(&handle.home.registry, &home.registry);
        (is_there && handle.home.generation == home.generation).then_some(handle)
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
            let mut unused = self.home.registry.unused.lock().unwrap_or_else(PoisonError::into_inner);
            unused.push((self.home.generation, resource));
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
