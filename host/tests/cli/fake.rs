//! A platform that runs nothing: stages answer with what they were given, leaves with fixed values.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use api::{Directory, Object, Signature, Type, Value};
use engine::{Caps, Event, ExecFailure, ExecRecord, ExecStatus, Failure, Outcome, Reason, StageFailure, VertexEvent};
use graph::{Edge, FileOp, Op, TreePath, Vertex};
use host::platform::{
    ByteSink, CacheEntry, CacheReport, Cleared, Component, DamagedEntry, Ended, EngineReport, Foreseen, ImagePlace,
    ModuleFile, Obstacle, OtherEngine, Platform, Run, RunOptions, VerifiedCache,
};
use host::report::{Report, Result};
use pipeline::{Library, ModuleTypes, Source, StageGraph, StageId};
use runtime::Power;

/// The WIT that the component carries.
pub(crate) const WIT: &str = include_str!("demo.wit");

/// A component with nothing in it but the WIT.
pub(crate) fn component_bytes() -> Vec<u8> {
    let mut wasm = b"\0asm\x0d\0\x01\0".to_vec();
    let name = b"pipeline:wit";
    let length = 1 + name.len() + WIT.len();
    wasm.push(0);
    // LEB128 in two bytes, enough for 16 KiB.
    wasm.extend([(length & 0x7f) as u8 | 0x80, u8::try_from(length >> 7).unwrap(), name.len() as u8]);
    wasm.extend(name);
    wasm.extend(WIT.as_bytes());
    wasm
}

/// Remembers what it was asked to write.
#[derive(Default)]
pub(crate) struct FakePlatform {
    pub(crate) exports: Arc<Mutex<Vec<String>>>,
}

impl Platform for FakePlatform {
    fn load(&self, modules: &[ModuleFile]) -> Result<Box<dyn Component>> {
        let path = modules[0].path.as_ref().unwrap();
        let wasm = std::fs::read(path).map_err(|error| Report::input(format!("cannot read component: {error}")))?;
        let load = |error| Report::from(error).context(format!("cannot load module `{}`", modules[0].name));
        module::inspect(&wasm).map_err(load)?;
        Ok(Box::new(FakeComponent { stages: stages(), exports: Arc::clone(&self.exports) }))
    }

    fn known_types(&self, modules: &[ModuleFile]) -> Library {
        if !modules[0].path.as_ref().is_some_and(|path| path.exists()) {
            return Library::default();
        }
        Library { own: Some(ModuleTypes { stages: stages(), objects: Vec::new() }), ..Library::default() }
    }

    fn describe(&self, _asked: Option<&str>) -> Result<EngineReport> {
        Ok(EngineReport {
            engine: "embedded".to_owned(),
            reason: "it is the only one in this version".to_owned(),
            caps: Caps {
                name: "embedded".to_owned(),
                network: false,
                owners: true,
                limits: true,
                images: false,
                services: false,
                machine: true,
                sized_temp: true,
                content_keys: true,
                checked_layers: true,
                notes: vec!["limits need cgroup v2".to_owned()],
            },
            store: PathBuf::from("/store"),
            others: vec![OtherEngine {
                engine: "docker".to_owned(),
                caps: None,
                problem: Some("Docker does not answer".to_owned()),
            }],
        })
    }

    fn cache(&self) -> Result<CacheReport> {
        let entry = |kind: &str, name: &str, size_bytes| CacheEntry {
            kind: kind.to_owned(),
            name: name.to_owned(),
            size_bytes,
            used_at: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(60)),
        };
        let entries = vec![entry("result", "exec make", 1024), entry("cache-volume", "npm", 5 << 20)];
        Ok(CacheReport { size_bytes: 6 << 20, entries })
    }

    fn clear_cache(&self) -> Result<Cleared> {
        Ok(Cleared { n_entries: 2, size_bytes: 6 << 20, n_kept: 1, kept_bytes: 1 << 20, is_deferred: true })
    }

    fn verify_cache(&self) -> Result<VerifiedCache> {
        let counts = vec![("results", 12), ("layers", 3)];
        let entry = |kind: &str, name: &str, what: &str| DamagedEntry {
            kind: kind.to_owned(),
            name: name.to_owned(),
            what: what.to_owned(),
        };
        let damaged = vec![entry("layer", "18c4-7-1", "`/bin/ls` is missing"), entry("result", "exec make", "")];
        Ok(VerifiedCache { counts, damaged })
    }
}

