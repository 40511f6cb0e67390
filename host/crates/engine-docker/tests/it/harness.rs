//! A session over a store of its own, and small graphs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine::{
    Engine, Event, Failure, FailureCode, ImageAccess, Outcome, OutputStream, SecretProvider, SessionIo, Solved,
};
use engine_docker::{Docker, DockerSettings, classic};
use graph::{ExecOp, Expect, FileOp, Limits, Op, Platform, Reuse, SecretName, Selection, SourceOp, Stdin, TreePath};
use store::Store;
use tokio_util::sync::CancellationToken;

/// Returns the settings of the Docker that tests share, unless there is none.
pub(crate) fn docker() -> Option<DockerSettings> {
    testkit::docker_address().map(|host| DockerSettings { host: Some(host), ..DockerSettings::default() })
}

/// A session over the engine.
pub(crate) struct Session {
    pub(crate) docker: Box<dyn Engine>,
    pub(crate) events: Arc<Mutex<Vec<Event>>>,
    pub(crate) cancel: CancellationToken,
}

/// How a run differs from the usual one.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) secrets: Vec<(&'static str, &'static str)>,
    pub(crate) is_cache_used: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) docker_config: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { secrets: Vec::new(), is_cache_used: true, timeout: None, docker_config: None }
    }
}

struct Secrets(BTreeMap<String, String>);

impl SecretProvider for Secrets {
    fn value(&self, name: &SecretName) -> Result<Vec<u8>, Failure> {
        let found = self.0.get(&name.0).map(|value| value.as_bytes().to_vec());
        found.ok_or_else(|| Failure::invalid(FailureCode::NotFound, format!("secret `{}` is not there", name.0)))
    }
}

pub(crate) async fn open(docker: &DockerSettings, store: &Path) -> Session {
    open_with(docker, store, Settings::default()).await
}

/// Begins a run with the BuildKit in Docker.
pub(crate) async fn open_with(docker: &DockerSettings, store: &Path, settings: Settings) -> Session {
    let (io, events) = io(store, settings);
    let cancel = io.cancel.clone();
    let docker = Docker::new(docker, Store::open(store).unwrap(), io).unwrap();
    Session { docker: Box::new(docker), events, cancel }
}

/// Begins a run with Docker's containers.
pub(crate) async fn open_classic(docker: &DockerSettings, store: &Path, settings: Settings) -> Session {
    let (io, events) = io(store, settings);
    let cancel = io.cancel.clone();
    let docker = classic(docker, Store::open(store).unwrap(), io).await.unwrap();
    Session { docker: Box::new(docker), events, cancel }
}

fn io(store: &Path, settings: Settings) -> (SessionIo, Arc<Mutex<Vec<Event>>>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&events);
    let secrets = settings.secrets.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let io = SessionIo {
        events: Arc::new(move |event| sink.lock().unwrap().push(event)),
        secrets: Arc::new(Secrets(secrets.collect())),
        cancel: CancellationToken::new(),
        n_jobs: 4,
        is_cache_used: settings.is_cache_used,
        timeout: settings.timeout,
        max_output_bytes: engine::MAX_OUTPUT_BYTES,
        rules: engine::Rules { network: false, ..engine::Rules::default() },
        images: ImageAccess { docker_config: settings.docker_config, ..ImageAccess::default() },
        store: store.to_owned(),
        is_dry: false,
    };
    (io, events)
}

impl Session {
    pub(crate) async fn run(&self, selection: &Selection) -> Result<Solved, Failure> {
        Ok(self.docker.solve(std::slice::from_ref(&selection.edge)).await?.remove(0))
    }

    pub(crate) async fn stdout(&self, selection: &Selection) -> String {
        let exec = self.run(selection).await.unwrap().exec.expect("it is a command");
        String::from_utf8(self.docker.output(&exec.stdout).await.unwrap()).unwrap()
    }

