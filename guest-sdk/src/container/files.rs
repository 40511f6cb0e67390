//! Files and directories that are put into a container or taken out of it.

use std::borrow::Borrow;

use super::Container;
use crate::handle::strings;
use crate::{CopyOptions, Directory, File, NewOptions, Service};

impl Container {
    /// Adds a file with these contents at `path`, with mode 0644. Missing parent directories are
    /// created.
    pub fn with_new_file(&self, path: impl AsRef<str>, contents: impl AsRef<str>) -> Self {
        Self(self.0.with_new_file(path.as_ref(), contents.as_ref()))
    }

    /// Adds a file with any bytes, a mode and an owner.
    ///
    /// ```no_run
    /// # use guest_sdk::prelude::*;
    /// # fn script(container: Container) -> Container {
    /// container.with_new_file_options("/bin/ci", "#!/bin/sh\nmake check\n", NewOptions::new().mode(0o755))
    /// # }
    /// ```
    pub fn with_new_file_options(
        &self,
        path: impl AsRef<str>,
        contents: impl AsRef<[u8]>,
        options: impl Borrow<NewOptions>,
    ) -> Self {
        Self(self.0.with_new_file_options(path.as_ref(), contents.as_ref(), &options.borrow().0))
    }

    /// Adds an empty directory at `path`, with mode 0755.
    pub fn with_new_directory(&self, path: impl AsRef<str>) -> Self {
        Self(self.0.with_new_directory(path.as_ref()))
    }

    /// Adds a copy of the file at `path`. If `path` ends with `/`, or if a directory exists there,
    /// the file goes into that directory under its own name.
    pub fn with_file(&self, path: impl AsRef<str>, source: impl Borrow<File>) -> Self {
        Self(self.0.with_file(path.as_ref(), &source.borrow().0))
    }

    /// Adds a copy of the file, with an owner and a mode.
    pub fn with_file_options(
        &self,
        path: impl AsRef<str>,
        source: impl Borrow<File>,
        options: impl Borrow<CopyOptions>,
    ) -> Self {
        Self(self.0.with_file_options(path.as_ref(), &source.borrow().0, &options.borrow().0))
    }

    /// Adds a copy of each file to the directory at `path`.
    pub fn with_files(&self, path: impl AsRef<str>, sources: impl IntoIterator<Item: Borrow<File>>) -> Self {
        let sources: Vec<_> = sources.into_iter().collect();
        let sources: Vec<_> = sources.iter().map(|source| &source.borrow().0).collect();
        Self(self.0.with_files(path.as_ref(), &sources))
    }

    /// Adds a copy of the contents of a directory at `path`, and merges them with what exists
    /// there.
    pub fn with_directory(&self, path: impl AsRef<str>, source: impl Borrow<Directory>) -> Self {
        Self(self.0.with_directory(path.as_ref(), &source.borrow().0))
    }

    /// Adds a copy of the contents of a directory, with patterns, an owner and a mode.
    ///
    /// ```no_run
    /// # use guest_sdk::prelude::*;
    /// # fn sources(container: Container, src: Directory) -> Container {
    /// container.with_directory_options("/src", src, CopyOptions::new().exclude(["target", "**/*.o"]).owner("1000:1000"))
    /// # }
    /// ```
    pub fn with_directory_options(
        &self,
        path: impl AsRef<str>,
        source: impl Borrow<Directory>,
        options: impl Borrow<CopyOptions>,
    ) -> Self {
        Self(self.0.with_directory_options(path.as_ref(), &source.borrow().0, &options.borrow().0))
    }

    /// Adds a symbolic link at `link_name` that points to `target`.
    pub fn with_symlink(&self, target: impl AsRef<str>, link_name: impl AsRef<str>) -> Self {
        Self(self.0.with_symlink(target.as_ref(), link_name.as_ref()))
    }

    /// Removes the file at `path`. If there is none, nothing happens.
    pub fn without_file(&self, path: impl AsRef<str>) -> Self {
        Self(self.0.without_file(path.as_ref()))
    }

    /// Removes each of these files.
    pub fn without_files(&self, paths: impl IntoIterator<Item: AsRef<str>>) -> Self {
        Self(self.0.without_files(&strings(paths)))
    }

    /// Removes the directory at `path`. If there is none, nothing happens. If it is something else,
    /// evaluating the result fails with `invalid-argument`.
    pub fn without_directory(&self, path: impl AsRef<str>) -> Self {
        Self(self.0.without_directory(path.as_ref()))
    }

    /// Returns the root file system, without what is mounted.
    pub fn rootfs(&self) -> Directory {
        Directory(self.0.rootfs())
    }

    /// Returns the directory at `path`, in the root file system or in a mount.
    pub fn directory(&self, path: impl AsRef<str>) -> Directory {
        Directory(self.0.directory(path.as_ref()))
    }

    /// Returns the file at `path`, in the root file system or in a mount.
    pub fn file(&self, path: impl AsRef<str>) -> File {
        File(self.0.file(path.as_ref()))
    }

    /// Returns the container as an image in one file: an OCI archive that `docker load` also reads.
    pub fn as_tarball(&self) -> File {
        File(self.0.as_tarball())
    }

    /// Returns the same file with Docker's media types in place of those of the OCI, for programs
    /// that do not know these.
    pub fn as_docker_tarball(&self) -> File {
        File(self.0.as_docker_tarball())
    }

    /// Returns a service that runs the default arguments of the container.
    pub fn as_service(&self) -> Service {
        Service(self.0.as_service())
    }
}
