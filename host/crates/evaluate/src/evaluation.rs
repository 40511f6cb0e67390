//! Evaluates single vertices: looks keys up, does operations on trees, hands commands and layers to the runner.

use std::sync::Arc;

use async_trait::async_trait;
use engine::{Failure, Outcome, Reason, SessionIo, dry};
use graph::{ContentDigest, ExecOp, ImageOp, Op, SourceOp, Vertex};
use solver::{Evaluate, Graph, LookUp};
use store::empty_tree;
use tokio_util::sync::CancellationToken;
use trees::{Input, Trees};

use crate::announce::{Announcer, Began, outcome_of};
use crate::command::Command;
use crate::ended::{Ended, exec_failure};
use crate::graphs::Graphs;
use crate::output::Report;
use crate::results::{Job, Results};
use crate::runner::Runner;
use crate::secrets::SecretHasher;
use crate::value::{Tree, Value};
use crate::{check, gather, images, locks};

/// How many trees are tried to build a layer on.
const MAX_NEAR: usize = 4;

/// What one session evaluates with.
pub(crate) struct Evaluation<R> {
    pub(crate) runner: R,
    pub(crate) trees: Trees,
    pub(crate) io: SessionIo,
    results: Results,
    graphs: Graphs,
    announcer: Announcer,
}

/// Who made a value.
enum Maker {
    /// This evaluation made it.
    This,
    /// Another process made it, while this one waited.
    Another,
}

type Made<R> = (Value<<R as Runner>::Form>, Maker);

impl<R: Runner> Evaluation<R> {
    pub(crate) fn new(trees: Trees, io: SessionIo, runner: R) -> Self {
        let secrets = Arc::new(SecretHasher::new(trees.store().root(), &io));
        let results = Results::new(trees.store().clone(), &io, R::DOMAIN, Arc::clone(&secrets));
        let graphs = Graphs::new(trees.store().clone(), &io, R::DOMAIN, secrets);
        let announcer = Announcer::new(Arc::clone(&io.events));
        Self { runner, trees, io, results, graphs, announcer }
    }

    /// Looks a vertex up. That it was found is told if that `is_news`.
    fn look_up_once(
        &self,
        vertex: &Arc<Vertex>,
        inputs: &[Value<R::Form>],
        is_news: bool,
    ) -> LookUp<Value<R::Form>, Failure, Job> {
        let began = Began::now();
        if let Some(input) = inputs.iter().find_map(Value::not_evaluated) {
            return self.plan(vertex, Some(input), Reason::InputPlanned { input: Arc::clone(input) }, began);
        }
        match self.find(vertex, inputs) {
            LookUp::Execute(job) if self.io.is_dry && dry::is_left_undone(vertex.op()) => {
                self.plan(vertex, None, job.reason, began)
            }
            LookUp::Execute(job) => LookUp::Execute(job),
            LookUp::Done(result) => {
                match &result {
                    Ok(_) if is_news => {
                        self.announcer.finished(vertex, Outcome::Cached, reason_of_found(vertex), began);
                    }
                    Ok(_) => {}
                    Err(failure) => self.announcer.failed(vertex, failure, Reason::Cheap, began),
                }
                LookUp::Done(result)
            }
        }
    }

    /// Tells that a vertex would be evaluated.
    fn plan(
        &self,
        vertex: &Vertex,
        input: Option<&Arc<str>>,
        reason: Reason,
        began: Began,
    ) -> LookUp<Value<R::Form>, Failure, Job> {
        self.announcer.finished(vertex, Outcome::Planned, reason, began);
        LookUp::Done(Ok(Value::planned(dry::waits_for(vertex, input))))
    }

    fn find(&self, vertex: &Vertex, inputs: &[Value<R::Form>]) -> LookUp<Value<R::Form>, Failure, Job> {
        if let Some(failure) = check::never(vertex.op()) {
            return LookUp::Done(Err(failure));
        }
        match vertex.op() {
            Op::Source(SourceOp::Scratch) => LookUp::Done(Ok(Value::tree(Tree::of(empty_tree())))),
            Op::Source(SourceOp::Machine) if !self.runner.caps().machine => LookUp::Done(Err(check::machine_refused())),
            Op::Source(_) => LookUp::Execute(Job::source()),
            _ => match self.results.find(vertex, inputs) {
                Ok(LookUp::Done(Ok(value))) => LookUp::Done(Ok(near_inputs(value, vertex, inputs, None))),
                Ok(found) => found,
                Err(failure) => LookUp::Done(Err(failure)),
            },
        }
    }

