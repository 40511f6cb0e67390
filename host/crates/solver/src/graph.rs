//! The part of a graph that a request adds to the vertices that its session has evaluated.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use graph::{DefinitionDigest, Vertex};

/// The vertices that some roots need and that the session has not evaluated.
///
/// The definitions of the roots, the values of the frontier and the stored results decide the values of the roots,
/// because only the vertices of the frontier read from outside.
pub struct Graph<'a, V> {
    /// The vertices that were asked for, each once.
    pub roots: &'a [Arc<Vertex>],
    /// The vertices without a value, each after its inputs. The roots are among them.
    pub vertices: &'a [Arc<Vertex>],
    /// The inputs of these vertices that have values: sources, and vertices that were evaluated before.
    pub frontier: &'a [(Arc<Vertex>, V)],
}

/// A graph whose frontier has no values yet.
pub(crate) struct Outline {
    pub(crate) roots: Vec<Arc<Vertex>>,
    pub(crate) vertices: Vec<Arc<Vertex>>,
    pub(crate) frontier: Vec<Arc<Vertex>>,
}

/// Uses the first bytes of a digest as its hash. They are as good as random.
#[derive(Default)]
pub(crate) struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _: usize) {}
}

pub(crate) type DigestMap<V> = HashMap<DefinitionDigest, V, BuildHasherDefault<DigestHasher>>;
pub(crate) type DigestSet = HashSet<DefinitionDigest, BuildHasherDefault<DigestHasher>>;

/// The knowledge that a session has of a vertex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// No request has asked for the vertex.
    Nothing,
    /// The vertex has a value.
    Value,
    /// The vertex is part of a graph that was found, and its own value is not known.
    InGraph,
    /// The vertex is being evaluated, or its evaluation has failed.
    Pending,
}

/// A step of the walk over a graph.
enum Step<'a> {
    /// Looks at a vertex and then at its inputs.
    Enter(&'a Arc<Vertex>),
    /// Adds a vertex; its inputs were added before.
    Leave(&'a Arc<Vertex>),
}

impl Outline {
    /// Collects the graph of some vertices. Returns none if a vertex of it is being evaluated or is part of a graph
    /// that was found; then the vertices are looked up one by one.
    pub(crate) fn of<'a>(
        wanted: impl Iterator<Item = &'a Arc<Vertex>>,
        is_source: impl Fn(&Vertex) -> bool,
        known: impl Fn(&Vertex) -> Known,
    ) -> Option<Self> {
        let mut this = Self { roots: Vec::new(), vertices: Vec::new(), frontier: Vec::new() };
        let mut seen = DigestSet::default();
        let mut pending = Vec::new();
        for root in wanted {
            if known(root) == Known::Value || is_source(root) {
                continue;
            }
            if !this.roots.iter().any(|other| other.digest() == root.digest()) {
                this.roots.push(Arc::clone(root));
            }
            pending.push(Step::Enter(root));
            // Not by recursion, because a chain may be longer than the stack is deep.
            while let Some(step) = pending.pop() {
                let vertex = match step {
                    Step::Enter(vertex) if seen.insert(vertex.digest()) => vertex,
                    Step::Enter(_) => continue,
                    Step::Leave(vertex) => {
                        this.vertices.push(Arc::clone(vertex));
                        continue;
                    }
                };
                match (known(vertex), is_source(vertex)) {
                    (Known::Value, _) | (_, true) => this.frontier.push(Arc::clone(vertex)),
                    (Known::InGraph | Known::Pending, false) => return None,
                    (Known::Nothing, false) => {
                        pending.push(Step::Leave(vertex));
                        pending.extend(vertex.inputs().iter().map(|input| Step::Enter(&input.edge.vertex)));
                    }
                }
            }
        }
        Some(this)
    }
}