fn object(name: &str) -> Type {
    Type::Object(name.to_owned())
}

fn list(ty: Type) -> Type {
    Type::List(Box::new(ty))
}

fn option(ty: Type) -> Type {
    Type::Option(Box::new(ty))
}

fn fallible(ty: Option<Type>) -> Option<Type> {
    Some(Type::Result(ty.map(Box::new), Some(Box::new(Type::Record(Vec::new())))))
}

fn quality() -> Type {
    Type::Enum(vec!["draft".to_owned(), "print-ready".to_owned()])
}

fn limits() -> Type {
    Type::Record(vec![("cpus".to_owned(), Type::U8), ("label".to_owned(), option(Type::String))])
}

fn stages() -> Vec<Signature> {
    let stage = |name: &str, params: &[(&str, Type)], result: Option<Type>| Signature {
        name: name.to_owned(),
        params: params.iter().map(|(name, ty)| ((*name).to_owned(), ty.clone())).collect(),
        result,
    };
    let text = || Some(Type::String);
    vec![
        stage("hello", &[("name", option(Type::String))], text()),
        stage("add", &[("a", Type::S32), ("b", Type::U8)], Some(Type::S64)),
        stage("switch", &[("dry-run", Type::Bool), ("loud", option(Type::Bool))], text()),
        stage("render", &[("quality", quality()), ("tags", list(Type::String))], text()),
        stage("limit", &[("limits", limits())], text()),
        stage("limit-all", &[("limits", option(list(limits())))], text()),
        stage("mixed", &[("ratio", Type::F64), ("letter", Type::Char), ("raw", list(Type::U8))], text()),
        stage("pair", &[("pair", Type::Tuple(vec![Type::String, Type::U8]))], text()),
        stage(
            "build",
            &[("src", object("directory")), ("quality", option(quality()))],
            fallible(Some(object("directory"))),
        ),
        stage("sum", &[("files", list(object("file")))], text()),
        stage("login", &[("token", object("secret")), ("other", option(object("secret")))], text()),
        stage("cached", &[("volume", object("cache-volume"))], text()),
        stage("test", &[("build", object("container"))], text()),
        stage("shell", &[], Some(object("container"))),
        stage("all", &[], Some(list(object("directory")))),
        stage("names", &[], Some(list(Type::String))),
        stage("info", &[], Some(limits())),
        stage("maybe", &[], Some(option(Type::String))),
        stage("nothing", &[], None),
        stage("bytes", &[], Some(list(Type::U8))),
        stage("refuse", &[], fallible(None)),
        stage("command-fails", &[], fallible(None)),
        stage("trap", &[], None),
        stage("cancelled", &[], None),
        stage("broken", &[], None),
    ]
}

struct FakeComponent {
    stages: Vec<Signature>,
    exports: Arc<Mutex<Vec<String>>>,
}

impl Component for FakeComponent {
    fn digest(&self) -> String {
        "blake3:00".to_owned()
    }

    fn interface(&self) -> &str {
        "local:demo/stages@0.1.0"
    }

    fn stages(&self) -> &[Signature] {
        &self.stages
    }

    fn library(&self) -> Library {
        let own = ModuleTypes { stages: self.stages.clone(), objects: Vec::new() };
        Library { own: Some(own), ..Library::default() }
    }

    fn is_program(&self) -> bool {
        false
    }

    fn can_reach(&self, _dependency: Option<&str>, _power: Power) -> bool {
        false
    }

