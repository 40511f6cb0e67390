//! The description of a step and the report of its end: the values that cross between `host` and the zone.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use engine::ExecStatus;
use serde::{Deserialize, Serialize};

/// A command to run in a container of its own.
///
/// Paths of the container are absolute, and are resolved inside of its root: no link leads out of it. Paths
/// of this machine are absolute, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecSpec {
    /// The root file system of the container.
    pub root: RootSpec,
    /// The mounts below the root, in the order in which they are made.
    pub mounts: Vec<MountSpec>,
    /// The command and its arguments; not empty. The command is searched for in `PATH` of `env`.
    pub args: Vec<String>,
    /// The environment. Only `HOME` is added if it is missing, from the `/etc/passwd` of the container.
    pub env: Vec<(String, String)>,
    /// Variables whose values are secrets. They are kept in memory only, and are valid UTF-8.
    pub secret_env: Vec<(String, SecretBytes)>,
    /// The working directory. It is made if it is missing.
    pub cwd: String,
    /// The user that runs the command.
    pub user: UserSpec,
    /// The host name of the container, which is also in `/etc/hostname` and `/etc/hosts`.
    pub hostname: String,
    /// The standard input of the command.
    pub stdin: Stdin,
    /// A file of the container that gets a copy of the standard output, secrets replaced, as a path from `cwd`. The
    /// file is made or emptied. Its directory must exist.
    pub redirect_stdout: Option<String>,
    /// A file of the container that gets a copy of the standard error, as `redirect_stdout` does.
    pub redirect_stderr: Option<String>,
    /// The time after which the command is killed.
    pub timeout: Option<Duration>,
    /// The network that the command can reach.
    pub network: Network,
    /// The limits on what the command may use.
    pub limits: Limits,
    /// Whether the command can gain privileges, as by a set-user-ID program. They are never more than those of user 0.
    pub gains_privileges: bool,
    /// A function of the zone that is called after the command has exited.
    pub after: Option<After>,
}

impl ExecSpec {
    /// Makes a step of a root and a command. It runs as user 0 in `/`, without mounts, variables, input,
    /// network and limits.
    #[must_use]
    pub fn new(root: RootSpec, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            root,
            mounts: Vec::new(),
            args: args.into_iter().map(Into::into).collect(),
            env: Vec::new(),
            secret_env: Vec::new(),
            cwd: "/".to_owned(),
            user: UserSpec::default(),
            hostname: "host".to_owned(),
            stdin: Stdin::Empty,
            redirect_stdout: None,
            redirect_stderr: None,
            timeout: None,
            network: Network::None,
            limits: Limits::default(),
            gains_privileges: true,
            after: None,
        }
    }

    /// Returns the values of all secrets that the command gets.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &[u8]> {
        let files = self.mounts.iter().filter_map(|mount| match mount {
            MountSpec::SecretFile { contents, .. } => Some(contents),
            _ => None,
        });
        self.secret_env.iter().map(|(_, value)| value).chain(files).map(|value| value.0.as_slice())
    }
}

/// The root of a container: an overlay of directories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootSpec {
    /// The lower directories, lowest first: none, or up to [`MAX_LOWERS`].
    pub lowers: Vec<PathBuf>,
    /// An empty directory that receives all changes of the command. Its mode and owner are those of `/`.
    pub upper: PathBuf,
    /// An empty directory on the same file system, which the kernel needs. Its contents mean nothing.
    pub work: PathBuf,
    /// Paths of this machine that the container sees read-only, each with its path in the container.
    pub read_only_binds: Vec<(PathBuf, String)>,
}

/// The largest number of lower directories of an overlay.
pub const MAX_LOWERS: usize = 300;

/// A mount of a container. Each `path` is the place in the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MountSpec {
    /// An overlay of directories, like the root.
    Overlay {
        /// The lower directories, lowest first.
        lowers: Vec<PathBuf>,
        /// The directory that receives all changes, as in [`RootSpec`]. Without it, the mount is read-only.
        upper: Option<PathBuf>,
        /// The directory that the kernel needs beside `upper`, as in [`RootSpec`].
        work: Option<PathBuf>,
        /// The path in the container.
        path: String,
    },
    /// A directory of this machine, with everything that is mounted below it.
    Bind {
        /// The directory of this machine.
        source: PathBuf,
        /// The path in the container.
        path: String,
        /// Whether the container cannot write to it.
        is_read_only: bool,
    },
    /// A file of this machine.
    BindFile {
        /// The file of this machine.
        source: PathBuf,
        /// The path in the container.
        path: String,
        /// Whether the container cannot write to it.
        is_read_only: bool,
    },
    /// An empty directory in memory.
    Tmpfs {
        /// The path in the container.
        path: String,
        /// The bytes that it may hold; half of the memory of this machine if `None`.
        size_bytes: Option<u64>,
        /// The permission bits of the directory.
        mode: u32,
    },
    /// A file with a secret, which is in memory only.
    SecretFile {
        /// The path in the container.
        path: String,
        /// The bytes of the file.
        contents: SecretBytes,
        /// The permission bits of the file.
        mode: u32,
        /// The user that owns the file.
        uid: u32,
        /// The group that owns the file.
        gid: u32,
    },
}

impl MountSpec {
    /// Returns the path in the container.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Overlay { path, .. }
            | Self::Bind { path, .. }
            | Self::BindFile { path, .. }
            | Self::Tmpfs { path, .. }
            | Self::SecretFile { path, .. } => path,
        }
    }
}

/// Bytes of a secret. `Debug` does not show them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretBytes(pub Vec<u8>);

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(***)")
    }
}

/// The user that runs a command. No number may be `u32::MAX`, which the kernel takes as "none".
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserSpec {
    /// The number of the user.
    pub uid: u32,
    /// The number of its first group.
    pub gid: u32,
    /// The numbers of its other groups.
    pub groups: Vec<u32>,
}

/// The standard input of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stdin {
    /// The input is empty.
    Empty,
    /// The input is these bytes.
    Bytes(SecretBytes),
    /// The input is a file of the container, as a path from the working directory.
    File(String),
}

/// The network that a command can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Network {
    /// The command reaches only itself, over a loopback interface of its own.
    None,
    /// The command reaches what this machine can reach, but neither this machine nor other steps. In a zone
    /// without an uplink it runs as with `None`, and the reply says why.
    Outside,
}

/// The limits on what a command may use. `None` sets no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The bytes of memory, page cache included.
    pub memory_bytes: Option<u64>,
    /// The number of processes and threads.
    pub n_pids: Option<u32>,
    /// The share of processors, in thousandths of one.
    pub cpu_millis: Option<u32>,
}

impl Limits {
    /// Returns whether there is no limit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A function of the zone's table, run by the worker of a step when its command has exited.
///
/// The root and the mounts are unmounted by then, and nothing of the container runs any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct After {
    /// The name of the function.
    pub name: String,
    /// The argument of the function.
    pub payload: Vec<u8>,
    /// Only after these exit codes; after all of them if `None`. Never when the command was killed,
    /// timed out or was cancelled.
    pub codes: Option<Vec<i32>>,
}

/// The report of the end of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecReply {
    /// The way in which the command ended.
    pub status: ExecStatus,
    /// What the function of [`ExecSpec::after`] returned, if it ran.
    pub after: Option<Result<Vec<u8>, String>>,
    /// How long the command and its container took.
    pub duration: Duration,
    /// Why it had no way out to the network, if it was to have one.
    pub without_network: Option<String>,
}
