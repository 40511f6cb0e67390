//! The figures: what is measured against what, and how far it may be off.

mod build;
mod calls;
mod fan_out;
mod graph;
mod step;
mod tree;

use anyhow::Result;

use crate::report::Row;
use crate::setup::Bench;

/// Something that is measured.
pub(crate) struct Figure {
    /// As it is named on the command line and printed.
    pub(crate) name: &'static str,
    /// What it is, for people.
    pub(crate) about: &'static str,
    /// Measures it; a figure with a limit on memory besides has two rows.
    pub(crate) measure: fn(&Bench) -> Result<Vec<Row>>,
}

/// All of them. The short ones come first, so that nothing is still being written to the disk.
pub(crate) const FIGURES: &[Figure] = &[
    Figure { name: "stage-call", about: "a call without steps, beside /bin/true", measure: calls::stage_call },
    Figure { name: "memory", about: "the peak memory of such a call", measure: calls::memory },
    Figure { name: "fan-out", about: "1,000 such calls at once, beside one", measure: fan_out::fan_out },
    Figure { name: "chain-cached", about: "ten cached steps, beside /bin/true", measure: calls::chain_cached },
    Figure { name: "step-cold", about: "one step of a chain, beside `crun run`", measure: step::step_cold },
    Figure { name: "graph-null", about: "100,000 cached vertices, beside ninja", measure: graph::graph_null },
    Figure { name: "tree-cold", about: "50,000 new files, beside `git add`", measure: tree::cold },
    Figure { name: "tree-same", about: "50,000 known files, beside `git status`", measure: tree::same },
    Figure { name: "tree-changed", about: "10 of 50,000 changed, beside `git status`", measure: tree::changed },
    Figure { name: "build-overhead", about: "compiling zlib in a step, beside bare", measure: build::overhead },
];
