//! Chooses the checks to run.

use std::collections::HashMap;

use api::Type;
use module::Documentation;
use pipeline::{Stage, StageBody, StageId, is_report, made_by};
use runtime::Power;

use crate::commands::lacking::{self, NotRun};
use crate::commands::prepared::Prepared;
use crate::commands::run::named;
use crate::output::type_name;
use crate::report::{Report, Result};

/// The checks of a module.
pub(super) struct Checks {
    pub(super) wanted: Vec<StageId>,
    pub(super) not_run: Vec<NotRun>,
    /// A warning for each stage that looks like a check and does not say whether it is one.
    pub(super) unmarked: Vec<String>,
}

/// What a stage is to `host check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Check,
    NoCheck,
    /// It returns nothing or a text, and nobody said whether it is a check.
    Unmarked,
}

impl Checks {
    /// Returns the checks of these names, or all checks if there are no names.
    ///
    /// # Errors
    /// If there is no such stage, if it cannot be a check, or if no check can be run.
    pub(super) fn choose(prepared: &Prepared, names: &[String]) -> Result<Self> {
        match names.is_empty() {
            true => all(prepared),
            false => Ok(Self { wanted: chosen(prepared, names)?, not_run: Vec::new(), unmarked: Vec::new() }),
        }
    }
}

fn all(prepared: &Prepared) -> Result<Checks> {
    let graph = &prepared.linked.graph;
    let mut marks = Marks { prepared, docs: HashMap::new() };
    let (mut checks, mut unmarked) = (Vec::new(), Vec::new());
    for (id, stage) in graph.stages().iter().enumerate() {
        match marks.of(stage) {
            Mark::Check => checks.push(id),
            // A stage that cannot run here is not worth a warning.
            Mark::Unmarked if prepared.linked.order(&[id]).is_ok() => unmarked.push(warning(stage)),
            Mark::Unmarked | Mark::NoCheck => {}
        }
    }
    let (wanted, not_run) = lacking::divide(&prepared.linked, checks)?;
    if !wanted.is_empty() {
        return Ok(Checks { wanted, not_run, unmarked });
    }
    let module = prepared.opened.name();
    if !not_run.is_empty() {
        return Err(lacking::refused(format!("no check of module `{module}` can be run"), &not_run));
    }
    let report = Report::usage(format!("module `{module}` has no checks"));
    let report = unmarked.iter().fold(report, |report, unmarked| report.noting(unmarked));
    Err(report.with_hint(
        "write `#[check]` above a stage that is one, or `check = true` under its `[stages.NAME]` in `host.toml`; a stage \
         that returns a report is a check",
    ))
}

fn warning(stage: &Stage) -> String {
    let name = &stage.name;
    let made = if made_by(stage.result.as_ref()).is_none() { "nothing" } else { "a text" };
    format!(
        "warning: stage `{name}` returns {made} and is no check: add `check = true` under `[stages.{name}]` in `host.toml` \
         if it is one, and `check = false` if not"
    )
}

/// Finds the stages of these names. Whoever names a stage says that it is a check.
fn chosen(prepared: &Prepared, names: &[String]) -> Result<Vec<StageId>> {
    let graph = &prepared.linked.graph;
    let wanted = named(prepared, names)?;
    let mut marks = Marks { prepared, docs: HashMap::new() };
    let is_no_check = |stage: &&Stage| marks.marked(stage) != Some(true) && !can_be_check(stage.result.as_ref());
    match wanted.iter().map(|id| graph.stage(*id)).find(is_no_check) {
        None => Ok(wanted),
        Some(stage) => {
            let made = type_name(stage.result.as_ref());
            Err(Report::usage(format!("stage `{}` is no check: it makes `{made}`", stage.name)).with_hint(format!(
                "`host run {0}` runs it; with `check = true` under `[stages.{0}]` in `host.toml` it is a check",
                stage.name
            )))
        }
    }
}

/// Reads the marks of stages.
struct Marks<'a> {
    prepared: &'a Prepared,
    /// The documentation of the module and of its dependencies, as far as it was read.
    docs: HashMap<Option<String>, Option<Documentation>>,
}

impl Marks<'_> {
    fn of(&mut self, stage: &Stage) -> Mark {
        match self.marked(stage) {
            Some(true) => Mark::Check,
            Some(false) => Mark::NoCheck,
            None if stage.is_constructor || self.has_effects(stage) => Mark::NoCheck,
            None if made_by(stage.result.as_ref()).is_some_and(is_report) => Mark::Check,
            None if can_be_check(stage.result.as_ref()) => Mark::Unmarked,
            None => Mark::NoCheck,
        }
    }

    /// Returns what the manifest says of a stage, or else the author of its function.
    fn marked(&mut self, stage: &Stage) -> Option<bool> {
        if stage.is_check.is_some() {
            return stage.is_check;
        }
        let StageBody::Call { dependency, function } = &stage.body else { return None };
        let opened = &self.prepared.opened;
        let docs = self.docs.entry(dependency.clone());
        let docs = docs.or_insert_with(|| opened.documentation(dependency.as_deref()));
        docs.as_ref()?.stages.get(function).filter(|docs| docs.is_check).map(|_| true)
    }

    /// Returns whether the code of a stage, or code that it can call, may write outside of the run.
    fn has_effects(&self, stage: &Stage) -> bool {
        match &stage.body {
            StageBody::Call { dependency, .. } => {
                self.prepared.opened.component.can_reach(dependency.as_deref(), Power::Effects)
            }
            StageBody::From(_) => false,
        }
    }
}

/// Returns whether a stage with this result tells something by succeeding.
fn can_be_check(result: Option<&Type>) -> bool {
    matches!(made_by(result), None | Some(Type::String)) || made_by(result).is_some_and(is_report)
}
