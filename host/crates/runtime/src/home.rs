//! The homes of custom objects, and the handles of the objects.

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use api::{CustomObject, CustomType, Object};
use wasmtime::component::ResourceAny;

/// The record of a module's objects in a run.
#[derive(Default)]
pub(crate) struct Registry {
    n_begun: AtomicU64,
    /// Objects whose handles were dropped. The next call frees them.
    unused: Mutex<Vec<(u64, ResourceAny)>>,
}

/// The home of objects: an instance, named by its module's registry and a number in it.
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
    /// Makes the home for the objects of an instance that begins now.
    pub(crate) fn begin(registry: &Arc<Registry>) -> Self {
        let generation = registry.n_begun.fetch_add(1, Ordering::Relaxed);
        Self { registry: Arc::clone(registry), generation }
    }

    /// Takes the objects of this instance whose handles were dropped. Objects of earlier instances are lost already.
    pub(crate) fn take_unused(&self) -> Vec<ResourceAny> {
        let mut unused = self.registry.unused.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *unused)
            .into_iter()
            .filter_map(|(generation, resource)| (generation == self.generation).then_some(resource))
            .collect()
    }
}

/// The handle of a custom object, for everybody but the instance that it lives in.
pub(crate) struct Handle {
    ty: CustomType,
    identity: u64,
    home: Home,
    /// The object; none after it was given away.
    resource: Mutex<Option<ResourceAny>>,
}

/// The number of objects that this process has made.
static N_HANDLES: AtomicU64 = AtomicU64::new(0);

impl Handle {
    /// Makes an object of a resource that lives in `home`.
    pub(crate) fn make(ty: CustomType, home: &Home, resource: ResourceAny) -> Object {
        let handle = Self {
            ty,
            identity: N_HANDLES.fetch_add(1, Ordering::Relaxed),
            home: home.clone(),
            resource: Mutex::new(Some(resource)),
        };
        Object::Custom(Arc::new(handle))
    }

    /// Returns the handle of an object if it lives in `home`.
    pub(crate) fn of<'a>(object: &'a dyn CustomObject, home: Option<&Home>) -> Option<&'a Self> {
        let handle = (object as &dyn Any).downcast_ref::<Self>()?;
        let home = home?;
        let is_there = Arc::ptr_eq(&handle.home.registry, &home.registry);
        (is_there && handle.home.generation == home.generation).then_some(handle)
    }

    /// Gives the resource away. Returns none if it was given away before.
    pub(crate) fn take(&self) -> Option<ResourceAny> {
        self.resource.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Lends the resource. Returns none if it was given away.
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
