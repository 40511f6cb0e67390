//! Finds out by a dry run what each stage would do.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use engine::{Event, EventSink, Outcome, Reason, VertexEvent};
use graph::{DefinitionDigest, Edge, Vertex};
use pipeline::{Stage, StageBody, StageGraph, StageId};

use crate::args::Options;
use crate::commands::modules::Opened;
use crate::commands::options::CallOptions;
use crate::commands::running::{Setup, with_dry_run};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::platform::{Foreseen, Obstacle, Run, SecretSource};
use crate::progress::Style;
use crate::report::Result;

/// The result of a dry run.
pub(in crate::commands) struct Survey {
    pub(in crate::commands) graph: Arc<StageGraph>,
    /// The stages in an order in which they can be evaluated.
    pub(in crate::commands) stages: Vec<Surveyed>,
}

/// The result of a dry run of one stage.
pub(in crate::commands) struct Surveyed {
    pub(in crate::commands) stage: StageId,
    /// The operations that no earlier stage needs; inputs come first.
    pub(in crate::commands) operations: Vec<Operation>,
    /// The reason why not everything is known; none if everything is.
    pub(in crate::commands) obstacle: Option<Obstacle>,
}

/// An operation with its outcome in a dry run.
#[derive(Debug, Clone)]
pub(in crate::commands) struct Operation {
    pub(in crate::commands) vertex: VertexEvent,
    pub(in crate::commands) outcome: Outcome,
    pub(in crate::commands) reason: Reason,
}

/// Calls the functions of stages in `order`, and finds out which operations they need.
///
/// Stages that are not in `wanted` are only examined as far as the wanted ones need them.
pub(in crate::commands) fn survey(
    opened: &Opened,
    graph: StageGraph,
    (wanted, order): (&[StageId], &[StageId]),
    (call, secrets): (&CallOptions, Vec<(String, SecretSource)>),
    (options, context): (&Options, &Context<'_>),
) -> Result<Survey> {
    let graph = Arc::new(graph);
    let seen = Arc::<Mutex<Vec<Operation>>>::default();
    let sink: EventSink = {
        let seen = Arc::clone(&seen);
        Arc::new(move |event| {
            if let Event::Finished { vertex, outcome, reason, duration: _ } = event {
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.push(Operation { vertex, outcome, reason });
            }
        })
    };
    let title = opened.name();
    // The result is shown as a whole, at the end.
    let mut call = call.clone();
    call.style = Style::Quiet;
    let setup = Setup { opened, options, call: &call, secrets, title: &title };
    let stages = with_dry_run(setup, context, sink, |run, _| {
        let mut surveyor = Surveyor::new(order);
        let wanted: HashSet<StageId> = wanted.iter().copied().collect();
        for (index, &stage) in order.iter().enumerate() {
            surveyor.ask(run, &graph, (index, stage), wanted.contains(&stage));
            let seen = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
            surveyor.sort(index, seen);
        }
        surveyor.interrupted().map_or(Ok(()), Err)?;
        Ok(surveyor.stages)
    })?;
    Ok(Survey { graph, stages })
}

/// Assigns operations to stages.
struct Surveyor {
    stages: Vec<Surveyed>,
    /// The position of the stage whose function described a vertex.
    owners: HashMap<DefinitionDigest, usize>,
}

impl Surveyor {
    fn new(order: &[StageId]) -> Self {
        let surveyed = |&stage: &StageId| Surveyed { stage, operations: Vec::new(), obstacle: None };
        Self { stages: order.iter().map(surveyed).collect(), owners: HashMap::new() }
    }

    fn ask(&mut self, run: &dyn Run, graph: &Arc<StageGraph>, (index, stage): (usize, StageId), is_wanted: bool) {
        let Foreseen { made, obstacle } = run.plan(graph, stage, is_wanted);
        self.own(index, &made);
        self.stages[index].obstacle = obstacle;
    }

    /// Assigns the vertices of a stage's result to that stage, unless an earlier stage has them.
    fn own(&mut self, index: usize, made: &[Edge]) {
        let mut pending: Vec<&Arc<Vertex>> = made.iter().map(|edge| &edge.vertex).collect();
        while let Some(vertex) = pending.pop() {
            if let std::collections::hash_map::Entry::Vacant(entry) = self.owners.entry(vertex.digest()) {
                entry.insert(index);
                pending.extend(vertex.inputs().iter().map(|input| &input.edge.vertex));
            }
        }
    }

    /// Assigns the operations that were reported while a stage was examined.
    fn sort(&mut self, index: usize, seen: Vec<Operation>) {
        for operation in seen {
            let owner = *self.owners.entry(operation.vertex.digest).or_insert(index);
            self.stages[owner].operations.push(operation);
        }
    }

    fn interrupted(&mut self) -> Option<crate::report::Report> {
        let is_it = |obstacle: &Obstacle| match obstacle {
            Obstacle::Fails(report) => report.status() == ExitStatus::Interrupted,
            Obstacle::Waiting { .. } => false,
        };
        let stage = self.stages.iter_mut().find(|stage| stage.obstacle.as_ref().is_some_and(is_it))?;
        match stage.obstacle.take()? {
            Obstacle::Fails(report) => Some(report),
            Obstacle::Waiting { .. } => None,
        }
    }
}

impl Operation {
    /// Returns whether a run would evaluate the operation, or may.
    pub(in crate::commands) fn is_planned(&self) -> bool {
        self.outcome == Outcome::Planned
    }

    /// Returns whether only the cache of the engine itself can decide about the operation.
    pub(in crate::commands) fn is_undecided(&self) -> bool {
        self.is_planned() && self.reason == Reason::Undecided
    }

    /// Returns whether the operation has a cached value.
    pub(in crate::commands) fn is_cached(&self) -> bool {
        let is_trivial = matches!(self.reason, Reason::Source | Reason::Cheap);
        matches!(self.outcome, Outcome::Cached | Outcome::Ran) && !is_trivial
    }
}

impl Survey {
    /// Counts the operations of all stages for which `is_so` is true.
    pub(super) fn count(&self, is_so: impl Fn(&Operation) -> bool) -> usize {
        self.stages.iter().flat_map(|stage| &stage.operations).filter(|operation| is_so(operation)).count()
    }

    /// Returns for each stage the function that it calls, with its module, or the part of another stage that it is.
    pub(super) fn names(&self, module: &str) -> Vec<String> {
        self.stages.iter().map(|stage| what(self.graph.stage(stage.stage), &self.graph, module)).collect()
    }

    /// Returns the exit status: a stage that fails in the dry run would fail in a run.
    pub(super) fn status(&self) -> ExitStatus {
        let failures = self.stages.iter().filter_map(|stage| match stage.obstacle.as_ref()? {
            Obstacle::Fails(report) if !self.graph.stage(stage.stage).policy.is_failure_allowed => {
                Some(report.status())
            }
            _ => None,
        });
        failures.max_by_key(|status| status.code()).unwrap_or(ExitStatus::Done)
    }
}

fn what(stage: &Stage, graph: &StageGraph, module: &str) -> String {
    match &stage.body {
        StageBody::From(link) => graph.link_text(link),
        StageBody::Call { dependency, function } => {
            let function = function.strip_prefix("[constructor]").unwrap_or(function);
            format!("{}.{function}", dependency.as_deref().unwrap_or(module))
        }
    }
}
