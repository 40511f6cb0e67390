//! What is mounted into a container while its commands run.

use std::borrow::Borrow;

use super::{Container, raw};
use crate::handle::handle;
use crate::{CacheSharing, CacheVolume, Directory, File, Secret, Service};

impl Container {
    /// With a directory mounted at `path`, over what is there. Commands may change it,
    /// and later commands and [`directory`](Self::directory) see the change; the root
    /// file system does not have it.
    pub fn with_mounted_directory(&self, path: impl AsRef<str>, source: impl Borrow<Directory>) -> Self {
        Self(self.0.with_mounted_directory(path.as_ref(), &source.borrow().0))
    }

    /// Like [`with_mounted_directory`](Self::with_mounted_directory), read-only or with
    /// an owner.
    pub fn with_mounted_directory_options(
        &self,
        path: impl AsRef<str>,
        source: impl Borrow<Directory>,
        options: impl Borrow<MountOptions>,
    ) -> Self {
        Self(self.0.with_mounted_directory_options(path.as_ref(), &source.borrow().0, &options.borrow().0))
    }

    /// With a file mounted at `path`, read-only.
    pub fn with_mounted_file(&self, path: impl AsRef<str>, source: impl Borrow<File>) -> Self {
        Self(self.0.with_mounted_file(path.as_ref(), &source.borrow().0))
    }

    /// With a cache volume mounted at `path`.
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

    /// Like [`with_mounted_cache`](Self::with_mounted_cache), with sharing, owner and
    /// seed.
    pub fn with_mounted_cache_options(
        &self,
        path: impl AsRef<str>,
        cache: impl Borrow<CacheVolume>,
        options: impl Borrow<MountOptions>,
    ) -> Self {
        Self(self.0.with_mounted_cache_options(path.as_ref(), &cache.borrow().0, &options.borrow().0))
    }

    /// With a secret as a file at `path`, mode 0400, that only commands see.
    pub fn with_mounted_secret(&self, path: impl AsRef<str>, source: impl Borrow<Secret>) -> Self {
        Self(self.0.with_mounted_secret(path.as_ref(), &source.borrow().0))
    }

    /// Like [`with_mounted_secret`](Self::with_mounted_secret), with an owner and a
    /// mode.
    pub fn with_mounted_secret_options(
        &self,
        path: impl AsRef<str>,
        source: impl Borrow<Secret>,
        options: impl Borrow<MountOptions>,
    ) -> Self {
        Self(self.0.with_mounted_secret_options(path.as_ref(), &source.borrow().0, &options.borrow().0))
    }

    /// With an empty directory in memory at `path`, new for each command.
    pub fn with_mounted_temp(&self, path: impl AsRef<str>) -> Self {
        Self(self.0.with_mounted_temp(path.as_ref()))
    }

    /// Like [`with_mounted_temp`](Self::with_mounted_temp), with a size and a mode.
    pub fn with_mounted_temp_options(&self, path: impl AsRef<str>, options: impl Borrow<MountOptions>) -> Self {
        Self(self.0.with_mounted_temp_options(path.as_ref(), &options.borrow().0))
    }

    /// Without the mount at `path`: what is under it shows again.
    pub fn without_mount(&self, path: impl AsRef<str>) -> Self {
        Self(self.0.without_mount(path.as_ref()))
    }

    /// With a service that is started before each command and reached under `alias`.
    pub fn with_service_binding(&self, alias: impl AsRef<str>, service: impl Borrow<Service>) -> Self {
        Self(self.0.with_service_binding(alias.as_ref(), &service.borrow().0))
    }
}

handle! {
    /// How something is mounted by the `_options` methods of [`Container`].
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
    /// Writable, owned by root, mode 0400 for a secret.
    pub fn new() -> Self {
        Self(raw::MountOptions::new())
    }

    /// Refuses writes.
    pub fn read_only(self) -> Self {
        Self(self.0.read_only())
    }

    /// The owner: `uid` or `uid:gid` or names of the container's.
    pub fn owner(self, owner: impl AsRef<str>) -> Self {
        Self(self.0.with_owner(owner.as_ref()))
    }

    /// The permission bits of a secret or of a temporary directory.
    pub fn mode(self, mode: u32) -> Self {
        Self(self.0.with_mode(mode))
    }

    /// The most bytes of a temporary directory.
    pub fn size_bytes(self, bytes: u64) -> Self {
        Self(self.0.with_size(bytes))
    }

    /// How commands share a cache volume; [`CacheSharing::Shared`] unless set.
    pub fn sharing(self, sharing: CacheSharing) -> Self {
        Self(self.0.with_sharing(sharing))
    }

    /// What an empty cache volume starts with.
    pub fn seed(self, source: impl Borrow<Directory>) -> Self {
        Self(self.0.with_seed(&source.borrow().0))
    }
}
