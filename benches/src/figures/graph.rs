//! `graph-null`: a large graph with nothing to do, beside ninja with the same graph.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::measure::{self, N_ROUNDS};
use crate::report::Row;
use crate::setup::{self, Bench, program};
use crate::worker;
use crate::worker::graph::edges;

/// The number of vertices.
const N_VERTICES: usize = 100_000;

/// The number of vertices of the graph that memory is compared with.
const N_FEW: usize = 100;

/// Measures a process that builds a graph of 100,000 vertices and solves it, beside ninja.
pub(super) fn graph_null(bench: &Bench) -> Result<Vec<Row>> {
    let ninja = program("ninja", "ninja-build")?;
    let directory = bench.kept(&format!("ninja-{N_VERTICES}-v1"));
    prepare(&ninja, &directory)?;
    let store = bench.directory("store-graph")?;
    crate::say(&format!("graph-null: filling a store with {N_VERTICES} results"));
    for n in [N_FEW, N_VERTICES] {
        measure::output(solve(&store, n)?.arg("fill"))?;
        // Every result must be in the cache.
        let found: Value = serde_json::from_str(&measure::output(solve(&store, n)?.arg("null"))?)?;
        ensure!(found["n_ran"].as_u64() == Some(0), "not everything was cached: {found}");
        crate::say(&format!("graph-null: in process: {found}"));
    }
    let mut null = solve(&store, N_VERTICES)?;
    null.arg("null");
    let mut nothing = Command::new(&ninja);
    nothing.arg("-C").arg(&directory);
    let mut peaks = Vec::new();
    let pair = measure::interleave(
        "graph-null",
        N_ROUNDS,
        || {
            let usage = measure::run(&mut null)?;
            peaks.push(usage.peak_bytes);
            Ok(usage.seconds)
        },
        || Ok(measure::run(&mut nothing)?.seconds),
    )?;
    let few: Result<Vec<f64>> =
        (0..N_ROUNDS).map(|_| Ok(measure::run(solve(&store, N_FEW)?.arg("null"))?.peak_bytes)).collect();
    let grown = measure::median(&mut peaks) - measure::median(&mut few?);
    Ok(vec![
        Row::times("graph-null", pair.value, pair.reference, 1.0),
        Row::bytes("graph-null-memory", grown / (N_VERTICES - N_FEW) as f64, 1024.0),
    ])
}

fn solve(store: &Path, n_vertices: usize) -> Result<Command> {
    let mut command = worker::command("graph")?;
    command.arg(store).arg(n_vertices.to_string());
    Ok(command)
}

/// Writes the graph for ninja, makes its files, and lets ninja run once. This takes most of a minute, so that the
/// files are kept.
fn prepare(ninja: &Path, directory: &Path) -> Result<()> {
    let finished = directory.join("finished");
    if !finished.is_file() {
        crate::say(&format!("graph-null: ninja does the graph for the first time, in {}", directory.display()));
        setup::empty(directory)?;
        setup::write(&directory.join("build.ninja"), write(directory)?)?;
        measure::output(Command::new(ninja).arg("-C").arg(directory))?;
        setup::write(&finished, "")?;
    }
    let said = measure::output(Command::new(ninja).arg("-C").arg(directory))?;
    ensure!(said.contains("no work to do"), "ninja has something to do: {said}");
    Ok(())
}

/// Returns the graph in the language of ninja, and makes its files.
fn write(directory: &Path) -> Result<String> {
    let name = |vertex: usize| format!("{}/{vertex}", vertex / 1000);
    // All files have the same time, so that the commands need not write them.
    let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    let mut text = "rule nothing\n  command = :\n".to_owned();
    for (vertex, inputs) in edges(N_VERTICES).iter().enumerate() {
        let path = directory.join(name(vertex));
        if vertex % 1000 == 0 {
            fs::create_dir_all(path.parent().unwrap_or(directory))?;
        }
        let file = fs::File::create(&path).with_context(|| format!("cannot make `{}`", path.display()))?;
        file.set_modified(at)?;
        write!(text, "build {}: nothing", name(vertex))?;
        for input in inputs {
            write!(text, " {}", name(*input))?;
        }
        text.push('\n');
    }
    Ok(text)
}