    /// Returns everything in a tree: a line an entry.
    pub(crate) async fn list(&self, selection: &Selection) -> String {
        let solved = self.run(selection).await.unwrap();
        let paths = self.docker.glob(&solved.snapshot, &selection.path, "**").await.unwrap();
        let mut lines = Vec::new();
        for path in paths {
            let at = selection.path.join(&path).unwrap();
            let stat = self.docker.stat(&solved.snapshot, &at, false).await.unwrap();
            lines.push(format!("{path} {:o} {}", stat.mode, stat.size_bytes));
        }
        lines.join("\n")
    }

    /// Returns how commands ended, in words.
    pub(crate) fn outcomes(&self) -> Vec<String> {
        let events = self.events.lock().unwrap();
        let ended = events.iter().filter_map(|event| match event {
            Event::Finished { vertex, outcome, reason, .. } if vertex.name.starts_with("exec") => {
                let outcome = match outcome {
                    Outcome::Failed(_) => "Failed".to_owned(),
                    other => format!("{other:?}"),
                };
                Some(format!("{outcome} {}", reason.code()))
            }
            _ => None,
        });
        ended.collect()
    }

    /// Returns what commands printed while they ran.
    pub(crate) fn printed(&self, wanted: OutputStream) -> String {
        let events = self.events.lock().unwrap();
        let bytes = events.iter().filter_map(|event| match event {
            Event::Output { stream, bytes, .. } if *stream == wanted => Some(bytes.to_vec()),
            _ => None,
        });
        String::from_utf8_lossy(&bytes.flatten().collect::<Vec<u8>>()).into_owned()
    }
}

pub(crate) fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

pub(crate) fn scratch() -> Selection {
    Selection::of(Op::Source(SourceOp::Scratch), Vec::new())
}

/// A root with a shell and its tools.
pub(crate) fn base() -> Selection {
    let busybox = std::fs::read("/bin/busybox").expect("`busybox-static` is installed");
    let mut root = file(&scratch(), "bin/busybox", &busybox, 0o755, None);
    for tool in [
        "sh", "cat", "ls", "id", "env", "touch", "chmod", "chown", "mkdir", "sleep", "seq", "head", "ln", "rm", "stat",
        "date", "echo", "grep",
    ] {
        let op = FileOp::Symlink { target: "busybox".into(), path: path(&format!("bin/{tool}")) };
        root = Selection::of(Op::File(op), vec![root]);
    }
    let root = file(&root, "etc/group", b"root:x:0:\nstaff:x:50:app\napp:x:1001:\n", 0o644, None);
    file(&root, "etc/passwd", b"root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n", 0o644, None)
}

pub(crate) fn file(base: &Selection, at: &str, contents: &[u8], mode: u32, owner: Option<&str>) -> Selection {
    let owner = owner.map(str::to_owned);
    let op = FileOp::MakeFile { path: path(at), contents: contents.into(), mode, owner };
    Selection::of(Op::File(op), vec![base.clone()])
}

pub(crate) fn command(script: &str) -> ExecOp {
    ExecOp {
        args: vec!["sh".into(), "-c".into(), script.into()],
        env: graph::Pairs::default(),
        volatile_env: graph::Pairs::default(),
        secret_env: Vec::new(),
        cwd: TreePath::root(),
        user: None,
        platform: Platform::of_this_machine(),
        mounts: Vec::new(),
        stdin: Stdin::Empty,
        redirect_stdout: None,
        redirect_stderr: None,
        expect: Expect::Codes(vec![0]),
        timeout: None,
        network: false,
        reuse: Reuse::Allowed,
        limits: Limits::default(),
        new_privileges: true,
    }
}

pub(crate) fn exec(op: ExecOp, inputs: Vec<Selection>) -> Selection {
    Selection::of(Op::Exec(Box::new(op)), inputs)
}

pub(crate) fn sh(base: &Selection, script: &str) -> Selection {
    exec(command(script), vec![base.clone()])
}

/// Returns a text that no other run has, so that nothing of it is cached anywhere.
pub(crate) fn unique() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    format!("{}-{}", std::process::id(), now.as_nanos())
}
