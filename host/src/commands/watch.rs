//! `host watch`

mod files;
mod roots;

use std::path::{Path, PathBuf};

use clap::Command;

use self::files::Files;
use self::roots::Roots;
use super::call::Call;
use super::modules;
use crate::args::{Options, Parsed, options};
use crate::config::Config;
use crate::context::{Context, Entry};
use crate::exit::ExitStatus;
use crate::interrupt;
use crate::report::Result;
use crate::styles::{about, examples};

pub(crate) static ENTRY: Entry =
    Entry { name: "watch", summary: "Calls a stage, and again whenever something that it needs changes", define, run };

fn define(command: Command) -> Command {
    command
        .override_usage("host watch [OPTIONS] STAGE [--FLAG VALUE]... [METHOD [--FLAG VALUE]...]...")
        .before_help(about(
            "It takes what `host call` takes. It watches the files and directories that are given to the stage and to \
             the stages that feed it, and the sources of the module and of its dependencies, which are built again. \
             Ctrl-C ends it.",
        ))
        .arg(options::stage_and_rest())
        .arg(options::module())
        .args(options::call())
        .after_help(examples(&[
            ("host watch test --src .", "tests the source here after each change"),
            ("host watch build -o out", "keeps `out` up to date"),
        ]))
}

/// The most changed files that are named.
const MAX_NAMED: usize = 3;

fn run(parsed: &Parsed, mut context: Context<'_>) -> Result<ExitStatus> {
    let Parsed { options, words, is_escaped: _ } = parsed;
    let mut files = None;
    loop {
        interrupt::end_at_once();
        match round(words, options.clone(), &mut files, &mut context) {
            Ok(Round::Help) => return Ok(ExitStatus::Done),
            Ok(Round::Called) => {}
            Err(report) if files.is_none() || report.status() == ExitStatus::Interrupted => return Err(report),
            Err(report) => context.io.report(&report),
        }
        context.io.flush();
        interrupt::end_at_once();
        let Some(files) = &mut files else { return Ok(ExitStatus::Done) };
        context.io.say("waiting for changes; Ctrl-C ends it");
        let changed = files.changed()?;
        let stage = words.first().map(String::as_str).unwrap_or_default();
        context.io.say(&format!("changed: {}; calling `{stage}` again", named(&changed, context.config)));
    }
}

/// The result of a round.
enum Round {
    Called,
    /// Only help was asked for.
    Help,
}

/// Calls the stage once. `files` is updated before any of the files is read, so that no change is missed.
fn round(
    words: &[String],
    mut options: Options,
    files: &mut Option<Files>,
    context: &mut Context<'_>,
) -> Result<Round> {
    let opened = modules::open(&options, options.has("quiet"), context)?;
    let Some(call) = Call::parse("watch", &opened, words, &mut options, context)? else {
        return Ok(Round::Help);
    };
    let mut roots = Roots::new(call.written(), context.config);
    opened.modules().try_for_each(|module| roots.add_module(module))?;
    call.local_sources().iter().try_for_each(|source| roots.add(source))?;
    match files {
        Some(files) => files.watch(roots)?,
        None => *files = Some(Files::new(roots)?),
    }
    call.run(&opened, &options, context)?;
    Ok(Round::Called)
}

/// Returns the names of changed files, relative to the working directory.
fn named(changed: &[PathBuf], config: &Config) -> String {
    let cwd = config.cwd.canonicalize().unwrap_or_else(|_| config.cwd.clone());
    let shown = |path: &PathBuf| path.strip_prefix(&cwd).unwrap_or(path).display().to_string();
    let mut names: Vec<String> = changed.iter().take(MAX_NAMED).map(shown).collect();
    if changed.len() > MAX_NAMED {
        names.push(format!("{} others", changed.len() - MAX_NAMED));
    }
    match Path::new(&names.join("")).as_os_str().is_empty() {
        true => "something".to_owned(),
        false => names.join(", "),
    }
}
