//! Begins a run, shows its progress, and ends it.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::Origins;
use engine::{Event, EventSink, Rules};
use tokio_util::sync::CancellationToken;

use super::modules::Opened;
use super::options::CallOptions;
use crate::args::Options;
use crate::context::Context;
use crate::interrupt::{self, Interruption};
use crate::platform::{Run, RunOptions, SecretSource};
use crate::progress::Progress;
use crate::report::{Report, Result};

/// The inputs of a run.
pub(super) struct Setup<'a> {
    pub(super) opened: &'a Opened,
    /// The options as they were given.
    pub(super) options: &'a Options,
    /// The options as values.
    pub(super) call: &'a CallOptions,
    pub(super) secrets: Vec<(String, SecretSource)>,
    /// The name of the run, for events of operations that no function described.
    pub(super) title: &'a str,
}

/// Begins a run, calls `work` with it, and ends it. All operations have ended when this returns.
pub(super) fn with_run<T>(
    setup: Setup<'_>,
    context: &Context<'_>,
    work: impl FnOnce(&dyn Run, &Progress) -> Result<T>,
) -> Result<T> {
    begin(setup, context, None, work)
}

/// Begins a dry run, which only calls functions. `planned` receives an event for each operation that would be evaluated.
pub(super) fn with_dry_run<T>(
    setup: Setup<'_>,
    context: &Context<'_>,
    planned: EventSink,
    work: impl FnOnce(&dyn Run, &Progress) -> Result<T>,
) -> Result<T> {
    begin(setup, context, Some(planned), work)
}

fn begin<T>(
    setup: Setup<'_>,
    context: &Context<'_>,
    planned: Option<EventSink>,
    work: impl FnOnce(&dyn Run, &Progress) -> Result<T>,
) -> Result<T> {
    let Setup { opened, options, call, secrets, title } = setup;
    let origins = Arc::new(Origins::new(call.events.is_some()));
    let progress = Progress::new(context.io.stderr.clone(), call.progress(title, &origins)?);
    let cancel = CancellationToken::new();
    let interruption = Arc::new(Interruption::default());
    let listen = {
        let (progress, cancel, interruption) = (progress.clone(), cancel.clone(), Arc::clone(&interruption));
        move || interrupt::listen(move || interruption.interrupt(&progress, &cancel))
    };
    let (is_dry, shown) = (planned.is_some(), progress.event_sink(listen));
    let events = match planned {
        None => shown,
        Some(planned) => Arc::new(move |event: Event| {
            planned(event.clone());
            shown(event);
        }),
    };
    let run = opened.component.open(RunOptions {
        granted: granted(opened, options),
        engine: call.engine.clone(),
        secrets,
        export_root: context.config.cwd.clone(),
        log: progress.log_sink(),
        events,
        stages: progress.stage_sink(),
        origins,
        cancel,
        n_jobs: call.n_jobs,
        is_cache_used: call.is_cache_used,
        timeout: call.timeout,
        limits: call.limits.clone(),
        rules: Rules {
            network: call.is_network_allowed && opened.manifest().is_none_or(|manifest| manifest.network),
            new_privileges: opened.manifest().is_none_or(|manifest| manifest.new_privileges),
        },
        is_dry,
    });
    let done = run.and_then(|run| work(run.as_ref(), &progress));
    let written = progress.finish(call.explain);
    match (interruption.under_way(), done) {
        (Some(under_way), Err(_)) => Err(Report::interrupted(&under_way)),
        (_, done) => done.and_then(|done| written.map(|()| done)),
    }
}

/// Returns the powers that the manifest and the caller grant the module.
fn granted(opened: &Opened, options: &Options) -> BTreeSet<String> {
    let manifest = opened.manifest().map(|manifest| manifest.allow.clone()).unwrap_or_default();
    options.all("allow").map(str::to_owned).chain(manifest).collect()
}
