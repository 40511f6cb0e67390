//! Evaluates single vertices: looks keys up, does operations on trees, hands commands on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use backend::{Event, Failure, FailureCode, Outcome, Reason, SessionIo, dry};
use graph::{CacheKey, ContentDigest, FailOp, KeyHasher, Op, Platform, Reuse, SourceOp, Vertex};
use solver::{Evaluate, LookUp};
use store::{Miss, NewResult, Store, empty_tree};
use tokio_util::sync::CancellationToken;
use trees::failure::{failure, read_failure};
use trees::{Input, Trees};

use super::api::Api;
use super::value::Value;
use super::{exec, layers};
use crate::events::{Began, event_of, outcome_of};
use crate::images::TreeImages;
use crate::images::archive;

/// What one session evaluates with.
pub(crate) struct Engine {
    pub(crate) trees: Trees,
    pub(crate) io: SessionIo,
    pub(crate) api: Api,
    /// What commands run on.
    pub(crate) platform: Platform,
    pub(crate) is_podman: bool,
    /// The label of all that is made in Docker for this process.
    pub(crate) session: String,
    pub(crate) uploads: TreeImages,
    /// What commands left, as images of Docker, by their trees.
    pub(crate) images: Mutex<HashMap<ContentDigest, TreeImage>>,
}

/// An image of Docker with the files of a tree.
#[derive(Debug, Clone)]
pub(crate) struct TreeImage {
    /// Its name or id.
    pub(crate) reference: String,
    /// Mountpoints in it that are not in the tree.
    pub(crate) stubs: Vec<String>,
    /// How many commands left it, one over the other.
    pub(crate) depth: usize,
}

/// What a look-up found out.
pub(crate) struct Job {
    /// None for what is looked at in every run.
    pub(crate) key: Option<CacheKey>,
    /// What its inputs are.
    inputs: Vec<ContentDigest>,
    reason: Reason,
}

impl Job {
    /// Returns whether a result of another process may be used.
    pub(crate) fn is_reusable(&self) -> bool {
        !matches!(self.reason, Reason::NoCache | Reason::Never)
    }
}

/// Who made a value.
pub(crate) enum Found {
    /// This evaluation made it.
    Made,
    /// Another process, while this one waited for it.
    ByAnother,
}

#[async_trait]
impl Evaluate for Engine {
    type Value = Value;
    type Error = Failure;
    type Job = Job;

    fn look_up(&self, vertex: &Arc<Vertex>, inputs: &[Value]) -> LookUp<Value, Failure, Job> {
        let began = Began::now();
        if let Some(input) = inputs.iter().find_map(Value::not_evaluated) {
            return self.plan(vertex, Some(input), Reason::InputPlanned { input: Arc::clone(input) }, began);
        }
        match self.find(vertex, inputs) {
            LookUp::Execute(job) if self.io.is_dry && dry::is_left_undone(vertex.op()) => {
                self.plan(vertex, None, job.reason, began)
            }
            LookUp::Done(result) => {
                let (outcome, reason) = match &result {
                    Ok(_) if vertex.inputs().is_empty() => (Outcome::Cached, Reason::Cheap),
                    Ok(_) => (Outcome::Cached, Reason::Hit),
                    Err(failure) => (outcome_of(failure), Reason::Cheap),
                };
                self.announce(vertex, outcome, reason, began);
                LookUp::Done(result)
            }
            LookUp::Execute(job) => LookUp::Execute(job),
        }
    }

