//! `host plan`

mod json;
mod survey;
mod text;

use super::prepared::{Prepared, prepare};
use super::run::Chosen;
use super::{Context, is_json, print_json};
use crate::args::Parsed;
use crate::exit::ExitStatus;
use crate::report::Result;

pub(super) use survey::{Operation, Survey, Surveyed, survey};

pub(super) fn run(parsed: &Parsed, mut context: Context<'_>) -> Result<ExitStatus> {
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
        true => print_json(context.io, &json::plan(&survey, &names))?,
        false => {
            context.io.print(text::plan(&survey, &names).trim_end());
            ExitStatus::Done
        }
    };
    Ok(survey.status())
}
