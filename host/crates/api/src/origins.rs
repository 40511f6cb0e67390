//! The origins of vertices: the functions and the stages that asked for them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use graph::{DefinitionDigest, Edge, Vertex};

/// Who asks for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The function with its module, as in `shop.build`.
    pub function: Arc<str>,
    /// The stage that the function is called for; none if it is called for no stage.
    pub stage: Option<Arc<str>>,
}

/// Keeps who asked for a vertex first.
#[derive(Debug, Default)]
pub struct Origins {
    /// Whether the stage of every vertex is kept, and not only that of commands.
    is_complete: bool,
    commands: Mutex<HashMap<DefinitionDigest, Arc<Caller>>>,
    stages: Mutex<HashMap<DefinitionDigest, Arc<str>>>,
}

impl Origins {
    /// Begins to keep who asked for commands. With `is_complete` the stage of every other vertex is kept as well, which
    /// takes memory for each vertex that is described.
    #[must_use]
    pub fn new(is_complete: bool) -> Self {
        Self { is_complete, ..Self::default() }
    }

    /// Returns whether the stage of every vertex is kept.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Notes who asked for a command, unless another one did so before.
    pub fn note(&self, command: DefinitionDigest, caller: &Arc<Caller>) {
        lock(&self.commands).entry(command).or_insert_with(|| Arc::clone(caller));
    }

    /// Notes the stage of vertices, and of what they need, if no other stage has it. Does nothing if only commands are
    /// kept.
    pub fn own(&self, edges: &[Edge], stage: &Arc<str>) {
        if !self.is_complete {
            return;
        }
        let mut stages = lock(&self.stages);
        let mut pending: Vec<&Arc<Vertex>> = edges.iter().map(|edge| &edge.vertex).collect();
        while let Some(vertex) = pending.pop() {
            if let Entry::Vacant(entry) = stages.entry(vertex.digest()) {
                entry.insert(Arc::clone(stage));
                pending.extend(vertex.inputs().iter().map(|input| &input.edge.vertex));
            }
        }
    }

    /// Returns who asked for a command first, if it was noted.
    #[must_use]
    pub fn of(&self, command: DefinitionDigest) -> Option<Arc<Caller>> {
        lock(&self.commands).get(&command).cloned()
    }

    /// Returns the stage of a vertex, if it was noted.
    #[must_use]
    pub fn stage_of(&self, vertex: DefinitionDigest) -> Option<Arc<str>> {
        let noted = lock(&self.stages).get(&vertex).cloned();
        noted.or_else(|| self.of(vertex)?.stage.clone())
    }
}

fn lock<T>(map: &Mutex<T>) -> MutexGuard<'_, T> {
    map.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use graph::{FileOp, Op, TreePath};

    use super::*;

    #[test]
    fn what_a_stage_asks_for_first_is_its_own_with_all_that_nobody_else_asked_for() {
        let directory = |path: &str, input: Edge| {
            let op = FileOp::MakeDirectory { path: TreePath::parse(path).unwrap(), mode: 0o755, owner: None };
            Edge::first(Vertex::new(Op::File(op), vec![input.at(TreePath::root())]))
        };
        let scratch = Edge::first(Vertex::scratch());
        let source = directory("source", scratch);
        let built = directory("built", source.clone());
        let tested = directory("tested", built.clone());
        let (build, test): (Arc<str>, Arc<str>) = ("build".into(), "test".into());
        let origins = Origins::new(true);
        origins.own(std::slice::from_ref(&built), &build);
        origins.own(&[tested.clone(), built.clone()], &test);
        let stages = [&source, &built, &tested].map(|edge| origins.stage_of(edge.vertex.digest()).unwrap());
        assert_eq!(stages, [build.clone(), build, test.clone()]);
        let commands_only = Origins::default();
        commands_only.own(std::slice::from_ref(&tested), &test);
        assert_eq!(commands_only.stage_of(tested.vertex.digest()), None);
    }
}
