//! Layered layout: a column for each layer, arrows from left to right.
//!
//! Source: Sugiyama, Tagawa and Toda, "Methods for Visual Understanding of Hierarchical System
//! Structures", 1981: layers by the longest path, bends where an arrow crosses a layer, order in a
//! layer by barycenters. Positions in a layer are those next to the neighbours' mean, by least
//! squares. All of it takes time in proportion to nodes and edges, but for sorting.

mod layers;
mod order;
mod place;

pub(super) use place::Size;

/// Where everything is.
pub(super) struct Layout {
    /// The upper left corner of each node.
    pub(super) corners: Vec<(f64, f64)>,
    /// Of each edge the points that it goes through from the left to the right, in pairs: it leaves
    /// a column at the first of a pair and enters the next column at the second.
    pub(super) routes: Vec<Route>,
    /// Width and height of the whole.
    pub(super) size: Size,
}

/// The way of an edge.
pub(super) struct Route {
    /// Begins at the right of a node and ends at the left of one.
    pub(super) points: Vec<(f64, f64)>,
    /// Whether the edge goes against the order of the layers, as one on each cycle does: its points
    /// lead from its end to its start.
    pub(super) is_reversed: bool,
}

/// Finds places for nodes of these sizes. `label_widths` has one for each of the edges, which are
/// pairs of positions in `sizes`.
pub(super) fn layout(sizes: &[Size], edges: &[(usize, usize)], label_widths: &[f64]) -> Layout {
    let mut layered = layers::assign(sizes.len(), edges);
    let order = order::order(&mut layered);
    place::place(&layered, &order, sizes, label_widths)
}

/// A graph in layers. Items are the nodes, and behind them bends of edges.
struct Layered {
    /// Of each item.
    layer: Vec<usize>,
    n_nodes: usize,
    n_layers: usize,
    /// Of each edge, the items from left to right.
    chains: Vec<Chain>,
}

struct Chain {
    items: Vec<usize>,
    is_reversed: bool,
}

impl Layered {
    /// Returns what each item is joined with in layers before (0) and behind (1) its own.
    fn neighbours(&self) -> [Vec<Vec<usize>>; 2] {
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
