//! The contract between the command line and the rooms below it.
//!
//! [`Platform`] loads modules and knows the engines and the store; [`Component`] is a loaded module,
//! and [`Run`] evaluates its stages with the engine that the user chose. `wire` implements them with
//! the real rooms, the tests with fakes. All methods block until they are done. Nothing is started
//! before it is needed, so that a command that needs little costs little.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use api::{LogLevel, Object, Origins, Signature, Value};
use engine::{Caps, EventSink};
use graph::Edge;
use module::NodeDependency;
use pipeline::{Library, StageGraph, StageId};
use runtime::Power;
pub use session::SecretSource;
use session::StageSink;
use tokio_util::sync::CancellationToken;

use crate::report::{Report, Result};

/// Loads modules, and connects runs to engines.
pub trait Platform {
    /// Loads a module and its dependencies. A component that was not compiled before is compiled.
    ///
    /// # Errors
    /// If a component cannot be read, or is neither a component with stages nor a program.
    fn load(&self, modules: &[ModuleFile]) -> Result<Box<dyn Component>>;

    /// Returns the types of a module and its dependencies as far as they are known without compiling or running
    /// anything. Used for completion; failures are silent.
    fn known_types(&self, modules: &[ModuleFile]) -> Library;

    /// Returns which engine would be used if `asked` were given as `--engine`, and why.
    ///
    /// # Errors
    /// If the engines cannot be asked.
    fn describe(&self, asked: Option<&str>) -> Result<EngineReport>;

    /// Returns the contents of the store and their sizes.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn cache(&self) -> Result<CacheReport>;

    /// Empties the store and returns what was freed. Entries that a running process uses are kept.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn clear_cache(&self) -> Result<Cleared>;

    /// Compares everything in the store with its digests and checksums, and removes what is damaged.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    fn verify_cache(&self) -> Result<VerifiedCache>;
}

/// A module to load. The first of several is the one that is called, the others are its dependencies.
#[derive(Debug, Clone)]
pub struct ModuleFile {
    /// The name of the module, for messages.
    pub name: String,
    /// The path of its component; none for a pipeline that consists of other modules only.
    pub path: Option<PathBuf>,
    /// The dependencies of the module.
    pub dependencies: Vec<NodeDependency>,
}

/// A component that is ready to be called.
pub trait Component {
    /// Returns the digest of the component.
    fn digest(&self) -> String;

    /// Returns the name of the interface that exports the stages.
    fn interface(&self) -> &str;

    /// Returns the signatures of the stages.
    fn stages(&self) -> &[Signature];

    /// Returns the types that stages are linked from: the functions of the component and of its dependencies.
    fn library(&self) -> Library;

    /// Returns whether the component can be run as a program.
    fn is_program(&self) -> bool;

    /// Returns the powers that the component imports.
    fn powers(&self) -> BTreeSet<String>;

    /// Returns whether the component, or this dependency of it, can use a power itself or by what it depends on.
    fn can_reach(&self, dependency: Option<&str>, power: Power) -> bool;

    /// Parses `text` as WAVE, with the type of a parameter of a stage.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the text.
    fn parse_wave(&self, stage: &str, param: &str, text: &str) -> Result<Value, String>;

    /// Begins a run of the component's stages.
    ///
    /// # Errors
    /// If the engine is not available.
    fn open(&self, options: RunOptions) -> Result<Box<dyn Run + '_>>;
}

/// One run. Its calls, evaluations and exports share what was evaluated already.
pub trait Run {
    /// Calls a stage after the stages that it needs, and returns its result. An object in the result may not be
    /// evaluated yet. The error beside the result says that a case of it failed, if it is a report.
    ///
    /// # Errors
    /// If the stage or one that it needs fails.
    fn stage(&self, graph: &Arc<StageGraph>, stage: StageId) -> Result<(Value, Option<Report>)>;

