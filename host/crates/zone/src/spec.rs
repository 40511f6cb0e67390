//! What a step is, and how it ended: the values that cross between `host` and the zone.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use backend::ExecStatus;
use serde::{Deserialize, Serialize};

/// A command to run in a container.
///
/// All paths of the container are absolute and are resolved inside of its root: a link never
/// leads out of it. All paths of the host are absolute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecSpec {
    /// The root of the container.
    pub root: RootSpec,
    /// What is mounted into it, in this order.
    pub mounts: Vec<MountSpec>,
    /// The command and its arguments; not empty. The command is searched for in `PATH` of `env`.
    pub args: Vec<String>,
    /// The environment. Only `HOME` is added if it is missing, from the `/etc/passwd` of the container.
    pub env: Vec<(String, String)>,
    /// More of the environment, which is kept off every disk.
    pub secret_env: Vec<(String, SecretBytes)>,
    /// The working directory; made if it is missing.
    pub cwd: String,
    /// Who the command runs as.
    pub user: UserSpec,
    /// The host name; also in `/etc/hostname` and `/etc/hosts`.
    pub hostname: String,
    /// What the command reads.
    pub stdin: Stdin,
    /// A file of the container that gets a copy of what the command writes to its standard output.
    /// Relative to `cwd`. It is made or emptied; its directory must exist.
    pub redirect_stdout: Option<String>,
    /// The same for standard error.
    pub redirect_stderr: Option<String>,
    /// Kills the command after this long.
    pub timeout: Option<Duration>,
    /// What the command can reach.
    pub network: Network,
    /// How much it may use.
    pub limits: Limits,
    /// What to do in the zone when the command has exited.
    pub after: Option<After>,
}

impl ExecSpec {
    /// Makes a step with this root and this command; the rest is empty, user 0, directory `/`.
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
            after: None,
        }
    }
}

/// The root of a container: an overlay of directories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootSpec {
    /// The lower directories, lowest first, at most [`MAX_LOWERS`]. May be empty.
    pub lowers: Vec<PathBuf>,
    /// An empty directory, which gets what the command writes. Its own mode and owner are those of `/`.
    pub upper: PathBuf,
    /// An empty directory on the same file system, for the overlay's own use. Not of use afterwards.
    pub work: PathBuf,
    /// What of the host is seen, read-only: path of the host, path of the container.
    pub read_only_binds: Vec<(PathBuf, String)>,
}

/// How many lower directories one overlay may have.
pub const MAX_LOWERS: usize = 300;

/// Something that is mounted into a container. `path` is of the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MountSpec {
    /// An overlay of directories, as the root is.
    Overlay {
        /// The lower directories, lowest first.
        lowers: Vec<PathBuf>,
        /// As in [`RootSpec`]; without it the mount is read-only.
        upper: Option<PathBuf>,
        /// As in [`RootSpec`]; needed with `upper`.
        work: Option<PathBuf>,
        /// Where.
        path: String,
    },
    /// A directory of the host, with what is mounted below it.
    Bind {
        /// The directory.
        source: PathBuf,
        /// Where.
        path: String,
        /// Whether writing is refused.
        is_read_only: bool,
    },
    /// A file of the host.
    BindFile {
        /// The file.
        source: PathBuf,
        /// Where.
        path: String,
        /// Whether writing is refused.
        is_read_only: bool,
    },
    /// An empty directory in memory.
    Tmpfs {
        /// Where.
        path: String,
        /// How much it may hold; half of the memory if not given.
        size_bytes: Option<u64>,
        /// The permission bits of the directory.
        mode: u32,
    },
    /// A file that is in memory only.
    SecretFile {
        /// Where.
        path: String,
        /// What.
        contents: SecretBytes,
        /// The permission bits, 0o400 by default.
        mode: u32,
        /// The owner.
        uid: u32,
        /// The group.
        gid: u32,
    },
}

impl MountSpec {
    /// Returns where it is mounted.
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

/// Bytes that are not shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretBytes(pub Vec<u8>);

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(***)")
    }
}

/// Who a command runs as.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserSpec {
    /// The user.
    pub uid: u32,
    /// Its first group.
    pub gid: u32,
    /// Its other groups.
    pub groups: Vec<u32>,
}

/// What a command reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stdin {
    /// Nothing.
    Empty,
    /// These bytes.
    Bytes(SecretBytes),
    /// A file of the container.
    File(String),
}

/// What a command can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Network {
    /// Only itself, over a loopback of its own.
    None,
    /// What this machine can reach, but neither this machine nor other steps. Where the zone has no way
    /// out, the step runs as with `None`, and is told so if it fails.
    Outside,
}

/// How much a command may use. `None` is no limit of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Memory, page cache included.
    pub memory_bytes: Option<u64>,
    /// Processes and threads.
    pub n_pids: Option<u32>,
    /// Thousandths of a processor.
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
    /// Its name.
    pub name: String,
    /// Its argument.
    pub payload: Vec<u8>,
    /// Only after these exit codes; after all of them if `None`. Never when the command was killed,
    /// timed out or was cancelled.
    pub codes: Option<Vec<i32>>,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecReply {
    /// How the command ended.
    pub status: ExecStatus,
    /// What the function of [`ExecSpec::after`] returned, if it ran.
    pub after: Option<Result<Vec<u8>, String>>,
    /// How long the command and its container took.
    pub duration: Duration,
    /// Why it had no way out to the network, if it was to have one.
    pub without_network: Option<String>,
}
