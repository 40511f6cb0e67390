//! Drawings in DOT, the language of Graphviz.

use std::fmt::Write;

use super::text::{lines, printable};
use super::{Drawing, NodeKind};

/// Writes a drawing in DOT.
///
/// Source of the rules for text: <https://graphviz.org/doc/info/lang.html>, and for the escapes in
/// labels <https://graphviz.org/docs/attr-types/escString/>.
#[must_use]
pub fn dot(drawing: &Drawing) -> String {
    let mut out = String::from("digraph pipeline {\n");
    out.push_str("  rankdir=LR;\n  node [fontname=\"monospace\", fontsize=11];\n");
    out.push_str("  edge [fontname=\"monospace\", fontsize=10];\n");
    for node in &drawing.nodes {
        let label: Vec<String> = lines(&node.label, &node.details).map(|line| escaped(&line)).collect();
        let (id, label) = (escaped(&node.id), label.join("\\n"));
        let _ = writeln!(out, "  \"{id}\" [label=\"{label}\", shape={}];", shape(node.kind));
    }
    for (edge, from, to) in drawing.joined() {
        let _ = write!(out, "  \"{}\" -> \"{}\"", escaped(&from.id), escaped(&to.id));
        if !edge.label.is_empty() {
            let _ = write!(out, " [label=\"{}\"]", escaped(&edge.label));
        }
        out.push_str(";\n");
    }
    out.push_str("}\n");
    out
}

const fn shape(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Stage => "box",
        NodeKind::Object => "ellipse",
        NodeKind::Source => "cylinder",
        NodeKind::Exec => "component",
        NodeKind::File => "note",
        NodeKind::Other => "hexagon",
    }
}

/// Escapes text between quotes. In a label `\N` would be the name of the node, and `&lt;` a `<`.
fn escaped(text: &str) -> String {
    printable(text).replace('\\', "\\\\").replace('"', "\\\"").replace('&', "&amp;").replace('\n', "\\n")
}
