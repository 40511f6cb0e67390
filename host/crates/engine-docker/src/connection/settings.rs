//! Where Docker is: what the command line of Docker would connect to, from the same settings.
//!
//! This room reads no environment; whoever does fills in [`DockerSettings`].

use std::fmt;
use std::path::{Path, PathBuf};

use engine::Failure;

use crate::connection::context;

/// What says where Docker is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DockerSettings {
    /// `DOCKER_HOST`.
    pub host: Option<String>,
    /// `DOCKER_CONTEXT`.
    pub context: Option<String>,
    /// `DOCKER_CONFIG`, or `.docker` in the home directory.
    pub config_dir: Option<PathBuf>,
    /// Whether `DOCKER_TLS_VERIFY` is set.
    pub tls_verify: bool,
    /// `DOCKER_CERT_PATH`; the directory of the configuration if none.
    pub cert_dir: Option<PathBuf>,
}

/// How Docker is driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DockerMode {
    /// As LLB through the BuildKit in it.
    BuildKit,
    /// As containers through the Engine API.
    Classic,
}

/// Where Docker is, and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) address: Address,
    /// With TLS, if there is something here.
    pub(crate) tls: Option<TlsFiles>,
}

/// An address of Docker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// A socket of this machine.
    Unix(PathBuf),
    /// Another machine, or this one.
    Tcp {
        /// A name or a number.
        host: String,
        /// Usually 2375, and 2376 with TLS.
        port: u16,
    },
    /// Another machine, where `docker system dial-stdio` is run.
    Ssh {
        /// As in `user@host`.
        destination: String,
        /// If it is not the usual one.
        port: Option<u16>,
    },
}

/// The files that a connection with TLS needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    /// Of whoever signed Docker's certificate.
    pub(crate) ca: PathBuf,
    /// Our certificate and its key.
    pub(crate) identity: Option<(PathBuf, PathBuf)>,
}

/// Where Docker listens if nobody says anything.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

impl DockerSettings {
    /// Finds the endpoint as Docker's command line does: the host, else the context, else the context that the
    /// configuration names, else the usual socket.
    /// Source: docker/cli, `cli/command/cli.go`, `resolveContextName`.
    pub(crate) fn endpoint(&self) -> Result<Endpoint, Failure> {
        if let Some(host) = self.host.as_deref().filter(|host| !host.is_empty()) {
            let address = Address::parse(host)?;
            let tls = self.is_tls(host).then(|| self.tls_files()).flatten();
            return Ok(Endpoint { address, tls });
        }
        let name = match self.context.as_deref().filter(|name| !name.is_empty()) {
            Some(name) => Some(name.to_owned()),
            None => self.config_dir.as_deref().and_then(context::current),
        };
        match name.filter(|name| name != "default") {
            Some(name) => context::read(self.config_dir.as_deref(), &name),
            None => Ok(Endpoint { address: Address::Unix(DEFAULT_SOCKET.into()), tls: None }),
        }
    }

    fn is_tls(&self, host: &str) -> bool {
        self.tls_verify || host.starts_with("https://")
    }

    fn tls_files(&self) -> Option<TlsFiles> {
        self.cert_dir.as_deref().or(self.config_dir.as_deref()).map(TlsFiles::within)
    }
}

impl TlsFiles {
    /// Returns the files of a directory under the names that Docker gives them.
    pub(crate) fn within(dir: &Path) -> Self {
        let (cert, key) = (dir.join("cert.pem"), dir.join("key.pem"));
        let identity = (cert.exists() && key.exists()).then_some((cert, key));
        Self { ca: dir.join("ca.pem"), identity }
    }
}

