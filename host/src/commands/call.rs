//! `host call`

mod results;

use std::collections::VecDeque;
use std::sync::Arc;

use api::{Origins, Value};
use pipeline::{StageGraph, StageId, Work};

use super::options::CallOptions;
use super::running::{Setup, with_run};
use super::{Context, modules};
use crate::args::Parsed;
use crate::args::specs::CALL;
use crate::call::{Asked, Callee, Linked, Places, Plan, docs_of, find_stage, link, link_text, stage_help};
use crate::engine::Run;
use crate::exit::ExitStatus;
use crate::report::{Report, Result};

pub(super) fn run(parsed: Parsed, words: VecDeque<String>, mut context: Context<'_>) -> Result<ExitStatus> {
    let Parsed { mut options, words: names, .. } = parsed;
    let opened = modules::open(&options, options.has("quiet"), &mut context)?;
    let component = opened.component.as_ref();
    let library = component.library();
    let mut places = Places::new(context.config);
    let mut linked = link(&library, opened.directory(), &mut places)?;
    modules::check_has_stages(&opened, &linked.graph)?;
    let Some(name) = names.first() else {
        let stages: Vec<&str> = linked.graph.stages().iter().map(|stage| stage.name.as_str()).collect();
        return Err(Report::usage("`host call` needs a stage")
            .with_hint(format!("module `{}` has: {}", opened.name(), stages.join(", ")))
            .with_usage(CALL.usage_line()));
    };
    let stage = find_stage(&linked.graph, &opened.name(), name)?;
    let plan = match Plan::parse(component, &mut linked.graph, stage, words, &mut options, &mut places)? {
        Asked::StageHelp => {
            let stage = linked.graph.stage(stage);
            let docs = match &stage.work {
                Work::Call { dependency, .. } => opened.documentation(dependency.as_deref()),
                Work::From(_) => None,
            };
            let docs = docs.as_ref().filter(|docs| docs_of(stage, docs).is_some() || !docs.stages.is_empty());
            context.io.print(stage_help(&linked.graph, stage, &library, docs).trim_end());
            return Ok(ExitStatus::Done);
        }
        Asked::MethodHelp(help) => {
            context.io.print(help.trim_end());
            return Ok(ExitStatus::Done);
        }
        Asked::Run(plan) => plan,
    };
    let call = CallOptions::parse(&options, context.config, context.io.stderr.is_terminal())?;
    let name = linked.graph.stage(plan.stage).name.clone();
    results::check_output(&name, plan.result.as_ref(), &call)?;
    let order = linked.order(&[plan.stage])?;
    if !call.is_quiet {
        fed_by(&linked, &order).iter().for_each(|line| context.io.say(line));
    }
    let graph = Arc::new(linked.graph);
    let (secrets, origins) = (places.secrets, Arc::<Origins>::default());
    let setup = Setup { opened: &opened, options: &options, call: &call, secrets, title: &name, origins };
    let shown = with_run(setup, &context, |run, _| {
        let value = evaluate(&plan, &graph, run)?;
        results::show(value, run, &call, context.config)
    })?;
    context.io.print_bytes(&shown.data);
    shown.said.iter().for_each(|line| context.io.say(line));
    Ok(ExitStatus::Done)
}

/// Returns a line for each stage among these that others feed: by which parameter, with what.
fn fed_by(linked: &Linked, order: &[StageId]) -> Vec<String> {
    let graph = &linked.graph;
    let mut lines = Vec::new();
    for &id in order {
        let stage = graph.stage(id);
        if let Work::From(link) = &stage.work {
            lines.push(format!("stage `{}` is `{}`", stage.name, link_text(link, graph)));
        }
        let links = stage.params.iter().filter_map(|param| Some((param, param.link()?)));
        let fed: Vec<String> = links
            .map(|(param, link)| {
                let text = link_text(link, graph);
                if text == param.name { format!("`{text}`") } else { format!("`{text}` as `{}`", param.name) }
            })
            .collect();
        if !fed.is_empty() {
            lines.push(format!("stage `{}` is fed by {}", stage.name, fed.join(", ")));
        }
    }
    lines
}

/// Calls the stage, and the methods on what it returns.
fn evaluate(plan: &Plan, graph: &Arc<StageGraph>, run: &dyn Run) -> Result<Value> {
    let mut value = there(run.stage(graph, plan.stage)?);
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
    Ok(value)
}

/// Takes a value out of `some`.
fn there(value: Value) -> Value {
    match value {
        Value::Option(Some(value)) => *value,
        value => value,
    }
}
