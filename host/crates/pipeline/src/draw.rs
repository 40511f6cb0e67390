//! Drawings of graphs: of stages, and of whatever else has nodes and edges.

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

/// A graph to draw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drawing {
    /// What there is.
    pub nodes: Vec<Node>,
    /// What belongs together. One with an end outside of `nodes` is not drawn.
    pub edges: Vec<Edge>,
}

/// What a box stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Distinguishes it: no other node has it.
    pub id: String,
    /// Its name.
    pub label: String,
    /// Lines below the name.
    pub details: Vec<String>,
    /// Decides its shape.
    pub kind: NodeKind,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeKind {
    /// A stage.
    Stage,
    /// A constructor of a custom object.
    Object,
    /// An operation that begins with something from outside: an image, a directory of the caller.
    Source,
    /// An operation that runs a command.
    Exec,
    /// An operation on files.
    File,
    /// Anything else.
    Other,
}

impl NodeKind {
    /// Returns its name, as in `stage`.
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

/// An arrow: from what is needed to what needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// A position in [`Drawing::nodes`].
    pub from: usize,
    /// A position in [`Drawing::nodes`].
    pub to: usize,
    /// What is handed on; empty if the node says all.
    pub label: String,
}

impl Drawing {
    /// Returns the edges with both nodes.
    fn joined(&self) -> impl Iterator<Item = (&Edge, &Node, &Node)> {
        self.edges.iter().filter_map(|edge| Some((edge, self.nodes.get(edge.from)?, self.nodes.get(edge.to)?)))
    }
}
