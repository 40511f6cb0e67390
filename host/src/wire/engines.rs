//! Chooses an engine, says why, and makes it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::{Caps, Engine, ImageAccess, SessionIo};
use engine_docker::{Docker, DockerMode, DockerSettings, LocalImages, classic};
use engine_embedded::embedded;
use engine_embedded::zone::ZoneConfig;
use session::Secrets;
use store::Store;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, DockerConfig};
use crate::platform::{EngineReport, OtherEngine};
use crate::report::Result;

/// The socket that Docker usually listens on.
const DOCKER_SOCKET: &str = "/var/run/docker.sock";

/// An engine that can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// Runs commands on this machine, without a daemon.
    Embedded,
    /// Runs commands with Docker.
    Docker(DockerMode),
}

impl Choice {
    const ALL: [Self; 3] = [Self::Embedded, Self::Docker(DockerMode::BuildKit), Self::Docker(DockerMode::Classic)];

    /// Returns the name of the engine, as `--engine` takes it.
    fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Docker(DockerMode::BuildKit) => "docker",
            Self::Docker(DockerMode::Classic) => "docker-classic",
        }
    }

    /// Returns the engine to use, and the reason as a sentence. That is the one that was asked for; otherwise the embedded
    /// one if crun is installed; otherwise Docker if it seems to be there.
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

    /// Makes the engine of a session. Must be called inside of a tokio runtime.
    pub(super) async fn open(self, config: &Engines, store: Store, io: SessionIo) -> Result<Arc<dyn Engine>> {
        Ok(match self {
            Self::Embedded => {
                let zone = ZoneConfig::new(store.root()).with_path(&config.path);
                Arc::new(embedded(store, io, zone))
            }
            Self::Docker(DockerMode::BuildKit) => Arc::new(Docker::new(&settings(&config.docker), store, io)?),
            Self::Docker(DockerMode::Classic) => Arc::new(classic(&settings(&config.docker), store, io).await?),
        })
    }

    /// Returns the abilities of the engine on this machine, or a sentence that says why it cannot be used.
    async fn caps(self, config: &Engines, store: &Path) -> std::result::Result<Caps, String> {
        match self {
            Self::Embedded => {
                let caps = engine_embedded::probe(ZoneConfig::new(store).with_path(&config.path)).await;
                caps.map_err(|failure| failure.to_string())
            }
            Self::Docker(mode) => {
                let opened = Store::open(store).map_err(|error| error.to_string())?;
                let (settings, io) = (settings(&config.docker), idle(config, store));
                let caps = match mode {
                    DockerMode::BuildKit => Docker::connect(&settings, opened, io).await.map(|docker| docker.caps()),
                    DockerMode::Classic => classic(&settings, opened, io).await.map(|docker| docker.caps()),
                };
                caps.map_err(|failure| failure.to_string())
            }
        }
    }
}

/// Returns the inputs of a session that runs nothing.
fn idle(config: &Engines, store: &Path) -> SessionIo {
    SessionIo {
        events: Arc::new(|_| {}),
        secrets: Arc::new(Secrets::default()),
        cancel: CancellationToken::new(),
        n_jobs: 1,
        is_cache_used: true,
        timeout: None,
        max_output_bytes: engine::MAX_OUTPUT_BYTES,
        rules: engine::Rules::default(),
        images: config.images(),
        store: store.to_owned(),
        is_dry: false,
    }
}

/// The facts about the machine and the settings that decide about engines.
#[derive(Debug, Clone)]
pub(super) struct Engines {
    /// Whether crun is installed, which the embedded engine needs.
    has_runtime: bool,
    /// Where the zone searches for programs first.
    path: Vec<PathBuf>,
    docker: DockerConfig,
}

impl Engines {
    /// Takes the facts from the settings.
    pub(super) fn new(config: &Config) -> Self {
        Self {
            has_runtime: config.find_program("crun").is_some(),
            path: config.path.clone(),
            docker: config.docker.clone(),
        }
    }

    /// Returns where the zone searches for programs first.
    pub(super) fn path(&self) -> &[PathBuf] {
        &self.path
    }

    /// Returns the settings for registries and for images of the local Docker.
    pub(super) fn images(&self) -> ImageAccess {
        let Self { docker, .. } = self;
        ImageAccess {
            docker_config: docker.directory.as_ref().map(|directory| directory.join("config.json")),
            mirrors: docker.mirrors.clone(),
            insecure: docker.insecure.clone(),
            docker: Some(Arc::new(LocalImages::new(settings(docker)))),
        }
    }

    /// Describes the engine that is used, and the others.
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

/// Returns the abilities of an engine that cannot be used.
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
