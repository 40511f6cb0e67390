//! Chooses the stages to run.

use pipeline::StageId;

use crate::call::find_stage;
use crate::commands::lacking::{self, NotRun};
use crate::commands::prepared::Prepared;
use crate::report::Result;

/// The stages to run, and the leaves that cannot be run.
pub(in crate::commands) struct Chosen {
    /// The stages to run, each once.
    pub(in crate::commands) wanted: Vec<StageId>,
    pub(in crate::commands) not_run: Vec<NotRun>,
}

impl Chosen {
    /// Returns the stages of these names, or the leaves of the graph if there are no names.
    ///
    /// # Errors
    /// If there is no such stage, or if no leaf can be run.
    pub(in crate::commands) fn new(prepared: &Prepared, names: &[String]) -> Result<Self> {
        match names.is_empty() {
            true => leaves(prepared),
            false => Ok(Self { wanted: named(prepared, names)?, not_run: Vec::new() }),
        }
    }
}

/// Finds the stages of these names.
pub(in crate::commands) fn named(prepared: &Prepared, names: &[String]) -> Result<Vec<StageId>> {
    let mut wanted = Vec::new();
    for name in names {
        let stage = find_stage(&prepared.linked.graph, &prepared.opened.name(), name)?;
        if !wanted.contains(&stage) {
            wanted.push(stage);
        }
    }
    Ok(wanted)
}

fn leaves(prepared: &Prepared) -> Result<Chosen> {
    let graph = &prepared.linked.graph;
    let leaves = graph.leaves();
    if leaves.is_empty() {
        // Then all of them need each other, which this tells.
        let all: Vec<StageId> = (0..graph.stages().len()).filter(|id| !graph.stage(*id).is_constructor).collect();
        graph.order(&all)?;
    }
    let (wanted, not_run) = lacking::divide(&prepared.linked, leaves)?;
    if wanted.is_empty() {
        let message = format!("no stage of module `{}` can be run", prepared.opened.name());
        return Err(lacking::refused(message, &not_run));
    }
    Ok(Chosen { wanted, not_run })
}
