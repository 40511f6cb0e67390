//! Values that are read from a container. Reading one evaluates the container.
//!
//! # Errors
//!
//! Every method fails with `exec` if a command of the container ended with an unexpected exit code,
//! and with the other codes in [`code`](crate::code).

use super::{Container, Port};
use crate::{Lazy, Result};

impl Container {
    /// Returns the standard output of the last command.
    ///
    /// # Errors
    ///
    /// The code is `exec` if that command or an earlier one ended with an unexpected exit code,
    /// `no-exec` if there is no command, and `invalid-argument` if the output is not UTF-8.
    pub fn stdout(&self) -> Result<String> {
        Ok(self.0.stdout()?)
    }

    /// Returns the standard error of the last command.
    pub fn stderr(&self) -> Result<String> {
        Ok(self.0.stderr()?)
    }

    /// Returns the standard output and the standard error of the last command, in the order in
    /// which they arrived.
    pub fn combined_output(&self) -> Result<String> {
        Ok(self.0.combined_output()?)
    }

    /// Returns the exit code of the last command.
    pub fn exit_code(&self) -> Result<i32> {
        Ok(self.0.exit_code()?)
    }

    /// Returns the value of an environment variable, or nothing if it is not set.
    pub fn env_variable(&self, name: impl AsRef<str>) -> Result<Option<String>> {
        Ok(self.0.env_variable(name.as_ref())?)
    }

    /// Returns all environment variables, in the order in which they were set.
    pub fn env_variables(&self) -> Result<Vec<(String, String)>> {
        Ok(self.0.env_variables()?)
    }

    /// Returns the entrypoint.
    pub fn entrypoint(&self) -> Result<Vec<String>> {
        Ok(self.0.entrypoint()?)
    }

    /// Returns the default arguments.
    pub fn default_args(&self) -> Result<Vec<String>> {
        Ok(self.0.default_args()?)
    }

    /// Returns the user of commands; empty for root.
    pub fn user(&self) -> Result<String> {
        Ok(self.0.user()?)
    }

    /// Returns the working directory.
    pub fn workdir(&self) -> Result<String> {
        Ok(self.0.workdir()?)
    }

    /// Returns the platform, such as `linux/amd64`.
    pub fn platform(&self) -> Result<String> {
        Ok(self.0.platform()?)
    }

    /// Returns the value of a label, or nothing if it is not set.
    pub fn label(&self, name: impl AsRef<str>) -> Result<Option<String>> {
        Ok(self.0.label(name.as_ref())?)
    }

    /// Returns all labels, sorted by name.
    pub fn labels(&self) -> Result<Vec<(String, String)>> {
        Ok(self.0.labels()?)
    }

    /// Returns all annotations, sorted by name.
    pub fn annotations(&self) -> Result<Vec<(String, String)>> {
        Ok(self.0.annotations()?)
    }

    /// Returns the exposed ports, sorted.
    pub fn exposed_ports(&self) -> Result<Vec<Port>> {
        Ok(self.0.exposed_ports()?)
    }

    /// Returns the paths of the mounts, in the order in which they were added.
    pub fn mounts(&self) -> Result<Vec<String>> {
        Ok(self.0.mounts()?)
    }

    /// Returns the reference of the image with its digest.
    ///
    /// # Errors
    ///
    /// The code is `invalid-argument` if the container is not an unchanged image from a registry.
    pub fn image_ref(&self) -> Result<String> {
        Ok(self.0.image_ref()?)
    }

    /// Returns whether something exists at `path`. A symbolic link is not followed.
    pub fn exists(&self, path: impl AsRef<str>) -> Result<bool> {
        Ok(self.0.exists(path.as_ref())?)
    }

    /// Runs all commands of the container, and fails if one of them fails.
    pub fn sync(&self) -> Result<()> {
        Ok(self.0.sync()?)
    }

    /// Starts to evaluate the container in the background and returns at once.
    /// [`sync_all`](crate::sync_all) evaluates several objects at the same time.
    pub fn start(&self) {
        self.0.start();
    }
}

impl Lazy for Container {
    fn start(&self) {
        self.0.start();
    }

    fn sync(&self) -> Result<()> {
        Ok(self.0.sync()?)
    }
}
