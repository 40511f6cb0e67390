//! `host engine`

use clap::Command;
use std::fmt::Write as _;

use engine::Caps;

use crate::args::{Parsed, options};
use crate::context::{Context, Entry, is_json, print_json};
use crate::exit::ExitStatus;
use crate::platform::{EngineReport, OtherEngine};
use crate::report::Result;
use crate::styles::examples;

pub(crate) static ENTRY: Entry =
    Entry { name: "engine", summary: "Shows where commands run, why there, and what that can do", define, run };

fn define(command: Command) -> Command {
    command
        .arg(options::engine().help("Show what would be used if this engine were chosen"))
        .arg(options::json())
        .after_help(examples(&[("host engine", "shows which engine `host call` uses here")]))
}

fn run(parsed: &Parsed, context: Context<'_>) -> Result<ExitStatus> {
    let asked = parsed.options.value("engine").or(context.config.engine.as_deref());
    super::options::check_engine(asked)?;
    let report = context.platform.describe(asked)?;
    if is_json(parsed) {
        return print_json(context.io, &report);
    }
    context.io.print(text(&report).trim_end());
    Ok(ExitStatus::Done)
}

/// An ability of engines: its name, whether an engine has it, and its meaning.
type Ability = (&'static str, fn(&Caps) -> bool, &'static str);

const ABILITIES: &[Ability] = &[
    ("network", |caps| caps.network, "commands can reach the network"),
    ("owners", |caps| caps.owners, "files can belong to any user"),
    ("limits", |caps| caps.limits, "memory, processes and processors can be limited"),
    ("images", |caps| caps.images, "images can be pulled"),
    ("services", |caps| caps.services, "services can run"),
    ("machine", |caps| caps.machine, "the tools of this machine can be used"),
    ("temp", |caps| caps.sized_temp, "directories in memory can have a limit"),
    ("keys", |caps| caps.content_keys, "a command is found again however its equal inputs were made"),
    ("layers", |caps| caps.checked_layers, "layers are compared with the configuration of their image"),
];

fn text(report: &EngineReport) -> String {
    let EngineReport { engine, reason, caps, store, others } = report;
    let mut text = format!("engine    {engine}\nwhy       {reason}\nstore     {}\n\n", store.display());
    let columns: Vec<(&str, Option<&Caps>)> = std::iter::once((engine.as_str(), Some(caps)))
        .chain(others.iter().map(|other| (other.engine.as_str(), other.caps.as_ref())))
        .collect();
    let _ = write!(text, "{:8}", "");
    for (name, _) in &columns {
        let _ = write!(text, "  {name}");
    }
    text.push('\n');
    for (ability, is_there, what) in ABILITIES {
        let _ = write!(text, "{ability:8}");
        for (name, caps) in &columns {
            let shown = caps.map_or("-", |caps| if is_there(caps) { "yes" } else { "no" });
            let _ = write!(text, "  {shown:width$}", width = name.len());
        }
        let _ = writeln!(text, "  {what}");
    }
    let noted = columns.iter().filter_map(|(name, caps)| caps.map(|caps| (name, caps)));
    for (name, note) in noted.flat_map(|(name, caps)| caps.notes.iter().map(move |note| (name, note))) {
        let _ = writeln!(text, "{name}: {note}");
    }
    for OtherEngine { engine, problem, .. } in others {
        if let Some(problem) = problem {
            let _ = writeln!(text, "{engine}: cannot be used here: {problem}");
        }
    }
    text
}
