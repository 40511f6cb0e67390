//! A graph in layers, and the places of its nodes and edges.

/// The places of all nodes and edges, in pixels.
pub(in crate::draw) struct Layout {
    /// The upper left corner of each node.
    pub(in crate::draw) corners: Vec<(f64, f64)>,
    /// The route of each edge.
    pub(in crate::draw) routes: Vec<Route>,
    /// The size of the whole drawing.
    pub(in crate::draw) size: Size,
}

/// The points of an edge from left to right, in pairs: the edge leaves a column at the first point of a pair and
/// enters the next column at the second.
pub(in crate::draw) struct Route {
    /// The first point is at the right of a node, the last at the left of one.
    pub(in crate::draw) points: Vec<(f64, f64)>,
    /// Whether the edge goes against the order of the layers. Each cycle has such an edge. Its points lead from its
    /// end to its start.
    pub(in crate::draw) is_reversed: bool,
}

/// A width and a height in pixels.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::draw) struct Size {
    pub(in crate::draw) width: f64,
    pub(in crate::draw) height: f64,
}

/// A graph in layers. The first items are the nodes, the others are bends of edges.
pub(super) struct Layered {
    /// The layer of each item.
    pub(super) layer: Vec<usize>,
    pub(super) n_nodes: usize,
    pub(super) n_layers: usize,
    /// The items of each edge, from left to right.
    pub(super) chains: Vec<Chain>,
}

pub(super) struct Chain {
    pub(super) items: Vec<usize>,
    pub(super) is_reversed: bool,
}

impl Layered {
    /// Returns the neighbours of each item in the layers before (0) and after (1) its own.
    pub(super) fn neighbours(&self) -> [Vec<Vec<usize>>; 2] {
        let mut sides = [vec![Vec::new(); self.layer.len()], vec![Vec::new(); self.layer.len()]];
        for chain in &self.chains {
            for pair in chain.items.windows(2) {
                // An item that is joined with itself has no side.
                if let [left, right] = *pair
                    && left != right
                {
                    sides[0][right].push(left);
                    sides[1][left].push(right);
                }
            }
        }
        sides
    }
}
