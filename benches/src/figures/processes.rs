//! `processes-32`: many processes that need the same steps of one store at the same time, beside one process.

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};

use super::salt;
use super::stages::commands_that_ran;
use super::steps_on::{EMBEDDED, Steps};
use crate::children;
use crate::measure::{self, N_ROUNDS};
use crate::report::Row;
use crate::setup::{self, Bench};

/// The number of processes.
const N_PROCESSES: usize = 32;

/// The number of steps that each of them needs.
const N_STEPS: &str = "10";

/// Measures ten steps that 32 processes need, beside ten steps that one process needs.
pub(super) fn processes(bench: &Bench) -> Result<Vec<Row>> {
    let steps = Steps::new(bench, "processes")?;
    let events = bench.directory("events-processes")?;
    let all = |n_processes| run_all(&steps, &events, n_processes);
    let pair = measure::interleave("processes-32", N_ROUNDS, || all(N_PROCESSES), || all(1))?;
    Ok(vec![Row::times("processes-32", pair.value, pair.reference, 2.0)])
}

/// Starts the processes, and returns the seconds until the last one has ended. Each step must have run exactly once.
fn run_all(steps: &Steps<'_>, events: &Path, n_processes: usize) -> Result<f64> {
    setup::empty(events)?;
    let salt = salt()?;
    let files: Vec<_> = (0..n_processes).map(|n| events.join(n.to_string())).collect();
    let calls = files.iter().map(|file| {
        let options = ["--no-network", "--events", setup::text(file)?];
        steps.call_pinned(EMBEDDED, &options, &["chain-on", "--n", N_STEPS], &salt)
    });
    let mut calls = calls.collect::<Result<Vec<_>>>()?;
    let started = Instant::now();
    let running = calls.iter_mut().map(measure::start_silent).collect::<Result<Vec<_>>>()?;
    for mut child in running {
        let status = child.wait()?;
        children::ended(child.id());
        ensure!(status.success(), "one of the processes ended with {status}");
    }
    let seconds = started.elapsed().as_secs_f64();
    let mut ran = Vec::new();
    for file in &files {
        ran.extend(commands_that_ran(file)?);
    }
    ensure!(ran.len().to_string() == N_STEPS, "{} steps ran instead of {N_STEPS}: {ran:?}", ran.len());
    Ok(seconds)
}
