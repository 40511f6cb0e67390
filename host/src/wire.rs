//! Connects the command line to the real rooms: store, runtime, session and engines.

mod engines;
mod stored;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use api::{Object, Signature, Value};
use engine::{Failure, ImageTarget, SessionIo};
use graph::PackForm;
use module::NodeDependency;
use pipeline::{Library, ModuleTypes, StageGraph, StageId};
use runtime::{Power, Runtime, RuntimeConfig};
use session::{DependencySpec, ModuleSpec, Modules, Pipeline, Secrets, Session, SessionOptions, Verdict};
use store::{Limits, Store};
use tokio::runtime::Builder;

use self::engines::{Choice, Engines};
use crate::config::Config;
use crate::platform::{
    ByteSink, CacheReport, Cleared, Component, Ended, EngineReport, Foreseen, ImagePlace, ModuleFile, Obstacle,
    Platform, Run, RunOptions, VerifiedCache,
};
use crate::report::{Report, Result};

/// The most threads that run guests and the solver. Commands run in processes of their own.
const MAX_WORKERS: usize = 4;

/// The longest time that the end of a run waits for commands that were stopped.
const TIME_TO_END: Duration = Duration::from_secs(5);

/// Runs as the process inside of namespaces that starts commands for another `host`, and returns its exit code.
#[must_use]
pub fn zone() -> ExitCode {
    engine_embedded::zone_main()
}

/// Returns the platform of this machine. Nothing is started before it is needed.
#[must_use]
pub fn platform(config: &Config) -> Box<dyn Platform> {
    Box::new(Wired { store: config.store.clone(), engines: Engines::new(config) })
}

struct Wired {
    store: PathBuf,
    engines: Engines,
}

impl Platform for Wired {
    fn load(&self, modules: &[ModuleFile]) -> Result<Box<dyn Component>> {
        // The store is opened first, so that an unusable store is reported before anything is compiled.
        let store = Store::open(&self.store)?;
        let runtime = Runtime::new(RuntimeConfig { cache_dir: Some(self.store.clone()), ..RuntimeConfig::default() })?;
        let specs = modules.iter().map(|module| spec(&runtime, module)).collect::<Result<_>>()?;
        Ok(Box::new(Loaded { store, engines: self.engines.clone(), modules: specs }))
    }

    fn known_types(&self, modules: &[ModuleFile]) -> Library {
        let config = RuntimeConfig { cache_dir: Some(self.store.clone()), ..RuntimeConfig::default() };
        let runtime = Runtime::new(config).ok();
        let types_of = |module: &ModuleFile| {
            let path = module.path.as_ref()?;
            let compiled = runtime.as_ref().and_then(|runtime| runtime.load_compiled(path));
            compiled.as_ref().map(types).or_else(|| {
                let stages = module::documented_stages(&std::fs::read(path).ok()?)?;
                Some(ModuleTypes { stages, objects: Vec::new() })
            })
        };
        let Some((root, _)) = modules.split_first() else { return Library::default() };
        let dependency = |dependency: &NodeDependency| {
            Some((dependency.alias.clone(), modules.get(dependency.index).and_then(types_of).unwrap_or_default()))
        };
        Library { own: types_of(root), dependencies: root.dependencies.iter().filter_map(dependency).collect() }
    }

    fn describe(&self, asked: Option<&str>) -> Result<EngineReport> {
        Ok(tokio()?.block_on(self.engines.describe(asked, &self.store)))
    }

    fn cache(&self) -> Result<CacheReport> {
        stored::report(&self.store)
    }

    fn clear_cache(&self) -> Result<Cleared> {
        stored::clear(&self.store)
    }

    fn verify_cache(&self) -> Result<VerifiedCache> {
        stored::verify(&self.store, &self.engines)
    }
}

/// Loads one module.
fn spec(runtime: &Runtime, module: &ModuleFile) -> Result<ModuleSpec> {
    let load = |path: &PathBuf| {
        runtime.load(path).map_err(|error| Report::from(error).context(format!("cannot load module `{}`", module.name)))
    };
    let dependency = |dependency: &NodeDependency| {
        let allow = dependency.allow.as_ref().map(powers).transpose()?;
        Ok(DependencySpec { alias: dependency.alias.clone(), module: dependency.index, allow })
    };
    Ok(ModuleSpec {
        name: module.name.clone(),
        component: module.path.as_ref().map(load).transpose()?,
        dependencies: module.dependencies.iter().map(dependency).collect::<Result<_>>()?,
    })
}

fn powers(names: &BTreeSet<String>) -> Result<BTreeSet<Power>> {
    let powers = names.iter().map(|power| power.parse::<Power>());
    powers.collect::<Result<_, _>>().map_err(|error| Report::usage(error.to_string()))
}

struct Loaded {
    store: Store,
    engines: Engines,
    modules: Vec<ModuleSpec>,
}

impl Loaded {
    /// Returns the component of the called module; none if the module has no code.
    fn component(&self) -> Option<&runtime::Component> {
        self.modules.first()?.component.as_ref()
    }
}

