//! Decides what the solver does next, without IO, async or a clock.
//!
//! Every vertex that somebody needs has a node. A node counts its users: the requests for it, and
//! the nodes that need it and are not done. A node that loses its last user before it is done
//! releases its own inputs.

use std::collections::VecDeque;
use std::sync::Arc;

use graph::Vertex;

use crate::graph::{DigestMap, DigestSet, Known};

/// The index of a node.
pub type NodeId = usize;

/// The state of a vertex.
enum State<V, E> {
    /// Some inputs have no value yet.
    Waiting { n_pending: usize },
    /// The vertex waits to be looked up.
    Ready,
    /// The vertex is being evaluated.
    Running,
    /// The evaluation is being stopped. When it has ended, the vertex is looked up again if a user
    /// has come back.
    Stopping,
    /// The vertex has a value, or has none in this session.
    Done(Result<V, E>),
}

struct Node<V, E> {
    vertex: Arc<Vertex>,
    state: State<V, E>,
    n_interested: usize,
    /// The nodes to notify, once for each input through which they need this one.
    users: Vec<NodeId>,
}

/// An action for the dispatcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Look the vertex up, and then call [`Schedule::running`] or [`Schedule::finish`].
    LookUp(NodeId),
    /// Stop the evaluation, and call [`Schedule::finish`] when it has ended.
    Cancel(NodeId),
    /// The node is done: notify the requests that wait for it.
    Announce(NodeId),
}

/// The states of all vertices of a session.
pub struct Schedule<V, E> {
    nodes: Vec<Option<Node<V, E>>>,
    free: Vec<NodeId>,
    by_digest: DigestMap<NodeId>,
    actions: VecDeque<Action>,
    /// The vertices that were found as parts of graphs. They have no nodes, unless they were asked for later.
    in_graphs: DigestSet,
}

impl<V: Clone, E: Clone> Default for Schedule<V, E> {
    fn default() -> Self {
        Self {
            nodes: Vec::new(),
            free: Vec::new(),
            by_digest: DigestMap::default(),
            actions: VecDeque::new(),
            in_graphs: DigestSet::default(),
        }
    }
}

impl<V: Clone, E: Clone> Schedule<V, E> {
    /// Returns the next action.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Returns the result of a node that is done.
    #[must_use]
    pub fn result(&self, id: NodeId) -> Option<&Result<V, E>> {
        match &self.node(id)?.state {
            State::Done(result) => Some(result),
            _ => None,
        }
    }

    /// Returns the value of a vertex, if it has one.
    pub(crate) fn value(&self, vertex: &Vertex) -> Option<&V> {
        self.result(*self.by_digest.get(&vertex.digest())?)?.as_ref().ok()
    }

    /// Returns the vertex of a node.
    #[must_use]
    pub fn vertex(&self, id: NodeId) -> Option<&Arc<Vertex>> {
        self.node(id).map(|node| &node.vertex)
    }

    /// Returns whether a node with a pending [`Action::LookUp`] still has to be looked up.
    #[must_use]
    pub fn is_ready(&self, id: NodeId) -> bool {
        self.node(id).is_some_and(|node| matches!(node.state, State::Ready))
    }

    /// Returns the values of the inputs of a node, in the order of the inputs.
    #[must_use]
    pub fn inputs(&self, id: NodeId) -> Option<Vec<V>> {
        let value = |digest| match self.result(*self.by_digest.get(&digest)?) {
            Some(Ok(value)) => Some(value.clone()),
            _ => None,
        };
        self.vertex(id)?.inputs().iter().map(|input| value(input.edge.vertex.digest())).collect()
    }

    /// Returns what is known of a vertex.
    pub(crate) fn known(&self, vertex: &Vertex) -> Known {
        match self.by_digest.get(&vertex.digest()).map(|id| self.result(*id)) {
            Some(Some(Ok(_))) => Known::Value,
            Some(_) => Known::Pending,
            None if self.in_graphs.contains(&vertex.digest()) => Known::InGraph,
            None => Known::Nothing,
        }
    }

    /// Adds the roots of a graph that was found as a whole, with their values.
    pub(crate) fn found(&mut self, roots: &[Arc<Vertex>], vertices: &[Arc<Vertex>], values: Vec<V>) {
        self.in_graphs.extend(vertices.iter().map(|vertex| vertex.digest()));
        for (root, value) in roots.iter().zip(values) {
            let id = self.add(root);
            if let Some(node) = self.node_mut(id) {
                node.state = State::Done(Ok(value));
            }
        }
    }

    /// Returns whether a vertex was found as a part of a graph.
    #[must_use]
    pub fn was_in_graph(&self, vertex: &Vertex) -> bool {
        !self.in_graphs.is_empty() && self.in_graphs.contains(&vertex.digest())
    }

    /// Adds a user to the node of a vertex.
    pub fn want(&mut self, vertex: &Arc<Vertex>) -> NodeId {
        let id = self.node_of(vertex);
        if let Some(node) = self.node_mut(id) {
            node.n_interested += 1;
        }
        id
    }

    /// Removes a user from a node.
    pub fn unwant(&mut self, id: NodeId) {
        let mut pending = vec![id];
        while let Some(id) = pending.pop() {
            let Some(node) = self.node_mut(id) else { continue };
            node.n_interested = node.n_interested.saturating_sub(1);
            if node.n_interested > 0 {
                continue;
            }
            match node.state {
                State::Done(_) | State::Stopping => {}
                State::Running => {
                    node.state = State::Stopping;
                    self.actions.push_back(Action::Cancel(id));
                }
                State::Waiting { .. } | State::Ready => {
                    self.leave_inputs(id, &mut pending);
                    self.remove(id);
                }
            }
        }
    }

