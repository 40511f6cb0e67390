//! Why a zone could not be started, or could not do what was asked of it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use graph::{Blame, Diagnostic};

use super::protocol::Fault;

/// Why a zone could not be started, or could not do what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum ZoneError {
    /// There is no container runtime.
    #[error("{message}")]
    NoRuntime {
        /// Which, and where it was searched for.
        message: String,
        /// The command that installs it.
        hint: String,
    },
    /// The helper could not be executed.
    #[error("cannot execute the zone helper `{}`", path.display())]
    Spawn {
        /// The binary.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A socket, a pipe or a thread could not be made.
    #[error("cannot make a connection to the zone")]
    Socket {
        /// Why.
        source: io::Error,
    },
    /// The store has a name that is not UTF-8.
    #[error("the path of the store `{}` is not UTF-8", path.display())]
    Store {
        /// The store.
        path: PathBuf,
    },
    /// The zone did not answer.
    #[error("the zone did not start within {} s", limit.as_secs())]
    StartTimeout {
        /// How long it was waited for.
        limit: Duration,
    },
    /// The system has user namespaces switched off.
    #[error("no user namespace can be made: {cause}")]
    UserNamespaces {
        /// What switches them off.
        cause: String,
        /// The command that switches them on.
        remedy: String,
    },
    /// The system refused something that a step needs.
    #[error("{message}")]
    Refused {
        /// What, and the system's reason.
        message: String,
        /// The number of the system's reason.
        errno: i32,
    },
    /// The step makes no sense.
    #[error("{message}")]
    Spec {
        /// Why.
        message: String,
    },
    /// Limits were asked for and cannot be set here.
    #[error("{message}")]
    Limits {
        /// Why.
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
        /// What it says.
        message: String,
    },
    /// A function of the zone's table returned an error.
    #[error("{message}")]
    Function {
        /// Which function.
        name: String,
        /// What it says.
        message: String,
    },
    /// A function is not in the zone's table.
    #[error("no function `{name}` in the zone")]
    NoFunction {
        /// Which function.
        name: String,
    },
    /// The zone is gone.
    #[error("the zone died ({status}){}", printed_suffix(printed))]
    Died {
        /// How.
        status: String,
        /// What it printed last.
        printed: String,
    },
    /// The process that worked on this request is gone.
    #[error("the worker of the request was killed{}", printed_suffix(printed))]
    WorkerDied {
        /// What the zone printed last.
        printed: String,
    },
    /// An answer makes no sense.
    #[error("the zone's answer makes no sense")]
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
            Self::Spec { .. } | Self::Function { .. } => Blame::Function,
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
