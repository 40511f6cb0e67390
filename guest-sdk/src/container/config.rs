//! The configuration of a container: variables, user, working directory, labels.

use std::borrow::Borrow;

use super::{Container, Protocol};
use crate::Secret;
use crate::handle::strings;

impl Container {
    /// With an environment variable; one of that name is replaced in place.
    pub fn with_env_variable(&self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        Self(self.0.with_env_variable(name.as_ref(), value.as_ref()))
    }

    /// Like [`with_env_variable`](Self::with_env_variable), with `$NAME` and `${NAME}`
    /// in the value expanded.
    pub fn with_env_variable_expanded(&self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        Self(self.0.with_env_variable_expanded(name.as_ref(), value.as_ref()))
    }

    /// Without that variable.
    pub fn without_env_variable(&self, name: impl AsRef<str>) -> Self {
        Self(self.0.without_env_variable(name.as_ref()))
    }

    /// With an environment variable whose value only commands see.
    pub fn with_secret_variable(&self, name: impl AsRef<str>, value: impl Borrow<Secret>) -> Self {
        Self(self.0.with_secret_variable(name.as_ref(), &value.borrow().0))
    }

    /// Without that secret variable.
    pub fn without_secret_variable(&self, name: impl AsRef<str>) -> Self {
        Self(self.0.without_secret_variable(name.as_ref()))
    }

    /// With this working directory, made if it is missing.
    pub fn with_workdir(&self, path: impl AsRef<str>) -> Self {
        Self(self.0.with_workdir(path.as_ref()))
    }

    /// With the working directory `/`.
    pub fn without_workdir(&self) -> Self {
        Self(self.0.without_workdir())
    }

    /// Commands run as this user: `name`, `name:group`, `uid` or `uid:gid`.
    pub fn with_user(&self, user: impl AsRef<str>) -> Self {
        Self(self.0.with_user(user.as_ref()))
    }

    /// Commands run as root.
    pub fn without_user(&self) -> Self {
        Self(self.0.without_user())
    }

    /// With this entrypoint, and without default arguments.
    pub fn with_entrypoint(&self, args: impl IntoIterator<Item: AsRef<str>>) -> Self {
        Self(self.0.with_entrypoint(&strings(args)))
    }

    /// Without an entrypoint, and without default arguments.
    pub fn without_entrypoint(&self) -> Self {
        Self(self.0.without_entrypoint())
    }

    /// With these arguments where a command has none.
    pub fn with_default_args(&self, args: impl IntoIterator<Item: AsRef<str>>) -> Self {
        Self(self.0.with_default_args(&strings(args)))
    }

    /// Without default arguments.
    pub fn without_default_args(&self) -> Self {
        Self(self.0.without_default_args())
    }

    /// With a label of the image.
    pub fn with_label(&self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        Self(self.0.with_label(name.as_ref(), value.as_ref()))
    }

    /// Without that label.
    pub fn without_label(&self, name: impl AsRef<str>) -> Self {
        Self(self.0.without_label(name.as_ref()))
    }

    /// With an annotation of the image's manifest.
    pub fn with_annotation(&self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        Self(self.0.with_annotation(name.as_ref(), value.as_ref()))
    }

    /// Without that annotation.
    pub fn without_annotation(&self, name: impl AsRef<str>) -> Self {
        Self(self.0.without_annotation(name.as_ref()))
    }

    /// With a TCP port that its service listens on.
    pub fn with_exposed_port(&self, port: u16) -> Self {
        self.with_exposed_port_protocol(port, Protocol::Tcp)
    }

    /// With a port of that transport that its service listens on.
    pub fn with_exposed_port_protocol(&self, port: u16, protocol: Protocol) -> Self {
        Self(self.0.with_exposed_port(port, protocol))
    }

    /// Without that TCP port.
    pub fn without_exposed_port(&self, port: u16) -> Self {
        self.without_exposed_port_protocol(port, Protocol::Tcp)
    }

    /// Without that port of that transport.
    pub fn without_exposed_port_protocol(&self, port: u16, protocol: Protocol) -> Self {
        Self(self.0.without_exposed_port(port, protocol))
    }
}
