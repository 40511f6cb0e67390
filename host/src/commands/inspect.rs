//! `host inspect`

use clap::Command;
use std::fmt::Write as _;
use std::path::Path;

use module::{Inspection, inspect};
use serde_json::json;
use terminal::bytes;

use super::modules;
use crate::args::{Parsed, options};
use crate::context::{Context, Entry, is_json, print_json};
use crate::exit::ExitStatus;
use crate::report::{Report, Result};
use crate::styles::{about, examples};

pub(crate) static ENTRY: Entry =
    Entry { name: "inspect", summary: "Shows what a module imports, exports and may do", define, run };

fn define(command: Command) -> Command {
    command
        .before_help(about("Nothing of the module is run."))
        .arg(options::module_path())
        .arg(options::module())
        .arg(options::json())
        .arg(options::quiet())
        .after_help(examples(&[("host inspect tools.wasm", "shows the powers of a component before it is called")]))
}

fn run(parsed: &Parsed, mut context: Context<'_>) -> Result<ExitStatus> {
    let module = modules::find(&parsed.options, &context)?;
    let path = modules::component(&module, parsed.options.has("quiet"), &mut context)?;
    let wasm = std::fs::read(&path).map_err(|error| unreadable(&path, &error))?;
    let inspection = inspect(&wasm)
        .map_err(|error| Report::from(error).context(format!("`{}` cannot be inspected", path.display())))?;
    if is_json(parsed) {
        let shown = json!({ "module": module.name(), "component": path, "inspection": inspection });
        return print_json(context.io, &shown);
    }
    context.io.print(text(&module.name(), &path, &inspection).trim_end());
    Ok(ExitStatus::Done)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Report {
    let message = format!("cannot read `{}`", path.display());
    let report = match error.kind() {
        std::io::ErrorKind::NotFound => Report::input(message),
        _ => Report::environment(message),
    };
    report.caused_by(error.to_string())
}

fn text(name: &str, path: &Path, inspection: &Inspection) -> String {
    let Inspection { digest, size_bytes, imports, exports, powers, producers, is_documented } = inspection;
    let mut text = format!("module      {name}\ncomponent   {}\n", path.display());
    let _ = writeln!(text, "digest      {digest}");
    let _ = writeln!(text, "size        {}", bytes(*size_bytes));
    let made = producers.iter().map(|producer| format!("{} {} {}", producer.field, producer.name, producer.version));
    let _ = writeln!(text, "made with   {}", list(made.map(|made| made.trim().to_owned())));
    let _ = writeln!(text, "documented  {}", if *is_documented { "yes" } else { "no" });
    let powers = match powers.is_empty() {
        true => "none: it can only compute, and ask for containers and files that it was given".to_owned(),
        false => powers.iter().cloned().collect::<Vec<_>>().join(", "),
    };
    let _ = writeln!(text, "powers      {powers}");
    let _ =
        writeln!(text, "exports     {}", list(exports.iter().map(|export| format!("{} {}", export.kind, export.name))));
    let _ = writeln!(text, "imports     {}", list(imports.iter().cloned()));
    text
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    if items.is_empty() { "nothing".to_owned() } else { items.join("\n            ") }
}
