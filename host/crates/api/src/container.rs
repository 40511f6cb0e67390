//! The resource `container.container`.

mod exec;
mod files;
mod identity;
mod image;
mod mounts;

use std::collections::BTreeSet;
use std::sync::Arc;

use engine::FailureCode;
use graph::expand::expand;
use graph::{CacheSharing, Edge, FailOp, Op, Pairs, Platform, SecretName, Selection, TreePath};

use crate::directory::Directory;
use crate::file::{failing, scratch};

/// A container that does not exist yet: a root file system, a configuration and mounts.
#[derive(Debug, Clone)]
pub struct Container {
    /// The platform that it runs on.
    pub platform: Platform,
    /// The root file system.
    pub rootfs: Selection,
    /// The configuration: everything besides files that commands and images take from it.
    pub config: Config,
    /// The mounts, in the order in which they were made. No path occurs twice.
    pub mounts: Arc<Vec<ContainerMount>>,
    /// The last command that was run in it.
    pub last_exec: Option<Edge>,
    /// The pinned reference of the image that it started from, and the id that the container had then.
    pub(crate) image_ref: Option<(String, String)>,
}

/// The configuration of a container.
///
/// Source: OCI image-spec 1.1, `config.md`.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The environment variables, in the order in which they were set. Names are unique.
    pub env: Pairs,
    /// The variables that commands see and that are part of no key. Names are unique.
    pub volatile_env: Pairs,
    /// The environment variables whose values are secrets.
    pub secret_env: Arc<Vec<(String, SecretName)>>,
    /// The working directory of commands.
    pub workdir: TreePath,
    /// The user: `name`, `name:group`, `uid` or `uid:gid`; root if there is none.
    pub user: Option<String>,
    /// The words that are put before the arguments of a command that asks for them.
    pub entrypoint: Arc<[String]>,
    /// The command that runs if no other is given.
    pub default_args: Arc<[String]>,
    /// The labels of the image.
    pub labels: Pairs,
    /// The annotations of the image's manifest.
    pub annotations: Pairs,
    /// The ports that its service listens on.
    pub ports: Arc<BTreeSet<Port>>,
    /// The directories that other programs make volumes of.
    pub volumes: Arc<BTreeSet<String>>,
    /// The signal that stops it, as in `SIGTERM`.
    pub stop_signal: Option<String>,
    /// The health check as JSON, in Docker's format.
    pub healthcheck: Option<String>,
}

/// The most bytes that a text, or all arguments of a command, may have when variables in them are replaced.
const MAX_EXPANDED_BYTES: usize = 1 << 20;

fn too_long(what: &str) -> String {
    format!("{what} would have more than {MAX_EXPANDED_BYTES} bytes with its variables replaced")
}

/// A port with its transport protocol.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    /// The number of the port.
    pub number: u16,
    /// The protocol: `tcp` or `udp`.
    pub protocol: String,
}

/// A mount in a container.
#[derive(Debug, Clone)]
pub struct ContainerMount {
    /// The path in the container.
    pub path: TreePath,
    /// The source of the mount.
    pub source: MountSource,
}

/// The source of a mount.
#[derive(Debug, Clone)]
pub enum MountSource {
    /// A directory that commands may write to.
    Directory {
        /// The directory as the commands so far have left it.
        selection: Selection,
        /// Whether writes are refused.
        read_only: bool,
        /// The owner; root if there is none.
        owner: Option<String>,
    },
    /// A read-only file.
    File {
        /// The file in its tree.
        selection: Selection,
        /// The owner; root if there is none.
        owner: Option<String>,
    },
    /// A cache volume.
    Cache {
        /// The key of the volume.
        key: String,
        /// The way in which commands share it.
        sharing: CacheSharing,
        /// The owner; root if there is none.
        owner: Option<String>,
        /// The directory that an empty volume is filled with.
        seed: Option<Selection>,
    },
    /// A secret as a file.
    Secret {
        /// The name of the secret.
        name: SecretName,
        /// The owner; root if there is none.
        owner: Option<String>,
        /// The permission bits of the file.
        mode: u32,
    },
    /// A directory in memory.
    Temp {
        /// The limit on its size, in bytes.
        size_bytes: Option<u64>,
        /// The permission bits of the directory.
        mode: u32,
    },
}

impl Config {
    /// Removes a variable whose value is a secret.
    pub(crate) fn forget_secret(&mut self, name: &str) {
        if self.secret_env.iter().any(|(other, _)| other == name) {
            Arc::make_mut(&mut self.secret_env).retain(|(other, _)| other != name);
        }
    }
}

impl Default for Container {
    fn default() -> Self {
        Self {
            platform: Platform::of_this_machine(),
            rootfs: scratch(),
            config: Config::default(),
            mounts: Arc::default(),
            last_exec: None,
            image_ref: None,
        }
    }
}

