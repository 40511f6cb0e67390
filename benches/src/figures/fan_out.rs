//! `fan-out`: a thousand calls in flight in one process.
//!
//! The command line cannot make them. The example `call` of the runtime does: each of its calls waits until all others
//! wait, too.

use std::process::Command;

use anyhow::{Context as _, Result};

use super::calls::hello;
use crate::measure::{self, N_ROUNDS};
use crate::report::Row;
use crate::setup::{Bench, Missing};

const EXAMPLE: &str = "host/crates/runtime/examples/call.rs";

/// The label of the time of all calls in the output of the example, in microseconds.
const LABEL: &str = "1000 calls at once";

/// Measures a thousand calls in one process beside a process with one call, and the peak memory.
pub(super) fn fan_out(bench: &Bench) -> Result<Vec<Row>> {
    if !bench.root.join(EXAMPLE).is_file() {
        return Err(Missing::new(format!("`{EXAMPLE}`"), "it makes the calls, and is part of the repository").into());
    }
    let mut single = hello(bench)?;
    let component = bench.component("benches/modules/chain")?;
    let mut many = Command::new(bench.example("runtime", "call")?);
    // This stage waits for the host and runs no command.
    many.arg(component).arg("digest");
    let mut peaks = Vec::new();
    let pair = measure::interleave(
        "fan-out",
        N_ROUNDS,
        || {
            let (printed, usage) = measure::run_and_read(&mut many)?;
            peaks.push(usage.peak_bytes);
            microseconds(&printed)
                .with_context(|| format!("the example printed no `{LABEL}`: {printed}"))
                .map(|n| n / 1e6)
        },
        || Ok(measure::run(&mut single)?.seconds),
    )?;
    Ok(vec![
        Row::times("fan-out", pair.value, pair.reference, 100.0),
        Row::bytes("fan-out-memory", measure::median(&mut peaks), f64::from(100 << 20)),
    ])
}

fn microseconds(printed: &str) -> Option<f64> {
    let line = printed.lines().find_map(|line| line.trim().strip_prefix(LABEL))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_read_from_what_the_example_prints() {
        let printed =
            "        call      45.1 µs\n  1000 calls at once   61234.5 µs\n  memory of them, at most  9000 KiB\n";
        assert_eq!(microseconds(printed), Some(61234.5));
        assert_eq!(microseconds("nothing"), None);
    }
}
