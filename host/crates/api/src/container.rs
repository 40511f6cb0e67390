//! `container.container`

mod exec;
mod files;
mod identity;
mod image;
mod mounts;

use std::collections::{BTreeMap, BTreeSet};

use backend::FailureCode;
use graph::expand::expand;
use graph::{CacheSharing, Edge, FailOp, Op, Platform, SecretName, Selection, TreePath};

use crate::directory::Directory;
use crate::file::{failing, scratch};

/// A container that does not exist yet.
#[derive(Debug, Clone)]
pub struct Container {
    /// What it is run as.
    pub platform: Platform,
    /// Its root file system.
    pub rootfs: Selection,
    /// What commands and images take from it besides files.
    pub config: Config,
    /// In the order in which they were made, no path twice.
    pub mounts: Vec<ContainerMount>,
    /// The last command that was run in it.
    pub last_exec: Option<Edge>,
    /// The pinned reference of the image that it started from, with the digest that the container had then.
    pub(crate) image_ref: Option<(String, String)>,
}

/// The configuration of a container.
///
/// Source: OCI image-spec 1.1, `config.md`.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Variables in the order in which they were set, names unique.
    pub env: Vec<(String, String)>,
    /// Variables whose values are secrets.
    pub secret_env: Vec<(String, SecretName)>,
    /// The working directory.
    pub workdir: TreePath,
    /// `name`, `name:group`, `uid` or `uid:gid`; root if none.
    pub user: Option<String>,
    /// What is put before the arguments if asked for.
    pub entrypoint: Vec<String>,
    /// What is run without arguments.
    pub default_args: Vec<String>,
    /// Of the image.
    pub labels: BTreeMap<String, String>,
    /// Of the image's manifest.
    pub annotations: BTreeMap<String, String>,
    /// Ports that its service listens on.
    pub ports: BTreeSet<Port>,
    /// Directories that other programs make volumes of.
    pub volumes: BTreeSet<String>,
    /// As in `SIGTERM`.
    pub stop_signal: Option<String>,
    /// As Docker writes it, in JSON.
    pub healthcheck: Option<String>,
}

/// A port and its transport, as in `tcp`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    /// Its number.
    pub number: u16,
    /// `tcp` or `udp`.
    pub protocol: String,
}

/// Something mounted in a container.
#[derive(Debug, Clone)]
pub struct ContainerMount {
    /// Where.
    pub path: TreePath,
    /// What.
    pub source: MountSource,
}

/// What is mounted.
#[derive(Debug, Clone)]
pub enum MountSource {
    /// A directory.
    Directory {
        /// As commands have left it so far.
        selection: Selection,
        /// Refuses writes.
        read_only: bool,
        /// Root if none.
        owner: Option<String>,
    },
    /// A file, read-only.
    File {
        /// Which.
        selection: Selection,
        /// Root if none.
        owner: Option<String>,
    },
    /// A cache volume.
    Cache {
        /// Its key.
        key: String,
        /// How commands share it.
        sharing: CacheSharing,
        /// Root if none.
        owner: Option<String>,
        /// What an empty one starts with.
        seed: Option<Selection>,
    },
    /// A secret.
    Secret {
        /// Which.
        name: SecretName,
        /// Root if none.
        owner: Option<String>,
        /// Its permission bits.
        mode: u32,
    },
    /// A directory in memory.
    Temp {
        /// The most bytes.
        size_bytes: Option<u64>,
        /// Its permission bits.
        mode: u32,
    },
}

impl Default for Container {
    fn default() -> Self {
        Self {
            platform: Platform::of_this_machine(),
            rootfs: scratch(),
            config: Config::default(),
            mounts: Vec::new(),
            last_exec: None,
            image_ref: None,
        }
    }
}

impl Container {
    /// The same container with an evaluation that fails.
    #[must_use]
    pub fn with_error(&self, code: FailureCode, message: impl Into<String>) -> Self {
        Self { rootfs: failing(code, message), last_exec: None, ..self.clone() }
    }

    /// The same container with another root file system.
    #[must_use]
    pub fn with_rootfs(&self, source: &Directory) -> Self {
        Self { rootfs: source.selection.clone(), last_exec: None, ..self.clone() }
    }

    /// For another platform.
    #[must_use]
    pub fn with_platform(&self, text: &str) -> Self {
        match text.parse() {
            Ok(platform) => Self { platform, ..self.clone() },
            Err(error) => self.with_error(FailureCode::InvalidArgument, format!("{error}")),
        }
    }

    /// With a change of its configuration.
    #[must_use]
    pub fn with_config(&self, change: impl FnOnce(&mut Config)) -> Self {
        let mut container = self.clone();
        change(&mut container.config);
        container
    }

    /// With an environment variable; one of that name is replaced in place.
    #[must_use]
    pub fn with_env_variable(&self, name: &str, value: &str) -> Self {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            let message = format!("variable name {name:?} cannot be used: it is empty, or has `=` or a NUL byte");
            return self.with_error(FailureCode::InvalidArgument, message);
        }
        self.with_config(|config| {
            config.secret_env.retain(|(other, _)| other != name);
            match config.env.iter_mut().find(|(other, _)| other == name) {
                Some((_, old)) => value.clone_into(old),
                None => config.env.push((name.to_owned(), value.to_owned())),
            }
        })
    }

    /// With an environment variable whose value is expanded first.
    #[must_use]
    pub fn with_env_variable_expanded(&self, name: &str, value: &str) -> Self {
        match self.expand(value) {
            Ok(value) => self.with_env_variable(name, &value),
            Err(message) => self.with_error(FailureCode::InvalidArgument, message),
        }
    }

    /// With a variable whose value only commands see.
    #[must_use]
    pub fn with_secret_variable(&self, name: &str, secret: &SecretName) -> Self {
        self.with_config(|config| {
            config.env.retain(|(other, _)| other != name);
            config.secret_env.retain(|(other, _)| other != name);
            config.secret_env.push((name.to_owned(), secret.clone()));
        })
    }

    /// With a working directory, relative to the one before.
    #[must_use]
    pub fn with_workdir(&self, path: &str) -> Self {
        match self.config.workdir.join(path) {
            Ok(workdir) => self.with_config(|config| config.workdir = workdir),
            Err(error) => self.with_error(FailureCode::InvalidPath, error.to_string()),
        }
    }

    /// Replaces `$NAME` and `${NAME}` by the variables of the container.
    fn expand(&self, text: &str) -> Result<String, String> {
        expand(text, |name| {
            if self.config.secret_env.iter().any(|(other, _)| other == name) {
                return Err(format!("expand cannot be used with secret env variable `{name}`"));
            }
            Ok(self.config.env.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone()))
        })
    }

    /// Returns where the service listens.
    #[must_use]
    pub fn ports(&self) -> Vec<Port> {
        self.config.ports.iter().cloned().collect()
    }

    /// Returns the edges to evaluate so that everything that was asked of the container is done.
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

    /// Returns the failure that was recorded in it.
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
