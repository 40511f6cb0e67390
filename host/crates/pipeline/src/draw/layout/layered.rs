//! A graph in layers, and the places of everything in it.

/// Where everything is.
pub(in crate::draw) struct Layout {
    /// The upper left corner of each node.
    pub(in crate::draw) corners: Vec<(f64, f64)>,
    /// Of each edge the points that it goes through from the left to the right, in pairs: it leaves
    /// a column at the first of a pair and enters the next column at the second.
    pub(in crate::draw) routes: Vec<Route>,
    /// Width and height of the whole.
    pub(in crate::draw) size: Size,
}

/// The way of an edge.
pub(in crate::draw) struct Route {
    /// Begins at the right of a node and ends at the left of one.
    pub(in crate::draw) points: Vec<(f64, f64)>,
    /// Whether the edge goes against the order of the layers, as one on each cycle does: its points
    /// lead from its end to its start.
    pub(in crate::draw) is_reversed: bool,
}

/// Width and height, in pixels.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::draw) struct Size {
    pub(in crate::draw) width: f64,
    pub(in crate::draw) height: f64,
}

/// A graph in layers. Items are the nodes, and behind them bends of edges.
pub(super) struct Layered {
    /// Of each item.
    pub(super) layer: Vec<usize>,
    pub(super) n_nodes: usize,
    pub(super) n_layers: usize,
    /// Of each edge, the items from left to right.
    pub(super) chains: Vec<Chain>,
}

pub(super) struct Chain {
    pub(super) items: Vec<usize>,
    pub(super) is_reversed: bool,
}

impl Layered {
    /// Returns what each item is joined with in layers before (0) and behind (1) its own.
    pub(super) fn neighbours(&self) -> [Vec<Vec<usize>>; 2] {
        let mut sides = [vec![Vec::new(); self.layer.len()], vec![Vec::new(); self.layer.len()]];
        for chain in &self.chains {
            for pair in chain.items.windows(2) {
                // What is joined with itself has no side.
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