fn types(component: &runtime::Component) -> ModuleTypes {
    ModuleTypes { stages: component.stages().to_vec(), objects: component.objects().to_vec() }
}

impl Component for Loaded {
    fn digest(&self) -> String {
        self.component().map(|component| component.digest().to_string()).unwrap_or_default()
    }

    fn interface(&self) -> &str {
        self.component().map_or("", runtime::Component::interface)
    }

    fn stages(&self) -> &[Signature] {
        self.component().map_or(&[], runtime::Component::stages)
    }

    fn library(&self) -> Library {
        let types_of = |dependency: &DependencySpec| {
            let component = self.modules.get(dependency.module)?.component.as_ref();
            Some((dependency.alias.clone(), component.map(types).unwrap_or_default()))
        };
        let dependencies = self.modules.first().map(|root| root.dependencies.iter().filter_map(types_of).collect());
        Library { own: self.component().map(types), dependencies: dependencies.unwrap_or_default() }
    }

    fn is_program(&self) -> bool {
        self.component().is_some_and(runtime::Component::is_program)
    }

    fn powers(&self) -> BTreeSet<String> {
        let powers = self.component().map(runtime::Component::powers).unwrap_or_default();
        powers.iter().map(ToString::to_string).collect()
    }

    fn can_reach(&self, dependency: Option<&str>, power: Power) -> bool {
        let dependencies = |index: usize| self.modules.get(index).map_or(&[][..], |module| &module.dependencies);
        let start = match dependency {
            None => Some(0),
            Some(alias) => dependencies(0).iter().find(|it| it.alias == alias).map(|it| it.module),
        };
        let mut reached: Vec<usize> = start.into_iter().collect();
        let mut at = 0;
        while let Some(&index) = reached.get(at) {
            let component = self.modules.get(index).and_then(|module| module.component.as_ref());
            if component.is_some_and(|component| component.powers().contains(&power)) {
                return true;
            }
            let next = dependencies(index).iter().map(|it| it.module);
            let new: Vec<usize> = next.filter(|next| !reached.contains(next)).collect();
            reached.extend(new);
            at += 1;
        }
        false
    }

    fn parse_wave(&self, stage: &str, param: &str, text: &str) -> Result<Value, String> {
        let signature = self.component().and_then(|component| Some((component, component.function(stage)?)));
        let (component, signature) = signature.ok_or_else(|| format!("there is no stage `{stage}`"))?;
        let index = signature.params.iter().position(|(name, _)| name == param);
        let index = index.ok_or_else(|| format!("stage `{stage}` has no parameter `{param}`"))?;
        component.parse_wave(stage, index, text)
    }

    fn open(&self, options: RunOptions) -> Result<Box<dyn Run + '_>> {
        // Modules are linked before anything is started, because linking refuses powers that were not granted.
        let modules = Modules::link(&self.modules, powers(&options.granted)?)?;
        let tokio = tokio()?;
        let store_root = self.store.root().to_owned();
        let secrets = Arc::new(Secrets::default());
        for (name, source) in options.secrets {
            secrets.add(&name, source);
        }
        let io = SessionIo {
            events: options.events,
            secrets: Arc::clone(&secrets) as Arc<dyn engine::SecretProvider>,
            cancel: options.cancel.clone(),
            n_jobs: options.n_jobs.unwrap_or_else(n_processors),
            is_cache_used: options.is_cache_used,
            timeout: options.timeout,
            max_output_bytes: engine::MAX_OUTPUT_BYTES,
            rules: options.rules,
            images: self.engines.images(),
            store: store_root.clone(),
            is_dry: options.is_dry,
        };
        let (choice, _) = Choice::make(options.engine.as_deref(), &self.engines);
        let cancel = options.cancel.clone();
        let is_cancelled: Arc<dyn Fn() -> bool + Send + Sync> = Arc::new(move || cancel.is_cancelled());
        let store = self.store.with_limits(Limits { is_cancelled: Some(is_cancelled), ..options.limits });
        let engine = tokio.block_on(choice.open(&self.engines, store, io))?;
        let session = SessionOptions {
            engine,
            secrets,
            export_root: options.export_root,
            log: options.log,
            cancel: options.cancel,
            origins: options.origins,
            stages: options.stages,
        };
        Ok(Box::new(Running { session: Some(Session::new(session, modules)), pipeline: OnceLock::new(), tokio }))
    }
}

/// Starts the threads that tasks run on. The thread that waits for a call runs its guest. Other threads run the solver,
/// the zone and the guests of other stages, so that a guest that computes does not delay them.
fn tokio() -> Result<tokio::runtime::Runtime> {
    Builder::new_multi_thread()
        .worker_threads(n_processors().min(MAX_WORKERS))
        .enable_all()
        .build()
        .map_err(|error| Report::environment(format!("threads cannot be started: {error}")))
}

/// Returns the number of processors that this process may use. It is asked for once, because the answer takes a dozen
/// system calls where there are control groups.
fn n_processors() -> usize {
    static N_PROCESSORS: OnceLock<usize> = OnceLock::new();
    *N_PROCESSORS.get_or_init(|| thread::available_parallelism().map_or(2, usize::from))
}

