//! Drawings in JSON, for programs.

use serde_json::json as object;

use super::Drawing;

/// Writes a drawing as JSON: `{"nodes": [{id, label, details, kind}], "edges": [{from, to, label}]}`. Edges name the
/// nodes by their ids.
#[must_use]
pub fn json(drawing: &Drawing) -> String {
    let nodes = drawing
        .nodes
        .iter()
        .map(|node| object!({"id": node.id, "label": node.label, "details": node.details, "kind": node.kind.as_str()}));
    let edges = drawing.joined().map(|(edge, from, to)| object!({"from": from.id, "to": to.id, "label": edge.label}));
    let whole = object!({"nodes": nodes.collect::<Vec<_>>(), "edges": edges.collect::<Vec<_>>()});
    format!("{whole:#}\n")
}
