//! Containers: a root file system, a configuration, and the commands that run in them.

mod config;
mod exec;
mod files;
mod mounts;
mod read;

use std::borrow::Borrow;

use crate::bindings::api::container as raw;
use crate::handle::{duplicate, handle};
use crate::{Directory, File};

pub use exec::ExecOptions;
pub use mounts::MountOptions;
pub use raw::{Port, Protocol};

handle! {
    /// A container that may not exist yet: a root file system, a configuration, and the commands to
    /// run.
    ///
    /// Nothing runs until a value is read from it, for example by [`stdout`](Self::stdout),
    /// [`exit_code`](Self::exit_code) or [`sync`](Self::sync), or from a file or a directory taken
    /// out of it. Each method returns another container and leaves this one as it is. Relative
    /// paths are relative to the working directory.
    ///
    /// ```no_run
    /// use guest_sdk::prelude::*;
    ///
    /// fn compile(src: &Directory) -> Result<File> {
    ///     let built = machine::rootfs()
    ///         .with_directory("/src", src)
    ///         .with_workdir("/src")
    ///         .with_env_variable("CFLAGS", "-O2")
    ///         .with_exec(["make", "-j4"]);
    ///     built.sync()?;
    ///     Ok(built.file("app"))
    /// }
    /// ```
    Container = raw::Container
}

impl Default for Container {
    fn default() -> Self {
        Self::new()
    }
}

// No label has an empty name, so this returns an equal container.
duplicate!(Container: container => container.without_label(""));

impl Container {
    /// Returns a container with an empty root file system, for the platform of this machine.
    pub fn new() -> Self {
        Self(raw::Container::new())
    }

    /// Returns the digest of the definition, which identifies what was asked for.
    pub fn id(&self) -> String {
        self.0.id()
    }

    /// Passes the container to `change` and returns its result, for a step of a chain that depends
    /// on a condition.
    ///
    /// ```no_run
    /// # use guest_sdk::prelude::*;
    /// fn compiler(cflags: Option<String>) -> Container {
    ///     machine::rootfs()
    ///         .with(|container| match cflags {
    ///             Some(cflags) => container.with_env_variable("CFLAGS", cflags),
    ///             None => container,
    ///         })
    ///         .with_workdir("/src")
    /// }
    /// ```
    pub fn with(self, change: impl FnOnce(Self) -> Self) -> Self {
        change(self)
    }

    /// Sets the platform, such as `linux/arm64`. A command can run only on the platform of this
    /// machine.
    pub fn with_platform(&self, platform: impl AsRef<str>) -> Self {
        Self(self.0.with_platform(platform.as_ref()))
    }

    /// Replaces the root file system and the configuration by those of an image. Variables, labels
    /// and ports that were set before stay unless the image sets them.
    ///
    /// `address` is a reference as Docker accepts it, or `docker-daemon:NAME` for an image of the
    /// local Docker. A tag means the same image for the whole run.
    ///
    /// ```no_run
    /// # use guest_sdk::prelude::*;
    /// fn test(src: &Directory) -> Result<String> {
    ///     let tested = Container::new()
    ///         .from_image("python:3.13-slim")
    ///         .with_mounted_directory("/src", src)
    ///         .with_workdir("/src")
    ///         .with_exec(["python", "-m", "unittest"]);
    ///     tested.combined_output()
    /// }
    /// ```
    pub fn from_image(&self, address: impl AsRef<str>) -> Self {
        Self(self.0.from_image(address.as_ref()))
    }

    /// Replaces the root file system and the configuration by those of the only image in a file,
    /// which is an OCI archive, as [`as_tarball`](Self::as_tarball) writes it, or a file that
    /// `docker save` wrote.
    pub fn import_image(&self, source: impl Borrow<File>) -> Self {
        Self(self.0.import_image(&source.borrow().0, None))
    }

    /// Does the same as [`import_image`](Self::import_image) for a file that has several images.
    pub fn import_image_tag(&self, source: impl Borrow<File>, tag: impl AsRef<str>) -> Self {
        Self(self.0.import_image(&source.borrow().0, Some(tag.as_ref())))
    }

    /// Does the same as [`import_image`](Self::import_image) for the directory of an OCI layout.
    pub fn import_layout(&self, source: impl Borrow<Directory>) -> Self {
        Self(self.0.import_layout(&source.borrow().0, None))
    }

    /// Does the same as [`import_layout`](Self::import_layout) for a layout that has several
    /// images.
    pub fn import_layout_tag(&self, source: impl Borrow<Directory>, tag: impl AsRef<str>) -> Self {
        Self(self.0.import_layout(&source.borrow().0, Some(tag.as_ref())))
    }

    /// Builds the `Dockerfile` in the directory `context`, and returns the resulting container.
    pub fn build(&self, context: impl Borrow<Directory>) -> Self {
        self.build_options(context, BuildOptions::new())
    }

    /// Does the same as [`build`](Self::build), with options.
    pub fn build_options(&self, context: impl Borrow<Directory>, options: impl Borrow<BuildOptions>) -> Self {
        Self(self.0.build(&context.borrow().0, &options.borrow().0))
    }

    /// Replaces the root file system by this directory.
    pub fn with_rootfs(&self, source: impl Borrow<Directory>) -> Self {
        Self(self.0.with_rootfs(&source.borrow().0))
    }

    /// Returns a container whose evaluation fails with the code `custom` and this message. An empty
    /// message changes nothing.
    pub fn with_error(&self, message: impl AsRef<str>) -> Self {
        Self(self.0.with_error(message.as_ref()))
    }
}

handle! {
    /// Options for [`Container::build_options`].
    ///
    /// ```no_run
    /// # use guest_sdk::prelude::*;
    /// fn image(context: Directory) -> Container {
    ///     Container::new().build_options(context, BuildOptions::new().target("release").argument("VERSION", "1.3"))
    /// }
    /// ```
    BuildOptions = raw::BuildOptions
}

impl Default for BuildOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl BuildOptions {
    /// Uses the file `Dockerfile` and builds its last stage.
    pub fn new() -> Self {
        Self(raw::BuildOptions::new())
    }

    /// Sets the path of the Dockerfile in the build context.
    pub fn dockerfile(self, path: impl AsRef<str>) -> Self {
        Self(self.0.with_dockerfile(path.as_ref()))
    }

    /// Sets the stage of the Dockerfile to build.
    pub fn target(self, target: impl AsRef<str>) -> Self {
        Self(self.0.with_target(target.as_ref()))
    }

    /// Sets a build argument.
    pub fn argument(self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        Self(self.0.with_argument(name.as_ref(), value.as_ref()))
    }
}
