//! The task that owns the schedule and carries out its actions.

use std::collections::HashMap;
use std::sync::Arc;

use graph::{Edge, Vertex};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::evaluate::{Evaluate, LookUp};
use crate::graph::{Graph, Known, Outline};
use crate::schedule::{Action, NodeId, Schedule};

/// The number of actions that are carried out before new requests are read.
const BATCH: usize = 1024;

/// The number of vertices from which on a graph is looked up as a whole. The vertices of a smaller graph are
/// looked up one by one as fast, and nothing has to be stored besides their results.
pub(crate) const LARGE_GRAPH: usize = 256;

/// The values of a request's edges, or the error of one of them.
pub(crate) type Reply<E> = Result<Vec<<E as Evaluate>::Value>, <E as Evaluate>::Error>;

/// The result of an evaluation, with its node.
type Evaluated<E> = (NodeId, Result<<E as Evaluate>::Value, <E as Evaluate>::Error>);

/// A request to the dispatcher.
pub(crate) enum Request<E: Evaluate> {
    /// Evaluate these edges.
    Solve { id: u64, edges: Vec<Edge>, reply: oneshot::Sender<Reply<E>> },
    /// Nobody waits for this request any more.
    Leave { id: u64 },
    /// Answer when no evaluation runs.
    Settle { reply: oneshot::Sender<()> },
    /// Forget the vertices that failed.
    ForgetFailures,
}

struct Waiter<E: Evaluate> {
    nodes: Vec<NodeId>,
    reply: oneshot::Sender<Reply<E>>,
    next: Next,
}

/// What a request does when all its nodes have values.
enum Next {
    /// It answers the caller with the values.
    Answer,
    /// It has waited for the frontier of a graph, and looks up the graph.
    LookUp { edges: Vec<Edge>, outline: Outline },
    /// It records the values of the roots of a graph that was not found, and answers the caller.
    Record { outline: Outline },
}

pub(crate) struct Dispatcher<E: Evaluate> {
    evaluator: Arc<E>,
    /// The number of vertices from which on a graph is looked up as a whole.
    large_graph: usize,
    schedule: Schedule<E::Value, E::Error>,
    requests: mpsc::UnboundedReceiver<Request<E>>,
    waiters: HashMap<u64, Waiter<E>>,
    waiters_of: HashMap<NodeId, Vec<u64>>,
    running: JoinSet<Evaluated<E>>,
    /// The node of each task, by which a task that panicked is identified.
    tasks: HashMap<tokio::task::Id, NodeId>,
    cancels: HashMap<NodeId, CancellationToken>,
    slots: Arc<Semaphore>,
    /// The requests that wait until no evaluation runs.
    settlers: Vec<oneshot::Sender<()>>,
}

impl<E: Evaluate> Dispatcher<E> {
    pub(crate) fn new(
        evaluator: Arc<E>,
        n_jobs: usize,
        large_graph: usize,
        requests: mpsc::UnboundedReceiver<Request<E>>,
    ) -> Self {
        Self {
            evaluator,
            large_graph,
            schedule: Schedule::default(),
            requests,
            waiters: HashMap::new(),
            waiters_of: HashMap::new(),
            running: JoinSet::new(),
            tasks: HashMap::new(),
            cancels: HashMap::new(),
            slots: Arc::new(Semaphore::new(n_jobs.max(1))),
            settlers: Vec::new(),
        }
    }

    /// Runs until the [`Solver`](crate::Solver) is dropped.
    pub(crate) async fn run(mut self) {
        loop {
            let is_idle = self.act();
            if is_idle && self.running.is_empty() {
                for settler in self.settlers.drain(..) {
                    // An error means that the caller has stopped waiting.
                    let _ = settler.send(());
                }
            }
            tokio::select! {
                biased;
                ended = self.running.join_next_with_id(), if !self.running.is_empty() => self.ended(ended),
                request = self.requests.recv() => match request {
                    Some(request) => self.take(request),
                    None => return,
                },
                () = std::future::ready(()), if !is_idle => {}
            }
        }
    }

