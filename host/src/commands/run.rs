//! `host run`

mod choose;
mod export;
mod program;

pub(super) use choose::{Chosen, named};

use std::path::PathBuf;

use clap::Command;
use pipeline::StageId;
use serde_json::json;

use super::changes::Changes;
use super::lacking;
use super::outcomes::{Outcomes, is_data};
use super::prepared::{Evaluated, Prepared, prepare};
use crate::args::{self, Options, Parse, Parsed, Subject, WORDS, options};
use crate::context::{Context, Entry, print_json};
use crate::exit::ExitStatus;
use crate::output;
use crate::report::Result;
use crate::styles::{about, examples};

pub(crate) static ENTRY: Entry =
    Entry { name: "run", summary: "Runs stages with all that they need, or a program", define, run };

fn define(command: Command) -> Command {
    command
        .override_usage("host run [OPTIONS] [STAGE]...\n       host run [OPTIONS] FILE.wasm [ARGS]...")
        .before_help(about(
            "Without a STAGE it runs the leaves of the stage graph: the stages whose results no other stage takes. \
             Stages that do not depend on each other run side by side; what several need is evaluated once.\n\
             A FILE.wasm is run as a program: the words behind it are its arguments, and its exit code is that of \
             `host`.",
        ))
        .arg(options::stages("The stages to run [default: the leaves of the stage graph]").trailing_var_arg(true))
        .arg(options::module())
        .arg(options::keep_going())
        .arg(
            options::value("only-changed-since", "REF")
                .help("Run only stages whose inputs differ from those of this git commit, branch or tag"),
        )
        .arg(options::report())
        .arg(options::strict())
        .arg(options::output("DIRECTORY", "Write the result of each stage to DIRECTORY/STAGE"))
        .args(options::run())
        .after_help(examples(&[
            ("host run", "runs the whole pipeline of the module here"),
            ("host run test lint -k", "runs two stages, and ends neither when the other fails"),
            ("host run --arg src=. -o out", "gives all stages their source, and writes what they make"),
            ("host run --only-changed-since origin/main", "runs what a branch changes"),
            ("host run pipeline.wasm --fast", "runs a program with an argument"),
        ]))
}

fn run(parsed: &Parsed, mut context: Context<'_>) -> Result<ExitStatus> {
    if let Some((file, args)) = parsed.words.split_first().filter(|(file, _)| file.ends_with(".wasm")) {
        return program::run(file, args.to_vec(), &parsed.options, context);
    }
    match stages_of(ENTRY.name, parsed, &mut context)? {
        None => Ok(ExitStatus::Done),
        Some((options, names)) => run_stages(&options, &names, &mut context, |_, _| Ok(())),
    }
}

/// Returns the options and the names of the stages that a command line has; none if it asks for help, which is then
/// printed.
pub(super) fn stages_of(
    command: &str,
    parsed: &Parsed,
    context: &mut Context<'_>,
) -> Result<Option<(Options, Vec<String>)>> {
    let (mut options, mut names) = (parsed.options.clone(), parsed.words.clone());
    if !parsed.is_escaped {
        // Options may follow the name of a stage. All words behind the name of a program belong to the program.
        let parser = ENTRY.alone().mut_arg(WORDS, |stages| stages.trailing_var_arg(false));
        match args::parse(parser, names.clone(), || Subject::of_command(command, ENTRY.alone()))? {
            Parse::Given(matches) => {
                let rest = Parsed::new(&matches, &names);
                options.append(rest.options);
                names = rest.words;
            }
            Parse::Text(help) => {
                context.io.print_styled(&help);
                return Ok(None);
            }
        }
    }
    Ok(Some((options, names)))
}

/// Runs stages, or the leaves if no stage is named, and prints their outcomes. `begins` is called with the stages that
/// are needed before anything is read.
pub(super) fn run_stages(
    options: &Options,
    names: &[String],
    context: &mut Context<'_>,
    begins: impl FnOnce(&Prepared, &[StageId]) -> Result<()>,
) -> Result<ExitStatus> {
    let prepared = prepare(options, context)?;
    let output = export::target(&prepared.call)?;
    let mut chosen = Chosen::new(&prepared, names)?;
    if let Some(reference) = options.value("only-changed-since") {
        let directory =
            prepared.opened.directory().map_or(context.config.cwd.as_path(), |module| module.root.as_path());
        let changes = Changes::since(reference, directory, context.config)?;
        only_changed(&mut chosen, &prepared, &changes, context)?;
    }
    begins(&prepared, &prepared.linked.order(&chosen.wanted)?)?;
    if !prepared.call.is_quiet {
        chosen.not_run.iter().for_each(|not_run| context.io.say(&format!("not run: {not_run}")));
    }
    if chosen.wanted.is_empty() {
        return nothing_changed(options, &prepared, context);
    }
    let report = options.value("report").map(|path| context.config.resolve(path));
    let is_strict = lacking::is_strict(options, context);
    let is_keeping_going = options.has("keep-going");
    let evaluated = prepared.evaluate(&chosen.wanted, is_keeping_going, (options, context), |graph, ended, run| {
        output.map_or(Ok(()), |output| export::write(&output, graph, &chosen.wanted, ended, run))
    })?;
    let is_one_named = names.len() == 1 && options.value("output").is_none();
    let shown = Shown { is_one_named, is_strict, report };
    show(evaluated, &chosen, shown, context)
}

/// Removes the stages whose inputs have not changed. If a source of the module has changed, all stages stay.
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

fn nothing_changed(options: &Options, prepared: &Prepared, context: &mut Context<'_>) -> Result<ExitStatus> {
    if !prepared.call.is_quiet {
        let since = options.value("only-changed-since").unwrap_or_default();
        context.io.say(&format!("nothing to run: what changed since `{since}` reaches no stage"));
    }
    match prepared.call.is_json {
        true => print_json(context.io, &json!({ "stages": [], "not_run": [] })),
        false => Ok(ExitStatus::Done),
    }
}

/// The way in which the outcomes of a run are shown.
struct Shown {
    /// Whether one stage was named, whose result is printed.
    is_one_named: bool,
    /// Whether a stage that was not run is a mistake.
    is_strict: bool,
    /// The file of the JUnit report.
    report: Option<PathBuf>,
}

/// Prints the outcomes of the stages, and the result of a stage that was named alone.
fn show(evaluated: Evaluated, chosen: &Chosen, shown: Shown, context: &mut Context<'_>) -> Result<ExitStatus> {
    let Evaluated { opened, graph, call, ended } = evaluated;
    let Shown { is_one_named, is_strict, report } = shown;
    let outcomes = Outcomes::new(&graph, &chosen.wanted, ended);
    let status = outcomes.status();
    if let Some(path) = report {
        outcomes.write_junit(&path, &opened.name(), &graph, (&chosen.not_run, is_strict))?;
    }
    if call.is_json {
        print_json(context.io, &outcomes.document(&graph, &chosen.not_run))?;
    } else if is_one_named
        && let [outcome] = outcomes.stages.as_slice()
        && let Some(value) = outcome.value.as_ref().filter(|value| is_data(value))
    {
        let text = output::plain(value);
        let end = if text.ends_with('\n') { "" } else { "\n" };
        context.io.print_bytes(format!("{text}{end}").as_bytes());
    }
    outcomes.say(&graph, "done", call.is_quiet, context.io);
    Ok(lacking::status(status, &chosen.not_run, is_strict, context))
}
