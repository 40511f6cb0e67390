//! Drawings in SVG. A drawing is one file that needs no other, and is readable on a light and on a dark page.

use std::fmt::Write;

use super::layout::{Layout, Route, Size, layout};
use super::text::{lines, printable, shortened};
use super::{Drawing, Node, NodeKind};

/// The size of text, in pixels.
const FONT_SIZE: f64 = 12.0;
/// The width of a character of a monospaced font of that size.
const CHARACTER_WIDTH: f64 = 7.3;
/// The distance between lines of text.
const LINE_HEIGHT: f64 = 16.0;
/// The distance between a box and its text.
const PADDING: f64 = 10.0;

/// Boxes and labels have their own light background, and arrows a grey that shows on white and on black: the page may
/// have either colour.
const STYLE: &str = "\
text{font:12px ui-monospace,Menlo,Consolas,monospace;fill:#1f2328}\
.name{font-weight:bold}\
.box{stroke:#57606a;stroke-width:1}\
.stage{fill:#ddf4ff}.object{fill:#fbefff}.source{fill:#dafbe1}.exec{fill:#fff8c5}.file{fill:#fff1e5}.other{fill:#eaeef2}\
.edge{fill:none;stroke:#818b98;stroke-width:1.5;marker-end:url(#arrow)}\
.back{marker-end:none;marker-start:url(#arrow);stroke-dasharray:4 3}\
.pill{fill:#eaeef2;stroke:#afb8c1;stroke-width:.5}";

/// Lays a drawing out and writes it as SVG.
#[must_use]
pub fn svg(drawing: &Drawing) -> String {
    let boxes: Vec<Vec<String>> = drawing.nodes.iter().map(box_lines).collect();
    let sizes: Vec<Size> = boxes.iter().map(|lines| box_size(lines)).collect();
    let labels: Vec<String> = drawing.joined().map(|(edge, ..)| shortened(&one_line(&edge.label))).collect();
    let widths: Vec<f64> = labels.iter().map(|label| text_width(label)).collect();
    let edges: Vec<(usize, usize)> = drawing.joined().map(|(edge, ..)| (edge.from, edge.to)).collect();
    let layout = layout(&sizes, &edges, &widths);
    let mut out = String::new();
    start(&mut out, &layout);
    for route in &layout.routes {
        let class = if route.is_reversed { "edge back" } else { "edge" };
        let _ = writeln!(out, "<path class=\"{class}\" d=\"{}\"/>", path(route));
    }
    for ((node, lines), (size, corner)) in drawing.nodes.iter().zip(&boxes).zip(sizes.iter().zip(&layout.corners)) {
        draw_box(&mut out, node, lines, *size, *corner);
    }
    for ((label, width), route) in labels.iter().zip(widths).zip(&layout.routes) {
        draw_label(&mut out, label, width, route);
    }
    out.push_str("</svg>\n");
    out
}

fn start(out: &mut String, layout: &Layout) {
    let Size { width, height } = layout.size;
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\">\n<style>{STYLE}</style>\n\
         <defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"6\" markerHeight=\"6\" \
         orient=\"auto-start-reverse\"><path d=\"M0 0L8 4L0 8z\" fill=\"#818b98\"/></marker></defs>"
    );
}

/// Returns the path of an arrow: a curve between columns, and a straight line across a column.
fn path(route: &Route) -> String {
    let mut path = String::new();
    for pair in route.points.chunks_exact(2) {
        let [(x1, y1), (x2, y2)] = *pair else { continue };
        // An arrow from a node to itself goes around it.
        let (middle, lift) = if x2 > x1 { ((x1 + x2) / 2.0, 0.0) } else { ((x1 + x2) / 2.0, 2.0 * LINE_HEIGHT) };
        let (out, into) = if lift > 0.0 { (x1 + lift, x2 - lift) } else { (middle, middle) };
        let command = if path.is_empty() { 'M' } else { 'L' };
        let _ = write!(
            path,
            "{command}{x1:.1} {y1:.1}C{out:.1} {:.1} {into:.1} {:.1} {x2:.1} {y2:.1}",
            y1 - lift,
            y2 - lift
        );
    }
    path
}

fn draw_box(out: &mut String, node: &Node, lines: &[String], size: Size, (x, y): (f64, f64)) {
    let Size { width, height } = size;
    let (kind, radius) = (node.kind.as_str(), corner_radius(node.kind, height));
    let title = std::iter::once(&node.label).chain(&node.details).map(|line| escaped(line));
    let title = title.collect::<Vec<_>>().join("\n");
    let _ = writeln!(
        out,
        "<g><title>{title}</title><rect class=\"box {kind}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
         height=\"{height:.1}\" rx=\"{radius:.1}\"/>"
    );
    for (index, line) in lines.iter().enumerate() {
        let class = if index == 0 { " class=\"name\"" } else { "" };
        let baseline = y + PADDING + FONT_SIZE - 1.0 + LINE_HEIGHT * index as f64;
        let _ = writeln!(out, "<text{class} x=\"{:.1}\" y=\"{baseline:.1}\">{}</text>", x + PADDING, escaped(line));
    }
    out.push_str("</g>\n");
}

const fn corner_radius(kind: NodeKind, height: f64) -> f64 {
    match kind {
        NodeKind::Stage | NodeKind::Exec => 4.0,
        NodeKind::Object => height.min(32.0) / 2.0,
        NodeKind::Source => 12.0,
        NodeKind::File | NodeKind::Other => 0.0,
    }
}

/// Draws a label in the middle of the last curve of an arrow, near its end.
fn draw_label(out: &mut String, label: &str, width: f64, route: &Route) {
    let [.., (x1, y1), (x2, y2)] = route.points.as_slice() else { return };
    if label.is_empty() {
        return;
    }
    let (x, y) = ((x1 + x2) / 2.0, (y1 + y2) / 2.0);
    let _ = writeln!(
        out,
        "<rect class=\"pill\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{LINE_HEIGHT}\" rx=\"8\"/>\
         <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
        x - width / 2.0 - 5.0,
        y - LINE_HEIGHT / 2.0,
        width + 10.0,
        y + 4.0,
        escaped(label)
    );
}

fn box_lines(node: &Node) -> Vec<String> {
    lines(&node.label, &node.details).map(|line| shortened(&line)).collect()
}

fn box_size(lines: &[String]) -> Size {
    let width = lines.iter().map(|line| text_width(line)).fold(0.0, f64::max);
    Size { width: width + 2.0 * PADDING, height: LINE_HEIGHT * lines.len() as f64 + 2.0 * PADDING - 4.0 }
}

fn one_line(text: &str) -> String {
    printable(text).replace('\n', " ")
}

/// Estimates the width of text: East Asian letters and emoji are twice as wide as others.
fn text_width(text: &str) -> f64 {
    let n_columns: u32 = text.chars().map(|c| if u32::from(c) >= 0x1100 && c != '…' { 2 } else { 1 }).sum();
    f64::from(n_columns) * CHARACTER_WIDTH
}

/// Escapes text between tags.
fn escaped(text: &str) -> String {
    printable(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
