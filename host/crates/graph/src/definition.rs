//! The closed graph of everything that some edges need.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::digest::DefinitionDigest;
use crate::vertex::{Edge, Vertex};

/// Everything that some edges need, inputs before their users.
///
/// The inputs of a [`Vertex`] are the truth about the order of inputs; the petgraph graph in here
/// is an index made from them, for order, reachability and drawing.
pub struct Definition {
    graph: DiGraph<Arc<Vertex>, u32>,
    order: Vec<NodeIndex>,
}

impl Definition {
    /// Collects what `outputs` need.
    #[must_use]
    pub fn of<'a>(outputs: impl IntoIterator<Item = &'a Edge>) -> Self {
        let mut this = Self { graph: DiGraph::new(), order: Vec::new() };
        let mut known: BTreeMap<DefinitionDigest, NodeIndex> = BTreeMap::new();
        for output in outputs {
            this.add(&output.vertex, &mut known);
        }
        this
    }

    /// Adds a vertex after its inputs; iterative, because a chain may be longer than the stack is deep.
    fn add(&mut self, root: &Arc<Vertex>, known: &mut BTreeMap<DefinitionDigest, NodeIndex>) {
        let mut stack = vec![(Arc::clone(root), 0)];
        while let Some((vertex, next)) = stack.pop() {
            if known.contains_key(&vertex.digest()) {
                continue;
            }
            if let Some(input) = vertex.inputs().get(next) {
                let input = Arc::clone(&input.edge.vertex);
                stack.push((vertex, next + 1));
                stack.push((input, 0));
                continue;
            }
            let index = self.graph.add_node(Arc::clone(&vertex));
            for input in vertex.inputs() {
                if let Some(from) = known.get(&input.edge.vertex.digest()) {
                    self.graph.add_edge(*from, index, input.edge.output);
                }
            }
            known.insert(vertex.digest(), index);
            self.order.push(index);
        }
    }

    /// Returns all vertices, inputs before their users.
    pub fn vertices(&self) -> impl ExactSizeIterator<Item = &Arc<Vertex>> {
        self.order.iter().map(|index| &self.graph[*index])
    }

    /// Returns the number of vertices.
    #[must_use]
    pub fn n_vertices(&self) -> usize {
        self.order.len()
    }

    /// Returns the vertices that use a result of this one directly.
    pub fn users_of(&self, digest: DefinitionDigest) -> impl Iterator<Item = &Arc<Vertex>> {
        let index = self.order.iter().find(|index| self.graph[**index].digest() == digest);
        index
            .into_iter()
            .flat_map(|index| self.graph.neighbors_directed(*index, Direction::Outgoing))
            .map(|index| &self.graph[index])
    }

    /// Writes one line a vertex: its number, what it does, the numbers of its inputs with output and
    /// path where they are not the first and the root.
    #[must_use]
    pub fn to_text(&self) -> String {
        let numbers: BTreeMap<_, _> = self.vertices().enumerate().map(|(n, v)| (v.digest(), n)).collect();
        let mut text = String::new();
        for (n, vertex) in self.vertices().enumerate() {
            let inputs: Vec<String> = vertex
                .inputs()
                .iter()
                .map(|input| {
                    let mut text = numbers.get(&input.edge.vertex.digest()).map_or(String::new(), |n| format!("%{n}"));
                    if input.edge.output > 0 {
                        let _ = write!(text, "#{}", input.edge.output);
                    }
                    if !input.path.is_root() {
                        let _ = write!(text, ":{}", input.path);
                    }
                    text
                })
                .collect();
            let _ = writeln!(text, "%{n} = {} [{}]", vertex.op().describe(), inputs.join(", "));
        }
        text
    }

    /// Writes the graph in the DOT language.
    #[must_use]
    pub fn to_dot(&self) -> String {
        let mut text = String::from("digraph definition {\n");
        for index in &self.order {
            let _ = writeln!(text, "  n{} [label={:?}];", index.index(), self.graph[*index].op().describe());
        }
        for edge in self.graph.raw_edges() {
            let _ = writeln!(text, "  n{} -> n{};", edge.source().index(), edge.target().index());
        }
        text.push_str("}\n");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::{FileOp, Op, SourceOp};
    use crate::path::TreePath;
    use crate::vertex::Selection;

    fn local(path: &str) -> Selection {
        Selection::of(Op::Source(SourceOp::Local { path: path.into(), include: vec![], exclude: vec![] }), vec![])
    }

    #[test]
    fn inputs_come_before_their_users_and_each_vertex_once() {
        let (a, b) = (local("/a"), local("/b"));
        let merged = Selection::of(Op::Merge, vec![a.clone(), b.clone(), a.clone()]);
        let op = FileOp::MakeDirectory { path: TreePath::parse("x").unwrap(), mode: 0o755, owner: None };
        let made = Selection::of(Op::File(op), vec![merged.edge.at(TreePath::parse("sub").unwrap())]);
        let definition = Definition::of([&made.edge, &b.edge]);
        assert_eq!(
            definition.to_text(),
            "%0 = local /a []\n%1 = local /b []\n%2 = merge [%0, %1, %0]\n%3 = make directory /x [%2:/sub]\n"
        );
        assert_eq!(definition.users_of(a.edge.vertex.digest()).count(), 2);
    }

    #[test]
    fn a_definition_can_be_drawn() {
        let definition = Definition::of([&Selection::of(Op::Diff, vec![local("/a"), local("/b")]).edge]);
        assert_eq!(
            definition.to_dot(),
            "digraph definition {\n  n0 [label=\"local /a\"];\n  n1 [label=\"local /b\"];\n  n2 [label=\"diff\"];\n  n0 -> n2;\n  n1 -> n2;\n}\n"
        );
    }
}
