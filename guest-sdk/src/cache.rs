//! Cache volumes: directories that commands can write and that are kept between runs.

use crate::bindings::api::cache as raw;
use crate::handle::{duplicate, handle};

pub use raw::CacheSharing;

handle! {
    /// A named directory that is kept between runs, for downloads and for the caches of compilers.
    /// Its contents are not part of any cache key.
    ///
    /// [`Container::with_mounted_cache`](crate::Container::with_mounted_cache) mounts it.
    CacheVolume = raw::CacheVolume
}

duplicate!(CacheVolume: volume => Self::new(volume.key()));

impl CacheVolume {
    /// Returns the volume with this key. Equal keys mean the same volume.
    pub fn new(key: impl AsRef<str>) -> Self {
        Self(raw::CacheVolume::new(key.as_ref()))
    }

    /// Returns the key of the volume.
    pub fn key(&self) -> String {
        self.0.key()
    }
}
