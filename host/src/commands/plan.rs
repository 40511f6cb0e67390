//! `host plan`

mod json;
mod survey;
mod text;

use clap::Command;

use super::prepared::{Prepared, prepare};
use super::run::Chosen;
use crate::args::{Parsed, options};
use crate::context::{Context, Entry, is_json, print_json};
use crate::exit::ExitStatus;
use crate::report::Result;
use crate::styles::{about, examples};

pub(super) use survey::{Operation, Survey, Surveyed, survey};

pub(crate) static ENTRY: Entry =
    Entry { name: "plan", summary: "Shows what `host run` would execute, and why, and executes nothing", define, run };

fn define(command: Command) -> Command {
    command
        .before_help(about(
            "Functions are called, directories are hashed, results of earlier runs are found, and images are looked up \
             at their registries. No command runs, and nothing is fetched or written. A function that needs the result \
             of a command that would run is shown up to that command.",
        ))
        .arg(options::stages("The stages to plan [default: the leaves of the stage graph]"))
        .arg(options::module())
        .arg(options::arg())
        .arg(options::json())
        .arg(options::allow())
        .arg(options::no_network().help("Plan a run whose commands cannot use the network"))
        .arg(options::no_cache().help("Plan a run that uses no results of earlier runs"))
        .arg(options::engine().help("Plan for this engine"))
        .arg(options::events())
        .arg(options::quiet())
        .after_help(examples(&[
            ("host plan", "shows what `host run` would execute here"),
            ("host plan test --arg src=. --json", "shows as JSON what one stage needs"),
        ]))
}

fn run(parsed: &Parsed, mut context: Context<'_>) -> Result<ExitStatus> {
    let prepared = prepare(&parsed.options, &mut context)?;
    let Chosen { wanted, not_run } = Chosen::new(&prepared, &parsed.words)?;
    let order = prepared.linked.order(&wanted)?;
    let Prepared { opened, linked, call, secrets } = prepared;
    if !call.is_quiet {
        not_run.iter().for_each(|not_run| context.io.say(&format!("not planned: {not_run}")));
    }
    let survey = survey(&opened, linked.graph, (&wanted, &order), (&call, secrets), (&parsed.options, &context))?;
    let names = survey.names(&opened.name());
    match is_json(parsed) {
        true => print_json(context.io, &json::plan(&survey, &names, &not_run))?,
        false => {
            context.io.print(text::plan(&survey, &names).trim_end());
            ExitStatus::Done
        }
    };
    Ok(survey.status())
}
