//! `host engine`

use std::fmt::Write as _;

use backend::Caps;

use super::{Context, is_json, print_json};
use crate::args::Parsed;
use crate::engine::EngineReport;
use crate::exit::ExitStatus;
use crate::report::Result;

pub(super) fn run(parsed: &Parsed, context: Context<'_>) -> Result<ExitStatus> {
    let asked = parsed.options.value("engine").or(context.config.engine.as_deref());
    super::call::check_engine(asked)?;
    let report = context.engine.describe(asked)?;
    if is_json(parsed) {
        return print_json(context.io, &report);
    }
    context.io.print(text(&report).trim_end());
    Ok(ExitStatus::Done)
}

fn text(report: &EngineReport) -> String {
    let EngineReport { engine, reason, caps, store } = report;
    let Caps { name: _, network, owners, limits, images, services, machine, notes } = caps;
    let mut text = format!("engine    {engine}\nwhy       {reason}\nstore     {}\n", store.display());
    let can = [
        ("network", network, "commands can reach the network"),
        ("owners", owners, "files can belong to any user"),
        ("limits", limits, "memory, processes and processors can be limited"),
        ("images", images, "images can be pulled"),
        ("services", services, "services can run"),
        ("machine", machine, "the tools of this machine can be used"),
    ];
    for (name, is_there, what) in can {
        let _ = writeln!(text, "{name:8}  {}  {what}", if *is_there { "yes" } else { "no " });
    }
    for note in notes {
        let _ = writeln!(text, "note: {note}");
    }
    text
}
