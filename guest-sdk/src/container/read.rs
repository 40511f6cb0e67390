//! What can be read from a container: each of these evaluates it.
//!
//! # Errors
//!
//! All of them answer `exec` if a command of the container ended with a code that
//! it was not expected to, and what [`code`](crate::code) lists.

use super::{Container, Port};
use crate::{Lazy, Result};

impl Container {
    /// Returns what the last command wrote to its standard output.
    ///
    /// # Errors
    ///
    /// `exec` if that command, or one before it, ended with a code that it was not
    /// expected to; `no-exec` if there is no command; `invalid-argument` if the output
    /// is not UTF-8.
    pub fn stdout(&self) -> Result<String> {
        Ok(self.0.stdout()?)
    }

    /// Returns what the last command wrote to its standard error.
    pub fn stderr(&self) -> Result<String> {
        Ok(self.0.stderr()?)
    }

    /// Returns what the last command wrote to both, in the order in which it arrived.
    pub fn combined_output(&self) -> Result<String> {
        Ok(self.0.combined_output()?)
    }

    /// Returns the exit code of the last command.
    pub fn exit_code(&self) -> Result<i32> {
        Ok(self.0.exit_code()?)
    }

    /// Returns the value of a variable, if it is set.
    pub fn env_variable(&self, name: impl AsRef<str>) -> Result<Option<String>> {
        Ok(self.0.env_variable(name.as_ref())?)
    }

    /// Returns all variables in the order in which they were set.
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

    /// Returns the user; empty for root.
    pub fn user(&self) -> Result<String> {
        Ok(self.0.user()?)
    }

    /// Returns the working directory.
    pub fn workdir(&self) -> Result<String> {
        Ok(self.0.workdir()?)
    }

    /// Returns the platform, as in `linux/amd64`.
    pub fn platform(&self) -> Result<String> {
        Ok(self.0.platform()?)
    }

    /// Returns the value of a label, if it is set.
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

    /// Returns the paths of the mounts in the order in which they were made.
    pub fn mounts(&self) -> Result<Vec<String>> {
        Ok(self.0.mounts()?)
    }

    /// Returns the reference of its image, pinned by digest.
    ///
    /// # Errors
    ///
    /// `invalid-argument` if it is not an image as it was pulled.
    pub fn image_ref(&self) -> Result<String> {
        Ok(self.0.image_ref()?)
    }

    /// Returns whether something is at `path`, links not followed.
    pub fn exists(&self, path: impl AsRef<str>) -> Result<bool> {
        Ok(self.0.exists(path.as_ref())?)
    }

    /// Evaluates it, for its effect or to see whether it can be had.
    pub fn sync(&self) -> Result<()> {
        Ok(self.0.sync()?)
    }

    /// Begins its evaluation in the background and returns at once; see
    /// [`sync_all`](crate::sync_all).
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