    async fn evaluate(
        self: &Arc<Self>,
        vertex: &Arc<Vertex>,
        inputs: Vec<Value<R::Form>>,
        job: Job,
        cancel: &CancellationToken,
    ) -> Result<Made<R>, Failure> {
        match vertex.op() {
            Op::Exec(op) => {
                check::command(op)?;
                check::platform(op, &self.runner.platform(), R::PLACE)?;
                self.once(vertex, &job, cancel, self.run(vertex, op, &inputs, cancel)).await
            }
            Op::Image(op) => self.once(vertex, &job, cancel, self.unpack(vertex, op, &inputs, cancel)).await,
            _ => {
                self.trees.prepare(vertex).await?;
                let (this, vertex) = (Arc::clone(self), Arc::clone(vertex));
                let task = tokio::task::spawn_blocking(move || this.operate(&vertex, &inputs, &job));
                task.await.unwrap_or_else(|error| Err(Failure::bug(format!("an operation on files panicked: {error}"))))
            }
        }
    }

    /// Has the runner make a value, and records it. One process at a time does so for a key; the others wait for it and
    /// find its result.
    async fn once(
        &self,
        vertex: &Vertex,
        job: &Job,
        cancel: &CancellationToken,
        make: impl Future<Output = Result<Value<R::Form>, Failure>> + Send,
    ) -> Result<Made<R>, Failure> {
        let _held = match job.reusable_key() {
            Some(key) => {
                let held = locks::key(self.trees.store(), key, cancel).await?;
                // Another process may have recorded it since it was looked up, even if it holds the key no longer.
                if let Some(value) = self.results.recorded(vertex.op(), key)? {
                    return Ok((value, Maker::Another));
                }
                Some(held)
            }
            None => None,
        };
        let value = make.await?;
        self.results.record(vertex, job, &value)?;
        Ok((value, Maker::This))
    }

    async fn run(
        &self,
        vertex: &Vertex,
        op: &ExecOp,
        inputs: &[Value<R::Form>],
        cancel: &CancellationToken,
    ) -> Result<Value<R::Form>, Failure> {
        let command = gather::gather(self.trees.store(), &self.io, vertex, op, inputs)?;
        let report = Report::new(vertex.digest(), Arc::clone(&self.io.events));
        match self.runner.run(&command, &report, cancel).await? {
            Ended::Done { exec, trees } => Ok(Value::exec(in_place(&command, trees), exec)),
            Ended::Failed { status, stdout_tail, stderr_tail } => {
                Err(exec_failure(vertex, op, status, stdout_tail, stderr_tail))
            }
            Ended::Refused(refusal) => Err(refusal.failure(op)),
        }
    }

    /// Fetches and unpacks an image.
    async fn unpack(
        &self,
        vertex: &Vertex,
        op: &ImageOp,
        inputs: &[Value<R::Form>],
        cancel: &CancellationToken,
    ) -> Result<Value<R::Form>, Failure> {
        let input = vertex.inputs().first().zip(inputs.first());
        let input = input.map(|(input, value)| Input { tree: value.digest(input.edge.output), path: &input.path });
        tokio::select! {
            tree = images::evaluate(&self.runner, &self.trees, &self.io.events, op, input) => Ok(Value::tree(tree?)),
            () = cancel.cancelled() => Err(Failure::Cancelled),
        }
    }

    /// Does an operation on trees, and records its value. Blocks.
    fn operate(&self, vertex: &Vertex, inputs: &[Value<R::Form>], job: &Job) -> Result<Made<R>, Failure> {
        let digests = vertex.inputs().iter().zip(inputs).map(|(input, value)| value.digest(input.edge.output));
        let digests: Vec<ContentDigest> = digests.collect();
        let value = Value::tree(Tree::of(self.trees.operate(vertex, &digests)?));
        let last = self.results.last::<R::Form>(vertex)?;
        self.results.record(vertex, job, &value)?;
        Ok((near_inputs(value, vertex, inputs, last), Maker::This))
    }
}

