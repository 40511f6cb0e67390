//! `host functions`

use clap::Command;
use std::fmt::Write as _;

use module::{Documentation, StageDocs};
use pipeline::{Stage, StageBody};
use serde_json::{Value as Json, json};

use super::modules::{self, Opened};
use crate::args::{Parsed, options};
use crate::call::{Linked, Places, docs_of, link, stage_usage};
use crate::context::{Context, Entry, is_json, print_json};
use crate::exit::ExitStatus;
use crate::output::{item, type_name};
use crate::report::Result;
use crate::styles::examples;

pub(crate) static ENTRY: Entry = Entry { name: "functions", summary: "Lists the stages of a module", define, run };

fn define(command: Command) -> Command {
    command
        .arg(options::module_path())
        .arg(options::module())
        .arg(options::json())
        .arg(options::quiet())
        .after_help(examples(&[("host functions", "lists the stages of the module here")]))
}

fn run(parsed: &Parsed, mut context: Context<'_>) -> Result<ExitStatus> {
    let opened = modules::open(&parsed.options, parsed.options.has("quiet"), &mut context)?;
    let linked = link(&opened.component.library(), opened.directory(), &mut Places::new(context.config))?;
    let docs = Docs::of(&opened, &linked);
    if is_json(parsed) {
        let stages: Vec<Json> =
            linked.graph.stages().iter().map(|stage| as_json(stage, docs.of_stage(stage))).collect();
        let interface = opened.component.interface();
        let listed = json!({ "module": opened.name(), "interface": interface, "stages": stages });
        return print_json(context.io, &listed);
    }
    context.io.print(text(&linked, &docs).trim_end());
    Ok(ExitStatus::Done)
}

/// The documentation of the module and of its dependencies.
struct Docs {
    own: Option<Documentation>,
    dependencies: Vec<(String, Option<Documentation>)>,
}

impl Docs {
    fn of(opened: &Opened, linked: &Linked) -> Self {
        let mut aliases: Vec<&str> = linked.graph.stages().iter().filter_map(|stage| dependency_of(stage)).collect();
        aliases.sort_unstable();
        aliases.dedup();
        let read = |alias: &str| (alias.to_owned(), opened.documentation(Some(alias)));
        Self { own: opened.documentation(None), dependencies: aliases.into_iter().map(read).collect() }
    }

    fn of_stage(&self, stage: &Stage) -> Option<&StageDocs> {
        let docs = match dependency_of(stage) {
            None => self.own.as_ref(),
            Some(alias) => self.dependencies.iter().find(|(known, _)| known == alias)?.1.as_ref(),
        };
        docs_of(stage, docs?)
    }
}

fn dependency_of(stage: &Stage) -> Option<&str> {
    match &stage.body {
        StageBody::Call { dependency, .. } => dependency.as_deref(),
        StageBody::From(_) => None,
    }
}

fn text(linked: &Linked, docs: &Docs) -> String {
    let mut text = String::new();
    if let Some(docs) = docs.own.as_ref().filter(|docs| !docs.text.is_empty()) {
        let _ = write!(text, "{}\n\n", docs.text);
    }
    for stage in linked.graph.stages() {
        let said = stage.description.as_deref().or(docs.of_stage(stage).map(|docs| docs.text.as_str()));
        item(&mut text, &stage.name, said.and_then(|text| text.lines().next()).unwrap_or_default());
        let _ = writeln!(text, "      {} -> {}", stage_usage(&linked.graph, stage), result(stage));
    }
    text
}

/// Returns the type of the result, without the error that it may be instead.
fn result(stage: &Stage) -> String {
    type_name(pipeline::made_by(stage.result.as_ref()))
}

fn as_json(stage: &Stage, docs: Option<&StageDocs>) -> Json {
    let params: Vec<Json> = stage
        .params
        .iter()
        .map(|param| {
            let text = docs.and_then(|docs| docs.params.get(&param.name));
            let default = docs.and_then(|docs| docs.defaults.get(&param.name));
            json!({ "name": param.name, "type": param.ty.to_string(), "docs": text, "default": default })
        })
        .collect();
    json!({
        "name": stage.name,
        "docs": stage.description.as_ref().or(docs.map(|docs| &docs.text)),
        "params": params,
        "result": stage.result.as_ref().map(ToString::to_string),
    })
}
