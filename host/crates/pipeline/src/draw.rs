//! Drawings of graphs: of stages, and of anything else with nodes and edges.

mod dot;
mod json;
mod layout;
mod mermaid;
mod stages;
mod svg;
#[cfg(test)]
mod tests;
mod text;

pub use dot::dot;
pub use json::json;
pub use mermaid::mermaid;
pub use svg::svg;
#[cfg(test)]
pub(crate) use text::of_value;

/// A graph that can be drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drawing {
    /// The nodes of the graph.
    pub nodes: Vec<Node>,
    /// The edges of the graph. An edge with an end outside of `nodes` is not drawn.
    pub edges: Vec<Edge>,
}

/// A node: a box in the drawing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The identity of the node. No other node has it.
    pub id: String,
    /// The name of the node.
    pub label: String,
    /// The lines below the name.
    pub details: Vec<String>,
    /// The kind of node. It decides the shape of the box.
    pub kind: NodeKind,
}

/// The kind of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeKind {
    /// A stage of the pipeline.
    Stage,
    /// A constructor of a custom object.
    Object,
    /// An operation that brings something in from outside: an image, or a directory of the caller.
    Source,
    /// An operation that runs a command.
    Exec,
    /// An operation on files.
    File,
    /// Any other operation.
    Other,
}

impl NodeKind {
    /// Returns the name of the kind, as in `stage`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stage => "stage",
            Self::Object => "object",
            Self::Source => "source",
            Self::Exec => "exec",
            Self::File => "file",
            Self::Other => "other",
        }
    }
}

/// An arrow from a node to a node that needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The position of the first node in [`Drawing::nodes`].
    pub from: usize,
    /// The position of the second node in [`Drawing::nodes`].
    pub to: usize,
    /// The text at the arrow. It may be empty.
    pub label: String,
}

impl Drawing {
    /// Returns the edges with both nodes.
    fn joined(&self) -> impl Iterator<Item = (&Edge, &Node, &Node)> {
        self.edges.iter().filter_map(|edge| Some((edge, self.nodes.get(edge.from)?, self.nodes.get(edge.to)?)))
    }
}
