//! Calls as whole processes: `stage-call`, `memory`, `chain-cached`.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::measure::{self, N_ROUNDS, N_SHORT_ROUNDS, Pair};
use crate::report::Row;
use crate::setup::Bench;

const TRUE: &str = "/bin/true";

/// The number of steps in the chain.
const N_STEPS: &str = "10";

/// Measures `host call -m functions/hello hello` beside `/bin/true`.
pub(super) fn stage_call(bench: &Bench) -> Result<Vec<Row>> {
    let mut hello = hello(bench)?;
    let pair = beside_true("stage-call", &mut hello)?;
    Ok(vec![Row::times("stage-call", pair.value, pair.reference, 4.0)])
}

/// Measures the peak memory of the same call.
pub(super) fn memory(bench: &Bench) -> Result<Vec<Row>> {
    let mut hello = hello(bench)?;
    let peaks: Result<Vec<f64>> = (0..N_ROUNDS).map(|_| Ok(measure::run(&mut hello)?.peak_bytes)).collect();
    Ok(vec![Row::bytes("memory", measure::median(&mut peaks?), f64::from(40 << 20))])
}

/// Measures a chain of steps that are all cached.
pub(super) fn chain_cached(bench: &Bench) -> Result<Vec<Row>> {
    let module = bench.module("benches/modules/chain")?;
    let store = bench.directory("store-chain")?;
    let mut chain = bench.command(&store, &["call", "-m", &module, "chain", "--n", N_STEPS])?;
    let printed = bench.warm(&mut chain)?;
    ensure!(printed.trim() == N_STEPS, "the last of {N_STEPS} steps printed {printed:?}");
    let pair = beside_true("chain-cached", &mut chain)?;
    Ok(vec![Row::times("chain-cached", pair.value, pair.reference, 10.0)])
}

/// Returns the call without steps, with the compiled form of its module cached.
pub(super) fn hello(bench: &Bench) -> Result<Command> {
    let module = bench.module("functions/hello")?;
    let store = bench.directory("store-hello")?;
    let mut hello = bench.command(&store, &["call", "-m", &module, "hello"])?;
    let printed = bench.warm(&mut hello).context("cannot call `hello`")?;
    ensure!(printed.trim() == "Hello, world!", "`hello` printed {printed:?}");
    Ok(hello)
}

fn beside_true(figure: &str, command: &mut Command) -> Result<Pair> {
    measure::interleave(
        figure,
        N_SHORT_ROUNDS,
        || Ok(measure::run(command)?.seconds),
        || Ok(measure::run(&mut Command::new(TRUE))?.seconds),
    )
}
