//! The engines under test.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use conformance::{Behaviour, Open, Suite, Verdict};
use engine::{Engine, Failure, SessionIo};
use engine_docker::{Docker, DockerSettings};
use engine_embedded::zone::ZoneConfig;
use store::Store;
use tokio::runtime::Runtime;

use crate::user::Worker;
use crate::{page, registry};

/// An engine under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The embedded engine as root.
    EmbeddedRoot,
    /// The embedded engine as an ordinary user.
    EmbeddedUser,
    /// The Docker engine through BuildKit.
    DockerLlb,
    /// The Docker engine as for a Docker without BuildKit.
    DockerClassic,
}

impl Target {
    /// All engines, in the order of the columns of `docs/conformance.md`.
    pub(crate) const ALL: [Self; 4] = [Self::EmbeddedRoot, Self::EmbeddedUser, Self::DockerLlb, Self::DockerClassic];

    /// Returns the name in tests and in the documentation.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::EmbeddedRoot => "embedded-root",
            Self::EmbeddedUser => "embedded-user",
            Self::DockerLlb => "docker-llb",
            Self::DockerClassic => "docker-classic",
        }
    }

    /// Returns the first tool that this machine lacks for the engine, if there is one.
    pub(crate) fn missing(self) -> Option<&'static str> {
        let tools: &[&str] = match self {
            Self::EmbeddedRoot => &["busybox", "docker-registry", "crun", "root"],
            Self::EmbeddedUser => &["busybox", "docker-registry", "crun"],
            Self::DockerLlb | Self::DockerClassic => &["busybox", "docker-registry", DOCKER],
        };
        let is_there = |tool: &str| match tool {
            DOCKER => std::env::var_os("HOST_TEST_DOCKER").is_some(),
            tool => testkit::is_there(tool),
        };
        tools.iter().copied().find(|tool| !is_there(tool))
    }

    /// Returns the function that opens the engine for a session.
    fn open(self) -> Open {
        match self {
            Self::EmbeddedRoot | Self::EmbeddedUser => Box::new(|io| Box::pin(embedded(io))),
            Self::DockerLlb => Box::new(|io| Box::pin(docker(io))),
            Self::DockerClassic => Box::new(|io| Box::pin(docker_classic(io))),
        }
    }
}

/// The tool that `HOST_TEST_DOCKER` gives the address of.
pub(crate) const DOCKER: &str = "docker";

fn docker_settings() -> Option<DockerSettings> {
    testkit::docker_address().map(|host| DockerSettings { host: Some(host), ..DockerSettings::default() })
}

async fn docker(io: SessionIo) -> Result<Arc<dyn Engine>, Failure> {
    let settings = docker_settings().unwrap_or_default();
    let store = store(&io)?;
    Ok(Arc::new(Docker::connect(&settings, store, io).await?))
}

async fn docker_classic(io: SessionIo) -> Result<Arc<dyn Engine>, Failure> {
    let settings = docker_settings().unwrap_or_default();
    let store = store(&io)?;
    Ok(Arc::new(engine_docker::classic(&settings, store, io).await?))
}

fn store(io: &SessionIo) -> Result<Store, Failure> {
    Store::open(&io.store).map_err(|error| Failure::environment(error.to_string(), None))
}

fn runtime() -> Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("threads can be started")
}

async fn embedded(io: SessionIo) -> Result<Arc<dyn Engine>, Failure> {
    let store = store(&io)?;
    let zone = ZoneConfig::new(&io.store);
    Ok(Arc::new(engine_embedded::embedded(store, io, zone)))
}

/// A engine with its suite, which the first test makes.
pub(crate) struct Subject {
    target: Target,
    here: OnceLock<Here>,
    elsewhere: OnceLock<Worker>,
}

/// A suite in this process.
pub(crate) struct Here {
    suite: Suite,
    runtime: Runtime,
    _place: Option<tempfile::TempDir>,
}

impl Subject {
    pub(crate) fn new(target: Target) -> Self {
        Self { target, here: OnceLock::new(), elsewhere: OnceLock::new() }
    }

    /// Sees one behaviour.
    pub(crate) fn check(&self, behaviour: &Behaviour) -> Result<Verdict, String> {
        if self.target == Target::EmbeddedUser && testkit::is_root() {
            return self.elsewhere.get_or_init(Worker::start).check(behaviour);
        }
        self.here.get_or_init(|| Here::new(self.target)).check(behaviour)
    }
}

impl Here {
    fn new(target: Target) -> Self {
        let place = testkit::scratch_dir("conformance-");
        let here = Self::at(target, place.path(), registry::address());
        Self { _place: Some(place), ..here }
    }

    /// Makes a suite in a directory that somebody else removes.
    pub(crate) fn at(target: Target, place: &Path, registry: String) -> Self {
        let suite = Suite::new(place, registry, target.open());
        let is_reference = target == Target::EmbeddedRoot && page::is_updated();
        let suite = if is_reference { suite.as_reference() } else { suite };
        Self { suite, runtime: runtime(), _place: None }
    }

    /// Sees one behaviour.
    pub(crate) fn check(&self, behaviour: &Behaviour) -> Result<Verdict, String> {
        self.runtime.block_on(behaviour.check(&self.suite)).map_err(|wrong| wrong.message)
    }
}
