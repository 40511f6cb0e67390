//! From `-m` to a component that is newer than its sources.

use std::path::{Path, PathBuf};

use module::{BuildOptions, Built, Freshness, Module, ModuleDirectory, freshness};

use super::Context;
use crate::args::Options;
use crate::engine::Component;
use crate::exit::ExitStatus;
use crate::report::{Report, Result};

/// Finds the module that `-m` names, or the one here.
pub(super) fn find(options: &Options, context: &Context<'_>) -> Result<Module> {
    let reference = options.value("module").map(|reference| context.config.resolve(reference));
    // What was written is what errors name.
    let written = options.value("module").filter(|reference| !reference.starts_with('~')).map(PathBuf::from);
    Ok(module::find(written.or(reference).as_deref(), &context.config.cwd)?)
}

/// Returns the component of a module; builds it first if a source is newer, and says so.
pub(super) fn component(module: &Module, is_quiet: bool, context: &mut Context<'_>) -> Result<PathBuf> {
    let directory = match module {
        Module::Component(path) => return Ok(path.clone()),
        Module::Directory(directory) => directory,
    };
    let target_dir = context.config.target_dir.as_deref();
    let path = directory.component(target_dir);
    let why = match freshness(directory, target_dir) {
        Freshness::Fresh => return Ok(path),
        Freshness::NeverBuilt => "it was not built before".to_owned(),
        Freshness::Changed(source) => format!("`{}` changed", source.display()),
    };
    if !is_quiet {
        context.io.say(&format!("building module `{}`: {why}", directory.manifest.name));
    }
    Ok(build(directory, is_quiet, context)?.path)
}

/// Builds a module.
pub(super) fn build(directory: &ModuleDirectory, is_quiet: bool, context: &mut Context<'_>) -> Result<Built> {
    let config = context.config;
    let stderr = &mut context.io.stderr;
    let options = BuildOptions {
        cargo: &config.cargo,
        target_dir: config.target_dir.as_deref(),
        is_colored: stderr.is_terminal() && config.is_color_allowed,
    };
    // What cargo says matters even to those who want no progress, if it ends badly.
    let mut kept = Vec::new();
    let built = match is_quiet {
        true => module::build(directory, &options, &mut kept),
        false => module::build(directory, &options, stderr),
    };
    let built = built.map_err(|error| {
        let text = String::from_utf8_lossy(&kept);
        if !text.is_empty() {
            context.io.say(text.trim_end());
        }
        Report::from(error)
    })?;
    for warning in &built.warnings {
        context.io.say(&format!("warning: {warning}"));
    }
    Ok(built)
}

/// Loads the component of a module.
pub(super) fn load(path: &Path, module: &str, context: &Context<'_>) -> Result<Box<dyn Component>> {
    context.engine.load(path).map_err(|report| match report.status() {
        // A store that cannot be used says nothing about the module.
        ExitStatus::Environment => report,
        _ => report.context(format!("cannot load module `{module}`")),
    })
}

/// Reads the documentation in a component; none if it cannot be read.
pub(super) fn documentation(path: &Path) -> Option<module::Documentation> {
    module::documentation(&std::fs::read(path).ok()?)
}
