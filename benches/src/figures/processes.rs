//! `processes-32`: many processes that want the same steps of one store at the same time, beside one.

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

/// How many processes.
const N_PROCESSES: usize = 32;

/// How many steps each of them wants.
const N_STEPS: &str = "10";

/// The ten steps wanted by 32 processes, each run once, beside the ten steps of one process.
pub(super) fn processes(bench: &Bench) -> Result<Vec<Row>> {
    let steps = Steps::new(bench, "processes")?;
    let events = bench.directory("events-processes")?;
    let all = |n_processes| run_all(&steps, &events, n_processes);
    let pair = measure::interleave("processes-32", N_ROUNDS, || all(N_PROCESSES), || all(1))?;
    Ok(vec![Row::times("processes-32", pair.value, pair.reference, 2.0)])
}

/// Starts the processes and returns the seconds until the last has ended; each step must have run in one.
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