    fn powers(&self) -> BTreeSet<String> {
        BTreeSet::new()
    }

    /// Knows one text of WAVE; the real one is tested with the runtime.
    fn parse_wave(&self, _stage: &str, _param: &str, text: &str) -> Result<Value, String> {
        let limits =
            |cpus| Value::Record(vec![("cpus".into(), Value::U8(cpus)), ("label".into(), Value::Option(None))]);
        match text {
            "{cpus: 3}" => Ok(limits(3)),
            _ => Err("expected `}` at 1:9".to_owned()),
        }
    }

    fn open(&self, options: RunOptions) -> Result<Box<dyn Run + '_>> {
        Ok(Box::new(FakeRun { options, exports: Arc::clone(&self.exports) }))
    }
}

struct FakeRun {
    options: RunOptions,
    exports: Arc<Mutex<Vec<String>>>,
}

impl Run for FakeRun {
    fn stage(&self, graph: &Arc<StageGraph>, stage: StageId) -> Result<(Value, Option<Report>)> {
        let stage = graph.stage(stage);
        let args = stage.params.iter().map(|param| match &param.source {
            Source::Given(value) | Source::Set(value) | Source::Default(value) => Ok(value.clone()),
            // The tests link whole results.
            Source::Link(link) => self.stage(graph, link.stage).map(|(value, _)| value),
            _ => Ok(pipeline::omitted(&param.ty).unwrap()),
        });
        self.answer(&stage.name, args.collect::<Result<_>>()?).map(|value| (value, None))
    }

    fn stages(&self, graph: &Arc<StageGraph>, wanted: &[StageId], _is_keeping_going: bool) -> Vec<Ended> {
        let end = |&id: &StageId| match self.stage(graph, id) {
            Ok((value, _)) => Ended::Done { value, took: Duration::from_millis(2) },
            Err(report) => {
                let took = Duration::from_millis(3);
                Ended::Failed { culprit: id, function: None, report, value: None, took }
            }
        };
        wanted.iter().map(end).collect()
    }

    fn plan(&self, graph: &Arc<StageGraph>, stage: StageId, is_wanted: bool) -> Foreseen {
        let finish = |vertex: &Arc<Vertex>, outcome: Outcome, reason: Reason| {
            let inputs = vertex.inputs().iter().map(|input| input.edge.vertex.digest());
            let name = vertex.op().describe().into();
            let event = VertexEvent {
                digest: vertex.digest(),
                name,
                inputs: inputs.collect(),
                at: SystemTime::UNIX_EPOCH + Duration::from_secs(60),
            };
            (self.options.events)(Event::Finished { vertex: event, outcome, reason, duration: Duration::ZERO });
        };
        let scratch = Vertex::scratch();
        let file = |path: &str, input: &Arc<Vertex>| {
            let op = FileOp::MakeDirectory { path: TreePath::parse(path).unwrap(), mode: 0o755, owner: None };
            Vertex::new(Op::File(op), vec![Edge::first(Arc::clone(input)).at(TreePath::root())])
        };
        let made = |vertex: &Arc<Vertex>| Foreseen { made: vec![Edge::first(Arc::clone(vertex))], obstacle: None };
        let (one, two) = (file("one", &scratch), file("two", &file("one", &scratch)));
        match graph.stage(stage).name.as_str() {
            "shell" if is_wanted => {
                finish(&scratch, Outcome::Cached, Reason::Cheap);
                finish(&one, Outcome::Cached, Reason::Hit);
                finish(&two, Outcome::Planned, Reason::NeverRan);
                let three = file("three", &two);
                finish(&three, Outcome::Planned, Reason::InputPlanned { input: two.op().describe().into() });
                made(&three)
            }
            "shell" => made(&one),
            "all" => {
                finish(&one, Outcome::Planned, Reason::Undecided);
                made(&one)
            }
            "names" => Foreseen {
                made: Vec::new(),
                obstacle: Some(Obstacle::Waiting {
                    function: "demo.names".to_owned(),
                    operation: "exec make".to_owned(),
                }),
            },
            "refuse" => Foreseen {
                made: Vec::new(),
                obstacle: Some(Obstacle::Fails(refusal("custom", "the tree is on fire", None).into())),
            },
            _ => Foreseen::default(),
        }
    }

