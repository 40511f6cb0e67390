//! A large graph of cheap operations, in one session of the embedded engine.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use engine::{Engine as _, Event, Outcome};
use engine_embedded::embedded;
use engine_embedded::zone::ZoneConfig;
use graph::{Edge, FileOp, Op, Selection, TreePath, Vertex};
use serde_json::json;
use store::Store;

use super::Random;

/// The number of vertices that do not depend on each other.
const WIDTH: usize = 1000;

/// Returns the inputs of each vertex. The vertices of every second row have one input in the row before, the others
/// two or three. The last vertex has all vertices as inputs that are not the input of another one.
pub(crate) fn edges(n_vertices: usize) -> Vec<Vec<usize>> {
    let mut random = Random::new(2);
    let mut edges: Vec<Vec<usize>> = Vec::with_capacity(n_vertices);
    let mut is_used = vec![false; n_vertices];
    let Some(last) = n_vertices.checked_sub(1) else { return edges };
    for vertex in 0..last {
        let mut inputs = Vec::new();
        if let Some(above) = vertex.checked_sub(WIDTH) {
            inputs.push(above);
            let layer = above / WIDTH * WIDTH;
            let n_more = if is_merge(vertex) { 1 + random.below(2) } else { 0 };
            inputs.extend((0..n_more).map(|_| layer + random.below(WIDTH)));
            inputs.sort_unstable();
            inputs.dedup();
        }
        inputs.iter().for_each(|input| is_used[*input] = true);
        edges.push(inputs);
    }
    edges.push((0..last).filter(|vertex| !is_used[*vertex]).collect());
    edges
}

fn is_merge(vertex: usize) -> bool {
    vertex / WIDTH % 2 == 1
}

/// Returns the last vertex of the graph. Each vertex makes a tree of at most eight small files.
fn build(n_vertices: usize) -> Result<Edge> {
    let root = TreePath::root();
    let scratch = Vertex::scratch();
    let mut vertices: Vec<Arc<Vertex>> = Vec::with_capacity(n_vertices);
    for (vertex, inputs) in edges(n_vertices).iter().enumerate() {
        let mut selected: Vec<Selection> =
            inputs.iter().map(|input| Edge::first(Arc::clone(&vertices[*input])).at(root.clone())).collect();
        let op = if vertex + 1 == n_vertices || is_merge(vertex) {
            Op::Merge
        } else {
            if selected.is_empty() {
                selected.push(Edge::first(Arc::clone(&scratch)).at(root.clone()));
            }
            let path = TreePath::parse(&format!("file{}", vertex % 8))?;
            Op::File(FileOp::MakeFile {
                path,
                contents: vertex.to_string().into_bytes().into(),
                mode: 0o644,
                owner: None,
            })
        };
        vertices.push(Vertex::new(op, selected));
    }
    vertices.pop().map(Edge::first).context("a graph has a vertex")
}

/// Evaluates the graph, and prints how many of its vertices ran and how long that took. With `null` it is an error if
/// a vertex ran.
pub(super) fn main(store: &Path, n_vertices: usize, what: &str) -> Result<()> {
    let started = Instant::now();
    let last = build(n_vertices)?;
    let built = started.elapsed();
    let n_ran = Arc::new(AtomicU64::new(0));
    let runtime = super::runtime()?;
    let _inside = runtime.enter();
    let count = Arc::clone(&n_ran);
    let io = super::session(
        store,
        Arc::new(move |event| {
            if let Event::Finished { outcome, .. } = event
                && outcome != Outcome::Cached
            {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }),
    );
    let store = Store::open(store)?;
    let zone = ZoneConfig::new(store.root());
    let engine = embedded(store, io, zone);
    runtime.block_on(engine.solve(&[last])).map_err(|failure| anyhow::anyhow!("a vertex has no value: {failure}"))?;
    let solved = started.elapsed();
    let n_ran = n_ran.load(Ordering::Relaxed);
    ensure!(what == "fill" || n_ran == 0, "{n_ran} vertices were not cached");
    print(&json!({
        "n_vertices": n_vertices,
        "n_ran": n_ran,
        "build_seconds": built.as_secs_f64(),
        "solve_seconds": (solved - built).as_secs_f64(),
    }));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what a worker prints is its answer")]
fn print(answer: &serde_json::Value) {
    println!("{answer}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_vertex_needs_all_others() {
        let edges = edges(5_000);
        let mut is_needed = vec![false; edges.len()];
        is_needed[edges.len() - 1] = true;
        for vertex in (0..edges.len()).rev() {
            assert!(is_needed[vertex], "nothing needs {vertex}");
            for input in &edges[vertex] {
                assert!(*input < vertex);
                is_needed[*input] = true;
            }
        }
    }
}
