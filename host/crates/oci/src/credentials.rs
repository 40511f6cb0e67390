//! Who one is for a registry.
//!
//! Nothing here prints a password or a token: they are [`Secret`]s until they are written into a header.

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
    /// Hides a text.
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

/// What is shown to a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A name and a password, or a token in its place.
    Password {
        /// The name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// An OAuth2 refresh token: exchanged for access tokens.
    IdentityToken(Secret),
}

/// Where credentials come from. Asked only after a registry has asked for them.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// Returns what is known for a registry as references write it (`docker.io`, `localhost:5000`);
    /// none is to go on without a name.
    ///
    /// # Errors
    /// If what is configured cannot be read or run.
    async fn credential(&self, registry: &str) -> Result<Option<Credential>, CredentialsError>;
}

/// Knows nothing: every registry is asked without a name.
#[derive(Debug, Clone, Copy, Default)]
pub struct Anonymous;

#[async_trait]
impl Credentials for Anonymous {
    async fn credential(&self, _: &str) -> Result<Option<Credential>, CredentialsError> {
        Ok(None)
    }
}

/// Credentials that were given for some registries; others are looked for elsewhere.
pub struct Given<C> {
    given: BTreeMap<String, Credential>,
    others: C,
}

impl<C> Given<C> {
    /// Makes one that asks `others`.
    #[must_use]
    pub fn before(others: C) -> Self {
        Self { given: BTreeMap::new(), others }
    }

    /// Adds what is to be shown to a registry.
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

/// Why configured credentials cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The file is there and cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not what Docker writes. Its contents are secret and are not shown.
    #[error("`{}` is not a configuration of Docker: {mistake}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong, without the text.
        mistake: String,
    },
    /// The file names a program that is not there.
    #[error("`{}` names the credential helper `{program}` for `{registry}`, and there is no such program", config.display())]
    NoHelper {
        /// The file that names it.
        config: PathBuf,
        /// The program.
        program: String,
        /// The registry.
        registry: String,
    },
    /// The program failed.
    #[error("the credential helper `{program}` failed for `{registry}`: {message}")]
    Helper {
        /// The program.
        program: String,
        /// The registry.
        registry: String,
        /// How it ended and what it said on its standard error.
        message: String,
    },
    /// The program does not end.
    #[error("the credential helper `{program}` did not answer for `{registry}` within {} s", after.as_secs_f32())]
    HelperTimeout {
        /// The program.
        program: String,
        /// The registry.
        registry: String,
        /// How long it was waited for.
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
            Self::Syntax { path, .. } => format!("mend `{}`, or remove it and log in again", path.display()),
            Self::NoHelper { program, config, .. } => {
                format!("install `{program}`, or take it out of `{}`", config.display())
            }
            Self::Helper { program, registry, .. } | Self::HelperTimeout { program, registry, .. } => {
                format!("see what `echo {registry} | {program} get` does")
            }
        })
    }
}
