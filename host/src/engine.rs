//! What the command line needs of an engine.
//!
//! The calls wait: whoever implements them chooses how (`wire` does it with the real rooms, the
//! tests with a fake). Nothing is started before it is asked for, so that a command that needs
//! little costs little.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use api::{LogLevel, Object, Origins, Signature, Value};
use backend::{Caps, EventSink};
use graph::Edge;
use module::NodeDependency;
use pipeline::{Library, StageGraph, StageId};
pub use session::SecretSource;
use session::StageSink;
use tokio_util::sync::CancellationToken;

use crate::report::{Report, Result};

/// Loads components, and knows the machine that it runs on.
pub trait Engine {
    /// Loads a module with those that it depends on; compiles what was not compiled before.
    ///
    /// # Errors
    /// If a component cannot be read, or is neither a component with stages nor a program.
    fn load(&self, modules: &[ModuleFile]) -> Result<Box<dyn Component>>;

    /// Returns which backend would be used, and why.
    ///
    /// # Errors
    /// If `asked` is not available, or nothing is.
    fn describe(&self, asked: Option<&str>) -> Result<EngineReport>;

    /// Returns what the store holds.
    ///
    /// # Errors
    /// If it cannot be read.
    fn cache(&self) -> Result<CacheReport>;

    /// Empties the store and returns what was freed. What a running process needs stays.
    ///
    /// # Errors
    /// If it cannot be written.
    fn clear_cache(&self) -> Result<Cleared>;
}

/// A module that is loaded; the first of several is the one that is called.
#[derive(Debug, Clone)]
pub struct ModuleFile {
    /// Its name, for messages.
    pub name: String,
    /// Its component; none for a pipeline that is made of other modules only.
    pub path: Option<PathBuf>,
    /// What it depends on.
    pub dependencies: Vec<NodeDependency>,
}

/// A component that is ready to be called.
pub trait Component {
    /// Returns its digest.
    fn digest(&self) -> String;

    /// Returns the name of the interface that has its stages.
    fn interface(&self) -> &str;

    /// Returns its stages.
    fn stages(&self) -> &[Signature];

    /// Returns what stages can be made of: its functions, and those of its dependencies.
    fn library(&self) -> Library;

    /// Returns whether it can be run as a program.
    fn is_program(&self) -> bool;

    /// Returns the powers that it imports.
    fn powers(&self) -> BTreeSet<String>;

    /// Parses a value of the type of a parameter, written in WAVE.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    fn parse_wave(&self, stage: &str, param: &str, text: &str) -> Result<Value, String>;

    /// Begins a run of its stages.
    ///
    /// # Errors
    /// If the backend is not available.
    fn open(&self, options: RunOptions) -> Result<Box<dyn Run + '_>>;
}

/// One run: calls, evaluations and exports that share what they evaluated.
pub trait Run {
    /// Calls a stage after those that it needs, and returns what it makes; an object need not be there yet.
    ///
    /// # Errors
    /// If the stage fails, or one that it needs.
    fn stage(&self, graph: &Arc<StageGraph>, stage: StageId) -> Result<Value>;

    /// Evaluates stages side by side, and returns how each of them ended.
    ///
    /// Without `is_keeping_going` the first failure stops all others.
    fn stages(&self, graph: &Arc<StageGraph>, wanted: &[StageId], is_keeping_going: bool) -> Vec<Ended>;

    /// Calls the function of a stage after those that it needs; with `is_wanted` also asks for all that it makes. In a
    /// dry run, whose events tell what would be evaluated.
    fn plan(&self, graph: &Arc<StageGraph>, stage: StageId, is_wanted: bool) -> Foreseen;

    /// Calls a method of a custom object, as in `[method]linter.check`. The object is the first argument.
    ///
    /// # Errors
    /// If the method fails.
    fn call_method(&self, function: &str, args: Vec<Value>) -> Result<Value>;

    /// Runs the component as a program, and returns its exit code. What it writes is handed on: to `stdout` as it is, to
    /// `stderr` line by line.
    ///
    /// # Errors
    /// If it ends in another way than by itself.
    fn program(&self, args: Vec<String>, stdout: ByteSink, stderr: ByteSink) -> Result<i32>;

    /// Calls a function of `pipeline:api`, as in `container` and `[method]container.with-exec`.
    ///
    /// # Errors
    /// If the value cannot be had.
    fn invoke(&self, interface: &str, function: &str, args: Vec<Value>) -> Result<Value>;

    /// Writes a directory, a file, or the root file system of a container to a path of this machine.
    ///
    /// # Errors
    /// If it cannot be had, or not be written.
    fn export(&self, object: &Object, target: &Path) -> Result<()>;