    fn take(&mut self, request: Request<E>) {
        match request {
            Request::Solve { id, edges, reply } => match self.outline(&edges) {
                Some(outline) => {
                    let nodes = outline.frontier.iter().map(|vertex| self.schedule.want(vertex)).collect();
                    self.wait(id, Waiter { nodes, reply, next: Next::LookUp { edges, outline } });
                }
                None => self.wait_for(id, &edges, reply, Next::Answer),
            },
            Request::Leave { id } => {
                if let Some(waiter) = self.waiters.remove(&id) {
                    self.forget(id, &waiter.nodes);
                }
            }
            Request::Settle { reply } => self.settlers.push(reply),
            Request::ForgetFailures => self.schedule.forget_failures(),
        }
    }

    /// Returns the part of the graph that a request adds to the session, if it is a large one.
    fn outline(&self, edges: &[Edge]) -> Option<Outline> {
        // One request at a time does this, or each of many requests would walk over the graph that they share.
        if self.waiters.values().any(|waiter| matches!(waiter.next, Next::LookUp { .. })) {
            return None;
        }
        let wanted = edges.iter().map(|edge| &edge.vertex);
        let outline =
            Outline::of(wanted, |vertex| self.evaluator.is_source(vertex), |vertex| self.schedule.known(vertex))?;
        (outline.vertices.len() >= self.large_graph).then_some(outline)
    }

    fn wait_for(&mut self, id: u64, edges: &[Edge], reply: oneshot::Sender<Reply<E>>, next: Next) {
        let nodes = edges.iter().map(|edge| self.schedule.want(&edge.vertex)).collect();
        self.wait(id, Waiter { nodes, reply, next });
    }

    fn wait(&mut self, id: u64, waiter: Waiter<E>) {
        for node in &waiter.nodes {
            self.waiters_of.entry(*node).or_default().push(id);
        }
        self.waiters.insert(id, waiter);
        self.answer(id);
    }

    fn forget(&mut self, id: u64, nodes: &[NodeId]) {
        for node in nodes {
            if let Some(waiters) = self.waiters_of.get_mut(node) {
                waiters.retain(|other| *other != id);
                if waiters.is_empty() {
                    self.waiters_of.remove(node);
                }
            }
            self.schedule.unwant(*node);
        }
    }

    /// Carries out a batch of actions, and returns whether there are no more.
    fn act(&mut self) -> bool {
        for _ in 0..BATCH {
            match self.schedule.next_action() {
                None => return true,
                Some(Action::LookUp(node)) => self.look_up(node),
                Some(Action::Cancel(node)) => {
                    if let Some(cancel) = self.cancels.get(&node) {
                        cancel.cancel();
                    }
                }
                Some(Action::Announce(node)) => {
                    for id in self.waiters_of.get(&node).cloned().unwrap_or_default() {
                        self.answer(id);
                    }
                }
            }
        }
        false
    }

    fn look_up(&mut self, node: NodeId) {
        if !self.schedule.is_ready(node) {
            return;
        }
        let (Some(vertex), Some(inputs)) = (self.schedule.vertex(node).cloned(), self.schedule.inputs(node)) else {
            return;
        };
        let found = match self.schedule.was_in_graph(&vertex) {
            true => self.evaluator.look_up_again(&vertex, &inputs),
            false => self.evaluator.look_up(&vertex, &inputs),
        };
        match found {
            LookUp::Done(result) => self.schedule.finish(node, result),
            LookUp::Execute(job) => {
                self.schedule.running(node);
                let cancel = CancellationToken::new();
                self.cancels.insert(node, cancel.clone());
                let slots = self.evaluator.takes_slot(&vertex).then(|| Arc::clone(&self.slots));
                let evaluator = Arc::clone(&self.evaluator);
                let task = self.running.spawn(async move {
                    // The semaphore is never closed, so acquiring a slot cannot fail.
                    let _slot = match slots {
                        Some(slots) => tokio::select! {
                            slot = slots.acquire_owned() => slot.ok(),
                            () = cancel.cancelled() => None,
                        },
                        None => None,
                    };
                    (node, evaluator.execute(vertex, inputs, job, cancel).await)
                });
                self.tasks.insert(task.id(), node);
            }
        }
    }

