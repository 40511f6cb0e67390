//! Results of earlier runs: their keys, how they are found and recorded, and why one is missing.

use std::sync::Arc;

use engine::{Failure, Reason, Rules, SessionIo};
use graph::{CacheKey, ContentDigest, KeyHasher, Op, Reuse, Vertex};
use serde::Serialize;
use serde::de::DeserializeOwned;
use solver::LookUp;
use store::{Miss, NewResult, Store};
use trees::failure::read_failure;

use crate::changes;
use crate::secrets::{SecretHasher, SecretParts};
use crate::value::Value;

/// The domain of the keys of operations on trees, whose results all runners share.
const SHARED_DOMAIN: &str = "tree/1";

/// The results that the store of a session has.
pub(crate) struct Results {
    store: Store,
    /// The domain of the keys of what the runner makes.
    domain: &'static str,
    is_cache_used: bool,
    rules: Rules,
    is_dry: bool,
    secrets: Arc<SecretHasher>,
}

/// What a look-up found out that an evaluation needs.
pub(crate) struct Job {
    /// The key under which the result is recorded; none for what is looked at in every run.
    pub(crate) key: Option<CacheKey>,
    /// What it is evaluated with.
    given: Given,
    pub(crate) reason: Reason,
}

/// What a vertex is evaluated with besides its operation.
#[derive(Default)]
struct Given {
    /// The digests of what its inputs select.
    inputs: Vec<ContentDigest>,
    secrets: SecretParts,
}

impl Job {
    /// Makes the job of a source, which is looked at in every run.
    pub(crate) fn source() -> Self {
        Self { key: None, given: Given::default(), reason: Reason::Source }
    }

    /// Returns the key under which another process may record the same result meanwhile, if that may be used.
    pub(crate) fn reusable_key(&self) -> Option<CacheKey> {
        self.key.filter(|_| !matches!(self.reason, Reason::NoCache | Reason::Never))
    }
}

impl Results {
    /// Makes the results of a session.
    pub(crate) fn new(store: Store, io: &SessionIo, domain: &'static str, secrets: Arc<SecretHasher>) -> Self {
        let SessionIo { is_cache_used, rules, is_dry, .. } = *io;
        Self { store, domain, is_cache_used, rules, is_dry, secrets }
    }

    /// Looks for the result of a vertex whose inputs have these values.
    pub(crate) fn find<F>(
        &self,
        vertex: &Vertex,
        inputs: &[Value<F>],
    ) -> Result<LookUp<Value<F>, Failure, Job>, Failure>
    where
        F: Clone + Default + Serialize + DeserializeOwned,
    {
        let secrets = if let Op::Exec(op) = vertex.op() { self.secrets.parts(op)? } else { SecretParts::default() };
        let given = Given { inputs: self.digests(vertex, inputs)?, secrets };
        let key = self.key(vertex.op(), &given);
        let reason = if !self.is_cache_used {
            Reason::NoCache
        } else if matches!(vertex.op(), Op::Exec(op) if op.reuse == Reuse::Never) {
            Reason::Never
        } else if let Some(value) = self.recorded(vertex.op(), key)? {
            self.note_found(vertex, key, &given)?;
            return Ok(LookUp::Done(Ok(value)));
        } else {
            self.explain(vertex, key, &given)?
        };
        Ok(LookUp::Execute(Job { key: Some(key), given, reason }))
    }

    /// Notes with which inputs the result of a command was found, so that the next change is explained by a comparison
    /// with them.
    ///
    /// Of operations on trees the last is what was made last: the next result is laid out on it, and what was only found
    /// was laid out with the times that its files had when it was made.
    fn note_found(&self, vertex: &Vertex, key: CacheKey, given: &Given) -> Result<(), Failure> {
        let is_noted = is_of_runner(vertex.op()) && !self.is_dry;
        if !is_noted || self.store.last_key(vertex.digest()).map_err(Failure::of)? == Some(key) {
            return Ok(());
        }
        self.note_history(vertex, key, given)
    }

    fn note_history(&self, vertex: &Vertex, key: CacheKey, given: &Given) -> Result<(), Failure> {
        let noted = self.store.note_history(vertex.digest(), key, &given.inputs, &given.secrets.digests());
        noted.map_err(Failure::of)
    }

