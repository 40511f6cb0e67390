//! Which backend is used, and why; and how each of them is made.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use backend::{Backend, Caps, ImageAccess, SessionIo};
use backend_docker::{Docker, DockerClassic, DockerMode, DockerSettings, LocalImages};
use backend_embedded::Embedded;
use backend_embedded::zone::ZoneConfig;
use session::Secrets;
use store::Store;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, DockerConfig};
use crate::platform::{EngineReport, OtherEngine};
use crate::report::Result;

/// Where Docker usually listens.
const DOCKER_SOCKET: &str = "/var/run/docker.sock";

/// A backend that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// On this machine, without a daemon.
    Embedded,
    /// Through Docker.
    Docker(DockerMode),
}

impl Choice {
    const ALL: [Self; 3] = [Self::Embedded, Self::Docker(DockerMode::BuildKit), Self::Docker(DockerMode::Classic)];

    /// Returns its name, as `--engine` takes it.
    fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Docker(DockerMode::BuildKit) => "docker",
            Self::Docker(DockerMode::Classic) => "docker-classic",
        }
    }

    /// Returns what is used, and why, as a sentence: what was asked for; else the embedded one where it can
    /// run; else Docker where that seems to be.
    pub(super) fn make(asked: Option<&str>, config: &Engines) -> (Self, String) {
        if let Some(choice) = Self::ALL.into_iter().find(|choice| Some(choice.name()) == asked) {
            return (choice, "it was asked for".to_owned());
        }
        if config.has_runtime {
            return (Self::Embedded, "it needs no daemon, and `crun` is here to run commands".to_owned());
        }
        if config.docker.host.is_some() || Path::new(DOCKER_SOCKET).exists() {
            let reason = "there is no `crun` for the embedded engine, and Docker is here".to_owned();
            return (Self::Docker(DockerMode::BuildKit), reason);
        }
        (Self::Embedded, "it needs no daemon; there is no Docker either".to_owned())
    }

    /// Makes the backend of a session. Must be called inside a tokio runtime.
    pub(super) async fn open(self, config: &Engines, store: Store, io: SessionIo) -> Result<Arc<dyn Backend>> {
        Ok(match self {
            Self::Embedded => {
                let zone = ZoneConfig::new(store.root()).with_path(&config.path);
                Arc::new(Embedded::new(store, io, zone))
            }
            Self::Docker(DockerMode::BuildKit) => Arc::new(Docker::new(&settings(&config.docker), store, io)?),
            Self::Docker(DockerMode::Classic) => {
                Arc::new(DockerClassic::connect(&settings(&config.docker), store, io).await?)
            }
        })
    }

    /// Returns what it can do on this machine; the sentence says why it can do nothing.
    async fn caps(self, config: &Engines, store: &Path) -> std::result::Result<Caps, String> {
        match self {
            Self::Embedded => {
                let caps = backend_embedded::probe(ZoneConfig::new(store).with_path(&config.path)).await;
                caps.map_err(|failure| failure.to_string())
            }
            Self::Docker(mode) => {
                let opened = Store::open(store).map_err(|error| error.to_string())?;
                let (settings, io) = (settings(&config.docker), idle(config, store));
                let caps = match mode {
                    DockerMode::BuildKit => Docker::connect(&settings, opened, io).await.map(|docker| docker.caps()),
                    DockerMode::Classic => {
                        DockerClassic::connect(&settings, opened, io).await.map(|docker| docker.caps())
                    }
                };
                caps.map_err(|failure| failure.to_string())
            }
        }
    }
}

/// Returns what a session is given that runs nothing.
fn idle(config: &Engines, store: &Path) -> SessionIo {
    SessionIo {
        events: Arc::new(|_| {}),
        secrets: Arc::new(Secrets::default()),
        cancel: CancellationToken::new(),
        n_jobs: 1,
        is_cache_used: true,
        timeout: None,
        is_network_allowed: true,
        images: config.images(),
        store: store.to_owned(),
        is_dry: false,
    }
}

/// What of the machine and its settings decides about backends.
#[derive(Debug, Clone)]
pub(super) struct Engines {
    /// Whether the container runtime of the embedded backend is here.
    has_runtime: bool,
    /// Where the zone searches for programs first.
    path: Vec<PathBuf>,
    docker: DockerConfig,
}

impl Engines {
    /// Takes what it needs from the settings.
    pub(super) fn new(config: &Config) -> Self {
        Self {
            has_runtime: config.find_program("crun").is_some(),
            path: config.path.clone(),
            docker: config.docker.clone(),
        }
    }

    /// Returns how images are reached.
    pub(super) fn images(&self) -> ImageAccess {
        let Self { docker, .. } = self;
        ImageAccess {
            docker_config: docker.directory.as_ref().map(|directory| directory.join("config.json")),
            mirrors: docker.mirrors.clone(),
            insecure: docker.insecure.clone(),
            docker: Some(Arc::new(LocalImages::new(settings(docker)))),
        }
    }

    /// Tells which backend is used, what it can do, and what the others could.
    pub(super) async fn describe(&self, asked: Option<&str>, store: &Path) -> EngineReport {
        let (chosen, mut reason) = Choice::make(asked, self);
        let mut report = None;
        let mut others = Vec::new();
        for choice in Choice::ALL {
            let caps = choice.caps(self, store).await;
            if choice == chosen {
                report = Some(caps.unwrap_or_else(|problem| {
                    reason = format!("{reason}; `host doctor` says what is missing");
                    unable(choice.name(), problem)
                }));
            } else {
                let (caps, problem) = match caps {
                    Ok(caps) => (Some(caps), None),
                    Err(problem) => (None, Some(problem)),
                };
                others.push(OtherEngine { engine: choice.name().to_owned(), caps, problem });
            }
        }
        let caps = report.unwrap_or_else(|| unable(chosen.name(), String::new()));
        EngineReport { engine: chosen.name().to_owned(), reason, caps, store: store.to_owned(), others }
    }
}

/// What a backend can do that cannot be used.
fn unable(name: &str, problem: String) -> Caps {
    Caps {
        name: name.to_owned(),
        network: false,
        owners: false,
        limits: false,
        images: false,
        services: false,
        machine: false,
        sized_temp: false,
        content_keys: false,
        checked_layers: false,
        notes: vec![format!("no command can be run: {problem}")],
    }
}

fn settings(docker: &DockerConfig) -> DockerSettings {
    DockerSettings {
        host: docker.host.clone(),
        context: docker.context.clone(),
        config_dir: docker.directory.clone(),
        tls_verify: docker.is_tls_verified,
        cert_dir: docker.certificates.clone(),
    }
}