    /// Evaluates stages side by side, and returns how each of them ended, in the order of `wanted`.
    ///
    /// Unless `is_keeping_going` is set, the first failure stops all other stages.
    fn stages(&self, graph: &Arc<StageGraph>, wanted: &[StageId], is_keeping_going: bool) -> Vec<Ended>;

    /// Calls the function of a stage after the stages that it needs. With `is_wanted` it also asks for everything that
    /// the stage makes. For dry runs, whose events tell what would be evaluated.
    fn plan(&self, graph: &Arc<StageGraph>, stage: StageId, is_wanted: bool) -> Foreseen;

    /// Calls a method of a custom object, such as `[method]linter.check`. The first argument is the object.
    ///
    /// # Errors
    /// If the method fails.
    fn call_method(&self, function: &str, args: Vec<Value>) -> Result<Value>;

    /// Runs the component as a program, and returns its exit code. `stdout` takes its output as it is, `stderr` takes
    /// its errors line by line.
    ///
    /// # Errors
    /// If the program does not end by itself: it traps, exceeds a limit, or is cancelled.
    fn program(&self, args: Vec<String>, stdout: ByteSink, stderr: ByteSink) -> Result<i32>;

    /// Calls a function of the package `pipeline:api`: of the interface `container`, for example,
    /// `[method]container.with-exec`.
    ///
    /// # Errors
    /// If the function fails.
    fn invoke(&self, interface: &str, function: &str, args: Vec<Value>) -> Result<Value>;

    /// Writes a directory, a file, or the root file system of a container to a path of this machine.
    ///
    /// # Errors
    /// If the object cannot be evaluated, or `target` cannot be written.
    fn export(&self, object: &Object, target: &Path) -> Result<()>;

    /// Writes a container as an image to `place`. Returns the reference of the image with its digest, if the place has
    /// references.
    ///
    /// # Errors
    /// If the container cannot be evaluated, or the image cannot be written.
    fn put_image(&self, container: &Object, place: &ImagePlace) -> Result<Option<String>>;
}

/// How a wanted stage ended.
#[derive(Debug)]
pub enum Ended {
    /// The stage was evaluated.
    Done {
        /// The result of the stage.
        value: Value,
        /// The time from the call of its function to the end of its evaluation.
        took: Duration,
    },
    /// The stage failed because `culprit` failed, which is the stage itself or one that it needs.
    Failed {
        /// The stage that failed by itself.
        culprit: StageId,
        /// The function that described the failed operation, with its module, such as `shop.build`; none if no
        /// function did.
        function: Option<String>,
        /// The error to show.
        report: Report,
        /// The result of the stage, if it failed because of a case of the report that it returned.
        value: Option<Value>,
        /// The time from the call of the culprit's function to the failure.
        took: Duration,
    },
    /// The stage was stopped because another one failed first.
    Stopped,
}

/// What a dry run found out about a stage.
#[derive(Debug, Default)]
pub struct Foreseen {
    /// The edges of the stage's result, as far as its function returned.
    pub made: Vec<Edge>,
    /// The reason why not everything is known; none if everything is.
    pub obstacle: Option<Obstacle>,
}

/// Why it is not known what a stage would do.
#[derive(Debug)]
pub enum Obstacle {
    /// A function waits for the value of an operation, which a dry run does not execute.
    Waiting {
        /// The function with its module, such as `shop.test`.
        function: String,
        /// The operation in words, such as `exec make`.
        operation: String,
    },
    /// The stage fails before anything is executed.
    Fails(Report),
}

/// Receives bytes as soon as they are written.
pub type ByteSink = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// A place that an image is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImagePlace {
    /// The directory of an OCI layout.
    Layout(PathBuf),
    /// A file that `docker load` takes.
    Archive(PathBuf),
    /// A repository of a registry, named by a reference.
    Registry(String),
    /// The local Docker daemon; the text is the name of the image there.
    Docker(String),
}

