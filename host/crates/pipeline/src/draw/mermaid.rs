//! Drawings in Mermaid, which many sites show in Markdown.

use std::fmt::Write;

use super::text::{lines, printable};
use super::{Drawing, NodeKind};

/// Writes a drawing as a Mermaid flowchart.
///
/// Source of the rules for text: <https://mermaid.js.org/syntax/flowchart.html>, entity codes.
#[must_use]
pub fn mermaid(drawing: &Drawing) -> String {
    let mut out = String::from("flowchart LR\n");
    for (index, node) in drawing.nodes.iter().enumerate() {
        let label: Vec<String> = lines(&node.label, &node.details).map(|line| escaped(&line)).collect();
        let (open, close) = brackets(node.kind);
        // Ids are numbered: they are not quoted, and some words such as `end` cannot be ids.
        let _ = writeln!(out, "  n{index}{open}\"{}\"{close}", label.join("<br/>"));
    }
    for (edge, _, _) in drawing.joined() {
        match edge.label.is_empty() {
            true => drop(writeln!(out, "  n{} --> n{}", edge.from, edge.to)),
            false => drop(writeln!(out, "  n{} -->|\"{}\"| n{}", edge.from, escaped(&edge.label), edge.to)),
        }
    }
    out
}

const fn brackets(kind: NodeKind) -> (&'static str, &'static str) {
    match kind {
        NodeKind::Stage => ("[", "]"),
        NodeKind::Object => ("([", "])"),
        NodeKind::Source => ("[(", ")]"),
        NodeKind::Exec => ("[[", "]]"),
        NodeKind::File => ("(", ")"),
        NodeKind::Other => ("{{", "}}"),
    }
}

/// Writes characters that have a meaning in Mermaid, Markdown or HTML as entity codes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '\n' => out.push_str("<br/>"),
            c if c.is_alphanumeric() || !c.is_ascii() || " .,:-_()/=+".contains(c) => out.push(c),
            c => drop(write!(out, "#{};", u32::from(c))),
        }
    }
    out
}
