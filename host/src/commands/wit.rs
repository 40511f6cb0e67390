//! `host wit`

use clap::Command;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use module::Module;
use serde_json::json;

use super::modules;
use crate::args::{Parsed, options};
use crate::context::{Context, Entry, is_json, print_json};
use crate::exit::ExitStatus;
use crate::report::{Report, Result};
use crate::styles::{about, examples};

pub(crate) static ENTRY: Entry =
    Entry { name: "wit", summary: "Writes the WIT that a module imports, for the tools of its language", define, run };

fn define(command: Command) -> Command {
    command
        .before_help(about(
            "It goes to `wit/deps` of the module: the package `pipeline:api`, and the interface of each dependency.\n\
             Files there that are no longer needed are removed; files that you wrote are kept.",
        ))
        .arg(options::module_path())
        .arg(options::module())
        .arg(options::json())
        .arg(options::quiet())
        .after_help(examples(&[("host wit report", "writes it for the module in the directory `report`")]))
}

fn run(parsed: &Parsed, mut context: Context<'_>) -> Result<ExitStatus> {
    let directory = match modules::find(&parsed.options, &context)? {
        Module::Directory(directory) => directory,
        Module::Component(path) => {
            return Err(Report::input(format!("`{}` is built already", path.display()))
                .with_hint("`-m` takes the directory of a module here"));
        }
    };
    modules::place_wit(&directory, parsed.options.has("quiet"), &mut context)?;
    module::write_api_wit(&directory)?;
    let placed: Vec<PathBuf> = module::placed_wit(&directory)?;
    if is_json(parsed) {
        return print_json(context.io, &json!({ "root": directory.root, "files": placed }));
    }
    let packages: BTreeSet<&Path> = placed.iter().filter_map(|file| file.parent()).collect();
    packages.iter().for_each(|package| context.io.print(&package.display().to_string()));
    Ok(ExitStatus::Done)
}