    /// Puts a container as an image somewhere. Returns its reference, pinned by its digest, if it has one there.
    ///
    /// # Errors
    /// If it cannot be had, or not be put there.
    fn put_image(&self, container: &Object, place: &ImagePlace) -> Result<Option<String>>;
}

/// How a stage that was asked for ended.
#[derive(Debug)]
pub enum Ended {
    /// It was evaluated.
    Done {
        /// What it makes.
        value: Value,
        /// From the call of its function to the end of its evaluation.
        took: Duration,
    },
    /// It failed, because `culprit` did: itself, or a stage that it needs.
    Failed {
        /// The stage whose failure that is.
        culprit: StageId,
        /// The function that asked for what failed, with its module, as in `shop.build`; none if no function did.
        function: Option<String>,
        /// What went wrong.
        report: Report,
        /// From the call of the culprit's function to the failure.
        took: Duration,
    },
    /// Another one failed first.
    Stopped,
}

/// What a dry run found out of a stage.
#[derive(Debug, Default)]
pub struct Foreseen {
    /// What the stage makes, as far as its function returned.
    pub made: Vec<Edge>,
    /// Why not all is known; none if it is.
    pub obstacle: Option<Obstacle>,
}

/// Why it is not known what a stage would do.
#[derive(Debug)]
pub enum Obstacle {
    /// It is known up to here: a function goes on when an operation has a value.
    Waiting {
        /// The function with its module, as in `shop.test`.
        function: String,
        /// As in `exec make`.
        operation: String,
    },
    /// It fails without anything being executed.
    Fails(Report),
}

/// Takes bytes as they are written.
pub type ByteSink = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// Where an image is put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImagePlace {
    /// The directory of an OCI layout.
    Layout(PathBuf),
    /// A file that `docker load` takes.
    Archive(PathBuf),
    /// A registry, by a reference.
    Registry(String),
    /// The local Docker, under a name.
    Docker(String),
}

/// How a run is done.
pub struct RunOptions {
    /// The powers that the module is granted.
    pub granted: BTreeSet<String>,
    /// The backend that was asked for.
    pub engine: Option<String>,
    /// Where secrets come from, by the names under which they are handed over.
    pub secrets: Vec<(String, SecretSource)>,
    /// Where `effects` may write.
    pub export_root: PathBuf,
    /// Takes messages of stages: level, stage, message.
    pub log: LogSink,
    /// Takes the events of vertices.
    pub events: EventSink,
    /// Takes the events of stages.
    pub stages: StageSink,
    /// Keeps which function asked for which command.
    pub origins: Arc<Origins>,
    /// Ends everything.
    pub cancel: CancellationToken,
    /// How many commands run at the same time; the number of processors if none.
    pub n_jobs: Option<usize>,
    /// Whether results of other runs may be used.
    pub is_cache_used: bool,
    /// Kills every command that takes longer.
    pub timeout: Option<Duration>,
    /// Whether commands may reach the network.
    pub is_network_allowed: bool,
    /// Whether nothing is executed but functions: what would be is told by events, as `SessionIo` has it.
    pub is_dry: bool,
}

/// Takes messages of stages: level, stage, message.
pub type LogSink = Arc<dyn Fn(LogLevel, &str, &str) + Send + Sync>;

/// Which backend is used, and why.
#[derive(Debug, Clone, serde::Serialize)]
pub struct EngineReport {
    /// Its name, as `--engine` takes it.
    pub engine: String,
    /// Why it and no other, as a sentence.
    pub reason: String,
    /// What it can do.
    pub caps: Caps,
    /// The directory of the store.
    pub store: PathBuf,
    /// What could be asked for instead.
    pub others: Vec<OtherEngine>,
}

/// A backend that is not used.
#[derive(Debug, Clone, serde::Serialize)]
pub struct OtherEngine {
    /// Its name, as `--engine` takes it.
    pub engine: String,
    /// What it could do; none if it cannot be used here.
    pub caps: Option<Caps>,
    /// Why it cannot be used here.
    pub problem: Option<String>,
}

/// What the store holds.
#[derive(Debug, Clone, Default)]
pub struct CacheReport {
    /// All of it.
    pub size_bytes: u64,
    /// What it is made of, the largest first.
    pub entries: Vec<CacheEntry>,
}

/// One thing in the store.
#[derive(Debug, Clone)]
pub struct CacheEntry {
    /// As in `result`, `cache-volume`, `component`.
    pub kind: String,
    /// What it is, for people.
    pub name: String,
    /// How much it takes, without what it shares with others.
    pub size_bytes: u64,
    /// When it was last used.
    pub used_at: Option<SystemTime>,
}

/// What was freed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cleared {
    /// How many things.
    pub n_entries: u64,
    /// How much they took.
    pub size_bytes: u64,
}