    async fn execute(
        self: Arc<Self>,
        vertex: Arc<Vertex>,
        inputs: Vec<Value>,
        job: Job,
        cancel: CancellationToken,
    ) -> Result<Value, Failure> {
        let began = Began::now();
        (self.io.events)(Event::Started(event_of(&vertex, began.at)));
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

impl Engine {
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

    pub(crate) fn store(&self) -> &Store {
        self.trees.store()
    }

    /// Returns the image that a command left, if it has this tree.
    pub(crate) fn image(&self, tree: ContentDigest) -> Option<TreeImage> {
        self.images.lock().unwrap_or_else(PoisonError::into_inner).get(&tree).cloned()
    }

    /// Returns an image that has a tree; makes one if Docker has none.
    pub(crate) async fn image_of(&self, tree: ContentDigest) -> Result<TreeImage, Failure> {
        if let Some(image) = self.image(tree) {
            return Ok(image);
        }
        self.uploads.ensure(self.store(), tree).await?;
        Ok(TreeImage { reference: archive::name_of(tree), stubs: Vec::new(), depth: 0 })
    }

    fn find(&self, vertex: &Arc<Vertex>, inputs: &[Value]) -> LookUp<Value, Failure, Job> {
        let refused = |code: FailureCode, message: String, hint: Option<String>| {
            LookUp::Done(Err(Failure::Invalid { code, message, hint }))
        };
        match vertex.op() {
            Op::Fail(FailOp { code, message }) => {
                let code = FailureCode::parse(code).unwrap_or(FailureCode::Custom);
                LookUp::Done(Err(Failure::invalid(code, message)))
            }
            Op::Source(SourceOp::Scratch) => LookUp::Done(Ok(Value::tree(empty_tree()))),
            Op::Source(SourceOp::Local { .. }) => {
                LookUp::Execute(Job { key: None, inputs: Vec::new(), reason: Reason::Source })
            }
            Op::Source(SourceOp::Machine) => refused(
                FailureCode::Incapable,
                "the directories of this machine cannot be used with Docker".to_owned(),
                Some("use `--engine embedded`, or start from an image".to_owned()),
            ),
            Op::Source(SourceOp::Git { .. } | SourceOp::Http { .. }) => {
                let message = format!("source `{}` is not available in this version", vertex.op().describe());
                refused(FailureCode::Unavailable, message, None)
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
        } else if matches!(vertex.op(), Op::Exec(op) if op.reuse == Reuse::Never) {
            Reason::Never
        } else if let Some(value) = self.recorded(key)? {
            return Ok(LookUp::Done(Ok(value)));
        } else {
            self.explain(vertex, key, &digests)?
        };
        Ok(LookUp::Execute(Job { key: Some(key), inputs: digests, reason }))
    }

    /// Returns the content digests of what the inputs select.
    fn digests(&self, vertex: &Vertex, inputs: &[Value]) -> Result<Vec<ContentDigest>, Failure> {
        let selected = vertex.inputs().iter().zip(inputs);
        let digest = |tree, path: &graph::TreePath| {
            if path.is_root() { Ok(tree) } else { self.store().digest_at(tree, path) }
        };
        selected
            .map(|(input, value)| {
                digest(value.output(input.edge.output), &input.path).map_err(|error| read_failure(&error))
            })
            .collect()
    }

    fn key(&self, vertex: &Vertex, inputs: &[ContentDigest]) -> CacheKey {
        let mut hasher = KeyHasher::new("docker-classic/1");
        vertex.op().hash_into(&mut hasher);
        // A command that is denied the network by the run may do something else than one that is not.
        hasher.flag(matches!(vertex.op(), Op::Exec(_)) && self.io.is_network_allowed);
        hasher.list(inputs.iter(), |h, digest| h.bytes(digest.as_bytes()));
        hasher.cache_key()
    }

    /// Returns the value that is recorded under a key.
    pub(crate) fn recorded(&self, key: CacheKey) -> Result<Option<Value>, Failure> {
        let found = self.store().result(key).map_err(|error| failure(&error))?;
        Ok(found.and_then(|bytes| Value::decode(&bytes)))
    }

    fn explain(&self, vertex: &Vertex, key: CacheKey, inputs: &[ContentDigest]) -> Result<Reason, Failure> {
        let miss = self.store().explain_miss(vertex.digest(), key, inputs).map_err(|error| failure(&error))?;
        Ok(match miss {
            Miss::Evicted => Reason::Evicted,
            Miss::InputChanged { index, from: Some(was), to: Some(is) } => {
                let input = vertex.inputs().get(index).map_or_else(String::new, |input| {
                    let at = if input.path.is_root() { String::new() } else { format!(" at {}", input.path) };
                    format!("input {index} ({}{at})", input.edge.vertex.op().describe())
                });
                Reason::InputChanged { input, was, is }
            }
            Miss::NeverRan | Miss::KeyChanged | Miss::InputChanged { .. } => Reason::NeverRan,
        })
    }

    async fn evaluate(
        this: &Arc<Self>,
        vertex: &Arc<Vertex>,
        inputs: Vec<Value>,
        job: Job,
        cancel: CancellationToken,
    ) -> Result<(Value, Found), Failure> {
        let tree = match vertex.op() {
            Op::Exec(op) => return exec::evaluate(this, vertex, op, &inputs, &job, cancel).await,
            Op::Image(op) => {
                let input = selected(vertex, &inputs).next();
                tokio::select! {
                    tree = layers::evaluate(&this.trees, op, input) => tree?,
                    () = cancel.cancelled() => return Err(Failure::Cancelled),
                }
            }
            _ => Self::tree(this, vertex, inputs).await?,
        };
        let value = Value::tree(tree);
        this.record(vertex, &job, &value)?;
        Ok((value, Found::Made))
    }

    /// Evaluates an operation on trees.
    async fn tree(this: &Arc<Self>, vertex: &Arc<Vertex>, inputs: Vec<Value>) -> Result<ContentDigest, Failure> {
        if let Op::Pack(_) = vertex.op() {
            this.trees.prepare_pack(vertex.inputs()).await?;
        }
        let (trees, vertex) = (this.trees.clone(), Arc::clone(vertex));
        let task = tokio::task::spawn_blocking(move || {
            let selected: Vec<Input<'_>> = selected(&vertex, &inputs).collect();
            match vertex.op() {
                Op::Pack(op) => trees.pack(op, vertex.inputs(), &selected),
                op => trees.evaluate(op, &selected),
            }
        });
        task.await.unwrap_or_else(|error| Err(Failure::bug(format!("an operation on files panicked: {error}"))))
    }

    /// Writes a value down, so that the next run finds it.
    pub(crate) fn record(&self, vertex: &Vertex, job: &Job, value: &Value) -> Result<(), Failure> {
        let Some(key) = job.key else { return Ok(()) };
        let result = NewResult { key, value: &value.encode(), trees: value.trees(), blobs: &value.blobs() };
        self.store().put_result(&result).map_err(|error| failure(&error))?;
        self.store().note_history(vertex.digest(), key, &job.inputs).map_err(|error| failure(&error))
    }

    fn announce(&self, vertex: &Vertex, outcome: Outcome, reason: Reason, began: Began) {
        let duration = began.clock.elapsed();
        (self.io.events)(Event::Finished { vertex: event_of(vertex, began.at), outcome, reason, duration });
    }
}

/// Returns what the inputs select.
fn selected<'a>(vertex: &'a Vertex, inputs: &'a [Value]) -> impl Iterator<Item = Input<'a>> {
    let inputs = vertex.inputs().iter().zip(inputs);
    inputs.map(|(input, value)| Input { tree: value.output(input.edge.output), path: &input.path })
}
