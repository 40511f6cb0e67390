//! `host call`

mod options;
mod results;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use api::Value;
use module::{Module, ModuleManifest};
use tokio_util::sync::CancellationToken;

use self::options::CallOptions;
pub(super) use self::options::check_engine;
use super::{Context, modules};
use crate::args::specs::CALL;
use crate::args::{Options, Parsed};
use crate::call::{Asked, Places, Plan, find_stage, method_help, stage_help};
use crate::engine::{Component, Run, RunOptions, SecretSource};
use crate::exit::ExitStatus;
use crate::interrupt::{self, Interruption};
use crate::progress::Progress;
use crate::report::{Report, Result};

pub(super) fn run(parsed: Parsed, words: VecDeque<String>, mut context: Context<'_>) -> Result<ExitStatus> {
    let Parsed { mut options, words: names, .. } = parsed;
    let module = modules::find(&options, &context)?;
    let is_quiet = options.has("quiet");
    let path = modules::component(&module, is_quiet, &mut context)?;
    let component = modules::load(&path, &module.name(), &context)?;
    let Some(name) = names.first() else {
        let stages: Vec<&str> = component.stages().iter().map(|stage| stage.name.as_str()).collect();
        return Err(Report::usage("`host call` needs a stage")
            .with_hint(format!("module `{}` has: {}", module.name(), stages.join(", ")))
            .with_usage(CALL.usage_line()));
    };
    let stage = find_stage(component.as_ref(), &module.name(), name)?;
    let mut places = Places::new(context.config);
    match Plan::parse(component.as_ref(), stage, words, &mut options, &mut places)? {
        Asked::StageHelp => {
            context.io.print(stage_help(stage, modules::documentation(&path).as_ref()).trim_end());
            Ok(ExitStatus::Done)
        }
        Asked::MethodHelp(function) => {
            context.io.print(method_help(function).trim_end());
            Ok(ExitStatus::Done)
        }
        Asked::Run(plan) => execute(&plan, &options, places.secrets, &module, component.as_ref(), context),
    }
}

/// Runs what was planned, and shows what came of it.
fn execute(
    plan: &Plan,
    options: &Options,
    secrets: Vec<(String, SecretSource)>,
    module: &Module,
    component: &dyn Component,
    context: Context<'_>,
) -> Result<ExitStatus> {
    let call = CallOptions::parse(options, context.config, context.io.stderr.is_terminal())?;
    let manifest = match module {
        Module::Directory(directory) => Some(&directory.manifest),
        Module::Component(_) => None,
    };
    results::check_output(plan, &call)?;
    let progress = Progress::new(context.io.stderr.clone(), call.progress(&plan.stage)?);
    let cancel = CancellationToken::new();
    let interruption = Arc::new(Interruption::default());
    let listen = {
        let (progress, cancel, interruption) = (progress.clone(), cancel.clone(), Arc::clone(&interruption));
        move || interrupt::listen(move || interruption.interrupt(&progress, &cancel))
    };
    let run = component.open(RunOptions {
        module: module.name(),
        granted: granted(manifest, options),
        engine: call.engine.clone(),
        secrets,
        export_root: context.config.cwd.clone(),
        log: progress.log_sink(),
        events: progress.event_sink(listen),
        cancel,
        n_jobs: call.n_jobs,
        is_cache_used: call.is_cache_used,
        timeout: call.timeout,
        is_network_allowed: call.is_network_allowed && manifest.is_none_or(|manifest| manifest.network),
    });
    let shown = run.and_then(|run| {
        let value = evaluate(plan, run.as_ref())?;
        results::show(value, run.as_ref(), &call, context.config)
    });
    progress.finish(call.explain);
    let shown = match (interruption.under_way(), shown) {
        (Some(under_way), Err(_)) => return Err(Report::interrupted(&under_way)),
        (_, shown) => shown?,
    };
    context.io.print_bytes(&shown.data);
    shown.said.iter().for_each(|line| context.io.say(line));
    Ok(ExitStatus::Done)
}

/// Returns the powers that a module is granted: by its directory's manifest, and by the caller.
fn granted(manifest: Option<&ModuleManifest>, options: &Options) -> BTreeSet<String> {
    let manifest = manifest.map(|manifest| manifest.allow.clone()).unwrap_or_default();
    options.all("allow").map(str::to_owned).chain(manifest).collect()
}

/// Calls the stage, and the methods on what it returns.
fn evaluate(plan: &Plan, run: &dyn Run) -> Result<Value> {
    let stage = format!("stage `{}`", plan.stage);
    let mut value = accepted(run.call(&plan.stage, plan.args.clone())?, &plan.stage)?;
    let mut previous = stage;
    for step in &plan.steps {
        let Value::Object(object) = value else {
            return Err(Report::new_verdict(format!(
                "{previous} returned nothing to call `{}` on",
                step.function.name
            )));
        };
        let args = [vec![Value::Object(object)], step.args.clone()].concat();
        let answer = run.invoke(&step.function.interface, &step.function.wit_name, args)?;
        value = accepted(answer, &step.function.name)?;
        previous = format!("method `{}`", step.function.name);
    }
    Ok(value)
}

/// Takes a value out of `ok` and `some`; `err` is the stage's verdict.
fn accepted(value: Value, stage: &str) -> Result<Value> {
    match value {
        Value::Result(Ok(None)) => Ok(Value::unit()),
        Value::Result(Ok(Some(value))) => accepted(*value, stage),
        Value::Result(Err(error)) => Err(Report::verdict(stage, error.as_deref())),
        Value::Option(Some(value)) => Ok(*value),
        value => Ok(value),
    }
}