    /// Forgets the nodes that failed and have no user, so that they are evaluated again when they
    /// are needed again.
    pub fn forget_failures(&mut self) {
        let is_failed = |node: &Node<V, E>| node.n_interested == 0 && matches!(node.state, State::Done(Err(_)));
        let failed = (0..self.nodes.len()).filter(|id| self.node(*id).is_some_and(is_failed));
        failed.collect::<Vec<_>>().into_iter().for_each(|id| self.remove(id));
    }

    /// Reports that the evaluation of a node has started.
    pub fn running(&mut self, id: NodeId) {
        if let Some(node) = self.node_mut(id) {
            node.state = State::Running;
        }
    }

    /// Reports the result of a look-up or an evaluation.
    pub fn finish(&mut self, id: NodeId, result: Result<V, E>) {
        let Some(node) = self.node_mut(id) else { return };
        if matches!(node.state, State::Stopping) {
            // The result of a stopped evaluation is not used, because it may be incomplete.
            if node.n_interested > 0 {
                node.state = State::Ready;
                self.actions.push_back(Action::LookUp(id));
            } else {
                let mut pending = Vec::new();
                self.leave_inputs(id, &mut pending);
                self.remove(id);
                pending.into_iter().for_each(|input| self.unwant(input));
            }
            return;
        }
        self.settle(id, result);
    }

    /// Passes a result on to the users of a node: those that now have all inputs, and those that
    /// can have no value any more.
    fn settle(&mut self, id: NodeId, result: Result<V, E>) {
        let mut settled = vec![(id, result)];
        while let Some((id, result)) = settled.pop() {
            let Some(node) = self.node_mut(id) else { continue };
            if matches!(node.state, State::Done(_)) {
                continue;
            }
            let failed = result.as_ref().err().cloned();
            node.state = State::Done(result);
            let users = std::mem::take(&mut node.users);
            self.actions.push_back(Action::Announce(id));
            let mut inputs = Vec::new();
            self.leave_inputs(id, &mut inputs);
            for user in users {
                match &failed {
                    Some(error) => settled.push((user, Err(error.clone()))),
                    None => self.input_is_there(user),
                }
            }
            inputs.into_iter().for_each(|input| self.unwant(input));
        }
    }

    fn input_is_there(&mut self, id: NodeId) {
        let Some(node) = self.node_mut(id) else { return };
        if let State::Waiting { n_pending } = &mut node.state {
            *n_pending -= 1;
            if *n_pending == 0 {
                node.state = State::Ready;
                self.actions.push_back(Action::LookUp(id));
            }
        }
    }

    /// Returns the node of a vertex. If it does not exist, it is created with the nodes of all
    /// inputs, in a loop, because a chain can be longer than the stack allows.
    fn node_of(&mut self, vertex: &Arc<Vertex>) -> NodeId {
        if let Some(id) = self.by_digest.get(&vertex.digest()) {
            return *id;
        }
        let root = self.add(vertex);
        let mut fresh = vec![root];
        while let Some(id) = fresh.pop() {
            let Some(vertex) = self.vertex(id).cloned() else { continue };
            let (mut n_pending, mut failed) = (0, None);
            for input in vertex.inputs() {
                let input = &input.edge.vertex;
                let input_id = self.by_digest.get(&input.digest()).copied().unwrap_or_else(|| {
                    let id = self.add(input);
                    fresh.push(id);
                    id
                });
                let Some(node) = self.node_mut(input_id) else { continue };
                node.n_interested += 1;
                match &node.state {
                    State::Done(Ok(_)) => {}
                    State::Done(Err(error)) => failed = Some(error.clone()),
                    _ => {
                        node.users.push(id);
                        n_pending += 1;
                    }
                }
            }
            self.begin(id, n_pending, failed);
        }
        root
    }

    fn begin(&mut self, id: NodeId, n_pending: usize, failed: Option<E>) {
        if let Some(error) = failed {
            return self.settle(id, Err(error));
        }
        let Some(node) = self.node_mut(id) else { return };
        if n_pending == 0 {
            node.state = State::Ready;
            self.actions.push_back(Action::LookUp(id));
        } else {
            node.state = State::Waiting { n_pending };
        }
    }

    /// Collects the inputs of a node, once for each time that the node uses one.
    fn leave_inputs(&mut self, id: NodeId, into: &mut Vec<NodeId>) {
        let Some(vertex) = self.vertex(id).cloned() else { return };
        for input in vertex.inputs() {
            if let Some(input) = self.by_digest.get(&input.edge.vertex.digest()).copied() {
                if let Some(node) = self.node_mut(input)
                    && let Some(at) = node.users.iter().position(|user| *user == id)
                {
                    node.users.swap_remove(at);
                }
                into.push(input);
            }
        }
    }

    fn add(&mut self, vertex: &Arc<Vertex>) -> NodeId {
        let node = Node {
            vertex: Arc::clone(vertex),
            state: State::Waiting { n_pending: usize::MAX },
            n_interested: 0,
            users: Vec::new(),
        };
        let id = self.free.pop().unwrap_or_else(|| {
            self.nodes.push(None);
            self.nodes.len() - 1
        });
        self.nodes[id] = Some(node);
        self.by_digest.insert(vertex.digest(), id);
        id
    }

    fn remove(&mut self, id: NodeId) {
        if let Some(node) = self.nodes.get_mut(id).and_then(Option::take) {
            self.by_digest.remove(&node.vertex.digest());
            self.free.push(id);
        }
    }

    fn node(&self, id: NodeId) -> Option<&Node<V, E>> {
        self.nodes.get(id)?.as_ref()
    }

    fn node_mut(&mut self, id: NodeId) -> Option<&mut Node<V, E>> {
        self.nodes.get_mut(id)?.as_mut()
    }
}
