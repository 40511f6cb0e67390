//! The list of the figures.

mod build;
mod calls;
mod docker_chain;
mod fan_out;
mod graph;
mod processes;
mod registry;
mod stages;
mod step;
mod steps_on;
mod tree;
mod tree_million;

use std::time::SystemTime;

use anyhow::{Context as _, Result};

use crate::report::Row;
use crate::setup::Bench;

/// A figure, which can have several rows.
pub(crate) struct Figure {
    /// The name on the command line.
    pub(crate) name: &'static str,
    /// The description for `--help`.
    pub(crate) about: &'static str,
    /// Measures the figure, and returns its rows.
    pub(crate) measure: fn(&Bench) -> Result<Vec<Row>>,
}

/// All figures. The short ones come first, so that no earlier figure is still writing to the disk.
pub(crate) const FIGURES: &[Figure] = &[
    Figure { name: "stage-call", about: "a call without steps, beside /bin/true", measure: calls::stage_call },
    Figure { name: "memory", about: "the peak memory of such a call", measure: calls::memory },
    Figure { name: "fan-out", about: "1,000 such calls at once, beside one", measure: fan_out::fan_out },
    Figure { name: "chain-cached", about: "ten cached steps, beside /bin/true", measure: calls::chain_cached },
    Figure { name: "step-cold", about: "one step of a chain, beside `crun run`", measure: step::step_cold },
    Figure { name: "step-network", about: "a step with network, beside one without", measure: steps_on::network },
    Figure { name: "parallel", about: "20 steps that sleep at once, beside `sleep`", measure: steps_on::parallel },
    Figure {
        name: "processes-32",
        about: "32 processes with the same steps, beside one",
        measure: processes::processes,
    },
    Figure {
        name: "docker-chain-cached",
        about: "ten cached steps, beside `docker build`",
        measure: docker_chain::cached,
    },
    Figure { name: "docker-chain-cached-llb", about: "the same through Docker", measure: docker_chain::cached_llb },
    Figure { name: "docker-chain-cold", about: "ten new steps, beside `docker build`", measure: docker_chain::cold },
    Figure { name: "docker-chain-llb", about: "the same through Docker", measure: docker_chain::llb },
    Figure { name: "makespan", about: "40 random graphs of stages, beside their bounds", measure: stages::makespan },
    Figure { name: "plan-10000", about: "a plan of 10,000 stages, beside ninja", measure: stages::plan },
    Figure {
        name: "cross-call",
        about: "ten calls across languages, beside the same ten",
        measure: stages::cross_call,
    },
    Figure { name: "cutoff", about: "steps that run after a changed comment", measure: stages::cutoff },
    Figure { name: "graph-null", about: "100,000 cached vertices, beside ninja", measure: graph::graph_null },
    Figure { name: "tree-cold", about: "50,000 new files, beside `git add`", measure: tree::cold },
    Figure { name: "tree-same", about: "50,000 known files, beside `git status`", measure: tree::same },
    Figure { name: "tree-changed", about: "10 of 50,000 changed, beside `git status`", measure: tree::changed },
    Figure { name: "tree-million", about: "a million files, beside `git status`", measure: tree_million::million },
    Figure { name: "build-overhead", about: "compiling zlib in a step, beside bare", measure: build::overhead },
    Figure { name: "pull", about: "an image of 400 MB, beside skopeo and Docker", measure: registry::pull },
    Figure { name: "publish", about: "the same image, beside `docker push`", measure: registry::publish },
];

/// Returns a word that was never a part of a command, so that a step with it was never run.
fn salt() -> Result<String> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).context("the clock is before 1970")?;
    Ok(format!("{:x}", now.as_nanos()))
}
