//! Evaluates single vertices: looks keys up, does operations on trees, hands commands on.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use async_trait::async_trait;
use backend::{Event, Failure, FailureCode, Outcome, Reason, SessionIo, VertexEvent, dry};
use graph::{CacheKey, ContentDigest, FailOp, ImageOp, KeyHasher, Op, Reuse, SourceOp, Vertex};
use solver::{Evaluate, Graph, LookUp};
use store::{Miss, Store, empty_tree};
use tokio_util::sync::CancellationToken;
use trees::failure::{failure, read_failure};
use trees::{Input, Trees};

use crate::exec;
use crate::graphs::MissedGraphs;
use crate::value::{Tree, Value};
use crate::zones::Zones;

/// What one session evaluates with.
pub(crate) struct Engine {
    pub(crate) store: Store,
    pub(crate) trees: Trees,
    pub(crate) io: SessionIo,
    pub(crate) zones: Zones,
    /// Held while a tree is laid out.
    pub(crate) layouts: tokio::sync::Mutex<()>,
    pub(crate) missed_graphs: MissedGraphs,
}

/// What a look-up found out.
pub(crate) struct Job {
    /// None for what is looked at in every run.
    pub(crate) key: Option<CacheKey>,
    /// What its inputs are.
    pub(crate) inputs: Vec<ContentDigest>,
    reason: Reason,
}

impl Job {
    /// Returns whether a result of another process may be used.
    pub(crate) fn is_reusable(&self) -> bool {
        !matches!(self.reason, Reason::NoCache | Reason::Never)
    }
}

#[async_trait]
impl Evaluate for Engine {
    type Value = Value;
    type Error = Failure;
    type Job = Job;

    fn look_up(&self, vertex: &Arc<Vertex>, inputs: &[Value]) -> LookUp<Value, Failure, Job> {
        self.look_up_once(vertex, inputs, true)
    }

    fn look_up_again(&self, vertex: &Arc<Vertex>, inputs: &[Value]) -> LookUp<Value, Failure, Job> {
        self.look_up_once(vertex, inputs, false)
    }

    fn is_source(&self, vertex: &Vertex) -> bool {
        matches!(vertex.op(), Op::Source(_))
    }

    fn look_up_graph(&self, graph: &Graph<'_, Value>) -> Option<Vec<Value>> {
        self.find_graph(graph)
    }

    fn record_graph(&self, graph: &Graph<'_, Value>, values: &[Value]) {
        self.keep_graph(graph, values);
    }

    async fn execute(
        self: Arc<Self>,
        vertex: Arc<Vertex>,
        inputs: Vec<Value>,
        job: Job,
        cancel: CancellationToken,
    ) -> Result<Value, Failure> {
        let began = Began::now();
        (self.io.events)(Event::Started(event_of(&vertex, began)));
        let reason = job.reason.clone();
        let result = if cancel.is_cancelled() {
            Err(Failure::Cancelled)
        } else {
            Self::evaluate(&self, &vertex, inputs, job, cancel).await
        };
        let (outcome, reason) = match &result {
            Ok((_, Found::ByAnother)) => (Outcome::Cached, Reason::Hit),
            Ok((_, Found::Made)) => (Outcome::Ran, reason),
            Err(failure) => (outcome_of(failure), reason),
        };
        self.announce(&vertex, outcome, reason, began);
        result.map(|(value, _)| value)
    }

    fn takes_slot(&self, vertex: &Vertex) -> bool {
        matches!(vertex.op(), Op::Exec(_))
    }

    fn lost(&self, vertex: &Vertex) -> Failure {
        Failure::bug(format!("evaluation of `{}` ended without a result", vertex.op().describe()))
    }
}

/// Who made a value.
pub(crate) enum Found {
    /// This evaluation made it.
    Made,
    /// Another process, while this one waited for it.
    ByAnother,
}

