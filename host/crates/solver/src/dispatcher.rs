//! The task that owns the schedule and carries out its actions.

use std::collections::HashMap;
use std::sync::Arc;

use graph::Edge;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::evaluate::{Evaluate, LookUp};
use crate::schedule::{Action, NodeId, Schedule};

/// The number of actions that are carried out before new requests are read.
const BATCH: usize = 1024;

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
}

pub(crate) struct Dispatcher<E: Evaluate> {
    evaluator: Arc<E>,
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
    pub(crate) fn new(evaluator: Arc<E>, n_jobs: usize, requests: mpsc::UnboundedReceiver<Request<E>>) -> Self {
        Self {
            evaluator,
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
            Request::Solve { id, edges, reply } => {
                let nodes: Vec<NodeId> = edges.iter().map(|edge| self.schedule.want(&edge.vertex)).collect();
                for node in &nodes {
                    self.waiters_of.entry(*node).or_default().push(id);
                }
                self.waiters.insert(id, Waiter { nodes, reply });
                self.answer(id);
            }
            Request::Leave { id } => {
                if let Some(waiter) = self.waiters.remove(&id) {
                    self.forget(id, &waiter.nodes);
                }
            }
            Request::Settle { reply } => self.settlers.push(reply),
            Request::ForgetFailures => self.schedule.forget_failures(),
        }
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
        match self.evaluator.look_up(&vertex, &inputs) {
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
        if let Some(waiter) = self.waiters.remove(&id) {
            self.forget(id, &waiter.nodes);
            // An error means that the caller has stopped waiting.
            let _ = waiter.reply.send(answer.unwrap_or(Ok(values)));
        }
    }
}
