//! An engine in memory: one tree that never changes, and a record of the requests.

#![allow(dead_code, reason = "each user of this file uses a part of it")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::{Bridge, LogLevel};
use engine::{
    Caps, Engine, EntryKind, Failure, FailureCode, FileStat, ImageSource, ImageTarget, OutputRef, ResolvedImage,
    SearchMatch, SearchQuery, Snapshot, Solved,
};
use graph::{
    ContentDigest, Contents, Edge, ImageConfig, ImageDigest, ImageOp, ImageOrigin, Op, Platform, Reference, SecretName,
    Selection, TreePath,
};

/// A bridge that answers from memory.
#[derive(Default)]
pub(crate) struct FakeBridge {
    engine: FakeEngine,
    /// The messages that were logged.
    pub(crate) logged: Mutex<Vec<(LogLevel, String)>>,
    /// The number of evaluations that were begun in the background.
    pub(crate) n_started: AtomicUsize,
}

/// An engine that evaluates every edge to the same tree, and a failing edge to its failure.
#[derive(Default)]
pub(crate) struct FakeEngine {
    /// The time that an evaluation takes.
    pub(crate) delay: Duration,
    /// The gate that evaluations wait at.
    pub(crate) gate: Option<Gate>,
    /// The failure of every evaluation, if there is one.
    pub(crate) failure: Option<Failure>,
    /// Whether evaluations panic.
    pub(crate) panics: bool,
    /// The number of edges that were asked for.
    pub(crate) n_solved: AtomicUsize,
    /// The number of bytes that were put into the store.
    pub(crate) n_kept: AtomicUsize,
}

/// A gate that opens when enough callers have come.
pub(crate) struct Gate {
    n_expected: usize,
    n_arrived: AtomicUsize,
    notify: tokio::sync::Notify,
}

impl Gate {
    async fn pass(&self) {
        let notified = self.notify.notified();
        if self.n_arrived.fetch_add(1, Ordering::SeqCst) + 1 >= self.n_expected {
            self.notify.notify_waiters();
        } else {
            notified.await;
        }
    }
}

impl FakeBridge {
    /// Makes a bridge whose evaluations take time.
    pub(crate) fn with_delay(delay: Duration) -> Self {
        Self { engine: FakeEngine { delay, ..FakeEngine::default() }, ..Self::default() }
    }

    /// Makes a bridge whose evaluations fail.
    pub(crate) fn failing_with(failure: Failure) -> Self {
        Self { engine: FakeEngine { failure: Some(failure), ..FakeEngine::default() }, ..Self::default() }
    }

    /// Makes a bridge whose evaluations panic.
    pub(crate) fn panicking() -> Self {
        Self { engine: FakeEngine { panics: true, ..FakeEngine::default() }, ..Self::default() }
    }

    /// Makes a bridge whose evaluations wait until `n_expected` of them are running.
    pub(crate) fn waiting_for(n_expected: usize) -> Self {
        let gate = Gate { n_expected, n_arrived: AtomicUsize::new(0), notify: tokio::sync::Notify::new() };
        Self { engine: FakeEngine { gate: Some(gate), ..FakeEngine::default() }, ..Self::default() }
    }

    /// Returns the number of bytes that were put into the store.
    pub(crate) fn n_kept(&self) -> usize {
        self.engine.n_kept.load(Ordering::SeqCst)
    }

    /// Returns the number of edges that were asked for.
    pub(crate) fn n_solved(&self) -> usize {
        self.engine.n_solved.load(Ordering::SeqCst)
    }
}

impl Bridge for FakeBridge {
    fn engine(&self) -> &dyn Engine {
        &self.engine
    }

    fn start(&self, _: api::Object) {
        self.n_started.fetch_add(1, Ordering::SeqCst);
    }

    fn log(&self, level: LogLevel, message: &str) {
        self.logged.lock().unwrap_or_else(PoisonError::into_inner).push((level, message.to_owned()));
    }

    fn plaintext(&self, name: &SecretName) -> Result<String, Failure> {
        Ok(format!("value of {name:?}"))
    }

    fn export_target(&self, path: &str) -> Result<PathBuf, Failure> {
        Ok(Path::new("/exports").join(path))
    }
}

#[async_trait::async_trait]
impl Engine for FakeEngine {
    fn caps(&self) -> Caps {
        Caps {
            name: "fake".to_owned(),
            network: false,
            owners: false,
            limits: false,
            images: false,
            services: false,
            machine: true,
            sized_temp: true,
            content_keys: true,
            checked_layers: true,
            notes: Vec::new(),
        }
    }

