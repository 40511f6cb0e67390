//! Contexts of Docker's command line.
//!
//! `contexts/meta/<sha256 of the name>/meta.json` says where one is, `contexts/tls/<the same>/docker/` has its
//! certificates. Source: docker/cli, `cli/context/store`.

use std::path::Path;

use engine::Failure;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::connection::settings::{Address, Endpoint, TlsFiles};

/// Returns the context that the configuration names.
pub(crate) fn current(config_dir: &Path) -> Option<String> {
    let text = std::fs::read(config_dir.join("config.json")).ok()?;
    let config: Value = serde_json::from_slice(&text).ok()?;
    let name = config.get("currentContext")?.as_str()?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// Reads where a context is.
pub(crate) fn read(config_dir: Option<&Path>, name: &str) -> Result<Endpoint, Failure> {
    let missing = |why: String| {
        Failure::environment(
            format!("Docker's context `{name}` {why}"),
            Some("`docker context ls` has them; name another one in DOCKER_CONTEXT, or an address in DOCKER_HOST"),
        )
    };
    let Some(config_dir) = config_dir else {
        return Err(missing("cannot be looked up without a home directory".into()));
    };
    let (contexts, id) = (config_dir.join("contexts"), id(name));
    let path = contexts.join("meta").join(&id).join("meta.json");
    let text = std::fs::read(&path).map_err(|error| missing(format!("is not there: `{}`: {error}", path.display())))?;
    let meta: Value = serde_json::from_slice(&text).map_err(|error| missing(format!("is malformed: {error}")))?;
    let endpoint = meta.pointer("/Endpoints/docker").ok_or_else(|| missing("has no endpoint of Docker".into()))?;
    let host = endpoint.get("Host").and_then(Value::as_str).filter(|host| !host.is_empty());
    let address = Address::parse(host.ok_or_else(|| missing("has no host".into()))?)?;
    if endpoint.get("SkipTLSVerify").and_then(Value::as_bool) == Some(true) {
        return Err(missing("asks to trust any certificate, which is not done here".into()));
    }
    let dir = contexts.join("tls").join(&id).join("docker");
    Ok(Endpoint { address, tls: dir.is_dir().then(|| TlsFiles::within(&dir)) })
}

fn id(name: &str) -> String {
    hex(&Sha256::digest(name.as_bytes()))
}

/// Writes bytes as lowercase hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::settings::DockerSettings;

    fn check(config: &str, context: Option<&str>, meta: &str, expect: &str) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.json"), config).unwrap();
        let at = dir.path().join("contexts/meta").join(id("there"));
        std::fs::create_dir_all(&at).unwrap();
        std::fs::write(at.join("meta.json"), meta).unwrap();
        std::fs::create_dir_all(dir.path().join("contexts/tls").join(id("there")).join("docker")).unwrap();
        let settings = DockerSettings {
            context: context.map(str::to_owned),
            config_dir: Some(dir.path().to_owned()),
            ..DockerSettings::default()
        };
        let got = match settings.endpoint() {
            Ok(Endpoint { address, tls }) => format!("{address}{}", if tls.is_some() { " with TLS" } else { "" }),
            Err(failure) => failure.to_string(),
        };
        assert_eq!(got.replace(&dir.path().display().to_string(), "DIR"), expect);
    }

    const META: &str = r#"{"Name":"there","Endpoints":{"docker":{"Host":"tcp://there:2376","SkipTLSVerify":false}}}"#;

    #[test]
    fn contexts_are_found_by_name() {
        check("{}", Some("there"), META, "tcp://there:2376 with TLS");
        check(r#"{"currentContext":"there"}"#, None, META, "tcp://there:2376 with TLS");
        check(r#"{"currentContext":"there"}"#, Some("default"), META, "unix:///var/run/docker.sock");
        check("no json", None, META, "unix:///var/run/docker.sock");
    }

    #[test]
    fn a_context_that_cannot_be_used_is_named() {
        check("{}", Some("there"), "{}", "Docker's context `there` has no endpoint of Docker");
        check(
            "{}",
            Some("there"),
            r#"{"Endpoints":{"docker":{"Host":"tcp://x","SkipTLSVerify":true}}}"#,
            "Docker's context `there` asks to trust any certificate, which is not done here",
        );
        let id = id("nowhere");
        check(
            "{}",
            Some("nowhere"),
            META,
            &format!(
                "Docker's context `nowhere` is not there: `DIR/contexts/meta/{id}/meta.json`: No such file or directory (os error 2)"
            ),
        );
    }
}