    fn call_method(&self, function: &str, _args: Vec<Value>) -> Result<Value> {
        panic!("{function}: there are no custom objects")
    }

    fn program(&self, _args: Vec<String>, _stdout: ByteSink, _stderr: ByteSink) -> Result<i32> {
        panic!("it is no program")
    }

    fn invoke(&self, interface: &str, function: &str, args: Vec<Value>) -> Result<Value> {
        match api::find(interface, function) {
            Some(api::Function::Lazy(lazy)) => Ok(lazy.call(&NoBridge, args).unwrap()),
            Some(api::Function::Leaf(_)) => Ok(leaf(function, &args)),
            None => panic!("{function}"),
        }
    }

    fn export(&self, object: &Object, target: &Path) -> Result<()> {
        self.exports.lock().unwrap().push(format!("{} to {}", object.name(), target.display()));
        Ok(())
    }

    fn put_image(&self, _container: &Object, place: &ImagePlace) -> Result<Option<String>> {
        self.exports.lock().unwrap().push(format!("image to {place:?}"));
        Ok(matches!(place, ImagePlace::Registry(_)).then(|| "registry.example/app@sha256:00".to_owned()))
    }
}

impl FakeRun {
    fn answer(&self, stage: &str, args: Vec<Value>) -> Result<Value> {
        match stage {
            "hello" => {
                let name = match args.first() {
                    Some(Value::Option(Some(name))) => text(name),
                    _ => "world".to_owned(),
                };
                Ok(format!("Hello, {name}!").into())
            }
            "add" => match args.as_slice() {
                [Value::S32(a), Value::U8(b)] => Ok(Value::S64(i64::from(*a) + i64::from(*b))),
                other => panic!("{other:?}"),
            },
            "build" => {
                self.vertices();
                Ok(args.into_iter().next().unwrap())
            }
            "shell" => Ok(api::Container::default().into()),
            "all" => Ok(Value::List(vec![Directory::default().into(), Directory::default().into()])),
            "names" => Ok(vec!["a".to_owned(), "b".to_owned()].into()),
            "info" => Ok(Value::Record(vec![
                ("cpus".into(), Value::U8(2)),
                ("label".into(), Value::Option(Some(Box::new(Value::String("x".into()))))),
            ])),
            "maybe" => Ok(Value::Option(None)),
            "nothing" => Ok(Value::unit()),
            "bytes" => Ok(Value::Bytes(b"a\x01b".to_vec())),
            "refuse" => Err(refusal("custom", "the tree is on fire", None).into()),
            "command-fails" => {
                Err(refusal("exec", "command `make` exited with code 2", Some("boom\nmake: *** [all] Error 1")).into())
            }
            "trap" => {
                let failure = ExecFailure {
                    vertex: Vertex::scratch().digest(),
                    args: vec!["make".to_owned()],
                    status: ExecStatus::Exited { code: 2 },
                    stdout_tail: String::new(),
                    stderr_tail: "no rule".to_owned(),
                };
                Err(Failure::Exec(Box::new(failure)).into())
            }
            "cancelled" => Err(Failure::Cancelled.into()),
            "broken" => Err(Failure::bug("2 is 3").into()),
            _ => Ok(self.describe(&args).into()),
        }
    }

    /// What a stage was given, and what the run was told.
    fn describe(&self, args: &[Value]) -> String {
        let mut told = args.iter().map(text).collect::<Vec<_>>().join("; ");
        for (name, source) in &self.options.secrets {
            told.push_str(&format!("; {name} = {source:?}"));
        }
        if !self.options.granted.is_empty() {
            told.push_str(&format!("; granted {:?}", self.options.granted));
        }
        told
    }

