//! Mounts: what commands see at a path without it being part of the root file system.

use std::borrow::Borrow;

use super::{Container, raw};
use crate::handle::handle;
use crate::{CacheSharing, CacheVolume, Directory, File, Secret, Service};

impl Container {
    /// Mounts a directory at `path`, which hides what exists there. Commands may change it; later
    /// commands and `directory` see the changes, and the root file system does not contain them.
    pub fn with_mounted_directory(&self, path: impl AsRef<str>, source: impl Borrow<Directory>) -> Self {
        Self(self.0.with_mounted_directory(path.as_ref(), &source.borrow().0))
    }

    /// Mounts a directory read-only or with an owner.
    pub fn with_mounted_directory_options(
        &self,
        path: impl AsRef<str>,
        source: impl Borrow<Directory>,
        options: impl Borrow<MountOptions>,
    ) -> Self {
        Self(self.0.with_mounted_directory_options(path.as_ref(), &source.borrow().0, &options.borrow().0))
    }

    /// Mounts a file at `path`, read-only.
    pub fn with_mounted_file(&self, path: impl AsRef<str>, source: impl Borrow<File>) -> Self {
        Self(self.0.with_mounted_file(path.as_ref(), &source.borrow().0))
    }

    /// Mounts a cache volume at `path`.
    ///
    /// ```no_run
    /// # use guest_sdk::prelude::*;
    /// # fn ccache(container: Container) -> Container {
    /// container.with_mounted_cache("/root/.cache/ccache", CacheVolume::new("ccache"))
    /// # }
    /// ```
    pub fn with_mounted_cache(&self, path: impl AsRef<str>, cache: impl Borrow<CacheVolume>) -> Self {
        Self(self.0.with_mounted_cache(path.as_ref(), &cache.borrow().0))
    }

    /// Mounts a cache volume with a sharing mode, an owner and initial contents.
    pub fn with_mounted_cache_options(
        &self,
        path: impl AsRef<str>,
        cache: impl Borrow<CacheVolume>,
        options: impl Borrow<MountOptions>,
    ) -> Self {
        Self(self.0.with_mounted_cache_options(path.as_ref(), &cache.borrow().0, &options.borrow().0))
    }

    /// Mounts a secret as a file at `path`, with mode 0400. Only commands see it.
    pub fn with_mounted_secret(&self, path: impl AsRef<str>, source: impl Borrow<Secret>) -> Self {
        Self(self.0.with_mounted_secret(path.as_ref(), &source.borrow().0))
    }

    /// Mounts a secret with an owner and a mode.
    pub fn with_mounted_secret_options(
        &self,
        path: impl AsRef<str>,
        source: impl Borrow<Secret>,
        options: impl Borrow<MountOptions>,
    ) -> Self {
        Self(self.0.with_mounted_secret_options(path.as_ref(), &source.borrow().0, &options.borrow().0))
    }

    /// Mounts an empty directory in memory at `path`, with mode 1777. Each command gets a new one.
    pub fn with_mounted_temp(&self, path: impl AsRef<str>) -> Self {
        Self(self.0.with_mounted_temp(path.as_ref()))
    }

    /// Mounts a directory in memory with a size limit and a mode.
    pub fn with_mounted_temp_options(&self, path: impl AsRef<str>, options: impl Borrow<MountOptions>) -> Self {
        Self(self.0.with_mounted_temp_options(path.as_ref(), &options.borrow().0))
    }

    /// Removes the mount at `path`, so that what it hid is visible again.
    pub fn without_mount(&self, path: impl AsRef<str>) -> Self {
        Self(self.0.without_mount(path.as_ref()))
    }

    /// Starts a service before each command, which reaches it under the host name `alias`.
    pub fn with_service_binding(&self, alias: impl AsRef<str>, service: impl Borrow<Service>) -> Self {
        Self(self.0.with_service_binding(alias.as_ref(), &service.borrow().0))
    }
}

handle! {
    /// Options for the methods of [`Container`] whose names end in `_options` and that mount
    /// something.
    ///
    /// ```no_run
    /// # use guest_sdk::prelude::*;
    /// # fn sources(container: Container, src: Directory) -> Container {
    /// container.with_mounted_directory_options("/src", src, MountOptions::new().read_only())
    /// # }
    /// ```
    MountOptions = raw::MountOptions
}

impl Default for MountOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl MountOptions {
    /// Mounts writable and with root as the owner. A secret has mode 0400, and a temporary
    /// directory has mode 1777.
    pub fn new() -> Self {
        Self(raw::MountOptions::new())
    }

    /// Makes a mounted directory read-only.
    pub fn read_only(self) -> Self {
        Self(self.0.read_only())
    }

    /// Sets the owner: `uid`, `uid:gid`, or names from the container.
    pub fn owner(self, owner: impl AsRef<str>) -> Self {
        Self(self.0.with_owner(owner.as_ref()))
    }

    /// Sets the permission bits of a secret or of a temporary directory.
    pub fn mode(self, mode: u32) -> Self {
        Self(self.0.with_mode(mode))
    }

    /// Limits the size of a temporary directory, in bytes.
    pub fn size_bytes(self, bytes: u64) -> Self {
        Self(self.0.with_size(bytes))
    }

    /// Sets how commands share a cache volume. The default is [`CacheSharing::Shared`].
    pub fn sharing(self, sharing: CacheSharing) -> Self {
        Self(self.0.with_sharing(sharing))
    }

    /// Sets the initial contents of a cache volume that is empty.
    pub fn seed(self, source: impl Borrow<Directory>) -> Self {
        Self(self.0.with_seed(&source.borrow().0))
    }
}