struct Running {
    /// The session; none once the run has ended. It is dropped inside of the runtime that its tasks run on.
    session: Option<Arc<Session>>,
    /// The stages of this run. Each is called once.
    pipeline: OnceLock<Arc<Pipeline>>,
    tokio: tokio::runtime::Runtime,
}

impl Running {
    fn session(&self) -> Result<&Arc<Session>> {
        self.session.as_ref().ok_or_else(|| Report::bug("a run was used after its end"))
    }

    fn pipeline(&self, graph: &Arc<StageGraph>) -> Result<&Arc<Pipeline>> {
        let session = self.session()?;
        Ok(self.pipeline.get_or_init(|| Pipeline::new(session, Arc::clone(graph))))
    }
}

impl Run for Running {
    fn stage(&self, graph: &Arc<StageGraph>, stage: StageId) -> Result<(Value, Option<Report>)> {
        let pipeline = self.pipeline(graph)?;
        match (self.tokio.block_on(pipeline.value(stage)), pipeline.report(stage)) {
            (Ok(value), _) => Ok((value, None)),
            (Err(failure), Some(value)) => Ok((value, Some(failure.into()))),
            (Err(failure), None) => Err(failure.into()),
        }
    }

    fn stages(&self, graph: &Arc<StageGraph>, wanted: &[StageId], is_keeping_going: bool) -> Vec<Ended> {
        let pipeline = match self.pipeline(graph) {
            Ok(pipeline) => pipeline,
            Err(report) => {
                let culprit = wanted.first().copied().unwrap_or(0);
                return vec![Ended::Failed { culprit, function: None, report, value: None, took: Duration::ZERO }];
            }
        };
        let verdicts = self.tokio.block_on(pipeline.run_all(wanted, session::RunOptions { is_keeping_going }));
        let ended = verdicts.into_iter().map(|verdict| match verdict {
            Verdict::Done { value, took } => Ended::Done { value, took },
            Verdict::Failed { culprit, function, failure, report: value, took } => {
                Ended::Failed { culprit, function, report: failure.into(), value, took }
            }
            Verdict::Stopped => Ended::Stopped,
        });
        ended.collect()
    }

    fn plan(&self, graph: &Arc<StageGraph>, stage: StageId, is_wanted: bool) -> Foreseen {
        let planned = match self.pipeline(graph) {
            Ok(pipeline) => self.tokio.block_on(pipeline.plan(stage, is_wanted)),
            Err(report) => return Foreseen { made: Vec::new(), obstacle: Some(Obstacle::Fails(report)) },
        };
        let obstacle = match planned.ended {
            Ok(()) | Err(Failure::Planned { function: None, .. }) => None,
            Err(Failure::Planned { function: Some(function), operation }) => {
                Some(Obstacle::Waiting { function: function.to_string(), operation: operation.to_string() })
            }
            Err(failure) => Some(Obstacle::Fails(failure.into())),
        };
        Foreseen { made: planned.made, obstacle }
    }

    fn call_method(&self, function: &str, args: Vec<Value>) -> Result<Value> {
        match args.first() {
            Some(Value::Object(Object::Custom(object))) => {
                let object = Arc::clone(object);
                Ok(self.tokio.block_on(self.session()?.call_method(object.as_ref(), function, args))?)
            }
            _ => Err(Report::bug(format!("`{function}` was called on nothing"))),
        }
    }

    fn program(&self, args: Vec<String>, stdout: ByteSink, stderr: ByteSink) -> Result<i32> {
        Ok(self.tokio.block_on(self.session()?.run_program(args, stdout, stderr))?)
    }

    fn invoke(&self, interface: &str, function: &str, args: Vec<Value>) -> Result<Value> {
        Ok(self.tokio.block_on(self.session()?.invoke(interface, function, args))?)
    }

    fn export(&self, object: &Object, target: &Path) -> Result<()> {
        Ok(self.tokio.block_on(self.session()?.export(object, target))?)
    }

    fn put_image(&self, container: &Object, place: &ImagePlace) -> Result<Option<String>> {
        let session = self.session()?;
        let target = match place {
            ImagePlace::Layout(path) => {
                self.tokio.block_on(session.export_image(container, PackForm::Layout, path))?;
                return Ok(None);
            }
            ImagePlace::Archive(path) => {
                self.tokio.block_on(session.export_image(container, PackForm::Archive, path))?;
                return Ok(None);
            }
            ImagePlace::Registry(reference) => ImageTarget::Registry { reference: reference.clone(), login: None },
            ImagePlace::Docker(name) => ImageTarget::Docker { name: name.clone() },
        };
        Ok(Some(self.tokio.block_on(session.publish(container, &target))?))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let session = self.session.take();
        if let Some(session) = &session {
            // Tasks that do not end in time end with this process.
            let _ = self.tokio.block_on(async { tokio::time::timeout(TIME_TO_END, session.close()).await });
        }
        let _inside = self.tokio.enter();
        drop(session);
    }
}
