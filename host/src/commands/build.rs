//! `host build`

use clap::Command;
use module::Module;
use serde_json::json;
use terminal::bytes;

use super::modules;
use crate::args::{Parsed, options};
use crate::context::{Context, Entry, is_json, print_json};
use crate::exit::ExitStatus;
use crate::report::{Report, Result};
use crate::styles::{about, examples};

pub(crate) static ENTRY: Entry =
    Entry { name: "build", summary: "Builds a module's component and embeds its documentation", define, run };

fn define(command: Command) -> Command {
    command
        .before_help(about(
            "The component is written to `target/host/NAME.wasm` of the module, or of `$CARGO_TARGET_DIR`.\n\
             With the key `build`, `host.toml` names the component and the command that makes it.\n\
             `host call` builds by itself when a source is newer.",
        ))
        .arg(options::module_path())
        .arg(options::module())
        .arg(options::json())
        .arg(options::quiet())
        .after_help(examples(&[("host build ci", "builds the module in the directory `ci`")]))
}

fn run(parsed: &Parsed, mut context: Context<'_>) -> Result<ExitStatus> {
    let is_quiet = parsed.options.has("quiet");
    let directory = match modules::find(&parsed.options, &context)? {
        Module::Directory(directory) => directory,
        Module::Component(path) => {
            return Err(Report::input(format!("`{}` is built already", path.display()))
                .with_hint("`-m` takes the directory of a module here"));
        }
    };
    if !directory.manifest.dependencies.is_empty() {
        modules::place_wit(&directory, is_quiet, &mut context)?;
    }
    let built = modules::build(&directory, is_quiet, &mut context)?;
    if is_json(parsed) {
        return print_json(context.io, &json!({ "component": built.path, "size_bytes": built.size_bytes }));
    }
    context.io.print(&built.path.display().to_string());
    if !is_quiet {
        context.io.say(&format!("built module `{}`, {}", directory.manifest.name, bytes(built.size_bytes)));
    }
    Ok(ExitStatus::Done)
}
