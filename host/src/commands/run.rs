//! `host run`

mod choose;
mod export;
mod program;

pub(super) use choose::{Chosen, named};

use std::collections::VecDeque;

use serde_json::json;

use super::changes::Changes;
use super::outcomes::{OutcomeKind, Outcomes, is_data};
use super::prepared::{Evaluated, Prepared, prepare};
use super::{Context, print_json};
use crate::args::specs::RUN;
use crate::args::{self, Parsed};
use crate::exit::ExitStatus;
use crate::report::Result;
use crate::{help, output};

pub(super) fn run(parsed: Parsed, mut words: VecDeque<String>, mut context: Context<'_>) -> Result<ExitStatus> {
    let Parsed { mut options, words: mut names, .. } = parsed;
    if let Some(file) = names.first().filter(|name| name.ends_with(".wasm")) {
        return program::run(file, words.into(), &options, context);
    }
    let rest = args::parse(&RUN, usize::MAX, false, &mut words)?;
    if rest.is_help {
        context.io.print(help::command(&RUN).trim_end());
        return Ok(ExitStatus::Done);
    }
    options.append(rest.options);
    names.extend(rest.words);
    let prepared = prepare(&options, &mut context)?;
    let output = export::target(&prepared.call)?;
    let mut chosen = Chosen::new(&prepared, &names)?;
    if let Some(reference) = options.value("only-changed-since") {
        let directory =
            prepared.opened.directory().map_or(context.config.cwd.as_path(), |module| module.root.as_path());
        let changes = Changes::since(reference, directory, context.config)?;
        only_changed(&mut chosen, &prepared, &changes, &context)?;
    }
    prepared.linked.order(&chosen.wanted)?;
    if !prepared.call.is_quiet {
        chosen.not_run.iter().for_each(|not_run| context.io.say(&format!("not run: {not_run}")));
    }
    if chosen.wanted.is_empty() {
        return nothing_changed(&options, &prepared, &mut context);
    }
    let is_keeping_going = options.has("keep-going");
    let evaluated =
        prepared.evaluate(&chosen.wanted, is_keeping_going, (&options, &context), |graph, ended, run| {
            output.map_or(Ok(()), |output| export::write(&output, graph, &chosen.wanted, ended, run))
        })?;
    let is_one_named = names.len() == 1 && options.value("output").is_none();
    show(evaluated, &chosen, is_one_named, &mut context)
}

/// Leaves out the stages that what changed does not reach. A changed function may reach every stage.
fn only_changed(chosen: &mut Chosen, prepared: &Prepared, changes: &Changes, context: &Context<'_>) -> Result<()> {
    if changes.has(&prepared.opened.files(context.config.target_dir.as_deref())) {
        return Ok(());
    }
    let graph = &prepared.linked.graph;
    let mut reached = Vec::new();
    for &stage in &chosen.wanted {
        if changes.reach(graph, &graph.order(&[stage])?)? {
            reached.push(stage);
        }
    }
    chosen.wanted = reached;
    Ok(())
}

fn nothing_changed(options: &args::Options, prepared: &Prepared, context: &mut Context<'_>) -> Result<ExitStatus> {
    if !prepared.call.is_quiet {
        let since = options.value("only-changed-since").unwrap_or_default();
        context.io.say(&format!("nothing to run: what changed since `{since}` reaches no stage"));
    }
    match prepared.call.is_json {
        true => print_json(context.io, &json!({ "stages": [], "not_run": [] })),
        false => Ok(ExitStatus::Done),
    }
}

/// Shows how the stages ended, and what the only one makes.
fn show(evaluated: Evaluated, chosen: &Chosen, is_one_named: bool, context: &mut Context<'_>) -> Result<ExitStatus> {
    let Evaluated { graph, call, ended, .. } = evaluated;
    let outcomes = Outcomes::new(&graph, &chosen.wanted, ended);
    let status = outcomes.status();
    if call.is_json {
        let not_run: Vec<_> = chosen.not_run.iter().map(|it| json!({ "stage": it.stage, "why": it.why })).collect();
        print_json(context.io, &json!({ "stages": outcomes.json(&graph), "not_run": not_run }))?;
    } else if is_one_named
        && let [outcome] = outcomes.stages.as_slice()
        && let (OutcomeKind::Done, Some(value)) = (&outcome.kind, outcome.value.as_ref().filter(|value| is_data(value)))
    {
        let text = output::plain(value);
        let end = if text.ends_with('\n') { "" } else { "\n" };
        context.io.print_bytes(format!("{text}{end}").as_bytes());
    }
    outcomes.say(&graph, "done", call.is_quiet, context.io);
    Ok(status)
}
