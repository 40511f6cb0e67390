//! `host graph`

mod callable;
mod format;
mod operations;

use std::path::Path;

use clap::Command;
use pipeline::{Drawing, Edge, StageGraph, StageId};

use self::callable::callable;
use self::format::Format;
use super::plan::survey;
use super::prepared::{Prepared, prepare};
use crate::args::{Hinted, Parsed, options};
use crate::call::find_stage;
use crate::context::{Context, Entry};
use crate::exit::ExitStatus;
use crate::report::{Report, Result};
use crate::styles::{about, examples};

pub(crate) static ENTRY: Entry =
    Entry { name: "graph", summary: "Draws the stages of a module, and what feeds what", define, run };

fn define(command: Command) -> Command {
    command
        .before_help(about("Nothing is run. With `--ops` functions are called, as by `host plan`."))
        .arg(options::stages("The stages to draw, with all that feeds them [default: all]"))
        .arg(options::module())
        .arg(options::arg())
        .arg(
            options::value("format", "FORMAT")
                .value_parser(Hinted::new(format::NAMES.iter().copied()))
                .help("Draw in this format [default: by the ending of `--output`, else mermaid]"),
        )
        .arg(options::output("FILE", "Write the drawing to FILE"))
        .arg(options::switch("ops").help("Also draw the operations that the functions ask for"))
        .arg(options::allow())
        .arg(options::engine().help("With `--ops`: call functions as for this engine"))
        .arg(options::quiet())
        .after_help(examples(&[
            ("host graph", "draws the pipeline of the module here, for Markdown"),
            ("host graph pack -o pack.svg", "draws what one stage needs, as a picture"),
            ("host graph --ops --format dot | dot -Tpng > ops.png", "draws commands and files, too"),
        ]))
}

fn run(parsed: &Parsed, mut context: Context<'_>) -> Result<ExitStatus> {
    let output = parsed.options.value("output").map(|path| context.config.resolve(path));
    let format = Format::choose(parsed.options.value("format"), output.as_deref())?;
    let prepared = prepare(&parsed.options, &mut context)?;
    let module = prepared.opened.name();
    let named = parsed.words.iter().map(|name| find_stage(&prepared.linked.graph, &module, name));
    let stages = closure(&prepared.linked.graph, named.collect::<Result<_>>()?);
    let drawing = match parsed.options.has("ops") {
        false => restricted(prepared.linked.graph.drawing(), &stages).0,
        true => with_operations(prepared, &stages, (parsed, &context))?,
    };
    let text = format.draw(&drawing);
    match output {
        None => context.io.print(text.trim_end()),
        Some(path) => write(&path, &text)?,
    }
    Ok(ExitStatus::Done)
}

/// Draws stages with their operations, and says which stages cannot be called.
fn with_operations(prepared: Prepared, stages: &[bool], (parsed, context): (&Parsed, &Context<'_>)) -> Result<Drawing> {
    let Prepared { opened, linked, call, secrets } = prepared;
    let drawn: Vec<StageId> = (0..stages.len()).filter(|id| stages[*id]).collect();
    let wanted = callable(&linked, drawn)?;
    wanted.left_out.iter().for_each(|line| context.io.say(line));
    let (mut drawing, positions) = restricted(linked.graph.drawing(), stages);
    let asked = (wanted.stages.as_slice(), wanted.order.as_slice());
    let survey = survey(&opened, linked.graph, asked, (&call, secrets), (&parsed.options, context))?;
    operations::add(&mut drawing, &positions, &survey, &context.config.cwd);
    for line in operations::unknown(&survey) {
        context.io.say(&line);
    }
    Ok(drawing)
}

/// Returns for each stage whether it is one of the named stages or feeds one. If none is named, all are.
fn closure(graph: &StageGraph, named: Vec<StageId>) -> Vec<bool> {
    if named.is_empty() {
        return vec![true; graph.stages().len()];
    }
    let mut is_in = vec![false; graph.stages().len()];
    let mut pending = named;
    while let Some(stage) = pending.pop() {
        if !std::mem::replace(&mut is_in[stage], true) {
            pending.extend(graph.feeders(stage));
        }
    }
    is_in
}

/// Removes the nodes that are not kept from a drawing, and returns the new position of each node.
fn restricted(drawing: Drawing, kept: &[bool]) -> (Drawing, Vec<Option<usize>>) {
    let mut n_kept = 0;
    let positions: Vec<Option<usize>> = kept
        .iter()
        .map(|is_kept| {
            let position = is_kept.then_some(n_kept);
            n_kept += usize::from(*is_kept);
            position
        })
        .collect();
    let Drawing { nodes, edges } = drawing;
    let nodes = nodes.into_iter().zip(&positions).filter(|(_, position)| position.is_some());
    let edges = edges.into_iter().filter_map(|edge| {
        let (from, to) = (positions[edge.from]?, positions[edge.to]?);
        Some(Edge { from, to, label: edge.label })
    });
    (Drawing { nodes: nodes.map(|(node, _)| node).collect(), edges: edges.collect() }, positions)
}

fn write(path: &Path, text: &str) -> Result<()> {
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    made.and_then(|()| std::fs::write(path, text))
        .map_err(|error| Report::unwritable(format!("cannot write `{}`", path.display()), &error))
}
