//! Credentials for registries.
//!
//! Passwords and tokens are [`Secret`]s, which are not printed, until they are written into a
//! header.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use graph::{Blame, Diagnostic};

mod docker;
mod helper;
#[cfg(test)]
mod tests;

pub use docker::DockerConfig;

/// A text that is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A credential for a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A user name with a password, or with a token in place of the password.
    Password {
        /// The user name.
        username: String,
        /// The password or token.
        password: Secret,
    },
    /// An OAuth2 refresh token, which is exchanged for access tokens.
    IdentityToken(Secret),
}

/// A source of credentials. It is asked only after a registry has asked for them.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// Returns the credential for a registry, which is written as in references (`docker.io`,
    /// `localhost:5000`). `None` means that requests are anonymous.
    ///
    /// # Errors
    /// If the configuration or a helper cannot be read or run.
    async fn credential(&self, registry: &str) -> Result<Option<Credential>, CredentialsError>;
}

/// A source without credentials, so that all requests are anonymous.
#[derive(Debug, Clone, Copy, Default)]
pub struct Anonymous;

#[async_trait]
impl Credentials for Anonymous {
    async fn credential(&self, _: &str) -> Result<Option<Credential>, CredentialsError> {
        Ok(None)
    }
}

/// Credentials for some registries, in front of another source.
pub struct Given<C> {
    given: BTreeMap<String, Credential>,
    others: C,
}

impl<C> Given<C> {
    /// Returns a source without credentials of its own in front of `others`.
    #[must_use]
    pub fn before(others: C) -> Self {
        Self { given: BTreeMap::new(), others }
    }

    /// Adds a credential for a registry.
    #[must_use]
    pub fn with(mut self, registry: impl Into<String>, credential: Credential) -> Self {
        self.given.insert(registry.into(), credential);
        self
    }
}

#[async_trait]
impl<C: Credentials> Credentials for Given<C> {
    async fn credential(&self, registry: &str) -> Result<Option<Credential>, CredentialsError> {
        match self.given.get(registry) {
            Some(credential) => Ok(Some(credential.clone())),
            None => self.others.credential(registry).await,
        }
    }
}

/// The reason why configured credentials cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The configuration file exists and cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// The file is not a configuration of Docker. Its contents are secret and are not shown.
    #[error("`{}` is not a configuration of Docker: {mistake}", path.display())]
    Syntax {
        /// The path of the file.
        path: PathBuf,
        /// The mistake, without text from the file.
        mistake: String,
    },
    /// The file names a helper program that does not exist.
    #[error("`{}` names the credential helper `{program}` for `{registry}`, but there is no such program", config.display())]
    NoHelper {
        /// The path of the file.
        config: PathBuf,
        /// The name of the program.
        program: String,
        /// The registry that asked for credentials.
        registry: String,
    },
    /// The helper program failed.
    #[error("the credential helper `{program}` failed for `{registry}`: {message}")]
    Helper {
        /// The name of the program.
        program: String,
        /// The registry that asked for credentials.
        registry: String,
        /// The exit status and the standard error of the program.
        message: String,
    },
    /// The helper program did not end in time.
    #[error("the credential helper `{program}` did not answer for `{registry}` within {} s", after.as_secs_f32())]
    HelperTimeout {
        /// The name of the program.
        program: String,
        /// The registry that asked for credentials.
        registry: String,
        /// The time limit.
        after: Duration,
    },
}

impl Diagnostic for CredentialsError {
    fn blame(&self) -> Blame {
        Blame::Environment
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Read { path, .. } => format!("make `{}` readable", path.display()),
            Self::Syntax { path, .. } => format!("correct `{}`, or remove it and log in again", path.display()),
            Self::NoHelper { program, config, .. } => {
                format!("install `{program}`, or remove it from `{}`", config.display())
            }
            Self::Helper { program, registry, .. } | Self::HelperTimeout { program, registry, .. } => {
                format!("run `echo {registry} | {program} get` to see what it does")
            }
        })
    }
}