impl Container {
    /// Returns the container with an evaluation that fails.
    #[must_use]
    pub fn with_error(&self, code: FailureCode, message: impl Into<String>) -> Self {
        Self { rootfs: failing(code, message), last_exec: None, ..self.clone() }
    }

    /// Returns the container with another root file system.
    #[must_use]
    pub fn with_rootfs(&self, source: &Directory) -> Self {
        Self { rootfs: source.selection.clone(), last_exec: None, ..self.clone() }
    }

    /// Returns the container for another platform.
    #[must_use]
    pub fn with_platform(&self, text: &str) -> Self {
        match text.parse() {
            Ok(platform) => Self { platform, ..self.clone() },
            Err(error) => self.with_error(FailureCode::InvalidArgument, format!("{error}")),
        }
    }

    /// Returns the container with a changed configuration.
    #[must_use]
    pub fn with_config(&self, change: impl FnOnce(&mut Config)) -> Self {
        let mut container = self.clone();
        change(&mut container.config);
        container
    }

    /// Returns the container with an environment variable. A variable of that name is replaced in place.
    #[must_use]
    pub fn with_env_variable(&self, name: &str, value: &str) -> Self {
        if let Some(failing) = self.refuse_variable(name, value) {
            return failing;
        }
        self.with_config(|config| {
            config.forget_secret(name);
            config.env.set(name, value);
        })
    }

    /// Returns the container with an error if no command can have this variable.
    fn refuse_variable(&self, name: &str, value: &str) -> Option<Self> {
        let is_refused = name.is_empty() || name.contains(['=', '\0']) || value.contains('\0');
        let message = || format!("variable name {name:?} cannot be used: it is empty, or has `=` or a NUL byte");
        is_refused.then(|| self.with_error(FailureCode::InvalidArgument, message()))
    }

    /// Returns the container with an environment variable whose value is expanded first.
    #[must_use]
    pub fn with_env_variable_expanded(&self, name: &str, value: &str) -> Self {
        match self.expand(value) {
            Ok(value) => self.with_env_variable(name, &value),
            Err(message) => self.with_error(FailureCode::InvalidArgument, message),
        }
    }

    /// Returns the container with an environment variable whose value only commands can see.
    #[must_use]
    pub fn with_secret_variable(&self, name: &str, secret: &SecretName) -> Self {
        self.with_config(|config| {
            config.env.remove(name);
            config.forget_secret(name);
            Arc::make_mut(&mut config.secret_env).push((name.to_owned(), secret.clone()));
        })
    }

    /// Returns the container with a variable that commands see and that is part of no key.
    #[must_use]
    pub fn with_volatile_variable(&self, name: &str, value: &str) -> Self {
        if let Some(failing) = self.refuse_variable(name, value) {
            return failing;
        }
        self.with_config(|config| config.volatile_env.set(name, value))
    }

    /// Returns the container with another working directory. The path is relative to the one before.
    #[must_use]
    pub fn with_workdir(&self, path: &str) -> Self {
        match self.config.workdir.join(path) {
            Ok(workdir) => self.with_config(|config| config.workdir = workdir),
            Err(error) => self.with_error(FailureCode::InvalidPath, error.to_string()),
        }
    }

    /// Replaces `$NAME` and `${NAME}` by the variables of the container.
    fn expand(&self, text: &str) -> Result<String, String> {
        let mut left = MAX_EXPANDED_BYTES;
        expand(text, |name| {
            if self.config.secret_env.iter().any(|(other, _)| other == name) {
                return Err(format!("expand cannot be used with secret env variable `{name}`"));
            }
            if self.config.volatile_env.get(name).is_some() {
                return Err(format!("expand cannot be used with volatile env variable `{name}`"));
            }
            let value = self.config.env.get(name);
            left = left.checked_sub(value.map_or(0, str::len)).ok_or_else(|| too_long("a text"))?;
            Ok(value.map(str::to_owned))
        })
    }

    /// Returns the ports that its service listens on.
    #[must_use]
    pub fn ports(&self) -> Vec<Port> {
        self.config.ports.iter().cloned().collect()
    }

    /// Returns the edges whose evaluation does everything that was asked of the container.
    #[must_use]
    pub fn edges(&self) -> Vec<Edge> {
        let mounted = self.mounts.iter().filter_map(|mount| match &mount.source {
            MountSource::Directory { selection, .. } | MountSource::File { selection, .. } => {
                Some(selection.edge.clone())
            }
            MountSource::Cache { .. } | MountSource::Secret { .. } | MountSource::Temp { .. } => None,
        });
        std::iter::once(self.rootfs.edge.clone()).chain(mounted).collect()
    }

    /// Returns the mistake that was recorded in the container, if there is one.
    #[must_use]
    pub fn failure(&self) -> Option<&FailOp> {
        match self.rootfs.edge.vertex.op() {
            Op::Fail(fail) => Some(fail),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
