//! The common beginning of commands that run stages: open the module, link its stages, read the options.

use std::sync::Arc;

use pipeline::{StageGraph, StageId};

use super::modules::{self, Opened};
use super::options::CallOptions;
use super::running::{Setup, with_run};
use crate::args::Options;
use crate::call::{Linked, Places, give_args, link};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::platform::{Ended, Run, SecretSource};
use crate::report::{Report, Result};

/// The stages of a module with their arguments, ready to be run.
pub(super) struct Prepared {
    pub(super) opened: Opened,
    pub(super) linked: Linked,
    pub(super) call: CallOptions,
    pub(super) secrets: Vec<(String, SecretSource)>,
}

/// Opens the module, links its stages, and gives them the values of `--arg`.
pub(super) fn prepare(options: &Options, context: &mut Context<'_>) -> Result<Prepared> {
    let call = CallOptions::parse(options, context.config, context.io.stderr.is_terminal())?;
    let opened = modules::open(options, call.is_quiet, context)?;
    let mut places = Places::new(context.config);
    let mut linked = link(&opened.component.library(), opened.directory(), &mut places)?;
    modules::check_has_stages(&opened, &linked.graph)?;
    let args: Vec<&str> = options.all("arg").collect();
    give_args(opened.component.as_ref(), &mut linked.graph, &opened.name(), &args, &mut places)?;
    let secrets = places.secrets;
    Ok(Prepared { opened, linked, call, secrets })
}

/// The outcome of a run of stages.
pub(super) struct Evaluated {
    pub(super) opened: Opened,
    pub(super) graph: Arc<StageGraph>,
    pub(super) call: CallOptions,
    /// The outcome of each wanted stage, in the order of the stages.
    pub(super) ended: Vec<Ended>,
}

impl Prepared {
    /// Evaluates stages, and calls `export` with their results before the run ends.
    ///
    /// # Errors
    /// If the run cannot begin, is interrupted, or if `export` fails. A stage that fails is an outcome and no error.
    pub(super) fn evaluate(
        self,
        wanted: &[StageId],
        is_keeping_going: bool,
        (options, context): (&Options, &Context<'_>),
        export: impl FnOnce(&StageGraph, &[Ended], &dyn Run) -> Result<()>,
    ) -> Result<Evaluated> {
        let Self { opened, linked, call, secrets } = self;
        let graph = Arc::new(linked.graph);
        let title = match wanted {
            [stage] => graph.stage(*stage).name.clone(),
            _ => opened.name(),
        };
        let setup = Setup { opened: &opened, options, call: &call, secrets, title: &title };
        let ended = with_run(setup, context, |run, _| {
            let mut ended = run.stages(&graph, wanted, is_keeping_going);
            match ended.iter().position(is_interrupted) {
                Some(at) => Err(report_of(ended.swap_remove(at))),
                None => export(&graph, &ended, run).map(|()| ended),
            }
        })?;
        Ok(Evaluated { opened, graph, call, ended })
    }
}

fn is_interrupted(ended: &Ended) -> bool {
    matches!(ended, Ended::Failed { report, .. } if report.status() == ExitStatus::Interrupted)
}

fn report_of(ended: Ended) -> Report {
    match ended {
        Ended::Failed { report, .. } => report,
        Ended::Done { .. } | Ended::Stopped => Report::interrupted(&[]),
    }
}
