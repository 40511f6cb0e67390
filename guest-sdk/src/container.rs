//! Containers: a root file system, a configuration, and commands run in them.

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
    /// A container that does not exist yet: a root file system, a configuration,
    /// and what was asked of it.
    ///
    /// Nothing runs until a value is read from it ([`stdout`](Self::stdout),
    /// [`exit_code`](Self::exit_code), [`sync`](Self::sync), or any of a file or a
    /// directory taken out of it). Each method returns another container and leaves
    /// this one as it is. Relative paths are relative to its working directory.
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

// No label has this name.
duplicate!(Container: container => container.without_label(""));

impl Container {
    /// A container with an empty root file system, for this machine's platform.
    pub fn new() -> Self {
        Self(raw::Container::new())
    }

    /// Returns the digest of the definition: of what was asked for.
    pub fn id(&self) -> String {
        self.0.id()
    }

    /// Hands it to `change` and returns what comes back, for a step of a chain that
    /// depends on something.
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

    /// For this platform, as in `linux/arm64`.
    pub fn with_platform(&self, platform: impl AsRef<str>) -> Self {
        Self(self.0.with_platform(platform.as_ref()))
    }

    /// With the root file system and the configuration of an image; variables,
    /// labels and ports set before stay unless the image sets them.
    ///
    /// `address` is a reference as Docker takes it, or `docker-daemon:NAME` for an image
    /// of the local Docker. A tag means one image for the whole run.
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

    /// With the root file system and the configuration of the one image in a file: an
    /// OCI layout or a docker-archive, as [`as_tarball`](Self::as_tarball) and
    /// `docker save` write them.
    pub fn import_image(&self, source: impl Borrow<File>) -> Self {
        Self(self.0.import_image(&source.borrow().0, None))
    }

    /// Like [`import_image`](Self::import_image), for one image of several.
    pub fn import_image_tag(&self, source: impl Borrow<File>, tag: impl AsRef<str>) -> Self {
        Self(self.0.import_image(&source.borrow().0, Some(tag.as_ref())))
    }

    /// Like [`import_image`](Self::import_image), from the directory of an OCI layout.
    pub fn import_layout(&self, source: impl Borrow<Directory>) -> Self {
        Self(self.0.import_layout(&source.borrow().0, None))
    }

    /// Like [`import_layout`](Self::import_layout), for one image of several.
    pub fn import_layout_tag(&self, source: impl Borrow<Directory>, tag: impl AsRef<str>) -> Self {
        Self(self.0.import_layout(&source.borrow().0, Some(tag.as_ref())))
    }

    /// What the `Dockerfile` in a directory makes.
    pub fn build(&self, context: impl Borrow<Directory>) -> Self {
        self.build_options(context, BuildOptions::new())
    }

    /// Like [`build`](Self::build), with options.
    pub fn build_options(&self, context: impl Borrow<Directory>, options: impl Borrow<BuildOptions>) -> Self {
        Self(self.0.build(&context.borrow().0, &options.borrow().0))
    }

    /// With this directory as its root file system.
    pub fn with_rootfs(&self, source: impl Borrow<Directory>) -> Self {
        Self(self.0.with_rootfs(&source.borrow().0))
    }

    /// A container whose evaluation fails with this message; with an empty one, the
    /// same container.
    pub fn with_error(&self, message: impl AsRef<str>) -> Self {
        Self(self.0.with_error(message.as_ref()))
    }
}

handle! {
    /// What [`Container::build_options`] makes of a Dockerfile.
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
    /// The file `Dockerfile`, its last target.
    pub fn new() -> Self {
        Self(raw::BuildOptions::new())
    }

    /// The path of the Dockerfile in the context.
    pub fn dockerfile(self, path: impl AsRef<str>) -> Self {
        Self(self.0.with_dockerfile(path.as_ref()))
    }

    /// The stage of the Dockerfile to build.
    pub fn target(self, target: impl AsRef<str>) -> Self {
        Self(self.0.with_target(target.as_ref()))
    }

    /// A build argument.
    pub fn argument(self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        Self(self.0.with_argument(name.as_ref(), value.as_ref()))
    }
}
