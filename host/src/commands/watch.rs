//! `host watch`

mod files;
mod roots;

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Command;
use terminal::duration;

use self::files::Files;
use self::roots::Roots;
use super::call::Call;
use super::modules::{self, Opened};
use super::outcomes::line;
use super::run::{run_stages, stages_of};
use crate::args::{Parsed, options};
use crate::call::{LocalSource, Places, is_method, link, local_sources};
use crate::config::Config;
use crate::context::{Context, Entry};
use crate::exit::ExitStatus;
use crate::interrupt;
use crate::report::Result;
use crate::styles::{about, examples};

pub(crate) static ENTRY: Entry =
    Entry { name: "watch", summary: "Runs stages, and again whenever something that they need changes", define, run };

fn define(command: Command) -> Command {
    command
        .override_usage(
            "host watch [OPTIONS] STAGE [--FLAG VALUE]... [METHOD [--FLAG VALUE]...]...\n       \
             host watch [OPTIONS] [STAGE]...",
        )
        .before_help(about(
            "With one stage it takes what `host call` takes, with several stages or none what `host run` takes. It \
             watches the files and directories that are given to the stages and to those that feed them, and the sources \
             of the module and of its dependencies, which are built again. Ctrl-C ends it.",
        ))
        .arg(options::stage_and_rest())
        .arg(options::module())
        .arg(options::keep_going())
        .args(options::call())
        .after_help(examples(&[
            ("host watch test --src .", "tests the source here after each change"),
            ("host watch build -o out", "keeps `out` up to date"),
            ("host watch test lint -k --arg src=.", "runs two stages after each change"),
            ("host watch", "does what `host run` does, after each change"),
        ]))
}

/// The most changed files that are named.
const MAX_NAMED: usize = 3;

fn run(parsed: &Parsed, mut context: Context<'_>) -> Result<ExitStatus> {
    let mut files = None;
    loop {
        interrupt::end_at_once();
        match round(parsed, &mut files, &mut context) {
            Ok(Round::Help) => return Ok(ExitStatus::Done),
            Ok(Round::Ended) => {}
            Err(report) if files.is_none() || report.status() == ExitStatus::Interrupted => return Err(report),
            Err(report) => context.io.report(&report),
        }
        context.io.flush();
        interrupt::end_at_once();
        let Some(files) = &mut files else { return Ok(ExitStatus::Done) };
        context.io.say("waiting for changes; Ctrl-C ends it");
        let changed = named(&files.changed()?, context.config);
        match parsed.words.first() {
            Some(stage) => context.io.say(&format!("changed: {changed}; calling `{stage}` again")),
            None => context.io.say(&format!("changed: {changed}; running again")),
        }
    }
}

/// The result of a round.
enum Round {
    Ended,
    /// Only help was asked for.
    Help,
}

/// Runs the stages once. `files` is updated before any of the files is read, so that no change is missed.
fn round(parsed: &Parsed, files: &mut Option<Files>, context: &mut Context<'_>) -> Result<Round> {
    let mut options = parsed.options.clone();
    let opened = modules::open(&options, options.has("quiet"), context)?;
    if is_run(&opened, &parsed.words, context)? {
        let Some((options, names)) = stages_of(ENTRY.name, parsed, context)? else { return Ok(Round::Help) };
        let config = context.config;
        run_stages(&options, &names, context, |prepared, order| {
            let sources = order.iter().flat_map(|stage| local_sources(&prepared.linked.graph, *stage));
            watch(files, (&prepared.opened, config), prepared.call.written(), sources)
        })?;
        return Ok(Round::Ended);
    }
    let Some(call) = Call::parse("watch", &opened, &parsed.words, &mut options, context)? else {
        return Ok(Round::Help);
    };
    watch(files, (&opened, context.config), call.written(), call.local_sources().into_iter())?;
    let (stage, is_quiet, began) = (call.stage().to_owned(), call.is_quiet(), Instant::now());
    let ended = call.run(&opened, &options, context);
    let word = match &ended {
        Ok(()) => "done",
        Err(report) if report.status() == ExitStatus::Interrupted => return ended.map(|()| Round::Ended),
        Err(report) => {
            context.io.report(report);
            "failed"
        }
    };
    if !is_quiet {
        context.io.say(&line(word, &stage, 0, &duration(began.elapsed())));
    }
    Ok(Round::Ended)
}

/// Returns whether the words name several stages or none, so that they are run and no stage is called.
fn is_run(opened: &Opened, words: &[String], context: &Context<'_>) -> Result<bool> {
    let (first, second) = match words {
        [] => return Ok(true),
        [first, second, ..] if !second.starts_with('-') => (first, second),
        _ => return Ok(false),
    };
    let library = opened.component.library();
    let graph = link(&library, opened.directory(), &mut Places::new(context.config))?.graph;
    let is_method = graph.find(first).is_none_or(|stage| is_method(&library, &graph, stage, second));
    Ok(graph.find(second).is_some() && !is_method)
}

/// Watches from now on what a module is built from, and what its stages are given.
fn watch<'a>(
    files: &mut Option<Files>,
    (opened, config): (&Opened, &'a Config),
    written: impl Iterator<Item = &'a Path>,
    sources: impl Iterator<Item = LocalSource>,
) -> Result<()> {
    let mut roots = Roots::new(written, config);
    opened.modules().try_for_each(|module| roots.add_module(module))?;
    sources.into_iter().try_for_each(|source| roots.add(&source))?;
    match files {
        Some(files) => files.watch(roots),
        None => Files::new(roots).map(|new| *files = Some(new)),
    }
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
