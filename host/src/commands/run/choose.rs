//! Chooses the stages to run.

use std::fmt;

use pipeline::{LinkError, StageId};

use crate::call::find_stage;
use crate::commands::prepared::Prepared;
use crate::report::{Report, Result};

/// The stages to run, and the leaves that cannot be run.
pub(in crate::commands) struct Chosen {
    /// The stages to run, each once.
    pub(in crate::commands) wanted: Vec<StageId>,
    pub(in crate::commands) not_run: Vec<NotRun>,
}

/// A stage that cannot be run because it, or a stage that it needs, lacks arguments.
pub(in crate::commands) struct NotRun {
    pub(super) stage: String,
    /// The reason, such as ``stage `test` needs `src` (directory)``.
    pub(super) why: String,
    is_own: bool,
}

impl fmt::Display for NotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_own {
            true => f.write_str(&self.why),
            false => write!(f, "stage `{}`, because {}", self.stage, self.why),
        }
    }
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
    let mut chosen = Chosen { wanted: Vec::new(), not_run: Vec::new() };
    let leaves = graph.leaves();
    if leaves.is_empty() {
        // Then all of them need each other, which this tells.
        let all: Vec<StageId> = (0..graph.stages().len()).filter(|id| !graph.stage(*id).is_constructor).collect();
        graph.order(&all)?;
    }
    // One walk for all of them: there may be thousands that need the same.
    if !leaves.is_empty() && graph.order(&leaves).is_ok() {
        return Ok(Chosen { wanted: leaves, not_run: Vec::new() });
    }
    for leaf in leaves {
        match graph.order(&[leaf]) {
            Ok(_) => chosen.wanted.push(leaf),
            Err(error @ LinkError::Missing { .. }) => {
                let is_own = matches!(&error, LinkError::Missing { path: None, .. });
                let stage = graph.stage(leaf).name.clone();
                chosen.not_run.push(NotRun { stage, why: error.to_string(), is_own });
            }
            Err(error) => return Err(error.into()),
        }
    }
    match chosen.wanted.is_empty() {
        true => Err(none_can_run(prepared, &chosen.not_run)),
        false => Ok(chosen),
    }
}

fn none_can_run(prepared: &Prepared, not_run: &[NotRun]) -> Report {
    let report = Report::usage(format!("no stage of module `{}` can be run", prepared.opened.name()));
    let report = not_run.iter().fold(report, |report, not_run| report.caused_by(not_run.to_string()));
    report.with_hint("give what is missing by `--arg NAME=VALUE`, or by `args` in the manifest")
}