    fn ended(&mut self, ended: Option<Result<(tokio::task::Id, Evaluated<E>), tokio::task::JoinError>>) {
        let (task, node, result) = match ended {
            None => return,
            Some(Ok((task, (node, result)))) => (task, node, result),
            Some(Err(error)) => {
                let Some(node) = self.tasks.get(&error.id()).copied() else { return };
                let Some(vertex) = self.schedule.vertex(node) else { return };
                (error.id(), node, Err(self.evaluator.lost(vertex)))
            }
        };
        self.tasks.remove(&task);
        self.cancels.remove(&node);
        self.schedule.finish(node, result);
    }

    /// Answers a request if all of its nodes have values, or if one of them has none.
    fn answer(&mut self, id: u64) {
        let Some(waiter) = self.waiters.get(&id) else { return };
        let mut values = Vec::with_capacity(waiter.nodes.len());
        let mut answer = None;
        for node in &waiter.nodes {
            match self.schedule.result(*node) {
                Some(Ok(value)) => values.push(value.clone()),
                Some(Err(error)) => {
                    answer = Some(Err(error.clone()));
                    break;
                }
                None => {}
            }
        }
        if answer.is_none() && values.len() < waiter.nodes.len() {
            return;
        }
        let Some(Waiter { nodes, reply, next }) = self.waiters.remove(&id) else { return };
        let result = answer.unwrap_or(Ok(values));
        match (next, &result) {
            (Next::LookUp { edges, outline }, values) => {
                let next = match values {
                    Ok(values) => self.look_up_graph(outline, values),
                    // The caller gets the error of the first edge that has one.
                    Err(_) => Next::Answer,
                };
                self.wait_for(id, &edges, reply, next);
                // The request needs the new nodes now, so that they stay when it gives up the others.
                return self.forget(id, &nodes);
            }
            (Next::Record { outline }, Ok(_)) => self.record_graph(&outline),
            (Next::Answer | Next::Record { .. }, _) => {}
        }
        self.forget(id, &nodes);
        // An error means that the caller has stopped waiting.
        let _ = reply.send(result);
    }

    /// Looks up a graph whose frontier has these values; returns what the request waits for next.
    fn look_up_graph(&mut self, outline: Outline, values: &[E::Value]) -> Next {
        // A vertex that another request has asked for meanwhile is looked up, and reported, by itself.
        if outline.vertices.iter().any(|vertex| self.schedule.known(vertex) != Known::Nothing) {
            return Next::Answer;
        }
        let frontier: Vec<_> = outline.frontier.iter().cloned().zip(values.iter().cloned()).collect();
        let graph = Graph { roots: &outline.roots, vertices: &outline.vertices, frontier: &frontier };
        match self.evaluator.look_up_graph(&graph) {
            Some(values) => {
                self.schedule.found(&outline.roots, &outline.vertices, values);
                Next::Answer
            }
            None => Next::Record { outline },
        }
    }

    /// Lets the evaluator record the values of the roots of a graph.
    fn record_graph(&self, outline: &Outline) {
        let value = |vertex: &Arc<Vertex>| self.schedule.value(vertex).map(|value| (Arc::clone(vertex), value.clone()));
        let frontier: Option<Vec<_>> = outline.frontier.iter().map(value).collect();
        let values: Option<Vec<_>> = outline.roots.iter().map(|root| self.schedule.value(root).cloned()).collect();
        if let (Some(frontier), Some(values)) = (frontier, values) {
            let graph = Graph { roots: &outline.roots, vertices: &outline.vertices, frontier: &frontier };
            self.evaluator.record_graph(&graph, &values);
        }
    }
}
