//! Vertices, and the edges between them.

use std::fmt;
use std::mem;
use std::sync::Arc;

use crate::digest::{DefinitionDigest, KeyHasher};
use crate::op::{Op, SourceOp};
use crate::path::TreePath;

/// An operation with its inputs. A vertex is immutable and shared by `Arc`.
pub struct Vertex {
    digest: DefinitionDigest,
    op: Op,
    inputs: Vec<Selection>,
    n_bytes: u64,
}

/// An output of a vertex.
#[derive(Clone)]
pub struct Edge {
    /// The vertex that has the output.
    pub vertex: Arc<Vertex>,
    /// The number of the output. Output 0 is the tree that the vertex makes; the other outputs of a command are its
    /// writable mounts.
    pub output: u32,
}

/// A file or a directory in the tree of an edge.
#[derive(Clone, PartialEq, Eq)]
pub struct Selection {
    /// The edge that has the tree.
    pub edge: Edge,
    /// The path in the tree.
    pub path: TreePath,
}

impl Vertex {
    /// Makes a vertex. Its digest is a hash of the operation and of the definitions of the inputs.
    #[must_use]
    pub fn new(op: Op, inputs: Vec<Selection>) -> Arc<Self> {
        let mut hasher = KeyHasher::new("vertex/1");
        op.hash_into(&mut hasher);
        op.hash_definition_only(&mut hasher);
        hasher.list(inputs.iter(), |h, input| input.hash_into(h));
        let n_bytes = op.n_bytes(hasher.n_bytes());
        Arc::new(Self { digest: hasher.definition(), op, inputs, n_bytes })
    }

    /// Makes the vertex of an empty tree.
    #[must_use]
    pub fn scratch() -> Arc<Self> {
        Self::new(Op::Source(SourceOp::Scratch), Vec::new())
    }

    /// Returns the identity of the vertex.
    #[must_use]
    pub fn digest(&self) -> DefinitionDigest {
        self.digest
    }

    /// Returns the operation of the vertex.
    #[must_use]
    pub fn op(&self) -> &Op {
        &self.op
    }

    /// Returns about how many bytes the texts and lists of the vertex take. What it shares is not counted.
    #[must_use]
    pub fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// Returns the inputs in order.
    #[must_use]
    pub fn inputs(&self) -> &[Selection] {
        &self.inputs
    }
}

impl Drop for Vertex {
    /// Frees the vertices that only this one needs, without recursion: a chain may be longer than the stack is deep.
    fn drop(&mut self) {
        let mut pending = mem::take(&mut self.inputs);
        while let Some(input) = pending.pop() {
            if let Some(mut vertex) = Arc::into_inner(input.edge.vertex) {
                pending.append(&mut vertex.inputs);
            }
        }
    }
}

impl Edge {
    /// Returns output 0 of a vertex.
    #[must_use]
    pub fn first(vertex: Arc<Vertex>) -> Self {
        Self { vertex, output: 0 }
    }

    /// Feeds `hasher` with the identity of the edge: the whole digest of its vertex, and the number of the output.
    pub fn hash_into(&self, hasher: &mut KeyHasher) {
        let Self { vertex, output } = self;
        hasher.bytes(vertex.digest.as_bytes());
        hasher.number(u64::from(*output));
    }

    /// Selects a path in the tree of the edge.
    #[must_use]
    pub fn at(self, path: TreePath) -> Selection {
        Selection { edge: self, path }
    }
}

impl Selection {
    /// Selects the whole tree of output 0 of a new vertex.
    #[must_use]
    pub fn of(op: Op, inputs: Vec<Self>) -> Self {
        Edge::first(Vertex::new(op, inputs)).at(TreePath::root())
    }
}

impl Selection {
    /// Feeds `hasher` with the identity of the selection: its edge and its path.
    pub fn hash_into(&self, hasher: &mut KeyHasher) {
        let Self { edge, path } = self;
        edge.hash_into(hasher);
        hasher.text(path.as_str());
    }
}

impl PartialEq for Edge {
    fn eq(&self, other: &Self) -> bool {
        self.vertex.digest == other.vertex.digest && self.output == other.output
    }
}

impl Eq for Edge {}

impl fmt::Debug for Vertex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.op.describe(), self.digest.short())
    }
}

impl fmt::Debug for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}#{}", self.vertex, self.output)
    }
}

impl fmt::Debug for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}:{}", self.edge, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::FileOp;

    fn file(path: &str, base: &Arc<Vertex>) -> Arc<Vertex> {
        let path = TreePath::parse(path).unwrap();
        let op = Op::File(FileOp::MakeDirectory { path, mode: 0o755, owner: None });
        Vertex::new(op, vec![Edge::first(Arc::clone(base)).at(TreePath::root())])
    }

    #[test]
    fn equal_definitions_have_equal_digests() {
        assert_eq!(file("a", &Vertex::scratch()).digest(), file("/a/", &Vertex::scratch()).digest());
        assert_ne!(file("a", &Vertex::scratch()).digest(), file("b", &Vertex::scratch()).digest());
    }

    #[test]
    fn a_chain_longer_than_the_stack_is_deep_can_be_dropped() {
        let mut vertex = Vertex::scratch();
        for n in 0..200_000 {
            vertex = file(if n % 2 == 0 { "a" } else { "b" }, &vertex);
        }
        drop(vertex);
    }
}
