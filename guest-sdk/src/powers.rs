//! Powers: interfaces that reach outside of the pipeline, and that the caller must grant.
//!
//! A module that calls one of these functions imports the power, so that it can be seen in the
//! imports of the component.

/// The power to run the tools that are installed on this machine.
pub mod machine {
    use crate::Container;
    use crate::bindings::api::machine as raw;

    /// Returns a container that shows this machine's system: `/usr`, `/bin`, `/sbin` and `/lib*`,
    /// read-only, and a copy of those parts of `/etc` that contain no private data. Everything else
    /// is empty and writable.
    pub fn rootfs() -> Container {
        Container(raw::rootfs())
    }
}

/// The power to fetch from the network. Each source is looked up once per run.
pub mod sources {
    use crate::bindings::api::sources as raw;
    use crate::{Directory, File};

    /// Returns the files of a git repository at a branch, a tag or a commit.
    pub fn git(url: impl AsRef<str>, reference: impl AsRef<str>) -> Directory {
        Directory(raw::git(url.as_ref(), reference.as_ref()))
    }

    /// Returns the file at a URL.
    pub fn http(url: impl AsRef<str>) -> File {
        File(raw::http(url.as_ref(), None))
    }

    /// Returns the file at a URL whose contents have this digest, as 64 hex digits. If they have
    /// another digest, evaluating the file fails with `invalid-argument`.
    pub fn http_sha256(url: impl AsRef<str>, sha256: impl AsRef<str>) -> File {
        File(raw::http(url.as_ref(), Some(sha256.as_ref())))
    }
}

/// The power to write files of the caller, and to give images to registries and to Docker. An
/// effect happens on every call and is never answered from the cache.
pub mod effects {
    use std::borrow::Borrow;

    use crate::bindings::api::effects as raw;
    use crate::{Container, Directory, File, Result, Secret};

    /// Writes the directory to `path`, relative to the export directory, and returns the absolute
    /// path. Files that exist there and that the directory does not contain stay.
    ///
    /// # Errors
    ///
    /// The code is `invalid-path` if the path leaves the export directory, also through a symbolic
    /// link.
    pub fn export_directory(tree: impl Borrow<Directory>, path: impl AsRef<str>) -> Result<String> {
        Ok(raw::export_directory(&tree.borrow().0, path.as_ref())?)
    }

    /// Writes the file to `path`, relative to the export directory, and returns the absolute path.
    pub fn export_file(source: impl Borrow<File>, path: impl AsRef<str>) -> Result<String> {
        Ok(raw::export_file(&source.borrow().0, path.as_ref())?)
    }

    /// Writes the container as an image to `path`, relative to the export directory, in the format
    /// of [`Container::as_tarball`], and returns the absolute path.
    pub fn export_container(image: impl Borrow<Container>, path: impl AsRef<str>) -> Result<String> {
        Ok(raw::export_container(&image.borrow().0, path.as_ref())?)
    }

    /// Pushes the container to a registry as the image `address`, and returns the reference with
    /// its digest. The credentials are those of the caller's Docker configuration.
    ///
    /// Layers that the registry has already are not sent again. Secrets are in no layer and in no
    /// variable of the image, unless a command wrote one to a file.
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

    /// Does the same as [`publish`], with a user name and a password.
    pub fn publish_as(
        image: impl Borrow<Container>,
        address: impl AsRef<str>,
        username: impl AsRef<str>,
        password: impl Borrow<Secret>,
    ) -> Result<String> {
        Ok(raw::publish(&image.borrow().0, address.as_ref(), Some(username.as_ref()), Some(&password.borrow().0))?)
    }

    /// Loads the container into the local Docker as the image `name`, and returns the name with the
    /// image's id in that Docker.
    pub fn load(image: impl Borrow<Container>, name: impl AsRef<str>) -> Result<String> {
        Ok(raw::load(&image.borrow().0, name.as_ref())?)
    }
}

/// The power to read the values of secrets.
pub mod secret_access {
    use std::borrow::Borrow;

    use crate::bindings::api::secret_access as raw;
    use crate::{Result, Secret};

    /// Returns the value of the secret.
    ///
    /// # Errors
    ///
    /// The code is `environment` if the source has no value or the value is not UTF-8.
    pub fn plaintext(secret: impl Borrow<Secret>) -> Result<String> {
        Ok(raw::plaintext(&secret.borrow().0)?)
    }
}
