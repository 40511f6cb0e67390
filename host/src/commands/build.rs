//! `host build`

use module::Module;
use serde_json::json;

use super::{Context, is_json, modules, print_json};
use crate::args::Parsed;
use crate::exit::ExitStatus;
use crate::output::bytes;
use crate::report::{Report, Result};

pub(super) fn run(parsed: &Parsed, mut context: Context<'_>) -> Result<ExitStatus> {
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