    /// Three vertices: one looked at, one that ran, one that was cached.
    fn vertices(&self) {
        let vertex = |name: &str| VertexEvent {
            digest: Vertex::scratch().digest(),
            name: name.into(),
            inputs: Vec::new().into(),
            at: SystemTime::UNIX_EPOCH + Duration::from_secs(60),
        };
        let finish = |name: &str, outcome: Outcome, reason: Reason, millis: u64| {
            (self.options.events)(Event::Finished {
                vertex: vertex(name),
                outcome,
                reason,
                duration: Duration::from_millis(millis),
            });
        };
        finish("local $SRC", Outcome::Ran, Reason::Source, 1);
        finish("exec configure", Outcome::Cached, Reason::Hit, 0);
        finish("exec make", Outcome::Ran, Reason::NeverRan, 3200);
    }
}

fn refusal(code: &str, message: &str, stderr: Option<&str>) -> Failure {
    let exec = stderr.map(|stderr| {
        Box::new(ExecRecord {
            args: vec!["make".to_owned()],
            exit_code: 2,
            stdout_tail: String::new(),
            stderr_tail: stderr.to_owned(),
        })
    });
    let stage = if exec.is_some() { "command-fails" } else { "refuse" };
    Failure::Stage(Box::new(StageFailure {
        stage: stage.to_owned(),
        is_answer: true,
        code: code.to_owned(),
        message: message.to_owned(),
        exec,
        attributes: Vec::new(),
        blame: graph::Blame::Function,
        hint: None,
    }))
}

fn leaf(function: &str, args: &[Value]) -> Value {
    match function.rsplit('.').next().unwrap() {
        "digest" => Value::String("blake3:d1".to_owned()),
        "sync" => Value::unit(),
        "contents" => Value::String("contents\n".to_owned()),
        "entries" => vec!["a".to_owned(), "dir/".to_owned()].into(),
        "stdout" => Value::String(text(&args[0])),
        "size" => Value::U64(7),
        other => panic!("{other}"),
    }
}

/// Shows a value with all that a test may want to see of it.
fn text(value: &Value) -> String {
    match value {
        Value::Object(Object::Directory(directory)) => format!("directory({})", graph_of(&directory.selection.edge)),
        Value::Object(Object::File(file)) => {
            format!("file({} at {} of {})", file.name, file.selection.path, graph_of(&file.selection.edge))
        }
        Value::Object(Object::Container(container)) => graph_of(&container.rootfs.edge),
        Value::Object(Object::Secret(secret)) => format!("secret({})", secret.name.0),
        Value::Object(Object::CacheVolume(volume)) => format!("cache-volume({})", volume.key),
        Value::Option(Some(value)) => format!("some({})", text(value)),
        Value::Option(None) => "none".to_owned(),
        Value::List(items) => format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(", ")),
        Value::String(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

fn graph_of(edge: &Edge) -> String {
    let op = edge.vertex.op();
    match op {
        Op::Source(graph::SourceOp::Local { path, include, exclude }) => {
            format!("local {path} include {include:?} exclude {exclude:?}")
        }
        Op::Exec(exec) => format!("exec {:?} stdin {:?} expect {:?}", exec.args, exec.stdin, exec.expect),
        other => other.describe(),
    }
}

/// Making values asks for nothing.
struct NoBridge;

impl api::Bridge for NoBridge {
    fn engine(&self) -> &dyn engine::Engine {
        unreachable!()
    }

    fn start(&self, _object: Object) {}

    fn log(&self, _level: api::LogLevel, _message: &str) {}

    fn plaintext(&self, _name: &graph::SecretName) -> Result<String, Failure> {
        Err(Failure::bug("no secrets"))
    }

    fn export_target(&self, _path: &str) -> Result<PathBuf, Failure> {
        Err(Failure::bug("no exports"))
    }
}
