//! `host wit`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use module::Module;
use serde_json::json;

use super::{Context, is_json, modules, print_json};
use crate::args::Parsed;
use crate::exit::ExitStatus;
use crate::report::{Report, Result};

pub(super) fn run(parsed: &Parsed, mut context: Context<'_>) -> Result<ExitStatus> {
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