impl Address {
    /// Parses what `DOCKER_HOST` takes.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let refused = |why: &str| {
            Failure::environment(
                format!("Docker's address `{text}` cannot be used: {why}"),
                Some(
                    "give one as `unix:///var/run/docker.sock`, `tcp://host:2376` or `ssh://user@host` in DOCKER_HOST",
                ),
            )
        };
        let Some((scheme, rest)) = text.split_once("://") else { return Err(refused("it has no scheme")) };
        match scheme {
            "unix" if rest.starts_with('/') => Ok(Self::Unix(rest.into())),
            "unix" => Err(refused("its path is not absolute")),
            "tcp" | "http" | "https" => {
                let authority = rest.split('/').next().unwrap_or_default();
                let usual = if scheme == "https" { 2376 } else { 2375 };
                let (host, port) = host_and_port(authority).ok_or_else(|| refused("its port is no number"))?;
                if host.is_empty() {
                    return Err(refused("it has no host"));
                }
                Ok(Self::Tcp { host: host.to_owned(), port: port.unwrap_or(usual) })
            }
            "ssh" => {
                let authority = rest.split('/').next().unwrap_or_default();
                let (destination, port) = host_and_port(authority).ok_or_else(|| refused("its port is no number"))?;
                // What begins with a dash would be an option of ssh.
                if destination.is_empty() || destination.starts_with('-') {
                    return Err(refused("it has no host"));
                }
                Ok(Self::Ssh { destination: destination.to_owned(), port })
            }
            "npipe" => Err(refused("named pipes are of Windows")),
            _ => Err(refused("its scheme is unknown")),
        }
    }
}

/// Splits `host:port` and `[::1]:port`; none if the port is no number.
fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    let ends_in_address = text.ends_with(']');
    match text.rsplit_once(':').filter(|_| !ends_in_address) {
        Some((host, port)) => Some((host.trim_matches(['[', ']']), Some(port.parse().ok()?))),
        None => Some((text.trim_matches(['[', ']']), None)),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
            Self::Ssh { destination, port: Some(port) } => write!(f, "ssh://{destination}:{port}"),
            Self::Ssh { destination, port: None } => write!(f, "ssh://{destination}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: &str, expect: &str) {
        let got = match Address::parse(host) {
            Ok(address) => address.to_string(),
            Err(failure) => failure.to_string(),
        };
        assert_eq!(got, expect, "{host}");
    }

    #[test]
    fn addresses_are_read_as_docker_reads_them() {
        check("unix:///run/docker.sock", "unix:///run/docker.sock");
        check("tcp://127.0.0.1:99", "tcp://127.0.0.1:99");
        check("tcp://[::1]:99", "tcp://[::1]:99");
        check("tcp://[::1]", "tcp://[::1]:2375");
        check("http://docker", "tcp://docker:2375");
        check("https://docker/", "tcp://docker:2376");
        check("ssh://me@there:22", "ssh://me@there:22");
        check("ssh://me@there", "ssh://me@there");
    }

    #[test]
    fn what_is_no_address_is_refused_by_name() {
        check("docker", "Docker's address `docker` cannot be used: it has no scheme");
        check("unix://run", "Docker's address `unix://run` cannot be used: its path is not absolute");
        check("tcp://:1", "Docker's address `tcp://:1` cannot be used: it has no host");
        check("tcp://a:b", "Docker's address `tcp://a:b` cannot be used: its port is no number");
        check("ssh://-oX=y", "Docker's address `ssh://-oX=y` cannot be used: it has no host");
        check("npipe:////./pipe/x", "Docker's address `npipe:////./pipe/x` cannot be used: named pipes are of Windows");
        check("fd://3", "Docker's address `fd://3` cannot be used: its scheme is unknown");
    }

    #[test]
    fn the_host_beats_the_context() {
        let settings = DockerSettings {
            host: Some("tcp://h:1".into()),
            context: Some("missing".into()),
            tls_verify: true,
            cert_dir: Some("/certs".into()),
            ..DockerSettings::default()
        };
        let endpoint = settings.endpoint().unwrap();
        assert_eq!(endpoint.address.to_string(), "tcp://h:1");
        assert_eq!(endpoint.tls, Some(TlsFiles { ca: "/certs/ca.pem".into(), identity: None }));
        let plain = DockerSettings::default().endpoint().unwrap();
        assert_eq!(plain.address.to_string(), "unix:///var/run/docker.sock");
    }
}
