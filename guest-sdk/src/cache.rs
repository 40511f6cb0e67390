//! Directories that survive runs.

use crate::bindings::api::cache as raw;
use crate::handle::{duplicate, handle};

pub use raw::CacheSharing;

handle! {
    /// A named, mutable directory that survives runs, for downloads and compilers'
    /// caches. Its contents take part in no cache key.
    ///
    /// It is used by [`Container::with_mounted_cache`](crate::Container::with_mounted_cache).
    CacheVolume = raw::CacheVolume
}

duplicate!(CacheVolume: volume => Self::new(volume.key()));

impl CacheVolume {
    /// The volume of this key. Two volumes with equal keys are the same.
    pub fn new(key: impl AsRef<str>) -> Self {
        Self(raw::CacheVolume::new(key.as_ref()))
    }

    /// Returns its key.
    pub fn key(&self) -> String {
        self.0.key()
    }
}
