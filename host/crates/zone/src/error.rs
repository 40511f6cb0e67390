//! The errors of a zone.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use graph::{Blame, Diagnostic};

use super::fault::Fault;

/// The reason why a zone could not be started, or could not run a step or a function.
#[derive(Debug, thiserror::Error)]
pub enum ZoneError {
    /// The container runtime is not installed.
    #[error("{message}")]
    NoRuntime {
        /// The sentence that names the runtime.
        message: String,
        /// The command that installs it.
        hint: String,
    },
    /// The helper program of the zone could not be executed.
    #[error("cannot execute the zone helper `{}`", path.display())]
    Spawn {
        /// The path of the program.
        path: PathBuf,
        /// The reason of the system.
        source: io::Error,
    },
    /// A socket, a pipe or a thread could not be made.
    #[error("cannot make a connection to the zone")]
    Socket {
        /// The reason of the system.
        source: io::Error,
    },
    /// The path of the store is not valid UTF-8.
    #[error("the path of the store `{}` is not UTF-8", path.display())]
    Store {
        /// The directory of the store.
        path: PathBuf,
    },
    /// The zone did not answer in time.
    #[error("the zone did not start within {} s", limit.as_secs())]
    StartTimeout {
        /// The time that a zone has to start.
        limit: Duration,
    },
    /// The system does not let an ordinary user make user namespaces.
    #[error("no user namespace can be made: {cause}")]
    UserNamespaces {
        /// The setting that refuses them.
        cause: String,
        /// The command that allows them.
        remedy: String,
    },
    /// The system refused something that a step needs.
    #[error("{message}")]
    Refused {
        /// The sentence that names the operation and the reason of the system.
        message: String,
        /// The number of the reason, as in `errno(3)`.
        errno: i32,
    },
    /// The description of the step is wrong.
    #[error("{message}")]
    Spec {
        /// The sentence that says what is wrong.
        message: String,
    },
    /// The standard input is to be a file that the container does not have.
    #[error("{message}")]
    NoInput {
        /// The sentence that names the file.
        message: String,
    },
    /// Limits were asked for and cannot be set here.
    #[error("{message}")]
    Limits {
        /// The sentence that says what is wrong.
        message: String,
    },
    /// Steps as root cannot be kept from the devices of the machine.
    #[error("steps as root cannot be kept from the devices of this machine: {message}")]
    Devices {
        /// Why the control group for devices cannot be used.
        message: String,
    },
    /// The runtime could not start the container.
    #[error("the container runtime could not start the container: {message}")]
    Runtime {
        /// The message of the runtime or of the function.
        message: String,
    },
    /// A function of the zone's table returned an error.
    #[error("{message}")]
    Function {
        /// The name of the function.
        name: String,
        /// The message of the runtime or of the function.
        message: String,
    },
    /// A function is not in the zone's table.
    #[error("no function `{name}` in the zone")]
    NoFunction {
        /// The name of the function.
        name: String,
    },
    /// All processes of the zone have ended.
    #[error("the zone died ({status}){}", printed_suffix(printed))]
    Died {
        /// The exit status of its supervisor.
        status: String,
        /// The end of what the zone printed.
        printed: String,
    },
    /// The process that worked on this request was killed.
    #[error("the worker of the request was killed{}", printed_suffix(printed))]
    WorkerDied {
        /// The end of what the zone printed.
        printed: String,
    },
    /// An answer of the zone cannot be decoded.
    #[error("an answer of the zone cannot be decoded")]
    Reply,
}

fn printed_suffix(printed: &str) -> String {
    if printed.is_empty() { String::new() } else { format!(": {printed}") }
}

impl ZoneError {
    pub(super) fn socket(source: impl Into<io::Error>) -> Self {
        Self::Socket { source: source.into() }
    }

    /// Makes an error of a missing runtime.
    pub(super) fn no_runtime(message: String) -> Self {
        Self::NoRuntime { message, hint: super::hints::install_hint(Path::new("/etc/os-release")) }
    }

    pub(super) fn from_fault(fault: Fault) -> Self {
        match fault {
            Fault::System { errno, .. } => Self::Refused { message: fault.to_string(), errno },
            Fault::Spec { message } => Self::Spec { message },
            Fault::NoInput { message } => Self::NoInput { message },
            Fault::Limits { message } => Self::Limits { message },
            Fault::Devices { message } => Self::Devices { message },
            Fault::Runtime { message } => Self::Runtime { message },
            Fault::NoRuntime { message } => Self::no_runtime(message),
            Fault::UserNamespaces { cause, remedy } => Self::UserNamespaces { cause, remedy },
            Fault::NoFunction { name } => Self::NoFunction { name },
            Fault::Protocol { .. } => Self::Reply,
        }
    }
}

impl Diagnostic for ZoneError {
    fn blame(&self) -> Blame {
        match self {
            Self::NoRuntime { .. }
            | Self::Spawn { .. }
            | Self::Socket { .. }
            | Self::StartTimeout { .. }
            | Self::UserNamespaces { .. }
            | Self::Refused { .. }
            | Self::Runtime { .. }
            | Self::Limits { .. }
            | Self::Devices { .. }
            | Self::Died { .. }
            | Self::WorkerDied { .. } => Blame::Environment,
            Self::Store { .. } => Blame::User,
            Self::Spec { .. } | Self::NoInput { .. } | Self::Function { .. } => Blame::Function,
            Self::NoFunction { .. } | Self::Reply => Blame::Bug,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoRuntime { hint, .. } => Some(hint.clone()),
            Self::UserNamespaces { remedy, .. } => Some(remedy.clone()),
            Self::Refused { errno: libc::ENOSPC, .. } => Some("free some space on the disk of the store".to_owned()),
            Self::Devices { .. } => Some(
                "run as an ordinary user, or mount /sys/fs/cgroup such that root can make control groups there"
                    .to_owned(),
            ),
            Self::Limits { .. } => Some("run as root, or leave the limits out".to_owned()),
            Self::Died { .. } => Some("run it again: the next step starts a new zone".to_owned()),
            Self::Store { .. } => Some("choose another directory for the store".to_owned()),
            _ => None,
        }
    }
}
