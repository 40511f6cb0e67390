//! One run, from its options to what is shown of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::Origins;
use backend::{Event, EventSink};
use tokio_util::sync::CancellationToken;

use super::Context;
use super::modules::Opened;
use super::options::CallOptions;
use crate::args::Options;
use crate::interrupt::{self, Interruption};
use crate::platform::{Run, RunOptions, SecretSource};
use crate::progress::Progress;
use crate::report::{Report, Result};

/// What a run is done with.
pub(super) struct Setup<'a> {
    pub(super) opened: &'a Opened,
    /// As they were given.
    pub(super) options: &'a Options,
    /// As they were understood.
    pub(super) call: &'a CallOptions,
    pub(super) secrets: Vec<(String, SecretSource)>,
    /// What is run, for events that no function asked for.
    pub(super) title: &'a str,
    pub(super) origins: Arc<Origins>,
}

/// Begins a run, lets `work` use it, and ends it: what was under way has ended when this returns.
pub(super) fn with_run<T>(
    setup: Setup<'_>,
    context: &Context<'_>,
    work: impl FnOnce(&dyn Run, &Progress) -> Result<T>,
) -> Result<T> {
    begin(setup, context, None, work)
}

/// Begins a run that executes nothing but functions; what it would do besides is told to `planned`.
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
    let Setup { opened, options, call, secrets, title, origins } = setup;
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
        is_network_allowed: call.is_network_allowed && opened.manifest().is_none_or(|manifest| manifest.network),
        is_dry,
    });
    let done = run.and_then(|run| work(run.as_ref(), &progress));
    progress.finish(call.explain);
    match (interruption.under_way(), done) {
        (Some(under_way), Err(_)) => Err(Report::interrupted(&under_way)),
        (_, done) => done,
    }
}

/// Returns the powers that a module is granted: by its directory's manifest, and by the caller.
fn granted(opened: &Opened, options: &Options) -> BTreeSet<String> {
    let manifest = opened.manifest().map(|manifest| manifest.allow.clone()).unwrap_or_default();
    options.all("allow").map(str::to_owned).chain(manifest).collect()
}
