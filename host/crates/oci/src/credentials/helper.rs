//! The programs that store credentials: `docker-credential-*`.
//!
//! Source: the protocol of `github.com/docker/docker-credential-helpers`.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde::Deserialize;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::{Credential, CredentialsError, Secret};

/// The user name that marks the secret as an identity token.
const TOKEN_NAME: &str = "<token>";
/// The number of characters of a helper's standard error that are shown.
const MAX_MESSAGE: usize = 300;

/// A helper that a configuration names.
pub(super) struct Helper<'a> {
    /// The name without the prefix, such as `pass` for `docker-credential-pass`.
    pub(super) name: &'a str,
    /// The path of the configuration.
    pub(super) config: &'a Path,
    /// The directories to search instead of `PATH`.
    pub(super) path: Option<&'a OsStr>,
    /// The time limit.
    pub(super) timeout: Duration,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

impl Helper<'_> {
    /// Asks for the credential of a server, and returns `None` if the helper does not know it.
    pub(super) async fn get(&self, server: &str) -> Result<Option<Credential>, CredentialsError> {
        let output = match tokio::time::timeout(self.timeout, self.run(server)).await {
            Ok(Ok(output)) => output,
            Ok(Err(error)) if error.kind() == ErrorKind::NotFound => return Err(self.missing(server)),
            Ok(Err(error)) => return Err(self.failed(server, error.to_string())),
            Err(_) => return Err(self.timed_out(server)),
        };
        if !output.status.success() {
            return if is_unknown(&output) { Ok(None) } else { Err(self.failed(server, said(&output))) };
        }
        let answer: Answer = serde_json::from_slice(&output.stdout)
            .map_err(|_| self.failed(server, "its answer is not JSON with `Username` and `Secret`".to_owned()))?;
        Ok(credential(answer))
    }

    async fn run(&self, server: &str) -> std::io::Result<Output> {
        let mut command = Command::new(self.program());
        if let Some(path) = self.path {
            command.env("PATH", path);
        }
        let mut child = command
            .arg("get")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A helper that does not read its input reports the mistake by its exit status.
            let _ = stdin.write_all(server.as_bytes()).await;
        }
        child.wait_with_output().await
    }

    fn program(&self) -> String {
        format!("docker-credential-{}", self.name)
    }

    fn missing(&self, server: &str) -> CredentialsError {
        let (program, registry) = (self.program(), server.to_owned());
        CredentialsError::NoHelper { config: self.config.to_owned(), program, registry }
    }

    fn failed(&self, server: &str, message: String) -> CredentialsError {
        CredentialsError::Helper { program: self.program(), registry: server.to_owned(), message }
    }

    fn timed_out(&self, server: &str) -> CredentialsError {
        let (program, registry) = (self.program(), server.to_owned());
        CredentialsError::HelperTimeout { program, registry, after: self.timeout }
    }
}

fn credential(answer: Answer) -> Option<Credential> {
    let secret = Secret::new(answer.secret);
    match answer.username.as_str() {
        "" => None,
        TOKEN_NAME => Some(Credential::IdentityToken(secret)),
        _ => Some(Credential::Password { username: answer.username, password: secret }),
    }
}

/// Returns whether the output says that the helper does not know the server.
fn is_unknown(output: &Output) -> bool {
    let said = String::from_utf8_lossy(&output.stdout);
    said.contains("credentials not found in native keychain") || said.contains("no credentials server URL")
}

/// Returns the exit status and the standard error of a helper. Its standard output may contain
/// secrets and is not used.
fn said(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let said: String = said.trim().chars().take(MAX_MESSAGE).collect();
    if said.is_empty() { output.status.to_string() } else { format!("{}: {said}", output.status) }
}
