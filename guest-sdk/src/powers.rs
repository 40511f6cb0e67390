//! The powers: what a module can do only if whoever uses it grants it.
//!
//! A module that calls a function of one of these imports that power, and whoever
//! reads its imports sees it.

/// The power to use the tools that are installed on this machine.
pub mod machine {
    use crate::Container;
    use crate::bindings::api::machine as raw;

    /// A container whose root is a read-only view of this machine's system: `/usr`,
    /// `/bin`, `/sbin`, `/lib*` and the harmless part of `/etc`. Outside of these it is
    /// empty and writable.
    pub fn rootfs() -> Container {
        Container(raw::rootfs())
    }
}

/// The power to fetch from the network. What is fetched is resolved once a run.
pub mod sources {
    use crate::bindings::api::sources as raw;
    use crate::{Directory, File};

    /// The tree of a git repository at a branch, a tag or a commit.
    pub fn git(url: impl AsRef<str>, reference: impl AsRef<str>) -> Directory {
        Directory(raw::git(url.as_ref(), reference.as_ref()))
    }

    /// The file at a URL.
    pub fn http(url: impl AsRef<str>) -> File {
        File(raw::http(url.as_ref(), None))
    }

    /// The file at a URL whose contents must have this digest, 64 hex digits; anything
    /// else is reported, as `invalid-argument`, when the file is evaluated.
    pub fn http_sha256(url: impl AsRef<str>, sha256: impl AsRef<str>) -> File {
        File(raw::http(url.as_ref(), Some(sha256.as_ref())))
    }
}

/// The power to change what is outside: files of the caller, registries, the local
/// Docker. An effect happens on every call and is never answered from a cache.
pub mod effects {
    use std::borrow::Borrow;

    use crate::bindings::api::effects as raw;
    use crate::{Container, Directory, File, Result, Secret};

    /// Writes the tree to `path` below the caller's export root, over what is there, and
    /// returns the absolute path.
    ///
    /// # Errors
    ///
    /// `invalid-path` if the path leaves the root, also through a link.
    pub fn export_directory(tree: impl Borrow<Directory>, path: impl AsRef<str>) -> Result<String> {
        Ok(raw::export_directory(&tree.borrow().0, path.as_ref())?)
    }

    /// Writes the file to `path` below the caller's export root and returns the absolute
    /// path.
    pub fn export_file(source: impl Borrow<File>, path: impl AsRef<str>) -> Result<String> {
        Ok(raw::export_file(&source.borrow().0, path.as_ref())?)
    }

    /// Writes the container as an image, as [`Container::as_tarball`] has it, to `path`
    /// below the caller's export root and returns the absolute path.
    pub fn export_container(image: impl Borrow<Container>, path: impl AsRef<str>) -> Result<String> {
        Ok(raw::export_container(&image.borrow().0, path.as_ref())?)
    }

    /// Pushes the container to a registry and returns the reference, pinned by digest.
    /// Who pushes is what the Docker configuration of the caller says.
    ///
    /// What the registry has is not sent again. Secrets that commands saw are in no
    /// layer and in no variable of the image, unless a command wrote them to a file.
    ///
    /// ```no_run
    /// # use guest_sdk::prelude::*;
    /// fn release(app: &File, version: &str) -> Result<String> {
    ///     let image = Container::new()
    ///         .from_image("debian:bookworm-slim")
    ///         .with_file("/usr/local/bin/app", app)
    ///         .with_entrypoint(["app"])
    ///         .with_label("org.opencontainers.image.version", version);
    ///     effects::publish(image, format!("registry.example/app:{version}"))
    /// }
    /// ```
    pub fn publish(image: impl Borrow<Container>, address: impl AsRef<str>) -> Result<String> {
        Ok(raw::publish(&image.borrow().0, address.as_ref(), None, None)?)
    }

    /// Like [`publish`], with a user name and a password.
    pub fn publish_as(
        image: impl Borrow<Container>,
        address: impl AsRef<str>,
        username: impl AsRef<str>,
        password: impl Borrow<Secret>,
    ) -> Result<String> {
        Ok(raw::publish(&image.borrow().0, address.as_ref(), Some(username.as_ref()), Some(&password.borrow().0))?)
    }

    /// Gives the container to the local Docker as an image of this name, as `docker load`
    /// does, and returns the name with the id that it has there.
    pub fn load(image: impl Borrow<Container>, name: impl AsRef<str>) -> Result<String> {
        Ok(raw::load(&image.borrow().0, name.as_ref())?)
    }
}

/// The power to read a secret.
pub mod secret_access {
    use std::borrow::Borrow;

    use crate::bindings::api::secret_access as raw;
    use crate::{Result, Secret};

    /// Returns the value.
    ///
    /// # Errors
    ///
    /// `not-found` if its provider has none.
    pub fn plaintext(secret: impl Borrow<Secret>) -> Result<String> {
        Ok(raw::plaintext(&secret.borrow().0)?)
    }
}
