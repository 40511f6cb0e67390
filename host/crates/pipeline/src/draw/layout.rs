//! A layered layout: each layer is a column, and arrows go from left to right.
//!
//! Source: Sugiyama, Tagawa and Toda, "Methods for Visual Understanding of Hierarchical System
//! Structures", 1981: layers by the longest path, bends where an arrow crosses a layer, order in a
//! layer by barycenters. Positions in a layer are those next to the neighbours' mean, by least
//! squares. All of it takes time in proportion to nodes and edges, but for sorting.

mod layered;
mod layers;
mod order;
mod place;

pub(super) use layered::{Layout, Route, Size};

/// Places nodes of these sizes. An edge is a pair of positions in `sizes`, and `label_widths` has the width of each
/// edge's label.
pub(super) fn layout(sizes: &[Size], edges: &[(usize, usize)], label_widths: &[f64]) -> Layout {
    let mut layered = layers::assign(sizes.len(), edges);
    let order = order::order(&mut layered);
    place::place(&layered, &order, sizes, label_widths)
}