/// The options of a run.
pub struct RunOptions {
    /// The powers that the module is granted.
    pub granted: BTreeSet<String>,
    /// The engine that the user chose; none for the default of this machine.
    pub engine: Option<String>,
    /// The secrets of the run: the name that stages see, and the source of the value.
    pub secrets: Vec<(String, SecretSource)>,
    /// The directory below which the power `effects` may write.
    pub export_root: PathBuf,
    /// Receives the messages of stages.
    pub log: LogSink,
    /// Receives the events of vertices.
    pub events: EventSink,
    /// Receives the events of stages.
    pub stages: StageSink,
    /// Records who asked for which vertex.
    pub origins: Arc<Origins>,
    /// Cancels the run.
    pub cancel: CancellationToken,
    /// The most commands that run at the same time; none for the number of processors.
    pub n_jobs: Option<usize>,
    /// Whether results of earlier runs may be used.
    pub is_cache_used: bool,
    /// The longest time that one command may take before it is killed.
    pub timeout: Option<Duration>,
    /// The limits for work on trees.
    pub limits: store::Limits,
    /// What the run allows commands.
    pub rules: engine::Rules,
    /// Whether this is a dry run: functions are called, no command is executed, and `events` tells what would be.
    pub is_dry: bool,
}

/// Receives messages of stages: the level, the stage and the message.
pub type LogSink = Arc<dyn Fn(LogLevel, &str, &str) + Send + Sync>;

/// The engine that is used, why it is used, and the others.
#[derive(Debug, Clone, serde::Serialize)]
pub struct EngineReport {
    /// The name of the engine, as `--engine` takes it.
    pub engine: String,
    /// The reason for the choice, as a sentence.
    pub reason: String,
    /// The abilities of the engine on this machine.
    pub caps: Caps,
    /// The directory of the store.
    pub store: PathBuf,
    /// The engines that could be chosen instead.
    pub others: Vec<OtherEngine>,
}

/// An engine that was not chosen.
#[derive(Debug, Clone, serde::Serialize)]
pub struct OtherEngine {
    /// The name of the engine, as `--engine` takes it.
    pub engine: String,
    /// The abilities of the engine on this machine; none if it cannot be used here.
    pub caps: Option<Caps>,
    /// The reason why it cannot be used here; none if it can.
    pub problem: Option<String>,
}

/// The contents of the store.
#[derive(Debug, Clone, Default)]
pub struct CacheReport {
    /// The size of the whole store in bytes.
    pub size_bytes: u64,
    /// The entries of the store, in no particular order.
    pub entries: Vec<CacheEntry>,
}

/// One entry of the store.
#[derive(Debug, Clone)]
pub struct CacheEntry {
    /// The kind of the entry, such as `result`, `cache-volume` or `layer`.
    pub kind: String,
    /// The name of the entry, for people.
    pub name: String,
    /// The size of the entry in bytes, without what it shares with other entries.
    pub size_bytes: u64,
    /// The time of the last use; none where it is not recorded.
    pub used_at: Option<SystemTime>,
}

/// What emptying the store has freed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cleared {
    /// The number of entries that were removed.
    pub n_entries: u64,
    /// The number of bytes that they took.
    pub size_bytes: u64,
    /// The number of entries that stay because runs use them.
    pub n_kept: u64,
    /// The number of bytes that these take.
    pub kept_bytes: u64,
    /// Whether files that nothing needs stay until no run uses the store.
    pub is_deferred: bool,
}

/// What was compared in the store.
#[derive(Debug, Clone, Default)]
pub struct VerifiedCache {
    /// How much of each kind was compared, as in 12 of "layers".
    pub counts: Vec<(&'static str, u64)>,
    /// What was damaged, and is removed.
    pub damaged: Vec<DamagedEntry>,
}

/// An entry of the store that was damaged.
#[derive(Debug, Clone)]
pub struct DamagedEntry {
    /// The kind of the entry, as `host cache list` has it.
    pub kind: String,
    /// The name of the entry.
    pub name: String,
    /// What is wrong with it; empty if its checksum is wrong.
    pub what: String,
}