    async fn solve(&self, outputs: &[Edge]) -> Result<Vec<Solved>, Failure> {
        self.n_solved.fetch_add(outputs.len(), Ordering::SeqCst);
        assert!(!self.panics, "the fake engine panics");
        if let Some(gate) = &self.gate {
            gate.pass().await;
        }
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        outputs.iter().map(solve).collect()
    }

    fn keep(&self, contents: &[u8]) -> Result<Contents, Failure> {
        self.n_kept.fetch_add(contents.len(), Ordering::SeqCst);
        Ok(Contents::Stored { digest: ContentDigest::of(contents), size_bytes: contents.len() as u64 })
    }

    fn forget_failures(&self) {}

    async fn settle(&self) {}

    async fn read(&self, _: &Snapshot, path: &TreePath, offset: u64, max: u64) -> Result<Vec<u8>, Failure> {
        let contents = format!("contents of {}", path.as_str()).into_bytes();
        let rest = contents.into_iter().skip(usize::try_from(offset).unwrap_or(usize::MAX));
        Ok(rest.take(usize::try_from(max).unwrap_or(usize::MAX)).collect())
    }

    async fn stat(&self, _: &Snapshot, path: &TreePath, _: bool) -> Result<FileStat, Failure> {
        let name = path.file_name().unwrap_or_default().to_owned();
        Ok(FileStat { name, kind: EntryKind::File, size_bytes: 3, mode: 0o644 })
    }

    async fn entries(&self, _: &Snapshot, _: &TreePath) -> Result<Vec<String>, Failure> {
        Ok(vec!["a.txt".to_owned(), "src/".to_owned()])
    }

    async fn glob(&self, _: &Snapshot, _: &TreePath, pattern: &str) -> Result<Vec<String>, Failure> {
        Ok(vec![format!("match of {pattern}")])
    }

    async fn search(&self, _: &Snapshot, _: &TreePath, query: &SearchQuery) -> Result<Vec<SearchMatch>, Failure> {
        Ok(vec![SearchMatch {
            path: "a.txt".to_owned(),
            line: 1,
            text: query.pattern.clone(),
            offset: 0,
            parts: Vec::new(),
        }])
    }

    async fn digest(&self, _: &Snapshot, _: &TreePath) -> Result<ContentDigest, Failure> {
        Ok(ContentDigest::of(b"tree"))
    }

    async fn output(&self, _: &OutputRef) -> Result<Vec<u8>, Failure> {
        Ok(b"output\n".to_vec())
    }

    async fn export(&self, _: &Snapshot, _: &TreePath, _: &Path) -> Result<(), Failure> {
        Ok(())
    }

    async fn resolve_image(&self, source: &ImageSource, platform: &Platform) -> Result<ResolvedImage, Failure> {
        let ImageSource::Named(reference) = source else { return Err(Failure::bug("the fake engine reads no files")) };
        let parsed: Reference = reference.parse().map_err(|error| Failure::bug(format!("{error}")))?;
        let origin = ImageOrigin::Registry { repository: parsed.full_repository().clone() };
        let op = Op::Image(Box::new(ImageOp { origin, digest: ImageDigest::of(b"") }));
        Ok(ResolvedImage {
            rootfs: Selection::of(op, Vec::new()),
            reference: format!("{reference}@sha256:00"),
            platform: platform.clone(),
            config: ImageConfig { workdir: "/srv".to_owned(), ..ImageConfig::default() },
        })
    }

    async fn publish(&self, _: &Edge, _: &ImageTarget) -> Result<String, Failure> {
        Ok("registry.example/app@sha256:00".to_owned())
    }
}

fn solve(edge: &Edge) -> Result<Solved, Failure> {
    if let Op::Fail(fail) = edge.vertex.op() {
        let code = FailureCode::parse(&fail.code).unwrap_or(FailureCode::Custom);
        return Err(Failure::invalid(code, fail.message.clone()));
    }
    if let Some(input) = edge.vertex.inputs().first() {
        solve(&input.edge)?;
    }
    let output = || OutputRef { digest: ContentDigest::of(b"output\n"), size_bytes: 7 };
    let exec = engine::ExecResult { exit_code: 0, stdout: output(), stderr: output(), combined: output() };
    let snapshot = Snapshot { handle: Arc::new(()) };
    Ok(Solved { snapshot, exec: Some(Arc::new(exec)) })
}
