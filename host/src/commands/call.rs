//! `host call`

mod results;

use std::path::Path;
use std::sync::Arc;

use api::Value;
use clap::Command;
use module::Documentation;
use pipeline::{Stage, StageBody, StageGraph, StageId};

use super::modules;
use super::modules::Opened;
use super::options::CallOptions;
use super::running::{Setup, with_run};
use crate::args::{Options, Parsed, options};
use crate::call::{
    Asked, Callee, Linked, LocalSource, Places, Plan, docs_of, find_stage, give_args, link, local_sources, stage_help,
};
use crate::context::{Context, Entry};
use crate::exit::ExitStatus;
use crate::platform::{Run, SecretSource};
use crate::report::{Report, Result};
use crate::styles::{about, examples};

pub(crate) static ENTRY: Entry =
    Entry { name: "call", summary: "Calls a stage, and methods of what it returns", define, run };

fn define(command: Command) -> Command {
    command
        .override_usage("host call [OPTIONS] STAGE [--FLAG VALUE]... [METHOD [--FLAG VALUE]...]...")
        .before_help(about(
            "The flags of a stage are its parameters: `host call STAGE --help` shows them.\n\
             A METHOD is one of the result's, as in `file --path app contents`; its flags are its parameters, too.\n\
             Run options may stand anywhere. Data goes to standard output, everything else to standard error.",
        ))
        .arg(options::stage_and_rest())
        .arg(options::module())
        .args(options::call())
        .after_help(examples(&[
            ("host call build --src . -o out", "builds the source here and writes the result to `out`"),
            ("host call build --src . file --path app size", "prints the size of one file of the result"),
            ("host call -m tools.wasm check --token env:TOKEN", "hands a variable over as a secret"),
            ("host call build --help", "shows the flags of a stage"),
        ]))
}

fn run(parsed: &Parsed, mut context: Context<'_>) -> Result<ExitStatus> {
    let mut options = parsed.options.clone();
    let opened = modules::open(&options, options.has("quiet"), &mut context)?;
    if let Some(call) = Call::parse("call", &opened, &parsed.words, &mut options, &mut context)? {
        call.run(&opened, &options, &mut context)?;
    }
    Ok(ExitStatus::Done)
}

/// A parsed call that has not begun.
pub(super) struct Call {
    plan: Plan,
    graph: Arc<StageGraph>,
    /// The stage and the stages that feed it, in an order in which they can be evaluated.
    order: Vec<StageId>,
    options: CallOptions,
    secrets: Vec<(String, SecretSource)>,
    /// Lines that say which stages are fed by which.
    fed_by: Vec<String>,
}

impl Call {
    /// Understands the words of a command that calls a stage: the stage, its flags, and methods with theirs. Returns
    /// none if they ask for help, which is then printed.
    pub(super) fn parse(
        command: &str,
        opened: &Opened,
        words: &[String],
        options: &mut Options,
        context: &mut Context<'_>,
    ) -> Result<Option<Self>> {
        let component = opened.component.as_ref();
        let library = component.library();
        let mut places = Places::new(context.config);
        let mut linked = link(&library, opened.directory(), &mut places)?;
        modules::check_has_stages(opened, &linked.graph)?;
        let Some((name, words)) = words.split_first() else {
            let stages: Vec<&str> = linked.graph.stages().iter().map(|stage| stage.name.as_str()).collect();
            return Err(Report::usage(format!("`host {command}` needs a stage"))
                .with_hint(format!("module `{}` has: {}", opened.name(), stages.join(", ")))
                .with_usage(format!(
                    "host {command} [OPTIONS] STAGE [--FLAG VALUE]... [METHOD [--FLAG VALUE]...]..."
                )));
        };
        let stage = find_stage(&linked.graph, &opened.name(), name)?;
        let plan = match Plan::parse(component, &mut linked.graph, stage, words.to_vec(), options, &mut places)? {
            Asked::Run(plan) => plan,
            Asked::StageHelp => {
                let stage = linked.graph.stage(stage);
                let docs = docs(opened, stage);
                context.io.print_styled(&stage_help(&linked.graph, stage, &library, docs.as_ref()));
                return Ok(None);
            }
            Asked::MethodHelp(help) => {
                context.io.print_styled(&help);
                return Ok(None);
            }
        };
        let args: Vec<&str> = options.all("arg").collect();
        give_args(component, &mut linked.graph, &opened.name(), &args, &mut places)?;
        plan.check_given(&linked.graph)?;
        let options = CallOptions::parse(options, context.config, context.io.stderr.is_terminal())?;
        results::check_output(&linked.graph.stage(plan.stage).name, plan.result.as_ref(), &options)?;
        let order = linked.order(&[plan.stage])?;
        let fed_by = fed_by(&linked, &order);
        let graph = Arc::new(linked.graph);
        Ok(Some(Self { plan, graph, order, options, secrets: places.secrets, fed_by }))
    }