impl Engine {
    /// Looks a vertex up; that it was found is told if that `is_news`.
    fn look_up_once(&self, vertex: &Arc<Vertex>, inputs: &[Value], is_news: bool) -> LookUp<Value, Failure, Job> {
        let began = Began::now();
        if let Some(input) = inputs.iter().find_map(Value::not_evaluated) {
            return self.plan(vertex, Some(input), Reason::InputPlanned { input: Arc::clone(input) }, began);
        }
        match self.find(vertex, inputs) {
            LookUp::Execute(job) if self.io.is_dry && dry::is_left_undone(vertex.op()) => {
                self.plan(vertex, None, job.reason, began)
            }
            LookUp::Done(result) => {
                match &result {
                    Ok(_) if is_news => self.announce(vertex, Outcome::Cached, reason_of_found(vertex), began),
                    Ok(_) => {}
                    Err(failure) => self.announce(vertex, outcome_of(failure), Reason::Cheap, began),
                }
                LookUp::Done(result)
            }
            LookUp::Execute(job) => LookUp::Execute(job),
        }
    }

    /// Tells that a vertex would be evaluated.
    fn plan(
        &self,
        vertex: &Vertex,
        input: Option<&Arc<str>>,
        reason: Reason,
        began: Began,
    ) -> LookUp<Value, Failure, Job> {
        self.announce(vertex, Outcome::Planned, reason, began);
        LookUp::Done(Ok(Value::planned(dry::waits_for(vertex, input))))
    }

    fn find(&self, vertex: &Arc<Vertex>, inputs: &[Value]) -> LookUp<Value, Failure, Job> {
        match vertex.op() {
            Op::Fail(FailOp { code, message }) => {
                let code = FailureCode::parse(code).unwrap_or(FailureCode::Custom);
                LookUp::Done(Err(Failure::invalid(code, message)))
            }
            Op::Source(SourceOp::Scratch) => LookUp::Done(Ok(Value::tree(Tree::of(empty_tree())))),
            Op::Source(SourceOp::Local { .. } | SourceOp::Machine) => {
                LookUp::Execute(Job { key: None, inputs: Vec::new(), reason: Reason::Source })
            }
            Op::Source(source @ (SourceOp::Git { .. } | SourceOp::Http { .. })) => {
                let name = Op::Source(source.clone()).describe();
                let message = format!("source `{name}` is not available in this version");
                LookUp::Done(Err(Failure::invalid(FailureCode::Unavailable, message)))
            }
            Op::Exec(_) | Op::File(_) | Op::Merge | Op::Diff | Op::Image(_) | Op::Pack(_) => {
                self.find_keyed(vertex, inputs).unwrap_or_else(|failure| LookUp::Done(Err(failure)))
            }
        }
    }

    fn find_keyed(&self, vertex: &Vertex, inputs: &[Value]) -> Result<LookUp<Value, Failure, Job>, Failure> {
        let digests = self.digests(vertex, inputs)?;
        let key = self.key(vertex, &digests);
        let reason = if !self.io.is_cache_used {
            Reason::NoCache
        } else if is_never_reused(vertex) {
            Reason::Never
        } else if let Some(value) = self.recorded(key)? {
            return Ok(LookUp::Done(Ok(near_inputs(value, vertex, inputs, None))));
        } else {
            self.explain(vertex, key, &digests)?
        };
        Ok(LookUp::Execute(Job { key: Some(key), inputs: digests, reason }))
    }

    /// Returns the content digests of what the inputs select.
    fn digests(&self, vertex: &Vertex, inputs: &[Value]) -> Result<Vec<ContentDigest>, Failure> {
        let selected = vertex.inputs().iter().zip(inputs);
        selected
            .map(|(input, value)| {
                let tree = value.output(input.edge.output).digest;
                if input.path.is_root() {
                    return Ok(tree);
                }
                self.store.digest_at(tree, &input.path).map_err(|error| read_failure(&error))
            })
            .collect()
    }

