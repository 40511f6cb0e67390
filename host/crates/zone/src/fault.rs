//! The reasons why the zone cannot do what it is asked, as they cross to the host.

use std::io::{self, Write as _};

use serde::{Deserialize, Serialize};

/// The reason why the zone could not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Fault {
    /// A call to the system was refused.
    #[error("{what}: {}", io::Error::from_raw_os_error(*errno))]
    System { what: String, errno: i32 },
    /// The description of the step is wrong.
    #[error("{message}")]
    Spec { message: String },
    /// The standard input is to be a file that the container does not have.
    #[error("{message}")]
    NoInput { message: String },
    /// Limits cannot be set here.
    #[error("{message}")]
    Limits { message: String },
    /// Steps as root cannot be kept from the devices of the machine.
    #[error("{message}")]
    Devices { message: String },
    /// The runtime could not start the container.
    #[error("{message}")]
    Runtime { message: String },
    /// The container runtime is not installed.
    #[error("{message}")]
    NoRuntime { message: String },
    /// There are no user namespaces for this user.
    #[error("{cause}")]
    UserNamespaces { cause: String, remedy: String },
    /// No function of that name is in the table.
    #[error("no function `{name}` in the zone")]
    NoFunction { name: String },
    /// A message that could not be read.
    #[error("{message}")]
    Protocol { message: String },
}

impl Fault {
    /// Makes a fault of a refused call.
    pub(super) fn system(what: impl Into<String>, error: impl Into<io::Error>) -> Self {
        let error: io::Error = error.into();
        Self::System { what: what.into(), errno: error.raw_os_error().unwrap_or(libc::EIO) }
    }

    /// Writes to standard error why a process of the zone ends. The host shows it.
    pub(super) fn print(&self) {
        let _ = writeln!(io::stderr(), "{self}");
    }

    /// Makes a fault of a step whose description is wrong.
    pub(super) fn spec(message: impl Into<String>) -> Self {
        Self::Spec { message: message.into() }
    }
}

/// Adds to an error of the system what was being done.
pub(super) trait Context<T> {
    /// Turns the error into a fault.
    fn context(self, what: impl FnOnce() -> String) -> Result<T, Fault>;
}

impl<T, E: Into<io::Error>> Context<T> for Result<T, E> {
    fn context(self, what: impl FnOnce() -> String) -> Result<T, Fault> {
        self.map_err(|error| Fault::system(what(), error))
    }
}
