//! A definition: everything that some edges need, each vertex once, in an order.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write as _;
use std::sync::Arc;

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{DfsPostOrder, Reversed};

use crate::digest::DefinitionDigest;
use crate::vertex::{Edge, Vertex};

/// All vertices that some edges need, inputs before their users.
///
/// [`Vertex::inputs`] is the authority; the petgraph graph is only an index that gives the order. It has an edge from
/// each input to its user.
pub struct Definition {
    graph: DiGraph<Arc<Vertex>, ()>,
    order: Vec<NodeIndex>,
}

impl Definition {
    /// Collects the vertices that `outputs` need, each once.
    #[must_use]
    pub fn of<'a>(outputs: impl IntoIterator<Item = &'a Edge>) -> Self {
        let (mut graph, mut known) = (DiGraph::new(), BTreeMap::new());
        let outputs: Vec<NodeIndex> =
            outputs.into_iter().map(|output| add(&mut graph, &mut known, &output.vertex)).collect();
        // The loop also reaches the nodes that it adds.
        let mut next = 0;
        while let Some(vertex) = graph.node_weight(NodeIndex::new(next)).cloned() {
            for input in vertex.inputs() {
                let input = add(&mut graph, &mut known, &input.edge.vertex);
                graph.add_edge(input, NodeIndex::new(next), ());
            }
            next += 1;
        }
        let mut order = Vec::with_capacity(graph.node_count());
        let inputs_first = Reversed(&graph);
        let mut walk = DfsPostOrder::empty(inputs_first);
        for output in outputs {
            walk.move_to(output);
            while let Some(index) = walk.next(inputs_first) {
                order.push(index);
            }
        }
        Self { graph, order }
    }

    /// Returns all vertices, inputs before their users.
    pub fn vertices(&self) -> impl ExactSizeIterator<Item = &Arc<Vertex>> {
        self.order.iter().map(|index| &self.graph[*index])
    }

    /// Writes one line for each vertex: its number, its operation, and the numbers of its inputs. An input is followed
    /// by its output if that is not the first, and by its path if that is not the root.
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
}

fn add(
    graph: &mut DiGraph<Arc<Vertex>, ()>,
    known: &mut BTreeMap<DefinitionDigest, NodeIndex>,
    vertex: &Arc<Vertex>,
) -> NodeIndex {
    match known.entry(vertex.digest()) {
        Entry::Occupied(known) => *known.get(),
        Entry::Vacant(unknown) => *unknown.insert(graph.add_node(Arc::clone(vertex))),
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
    }

    #[test]
    fn a_chain_longer_than_the_stack_is_deep_has_an_order() {
        let mut made = local("/a");
        for _ in 0..100_000 {
            made = Selection::of(Op::Merge, vec![made]);
        }
        assert_eq!(Definition::of([&made.edge]).vertices().len(), 100_001);
    }
}
