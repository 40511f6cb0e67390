//! Evaluates single vertices: commands become LLB, which runs when somebody needs what it makes.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bollard_buildkit_proto::pb;
use engine::{Failure, Outcome, Reason, SessionIo, dry};
use evaluate::secrets::SecretHasher;
use evaluate::{Announcer, Began, check};
use graph::{ContentDigest, Definition, DefinitionDigest, ImageOp, ImageOrigin, Op, SourceOp, Vertex};
use solver::{Evaluate, LookUp};
use store::empty_tree;
use tokio_util::sync::CancellationToken;
use trees::{Input, Trees};

use super::definition::{Llb, Note};
use super::link::Link;
use super::lower::lower;
use super::step::Step;
use super::value::{Remote, Tree, Value};
use crate::buildkit::Kept;

/// What one session evaluates with.
pub(crate) struct LlbEvaluator {
    pub(crate) trees: Trees,
    pub(crate) io: SessionIo,
    pub(crate) docker: Link,
    pub(crate) secrets: SecretHasher,
    announcer: Announcer,
    /// Commands that operations in the store need.
    needed_here: Mutex<HashSet<DefinitionDigest>>,
    /// All commands of the session, by what they are in LLB.
    steps: Mutex<HashMap<String, Arc<Step>>>,
    /// Trees of Docker that were fetched, by what they are there.
    pub(crate) fetched: Mutex<HashMap<String, ContentDigest>>,
    /// Held while something is fetched, so that nothing is fetched twice.
    pub(crate) fetching: tokio::sync::Mutex<()>,
    /// As many as commands may run at the same time.
    pub(crate) slots: tokio::sync::Semaphore,
    /// Has BuildKit keep what no other run may find, and this one must find again.
    pub(crate) kept: Mutex<Vec<Kept>>,
}

impl LlbEvaluator {
    pub(crate) fn new(trees: Trees, io: SessionIo, docker: Link) -> Self {
        Self {
            slots: tokio::sync::Semaphore::new(io.n_jobs.max(1)),
            announcer: Announcer::new(Arc::clone(&io.events)),
            secrets: SecretHasher::new(trees.store().root(), &io),
            trees,
            io,
            docker,
            needed_here: Mutex::default(),
            steps: Mutex::default(),
            fetched: Mutex::default(),
            fetching: tokio::sync::Mutex::new(()),
            kept: Mutex::default(),
        }
    }

    /// Keeps a command; returns the one that is there, if it is the same.
    pub(crate) fn keep_step(&self, step: Step) -> Arc<Step> {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(steps.entry(step.llb.digest().to_owned()).or_insert_with(|| Arc::new(step)))
    }

    /// Returns the command that an operation of LLB is.
    pub(crate) fn step(&self, digest: &str) -> Option<Arc<Step>> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    /// Notes which commands of a definition have users that are evaluated in the store: these run as soon as they can,
    /// each beside the others, and not when their users get to them.
    pub(crate) fn note_needs(&self, definition: &Definition) {
        let users = definition.vertices().filter(|vertex| !matches!(vertex.op(), Op::Exec(_)));
        let inputs = users.flat_map(|vertex| vertex.inputs()).map(|input| &input.edge.vertex);
        let commands = inputs.filter(|vertex| matches!(vertex.op(), Op::Exec(_))).map(|vertex| vertex.digest());
        self.needed_here.lock().unwrap_or_else(PoisonError::into_inner).extend(commands);
    }

    fn is_needed_here(&self, vertex: &Vertex) -> bool {
        self.needed_here.lock().unwrap_or_else(PoisonError::into_inner).contains(&vertex.digest())
    }

    /// Finds out what would be done with a vertex, without running anything.
    ///
    /// What a command is in LLB does not depend on what those before it made, so that the result of one is found though
    /// these would run. Of one that is not found only BuildKit knows whether it has it.
    async fn plan(&self, vertex: &Arc<Vertex>, inputs: &[Value], began: Began) -> Result<Value, Failure> {
        let planned = |input: Option<&Arc<str>>, reason: Reason| {
            self.announcer.finished(vertex, Outcome::Planned, reason, began);
            Ok(Value::planned(dry::waits_for(vertex, input)))
        };
        if let Some(input) = inputs.iter().find_map(Value::not_evaluated) {
            return planned(Some(input), Reason::InputPlanned { input: Arc::clone(input) });
        }
        let value = match self.evaluate(vertex, inputs).await {
            Err(Failure::Planned { operation, .. }) if *operation == *vertex.op().describe() => {
                return planned(None, Reason::Undecided);
            }
            Err(Failure::Planned { operation, .. }) => {
                return planned(Some(&operation), Reason::InputPlanned { input: Arc::clone(&operation) });
            }
            Err(failure) => {
                self.announcer.failed(vertex, &failure, reason_of(vertex.op()), began);
                return Err(failure);
            }
            Ok(value) => value,
        };
        let (outcome, reason) = match value.command() {
            None => (Outcome::Ran, reason_of(vertex.op())),
            Some(step) if step.record().is_some() => (Outcome::Cached, Reason::Hit),
            Some(step) => match &step.reason {
                reason @ (Reason::Never | Reason::NoCache) => (Outcome::Planned, reason.clone()),
                _ => (Outcome::Planned, Reason::Undecided),
            },
        };
        self.announcer.finished(vertex, outcome, reason, began);
        Ok(value)
    }

