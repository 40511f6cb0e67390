//! The credentials that `docker login` writes to `config.json`.
//!
//! Source: Docker's documentation of `docker login`, and the package `cli/config/configfile` of its
//! command line: a helper for the registry is asked first, then the store, then the file itself.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use super::{Credential, Credentials, CredentialsError, Secret, helper};

/// The name of Docker Hub in `config.json` and for helpers.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";
/// The time limit for a helper. It is long because a helper may ask a person to unlock a keychain.
const HELPER_TIMEOUT: Duration = Duration::from_secs(30);

/// The credentials in Docker's `config.json`. The file is read each time, because people log in
/// between requests. If it does not exist, there are no credentials.
#[derive(Debug, Clone)]
pub struct DockerConfig {
    path: PathBuf,
    helper_timeout: Duration,
    helper_path: Option<OsString>,
}

impl DockerConfig {
    /// Returns the credentials of a file, such as `~/.docker/config.json`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), helper_timeout: HELPER_TIMEOUT, helper_path: None }
    }

    /// Sets the time limit for a helper.
    #[must_use]
    pub fn with_helper_timeout(self, helper_timeout: Duration) -> Self {
        Self { helper_timeout, ..self }
    }

    /// Sets the directories in which helpers are looked up, in the format of `PATH`. Helpers get it
    /// as their `PATH`.
    #[must_use]
    pub fn with_helper_path(self, path: impl Into<OsString>) -> Self {
        Self { helper_path: Some(path.into()), ..self }
    }

    async fn read(&self) -> Result<Option<Config>, CredentialsError> {
        let text = match tokio::fs::read(&self.path).await {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
            Err(source) => return Err(CredentialsError::Read { path: self.path.clone(), source }),
        };
        // The message of serde_json may quote a value, which is secret; the position does not.
        serde_json::from_slice(&text).map(Some).map_err(|error| {
            self.syntax(format!("it is no JSON of the right form at line {}, column {}", error.line(), error.column()))
        })
    }

    fn syntax(&self, mistake: String) -> CredentialsError {
        CredentialsError::Syntax { path: self.path.clone(), mistake }
    }
}

#[async_trait]
impl Credentials for DockerConfig {
    async fn credential(&self, registry: &str) -> Result<Option<Credential>, CredentialsError> {
        let Some(config) = self.read().await? else { return Ok(None) };
        if let Some(name) = config.helper(registry) {
            let server = if is_hub(registry) { DOCKER_HUB } else { registry };
            let (path, timeout) = (self.helper_path.as_deref(), self.helper_timeout);
            let helper = helper::Helper { name, config: &self.path, path, timeout };
            if let Some(found) = helper.get(server).await? {
                return Ok(Some(found));
            }
        }
        let Some(entry) = config.entry(registry) else { return Ok(None) };
        entry.credential().map_err(|mistake| self.syntax(format!("the entry of `{registry}` {mistake}")))
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    auths: Option<BTreeMap<String, Entry>>,
    creds_store: Option<String>,
    cred_helpers: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entry(***)")
    }
}

impl Config {
    /// Returns the name of the helper for a registry.
    fn helper(&self, registry: &str) -> Option<&str> {
        let helpers = self.cred_helpers.iter().flatten();
        let own = helpers.filter(|(server, _)| is_same(server, registry)).map(|(_, name)| name).next();
        own.or(self.creds_store.as_ref()).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// Returns the entry of a registry. An entry with exactly this name takes precedence.
    fn entry(&self, registry: &str) -> Option<&Entry> {
        let auths = self.auths.as_ref()?;
        auths
            .get(registry)
            .or_else(|| auths.iter().find(|(server, _)| is_same(server, registry)).map(|(_, entry)| entry))
    }
}

/// Returns whether a server in the file is the registry. Servers may be written with a scheme and a
/// path.
fn is_same(server: &str, registry: &str) -> bool {
    let host = server.strip_prefix("https://").or_else(|| server.strip_prefix("http://")).unwrap_or(server);
    let host = host.split('/').next().unwrap_or_default();
    host == registry || (is_hub(host) && is_hub(registry))
}

fn is_hub(host: &str) -> bool {
    matches!(host, "docker.io" | "index.docker.io" | "registry-1.docker.io")
}

impl Entry {
    fn credential(&self) -> Result<Option<Credential>, &'static str> {
        if let Some(token) = self.identitytoken.as_ref().filter(|token| !token.is_empty()) {
            return Ok(Some(Credential::IdentityToken(Secret::new(token))));
        }
        if let Some(auth) = self.auth.as_ref().filter(|auth| !auth.is_empty()) {
            return decode(auth).map(Some);
        }
        let name = self.username.as_ref().filter(|name| !name.is_empty());
        Ok(name
            .zip(self.password.as_ref())
            .map(|(name, password)| Credential::Password { username: name.clone(), password: Secret::new(password) }))
    }
}

/// Decodes the text `base64(username:password)`.
fn decode(auth: &str) -> Result<Credential, &'static str> {
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, lenient);
    let bytes = engine.decode(auth.trim()).map_err(|_| "has an `auth` that is not base64")?;
    let text = String::from_utf8(bytes).map_err(|_| "has an `auth` that is not text")?;
    let (username, password) = text.split_once(':').ok_or("has an `auth` without a colon")?;
    // Docker pads the password with zeros.
    let password = Secret::new(password.trim_end_matches('\0'));
    Ok(Credential::Password { username: username.to_owned(), password })
}