#[async_trait]
impl<R: Runner> Evaluate for Evaluation<R> {
    type Value = Value<R::Form>;
    type Error = Failure;
    type Job = Job;

    fn look_up(&self, vertex: &Arc<Vertex>, inputs: &[Self::Value]) -> LookUp<Self::Value, Failure, Job> {
        self.look_up_once(vertex, inputs, true)
    }

    fn look_up_again(&self, vertex: &Arc<Vertex>, inputs: &[Self::Value]) -> LookUp<Self::Value, Failure, Job> {
        self.look_up_once(vertex, inputs, false)
    }

    fn is_source(&self, vertex: &Vertex) -> bool {
        matches!(vertex.op(), Op::Source(_))
    }

    fn look_up_graph(&self, graph: &Graph<'_, Self::Value>) -> Option<Vec<Self::Value>> {
        let values = self.graphs.find(graph)?;
        for vertex in graph.vertices {
            self.announcer.finished(vertex, Outcome::Cached, reason_of_found(vertex), Began::now());
        }
        Some(values)
    }

    fn record_graph(&self, graph: &Graph<'_, Self::Value>, values: &[Self::Value]) {
        self.graphs.record(graph, values);
    }

    async fn execute(
        self: Arc<Self>,
        vertex: Arc<Vertex>,
        inputs: Vec<Self::Value>,
        job: Job,
        cancel: CancellationToken,
    ) -> Result<Self::Value, Failure> {
        let began = Began::now();
        self.announcer.started(&vertex, began.at);
        let reason = job.reason.clone();
        let result = if cancel.is_cancelled() {
            Err(Failure::Cancelled)
        } else {
            self.evaluate(&vertex, inputs, job, &cancel).await
        };
        let (outcome, reason) = match &result {
            Ok((_, Maker::Another)) => (Outcome::Cached, Reason::Hit),
            Ok((_, Maker::This)) => (Outcome::Ran, reason),
            Err(failure) => (outcome_of(failure), reason),
        };
        self.announcer.finished(&vertex, outcome, reason, began);
        result.map(|(value, _)| value)
    }

    fn takes_slot(&self, vertex: &Vertex) -> bool {
        matches!(vertex.op(), Op::Exec(_))
    }

    fn lost(&self, vertex: &Vertex) -> Failure {
        check::lost(vertex.op())
    }
}

/// Returns why a vertex that was found need not be evaluated.
fn reason_of_found(vertex: &Vertex) -> Reason {
    if vertex.inputs().is_empty() { Reason::Cheap } else { Reason::Hit }
}

/// Puts the trees that a command wrote to where its operation numbers them.
fn in_place<F: Clone + Default>(command: &Command<'_, F>, trees: Vec<Tree<F>>) -> Vec<Tree<F>> {
    let numbers: Vec<usize> = command.outputs().filter_map(|number| usize::try_from(number).ok()).collect();
    let n_outputs = numbers.iter().max().map_or(1, |last| last + 1);
    let mut outputs = vec![Tree::of(empty_tree()); n_outputs];
    for (number, tree) in numbers.into_iter().zip(trees) {
        outputs[number] = tree;
    }
    outputs
}

/// Notes which trees a value probably differs little from: the one that it was the last time, and those that it was
/// made from.
fn near_inputs<F: Clone + Default>(
    value: Value<F>,
    vertex: &Vertex,
    inputs: &[Value<F>],
    last: Option<ContentDigest>,
) -> Value<F> {
    if let Op::Exec(_) = vertex.op() {
        return value;
    }
    let base = vertex.inputs().first().zip(inputs.first()).map(|(input, value)| value.output(input.edge.output));
    let from_base = base.into_iter().flat_map(|tree| std::iter::once(tree.digest).chain(tree.near));
    value.near(last.into_iter().chain(from_base).take(MAX_NEAR).collect())
}