    fn key(&self, vertex: &Vertex, inputs: &[ContentDigest]) -> CacheKey {
        let mut hasher = KeyHasher::new("result/1");
        vertex.op().hash_into(&mut hasher);
        // A command that is denied the network by the run may do something else than one that is not.
        hasher.flag(matches!(vertex.op(), Op::Exec(_)) && self.io.is_network_allowed);
        hasher.list(inputs.iter(), |h, digest| h.bytes(digest.as_bytes()));
        hasher.cache_key()
    }

    /// Returns the value that is recorded under a key.
    pub(crate) fn recorded(&self, key: CacheKey) -> Result<Option<Value>, Failure> {
        let found = self.store.result(key).map_err(|error| failure(&error))?;
        Ok(found.and_then(|bytes| Value::decode(&bytes)))
    }

    fn explain(&self, vertex: &Vertex, key: CacheKey, inputs: &[ContentDigest]) -> Result<Reason, Failure> {
        let miss = self.store.explain_miss(vertex.digest(), key, inputs).map_err(|error| failure(&error))?;
        Ok(match miss {
            Miss::NeverRan | Miss::KeyChanged => Reason::NeverRan,
            Miss::Evicted => Reason::Evicted,
            Miss::InputChanged { index, from: Some(was), to: Some(is) } => {
                let input = vertex.inputs().get(index).map_or_else(String::new, |input| {
                    let at = if input.path.is_root() { String::new() } else { format!(" at {}", input.path) };
                    format!("input {index} ({}{at})", input.edge.vertex.op().describe())
                });
                Reason::InputChanged { input, was, is }
            }
            Miss::InputChanged { .. } => Reason::NeverRan,
        })
    }

    async fn evaluate(
        this: &Arc<Self>,
        vertex: &Arc<Vertex>,
        inputs: Vec<Value>,
        job: Job,
        cancel: CancellationToken,
    ) -> Result<(Value, Found), Failure> {
        match vertex.op() {
            Op::Exec(_) => return exec::evaluate(this, vertex, &inputs, &job, cancel).await,
            Op::Image(op) => return Self::unpack(this, vertex, op, &inputs, &job, &cancel).await,
            Op::Pack(_) => this.trees.prepare_pack(vertex.inputs()).await?,
            Op::Source(_) | Op::File(_) | Op::Merge | Op::Diff | Op::Fail(_) => {}
        }
        let (engine, vertex) = (Arc::clone(this), Arc::clone(vertex));
        let task = tokio::task::spawn_blocking(move || {
            let selected: Vec<Input<'_>> = selected(&vertex, &inputs).collect();
            let tree = match vertex.op() {
                Op::Pack(op) => engine.trees.pack(op, vertex.inputs(), &selected)?,
                op => engine.trees.evaluate(op, &selected)?,
            };
            let value = Value::tree(Tree::of(tree));
            let last = engine.last(&vertex)?;
            engine.record(&vertex, &job, &value)?;
            Ok((near_inputs(value, &vertex, &inputs, last), Found::Made))
        });
        task.await.unwrap_or_else(|error| Err(Failure::bug(format!("an operation on files panicked: {error}"))))
    }

    /// Fetches and unpacks an image; one process does it, and others wait for it.
    async fn unpack(
        this: &Arc<Self>,
        vertex: &Vertex,
        op: &ImageOp,
        inputs: &[Value],
        job: &Job,
        cancel: &CancellationToken,
    ) -> Result<(Value, Found), Failure> {
        let key = job.key.ok_or_else(|| Failure::bug("an image without a key"))?;
        let lock = crate::locks::key(this, key, cancel).await?;
        if lock.has_waited
            && let Some(value) = this.recorded(key)?
        {
            return Ok((value, Found::ByAnother));
        }
        let input = selected(vertex, inputs).next();
        let tree = tokio::select! {
            tree = crate::image::evaluate(this, op, input) => tree?,
            () = cancel.cancelled() => return Err(Failure::Cancelled),
        };
        let value = Value::tree(tree);
        this.record(vertex, job, &value)?;
        Ok((value, Found::Made))
    }

