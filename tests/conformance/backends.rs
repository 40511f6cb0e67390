//! The backends under test, and how each is made.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use backend::{Backend, Failure, SessionIo};
use backend_docker::{Docker, DockerClassic, DockerSettings};
use backend_embedded::Embedded;
use backend_embedded::zone::ZoneConfig;
use conformance::{Behaviour, Open, Suite, Verdict};
use store::Store;
use tokio::runtime::Runtime;

use crate::page;
use crate::registry;
use crate::user::Worker;

/// A backend under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The embedded one as root.
    EmbeddedRoot,
    /// The embedded one as an ordinary user.
    EmbeddedUser,
    /// Docker through its BuildKit.
    DockerLlb,
    /// Docker as if it had no BuildKit.
    DockerClassic,
}

impl Target {
    /// All of them, in the order of the table in the documentation.
    pub(crate) const ALL: [Self; 4] = [Self::EmbeddedRoot, Self::EmbeddedUser, Self::DockerLlb, Self::DockerClassic];

    /// Returns its name in tests and in the documentation.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::EmbeddedRoot => "embedded-root",
            Self::EmbeddedUser => "embedded-user",
            Self::DockerLlb => "docker-llb",
            Self::DockerClassic => "docker-classic",
        }
    }

    /// Says why it cannot be tested here.
    pub(crate) fn available(self) -> Result<(), String> {
        if !Path::new("/bin/busybox").is_file() {
            return Err("`busybox-static` is missing".to_owned());
        }
        registry::available()?;
        match self {
            Self::EmbeddedRoot | Self::EmbeddedUser if !finds("crun") => Err("`crun` is missing".to_owned()),
            Self::EmbeddedRoot if !is_root() => Err("this is not root".to_owned()),
            Self::EmbeddedRoot | Self::EmbeddedUser => Ok(()),
            Self::DockerLlb | Self::DockerClassic => docker_answers(),
        }
    }

    /// Returns whether its absence is a failure: in CI, and where `REQUIRE` names what it needs.
    pub(crate) fn is_required(self) -> bool {
        let tool = match self {
            Self::EmbeddedRoot => "root",
            Self::EmbeddedUser => "crun",
            Self::DockerLlb | Self::DockerClassic => "docker",
        };
        let required = std::env::var("REQUIRE").unwrap_or_default();
        required.split(',').any(|name| name == tool) || std::env::var_os("CI").is_some()
    }

    /// Returns how a session of it begins.
    fn open(self) -> Open {
        match self {
            Self::EmbeddedRoot | Self::EmbeddedUser => Box::new(|io| Box::pin(embedded(io))),
            Self::DockerLlb => Box::new(|io| Box::pin(docker(io))),
            Self::DockerClassic => Box::new(|io| Box::pin(docker_classic(io))),
        }
    }
}

/// The variable that names the Docker for tests, as `DOCKER_HOST` does.
const DOCKER: &str = "HOST_TEST_DOCKER";

fn docker_settings() -> Option<DockerSettings> {
    let host = std::env::var(DOCKER).ok()?;
    Some(DockerSettings { host: Some(host), ..DockerSettings::default() })
}

/// Says why Docker cannot be had.
fn docker_answers() -> Result<(), String> {
    let settings = docker_settings().ok_or_else(|| format!("{DOCKER} names no Docker"))?;
    let asked = runtime().block_on(backend_docker::probe(&settings));
    asked.map(drop).map_err(|failure| failure.to_string())
}

async fn docker(io: SessionIo) -> Result<Arc<dyn Backend>, Failure> {
    let settings = docker_settings().unwrap_or_default();
    let store = store(&io)?;
    Ok(Arc::new(Docker::connect(&settings, store, io).await?))
}

async fn docker_classic(io: SessionIo) -> Result<Arc<dyn Backend>, Failure> {
    let settings = docker_settings().unwrap_or_default();
    let store = store(&io)?;
    Ok(Arc::new(DockerClassic::connect(&settings, store, io).await?))
}

fn store(io: &SessionIo) -> Result<Store, Failure> {
    Store::open(&io.store).map_err(|error| Failure::environment(error.to_string(), None))
}

fn runtime() -> Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("threads can be started")
}

async fn embedded(io: SessionIo) -> Result<Arc<dyn Backend>, Failure> {
    let store = store(&io)?;
    let zone = ZoneConfig::new(&io.store);
    Ok(Arc::new(Embedded::new(store, io, zone)))
}

/// A backend with its suite, which the first test makes.
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
        if self.target == Target::EmbeddedUser && is_root() {
            return self.elsewhere.get_or_init(Worker::start).check(behaviour);
        }
        self.here.get_or_init(|| Here::new(self.target)).check(behaviour)
    }
}

impl Here {
    fn new(target: Target) -> Self {
        let place = place();
        let here = Self::at(target, place.path(), registry::address());
        Self { _place: Some(place), ..here }
    }

    /// Makes a suite in a directory that somebody else removes.
    pub(crate) fn at(target: Target, place: &Path, registry: Option<String>) -> Self {
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

/// Makes an empty directory on the file system of the build, where a store can be.
pub(crate) fn place() -> tempfile::TempDir {
    let parent = support::target_dir().join("test-places");
    std::fs::create_dir_all(&parent).expect("the build directory can be written");
    tempfile::Builder::new().prefix("conformance-").tempdir_in(parent).expect("the build directory can be written")
}

pub(crate) fn is_root() -> bool {
    // A thread of this process may not be root; the file belongs to who runs it.
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

pub(crate) fn finds(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).map(|dir| dir.join(program)).any(|path: PathBuf| path.is_file())
}
