//! A dry run: what each stage would do.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use api::Origins;
use backend::{Event, EventSink, Outcome, Reason, VertexEvent};
use graph::{DefinitionDigest, Edge, Vertex};
use pipeline::{Stage, StageBody, StageGraph, StageId};

use crate::args::Options;
use crate::call::link_text;
use crate::commands::Context;
use crate::commands::modules::Opened;
use crate::commands::options::CallOptions;
use crate::commands::running::{Setup, with_dry_run};
use crate::exit::ExitStatus;
use crate::platform::{Foreseen, Obstacle, Run, SecretSource};
use crate::progress::Style;
use crate::report::Result;

/// What a dry run found out.
pub(in crate::commands) struct Survey {
    pub(in crate::commands) graph: Arc<StageGraph>,
    /// What feeds others first.
    pub(in crate::commands) stages: Vec<Surveyed>,
}

/// What is known of a stage.
pub(in crate::commands) struct Surveyed {
    pub(in crate::commands) stage: StageId,
    /// Those that no stage before it needs, inputs first.
    pub(in crate::commands) operations: Vec<Operation>,
    /// Why not all is known; none if it is.
    pub(in crate::commands) obstacle: Option<Obstacle>,
}

/// An operation, and whether it would be evaluated.
#[derive(Debug, Clone)]
pub(in crate::commands) struct Operation {
    pub(in crate::commands) vertex: VertexEvent,
    pub(in crate::commands) outcome: Outcome,
    pub(in crate::commands) reason: Reason,
}

/// Calls the functions of stages in an order in which what feeds others is first, and finds out what else they need.
///
/// Of stages that are not wanted only that is found out which those need that are.
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
    // What is found out is shown when all of it is.
    let mut call = call.clone();
    call.style = Style::Quiet;
    let setup = Setup { opened, options, call: &call, secrets, title: &title, origins: Arc::<Origins>::default() };
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

/// Sorts operations to the stages that they belong to.
struct Surveyor {
    stages: Vec<Surveyed>,
    /// The stage whose function described a vertex, by its position.
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

    /// Notes that what a stage makes is its own, but for what stages before it make.
    fn own(&mut self, index: usize, made: &[Edge]) {
        let mut pending: Vec<&Arc<Vertex>> = made.iter().map(|edge| &edge.vertex).collect();
        while let Some(vertex) = pending.pop() {
            if let std::collections::hash_map::Entry::Vacant(entry) = self.owners.entry(vertex.digest()) {
                entry.insert(index);
                pending.extend(vertex.inputs().iter().map(|input| &input.edge.vertex));
            }
        }
    }

    /// Sorts what was told of while a stage was asked.
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
    /// Returns whether it would be evaluated, or may be.
    pub(in crate::commands) fn is_planned(&self) -> bool {
        self.outcome == Outcome::Planned
    }

    /// Returns whether only the engine's own cache knows.
    pub(in crate::commands) fn is_undecided(&self) -> bool {
        self.is_planned() && self.reason == Reason::Undecided
    }

    /// Returns whether it has a value that need not be made again.
    pub(in crate::commands) fn is_cached(&self) -> bool {
        let is_trivial = matches!(self.reason, Reason::Source | Reason::Cheap);
        matches!(self.outcome, Outcome::Cached | Outcome::Ran) && !is_trivial
    }
}

impl Survey {
    /// Returns how many operations of all stages are so.
    pub(super) fn count(&self, is_so: impl Fn(&Operation) -> bool) -> usize {
        self.stages.iter().flat_map(|stage| &stage.operations).filter(|operation| is_so(operation)).count()
    }

    /// Returns for each stage what it does: the function with its module, or the part of another stage.
    pub(super) fn names(&self, module: &str) -> Vec<String> {
        self.stages.iter().map(|stage| what(self.graph.stage(stage.stage), &self.graph, module)).collect()
    }

    /// Returns how the program ends: a stage that fails by itself would fail in a run.
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
        StageBody::From(link) => link_text(link, graph),
        StageBody::Call { dependency, function } => {
            let function = function.strip_prefix("[constructor]").unwrap_or(function);
            format!("{}.{function}", dependency.as_deref().unwrap_or(module))
        }
    }
}