    /// Returns the tree that this definition had the last time: probably one that differs little.
    fn last(&self, vertex: &Vertex) -> Result<Option<ContentDigest>, Failure> {
        let Some(key) = self.store.last_key(vertex.digest()).map_err(|error| failure(&error))? else { return Ok(None) };
        Ok(self.recorded(key)?.map(|value| value.output(0).digest))
    }

    /// Writes a value down, so that the next run finds it. Everything it names is in place.
    pub(crate) fn record(&self, vertex: &Vertex, job: &Job, value: &Value) -> Result<(), Failure> {
        // What is looked at in every run is found by its content, so that the next run knows the last.
        let key = job.key.unwrap_or_else(|| {
            let mut hasher = KeyHasher::new("source/1");
            hasher.list(value.trees().iter(), |h, tree| h.bytes(tree.as_bytes()));
            hasher.cache_key()
        });
        if job.key.is_none() && self.store.last_key(vertex.digest()).map_err(|error| failure(&error))? == Some(key) {
            return Ok(());
        }
        let result = store::NewResult { key, value: &value.encode(), trees: &value.trees(), blobs: &value.blobs() };
        self.store.put_result(&result).map_err(|error| failure(&error))?;
        self.store.note_history(vertex.digest(), key, &job.inputs).map_err(|error| failure(&error))
    }

    pub(crate) fn announce(&self, vertex: &Vertex, outcome: Outcome, reason: Reason, began: Began) {
        let duration = began.clock.elapsed();
        (self.io.events)(Event::Finished { vertex: event_of(vertex, began), outcome, reason, duration });
    }
}

/// How many trees are tried to build a layer on.
const MAX_NEAR: usize = 4;

/// Notes which trees a value probably differs little from: what it was the last time, and what it
/// was made from.
fn near_inputs(value: Value, vertex: &Vertex, inputs: &[Value], last: Option<ContentDigest>) -> Value {
    let Op::Exec(_) = vertex.op() else {
        let base = vertex.inputs().first().zip(inputs.first()).map(|(input, value)| value.output(input.edge.output));
        let from_base = base.into_iter().flat_map(|tree| std::iter::once(tree.digest).chain(tree.near));
        return value.near(last.into_iter().chain(from_base).take(MAX_NEAR).collect());
    };
    value
}

/// Returns what the inputs select.
fn selected<'a>(vertex: &'a Vertex, inputs: &'a [Value]) -> impl Iterator<Item = Input<'a>> {
    let inputs = vertex.inputs().iter().zip(inputs);
    inputs.map(|(input, value)| Input { tree: value.output(input.edge.output).digest, path: &input.path })
}

/// Returns why a vertex that was found need not be evaluated.
pub(crate) fn reason_of_found(vertex: &Vertex) -> Reason {
    if vertex.inputs().is_empty() { Reason::Cheap } else { Reason::Hit }
}

pub(crate) fn is_never_reused(vertex: &Vertex) -> bool {
    matches!(vertex.op(), Op::Exec(op) if op.reuse == Reuse::Never)
}

fn outcome_of(failure: &Failure) -> Outcome {
    match failure {
        Failure::Exec(failure) => Outcome::ExecFailed(failure.status),
        Failure::Cancelled => Outcome::Cancelled,
        other => Outcome::Failed(other.to_string()),
    }
}

/// When something began: for people, and for measuring.
#[derive(Clone, Copy)]
pub(crate) struct Began {
    at: SystemTime,
    clock: Instant,
}

impl Began {
    pub(crate) fn now() -> Self {
        Self { at: SystemTime::now(), clock: Instant::now() }
    }
}

fn event_of(vertex: &Vertex, began: Began) -> VertexEvent {
    VertexEvent {
        digest: vertex.digest(),
        name: vertex.op().describe().into(),
        inputs: vertex.inputs().iter().map(|input| input.edge.vertex.digest()).collect(),
        at: began.at,
    }
}
