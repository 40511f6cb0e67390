//! `host watch`

mod files;
mod roots;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use self::files::Files;
use self::roots::Roots;
use super::call::Call;
use super::{Context, modules};
use crate::args::specs::WATCH;
use crate::args::{Options, Parsed};
use crate::config::Config;
use crate::exit::ExitStatus;
use crate::interrupt;
use crate::report::Result;

/// How many of the files that changed are named.
const MAX_NAMED: usize = 3;

pub(super) fn run(parsed: Parsed, words: VecDeque<String>, mut context: Context<'_>) -> Result<ExitStatus> {
    let Parsed { options, words: names, .. } = parsed;
    let mut files = None;
    loop {
        interrupt::end_at_once();
        match round((&names, words.clone()), options.clone(), &mut files, &mut context) {
            Ok(Round::Help) => return Ok(ExitStatus::Done),
            Ok(Round::Called) => {}
            Err(report) if files.is_none() || report.status() == ExitStatus::Interrupted => return Err(report),
            Err(report) => context.io.say(&report.render()),
        }
        context.io.flush();
        interrupt::end_at_once();
        let Some(files) = &mut files else { return Ok(ExitStatus::Done) };
        context.io.say("waiting for changes; Ctrl-C ends it");
        let changed = files.changed()?;
        let stage = names.first().map(String::as_str).unwrap_or_default();
        context.io.say(&format!("changed: {}; calling `{stage}` again", named(&changed, context.config)));
    }
}

/// What was done.
enum Round {
    Called,
    /// Only help was asked for.
    Help,
}

/// Calls the stage once. What is watched from then on is put into `files`, before anything of it is read.
fn round(
    (names, words): (&[String], VecDeque<String>),
    mut options: Options,
    files: &mut Option<Files>,
    context: &mut Context<'_>,
) -> Result<Round> {
    let opened = modules::open(&options, options.has("quiet"), context)?;
    let Some(call) = Call::parse(&WATCH, &opened, (names, words), &mut options, context)? else {
        return Ok(Round::Help);
    };
    let mut roots = Roots::new(call.output(), context.config);
    opened.sources().try_for_each(|path| roots.add_module(path))?;
    call.local_sources().iter().try_for_each(|source| roots.add(source))?;
    match files {
        Some(files) => files.watch(roots)?,
        None => *files = Some(Files::new(roots)?),
    }
    call.run(&opened, &options, context)?;
    Ok(Round::Called)
}

/// Names what changed, as the user would.
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
