//! The configuration of a container: variables, user, working directory, labels and ports.

use std::borrow::Borrow;

use super::{Container, Protocol};
use crate::Secret;
use crate::handle::strings;

impl Container {
    /// Sets an environment variable. If it exists, its value is replaced and its position stays.
    pub fn with_env_variable(&self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        Self(self.0.with_env_variable(name.as_ref(), value.as_ref()))
    }

    /// Sets an environment variable, after replacing `$NAME` and `${NAME}` in the value by
    /// variables of the container.
    pub fn with_env_variable_expanded(&self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        Self(self.0.with_env_variable_expanded(name.as_ref(), value.as_ref()))
    }

    /// Removes an environment variable.
    pub fn without_env_variable(&self, name: impl AsRef<str>) -> Self {
        Self(self.0.without_env_variable(name.as_ref()))
    }

    /// Sets an environment variable to the value of a secret, which only commands see.
    pub fn with_secret_variable(&self, name: impl AsRef<str>, value: impl Borrow<Secret>) -> Self {
        Self(self.0.with_secret_variable(name.as_ref(), &value.borrow().0))
    }

    /// Removes a secret variable.
    pub fn without_secret_variable(&self, name: impl AsRef<str>) -> Self {
        Self(self.0.without_secret_variable(name.as_ref()))
    }

    /// Sets a variable that commands see and that is part of no cache key, such as the number of a
    /// build: with another value, no command runs again. It hides a variable and a secret of its
    /// name, and is in no image.
    pub fn with_volatile_variable(&self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        Self(self.0.with_volatile_variable(name.as_ref(), value.as_ref()))
    }

    /// Removes a volatile variable.
    pub fn without_volatile_variable(&self, name: impl AsRef<str>) -> Self {
        Self(self.0.without_volatile_variable(name.as_ref()))
    }

    /// Sets the working directory, and creates it if it does not exist.
    pub fn with_workdir(&self, path: impl AsRef<str>) -> Self {
        Self(self.0.with_workdir(path.as_ref()))
    }

    /// Sets the working directory to `/`.
    pub fn without_workdir(&self) -> Self {
        Self(self.0.without_workdir())
    }

    /// Sets the user of commands: `name`, `name:group`, `uid` or `uid:gid`.
    pub fn with_user(&self, user: impl AsRef<str>) -> Self {
        Self(self.0.with_user(user.as_ref()))
    }

    /// Sets the user of commands to root.
    pub fn without_user(&self) -> Self {
        Self(self.0.without_user())
    }

    /// Sets the entrypoint and removes the default arguments.
    pub fn with_entrypoint(&self, args: impl IntoIterator<Item: AsRef<str>>) -> Self {
        Self(self.0.with_entrypoint(&strings(args)))
    }

    /// Removes the entrypoint and the default arguments.
    pub fn without_entrypoint(&self) -> Self {
        Self(self.0.without_entrypoint())
    }

    /// Sets the arguments of a command that has none.
    pub fn with_default_args(&self, args: impl IntoIterator<Item: AsRef<str>>) -> Self {
        Self(self.0.with_default_args(&strings(args)))
    }

    /// Removes the default arguments.
    pub fn without_default_args(&self) -> Self {
        Self(self.0.without_default_args())
    }

    /// Sets a label of the image.
    pub fn with_label(&self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        Self(self.0.with_label(name.as_ref(), value.as_ref()))
    }

    /// Removes a label.
    pub fn without_label(&self, name: impl AsRef<str>) -> Self {
        Self(self.0.without_label(name.as_ref()))
    }

    /// Sets an annotation of the image manifest.
    pub fn with_annotation(&self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        Self(self.0.with_annotation(name.as_ref(), value.as_ref()))
    }

    /// Removes an annotation.
    pub fn without_annotation(&self, name: impl AsRef<str>) -> Self {
        Self(self.0.without_annotation(name.as_ref()))
    }

    /// Adds a TCP port on which the service of the container listens.
    pub fn with_exposed_port(&self, port: u16) -> Self {
        self.with_exposed_port_protocol(port, Protocol::Tcp)
    }

    /// Adds a port of this protocol on which the service of the container listens.
    pub fn with_exposed_port_protocol(&self, port: u16, protocol: Protocol) -> Self {
        Self(self.0.with_exposed_port(port, protocol))
    }

    /// Removes an exposed TCP port.
    pub fn without_exposed_port(&self, port: u16) -> Self {
        self.without_exposed_port_protocol(port, Protocol::Tcp)
    }

    /// Removes an exposed port of this protocol.
    pub fn without_exposed_port_protocol(&self, port: u16, protocol: Protocol) -> Self {
        Self(self.0.without_exposed_port(port, protocol))
    }
}