    /// Returns the content digests of what the inputs select.
    fn digests<F: Clone + Default>(&self, vertex: &Vertex, inputs: &[Value<F>]) -> Result<Vec<ContentDigest>, Failure> {
        let selected = vertex.inputs().iter().zip(inputs);
        selected
            .map(|(input, value)| {
                let tree = value.digest(input.edge.output);
                if input.path.is_root() {
                    return Ok(tree);
                }
                self.store.digest_at(tree, &input.path).map_err(read_failure)
            })
            .collect()
    }

    fn key(&self, op: &Op, given: &Given) -> CacheKey {
        let mut hasher = KeyHasher::new(if is_of_runner(op) { self.domain } else { SHARED_DOMAIN });
        op.hash_into(&mut hasher);
        // A command that is denied the network by the run may do something else than one that is not.
        if matches!(op, Op::Exec(_)) {
            self.rules.hash_into(&mut hasher);
            given.secrets.hash_into(&mut hasher);
        }
        hasher.list(given.inputs.iter(), |h, digest| h.bytes(digest.as_bytes()));
        hasher.cache_key()
    }

    /// Returns the value that is recorded under the key of an operation.
    pub(crate) fn recorded<F>(&self, op: &Op, key: CacheKey) -> Result<Option<Value<F>>, Failure>
    where
        F: Clone + Default + Serialize + DeserializeOwned,
    {
        let found = self.store.result(key).map_err(Failure::of)?;
        let decode = if is_of_runner(op) { Value::decode } else { Value::decode_shared };
        Ok(found.and_then(|bytes| decode(&bytes)))
    }

    fn explain(&self, vertex: &Vertex, key: CacheKey, given: &Given) -> Result<Reason, Failure> {
        let secrets = given.secrets.digests();
        let miss = self.store.explain_miss(vertex.digest(), key, &given.inputs, &secrets).map_err(Failure::of)?;
        Ok(match miss {
            Miss::Evicted => Reason::Evicted,
            Miss::InputChanged { index, from: Some(was), to: Some(is) } => {
                let input = vertex.inputs().get(index).map_or_else(String::new, |input| {
                    let at = if input.path.is_root() { String::new() } else { format!(" at {}", input.path) };
                    format!("input {index} ({}{at})", input.edge.vertex.op().describe())
                });
                let changes = changes::between(&self.store, was, is);
                Reason::InputChanged { input, was, is, changes }
            }
            Miss::SecretChanged { index } => {
                let secret = given.secrets.name(index).map_or_else(String::new, |name| name.0.clone());
                Reason::SecretChanged { secret }
            }
            Miss::NeverRan | Miss::KeyChanged | Miss::InputChanged { .. } => Reason::NeverRan,
        })
    }

    /// Returns the tree that this definition had the last time, which probably differs little from the one of now.
    pub(crate) fn last<F>(&self, vertex: &Vertex) -> Result<Option<ContentDigest>, Failure>
    where
        F: Clone + Default + Serialize + DeserializeOwned,
    {
        let Some(key) = self.store.last_key(vertex.digest()).map_err(Failure::of)? else { return Ok(None) };
        Ok(self.recorded::<F>(vertex.op(), key)?.map(|value| value.digest(0)))
    }

    /// Records a value, so that the next run finds it. Everything that it names is in place.
    pub(crate) fn record<F>(&self, vertex: &Vertex, job: &Job, value: &Value<F>) -> Result<(), Failure>
    where
        F: Clone + Default + Serialize + DeserializeOwned,
    {
        // What is looked at in every run is found by its content, so that the next run knows the last.
        let key = job.key.unwrap_or_else(|| {
            let mut hasher = KeyHasher::new("source/2");
            hasher.list(value.trees().iter(), |h, tree| h.bytes(tree.as_bytes()));
            hasher.cache_key()
        });
        if job.key.is_none() && self.store.last_key(vertex.digest()).map_err(Failure::of)? == Some(key) {
            return Ok(());
        }
        let bytes = if is_of_runner(vertex.op()) { value.encode() } else { value.encode_shared() };
        let result = NewResult { key, value: &bytes, trees: &value.trees(), blobs: &value.blobs() };
        self.store.put_result(&result).map_err(Failure::of)?;
        self.note_history(vertex, key, &job.given)
    }
}

/// Returns whether the runner makes the value of an operation.
fn is_of_runner(op: &Op) -> bool {
    matches!(op, Op::Exec(_) | Op::Image(_))
}