    async fn evaluate(&self, vertex: &Arc<Vertex>, values: &[Value]) -> Result<Value, Failure> {
        match vertex.op() {
            Op::Exec(op) => lower(self, vertex, op, values).await,
            Op::Image(op) => self.image(vertex, op, values).await,
            Op::Source(SourceOp::Machine) => Err(check::machine_refused()),
            _ => self.tree(vertex, values).await,
        }
    }

    /// Evaluates an operation on trees, in the store.
    async fn tree(&self, vertex: &Arc<Vertex>, values: &[Value]) -> Result<Value, Failure> {
        // What the inputs need runs at the same time.
        let outputs: Vec<Tree> =
            vertex.inputs().iter().zip(values).map(|(input, value)| value.output(input.edge.output)).collect();
        self.realise(&outputs).await?;
        let mut digests = Vec::with_capacity(values.len());
        for output in &outputs {
            digests.push(self.local(output).await?);
        }
        if let Op::Pack(_) = vertex.op() {
            self.trees.check_outward(|| vertex.op().describe())?;
        }
        self.trees.prepare(vertex).await?;
        let (trees, vertex) = (self.trees.clone(), Arc::clone(vertex));
        let task = tokio::task::spawn_blocking(move || trees.operate(&vertex, &digests));
        let digest =
            task.await.unwrap_or_else(|error| Err(Failure::bug(format!("an operation on files panicked: {error}"))))?;
        Ok(Value::tree(Tree::Local(digest)))
    }

    async fn image(&self, vertex: &Arc<Vertex>, op: &ImageOp, values: &[Value]) -> Result<Value, Failure> {
        let identifier = match &op.origin {
            ImageOrigin::Registry { repository } => format!("docker-image://{repository}@{}", op.digest),
            ImageOrigin::Docker { .. } | ImageOrigin::Input { .. } => {
                self.trees.check_outward(|| vertex.op().describe())?;
                let input = match vertex.inputs().first().zip(values.first()) {
                    Some((input, value)) => Some((self.local(&value.output(input.edge.output)).await?, &input.path)),
                    None => None,
                };
                let input = input.map(|(tree, path)| Input { tree, path });
                let images = &self.docker.get().await?.images;
                format!("docker-image://{}", images.import(&self.trees, op, input).await?)
            }
        };
        let source = pb::op::Op::Source(pb::SourceOp { identifier, attrs: [].into() });
        let note = Note { name: vertex.op().describe(), image: Some(Arc::new(op.clone())), ..Note::default() };
        let out = Llb::new(source, Vec::new(), note).out(0);
        Ok(Value::tree(Tree::Remote(Remote { out, sub: "", root: None })))
    }
}

#[async_trait]
impl Evaluate for LlbEvaluator {
    type Value = Value;
    type Error = Failure;
    type Job = ();

    fn look_up(&self, vertex: &Arc<Vertex>, _: &[Value]) -> LookUp<Value, Failure, ()> {
        if let Some(failure) = check::never(vertex.op()) {
            self.announcer.failed(vertex, &failure, Reason::Cheap, Began::now());
            return LookUp::Done(Err(failure));
        }
        match vertex.op() {
            Op::Source(SourceOp::Scratch) => {
                self.announcer.finished(vertex, Outcome::Cached, Reason::Cheap, Began::now());
                LookUp::Done(Ok(Value::tree(Tree::Local(empty_tree()))))
            }
            _ => LookUp::Execute(()),
        }
    }

    async fn execute(
        self: Arc<Self>,
        vertex: Arc<Vertex>,
        inputs: Vec<Value>,
        (): (),
        cancel: CancellationToken,
    ) -> Result<Value, Failure> {
        let began = Began::now();
        if self.io.is_dry {
            return self.plan(&vertex, &inputs, began).await;
        }
        let result = tokio::select! {
            result = self.evaluate(&vertex, &inputs) => result,
            () = cancel.cancelled() => Err(Failure::Cancelled),
        };
        match &result {
            // What happens to a command that may still run is told when it does.
            Ok(value) => match value.command().map(|step| step.record().is_some()) {
                Some(false) => {}
                Some(true) => self.announcer.finished(&vertex, Outcome::Cached, Reason::Hit, began),
                None => self.announcer.finished(&vertex, Outcome::Ran, reason_of(vertex.op()), began),
            },
            Err(failure) => self.announcer.failed(&vertex, failure, reason_of(vertex.op()), began),
        }
        let value = result?;
        if value.command().is_some() && self.is_needed_here(&vertex) {
            let made = [value.output(0)];
            tokio::select! {
                realised = self.realise(&made) => realised?,
                () = cancel.cancelled() => return Err(Failure::Cancelled),
            }
        }
        Ok(value)
    }

    fn takes_slot(&self, _: &Vertex) -> bool {
        // BuildKit has slots of its own.
        false
    }

    fn lost(&self, vertex: &Vertex) -> Failure {
        check::lost(vertex.op())
    }
}

fn reason_of(op: &Op) -> Reason {
    if matches!(op, Op::Source(_)) { Reason::Source } else { Reason::Cheap }
}