    /// Returns the paths of this machine that the called stage and the stages that feed it are given.
    pub(super) fn local_sources(&self) -> Vec<LocalSource> {
        self.order.iter().flat_map(|stage| local_sources(&self.graph, *stage)).collect()
    }

    /// Returns the name of the called stage.
    pub(super) fn stage(&self) -> &str {
        &self.graph.stage(self.plan.stage).name
    }

    /// Returns whether only warnings and errors are shown.
    pub(super) fn is_quiet(&self) -> bool {
        self.options.is_quiet
    }

    /// Returns the paths of this machine that the call writes: its result, and its events.
    pub(super) fn written(&self) -> impl Iterator<Item = &Path> {
        self.options.written()
    }

    /// Makes the call, and prints or writes its result.
    pub(super) fn run(self, opened: &Opened, options: &Options, context: &mut Context<'_>) -> Result<()> {
        let Self { plan, graph, order: _, options: call, secrets, fed_by } = self;
        if !call.is_quiet {
            fed_by.iter().for_each(|line| context.io.say(line));
        }
        let title = graph.stage(plan.stage).name.clone();
        let setup = Setup { opened, options, call: &call, secrets, title: &title };
        let (shown, failure) = with_run(setup, context, |run, _| {
            let (value, failure) = evaluate(&plan, &graph, run)?;
            Ok((results::show(value, run, &call, context.config)?, failure))
        })?;
        context.io.print_bytes(&shown.data);
        shown.said.iter().for_each(|line| context.io.say(line));
        failure.map_or(Ok(()), Err)
    }
}

/// Reads the documentation of the module that has a stage's function.
fn docs(opened: &Opened, stage: &Stage) -> Option<Documentation> {
    let docs = match &stage.body {
        StageBody::Call { dependency, .. } => opened.documentation(dependency.as_deref()),
        StageBody::From(_) => None,
    };
    docs.filter(|docs| docs_of(stage, docs).is_some() || !docs.stages.is_empty())
}

/// Returns a line for each of these stages that is fed by others.
fn fed_by(linked: &Linked, order: &[StageId]) -> Vec<String> {
    let graph = &linked.graph;
    let mut lines = Vec::new();
    for &id in order {
        let stage = graph.stage(id);
        if let StageBody::From(link) = &stage.body {
            lines.push(format!("stage `{}` is `{}`", stage.name, graph.link_text(link)));
        }
        let fed = stage.params.iter().filter_map(|param| Some((param, graph.feeding_text(param)?)));
        let fed: Vec<String> = fed
            .map(
                |(param, text)| {
                    if text == param.name { format!("`{text}`") } else { format!("`{text}` as `{}`", param.name) }
                },
            )
            .collect();
        if !fed.is_empty() {
            lines.push(format!("stage `{}` is fed by {}", stage.name, fed.join(", ")));
        }
    }
    lines
}

/// Calls the stage, and the methods on what it returns. The error beside the result says that a case of a report failed.
fn evaluate(plan: &Plan, graph: &Arc<StageGraph>, run: &dyn Run) -> Result<(Value, Option<Report>)> {
    let (value, failure) = run.stage(graph, plan.stage)?;
    let mut value = there(value);
    let mut previous = format!("stage `{}`", graph.stage(plan.stage).name);
    for step in &plan.steps {
        let Value::Object(object) = value else {
            return Err(Report::new_verdict(format!("{previous} returned nothing to call `{}` on", step.name)));
        };
        let args = [vec![Value::Object(object)], step.args.clone()].concat();
        value = there(match &step.callee {
            Callee::Api(function) => run.invoke(&function.interface, &function.wit_name, args)?,
            Callee::Custom(function) => run.call_method(function, args)?,
        });
        previous = format!("method `{}`", step.name);
    }
    Ok((value, failure))
}

/// Returns the value inside of an option.
fn there(value: Value) -> Value {
    match value {
        Value::Option(Some(value)) => *value,
        value => value,
    }
}
