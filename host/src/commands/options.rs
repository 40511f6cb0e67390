//! Reads the options of a run.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use api::Origins;
use module::{POWERS, suggestion};
use session::record::Explain;
use session::record::events::EventsFile;

use crate::args::Options;
use crate::args::options::ENGINES;
use crate::call::image_place;
use crate::config::Config;
use crate::platform::ImagePlace;
use crate::progress::{ProgressOptions, Style, unwritable};
use crate::report::{Report, Result};

/// The options of a run as values.
#[derive(Clone)]
pub(super) struct CallOptions {
    pub(super) output: Option<Output>,
    pub(super) is_network_allowed: bool,
    pub(super) is_json: bool,
    pub(super) is_quiet: bool,
    pub(super) is_verbose: bool,
    pub(super) is_cache_used: bool,
    pub(super) n_jobs: Option<usize>,
    pub(super) timeout: Option<Duration>,
    pub(super) limits: store::Limits,
    pub(super) engine: Option<String>,
    pub(super) explain: Option<Explain>,
    pub(super) style: Style,
    pub(super) events: Option<PathBuf>,
}

/// The target of `-o`.
#[derive(Clone)]
pub(super) struct Output {
    /// A path of this machine.
    pub(super) path: PathBuf,
    /// Whether a file is written into `path` under its own name: a directory is there, or the text ends with `/`.
    pub(super) is_directory: bool,
    /// The place that a container is written to as an image; none if its root file system is written to `path`.
    pub(super) image: Option<ImagePlace>,
}

impl Output {
    fn parse(text: &str, config: &Config) -> Result<Self> {
        let path = config.resolve(text);
        let is_directory = text.ends_with('/') || path.is_dir();
        Ok(Self { path, is_directory, image: image_place(text, |path| config.resolve(path))? })
    }
}

impl CallOptions {
    /// Reads the options of a run. `is_terminal` says whether standard error is a terminal.
    pub(super) fn parse(options: &Options, config: &Config, is_terminal: bool) -> Result<Self> {
        check_powers(options)?;
        let engine = options.value("engine").or(config.engine.as_deref());
        check_engine(engine)?;
        if let Some(option) = ["output", "events"].into_iter().find(|option| options.value(option) == Some("")) {
            return Err(Report::usage(format!("option `--{option}` takes a path, not nothing")));
        }
        Ok(Self {
            output: options.value("output").map(|text| Output::parse(text, config)).transpose()?,
            is_network_allowed: !options.has("no-network"),
            is_json: options.has("json"),
            is_quiet: options.has("quiet"),
            is_verbose: options.has("verbose"),
            is_cache_used: !options.has("no-cache"),
            n_jobs: options.value("jobs").map(jobs).transpose()?,
            timeout: options.value("timeout").map(timeout).transpose()?,
            limits: limits(options)?,
            engine: engine.map(str::to_owned),
            explain: explain(options)?,
            style: style(options, config, is_terminal)?,
            events: options.value("events").map(|path| config.resolve(path)),
        })
    }

    /// Returns the paths of this machine that the run writes: its result, and its events.
    pub(super) fn written(&self) -> impl Iterator<Item = &Path> {
        let output = self.output.as_ref().map(|output| output.path.as_path());
        output.into_iter().chain(self.events.as_deref())
    }

    /// Returns the options of the progress display, and creates the file of `--events`.
    pub(super) fn progress(&self, stage: &str, origins: &Arc<Origins>) -> Result<ProgressOptions> {
        let create = |path: &PathBuf| EventsFile::create(path).map_err(|error| unwritable(path, &error));
        Ok(ProgressOptions {
            style: self.style,
            is_verbose: self.is_verbose && !self.is_quiet,
            is_explained: self.explain.is_some(),
            events: self.events.as_ref().map(create).transpose()?,
            stage: stage.to_owned(),
            origins: Arc::clone(origins),
        })
    }
}

/// Refuses a name that is not the name of an engine.
pub(crate) fn check_engine(engine: Option<&str>) -> Result<()> {
    match engine {
        None => Ok(()),
        Some(name) if ENGINES.contains(&name) => Ok(()),
        Some(name) => {
            Err(Report::usage(format!("there is no engine `{name}`")).with_hint(suggestion(name, ENGINES, "engines")))
        }
    }
}

fn check_powers(options: &Options) -> Result<()> {
    match options.all("allow").find(|power| !POWERS.contains(power)) {
        None => Ok(()),
        Some(power) => {
            Err(Report::usage(format!("there is no power `{power}`")).with_hint(suggestion(power, POWERS, "powers")))
        }
    }
}

fn jobs(text: &str) -> Result<usize> {
    match text.parse() {
        Ok(n_jobs) if n_jobs > 0 => Ok(n_jobs),
        _ => Err(Report::usage(format!("option `--jobs` takes a number from 1 on, not `{text}`"))),
    }
}

/// Reads the limits for work on trees; those that are not given have their defaults.
fn limits(options: &Options) -> Result<store::Limits> {
    let mut limits = store::Limits::default();
    let mut max_depth = limits.max_depth as u64;
    let all = [
        ("max-entries", &mut limits.max_entries),
        ("max-bytes", &mut limits.max_bytes),
        ("max-results", &mut limits.max_results),
        ("max-result-bytes", &mut limits.max_result_bytes),
        ("max-depth", &mut max_depth),
    ];
    for (name, limit) in all {
        if let Some(text) = options.value(name) {
            let wrong = || Report::usage(format!("option `--{name}` takes a number from 1 on, not `{text}`"));
            *limit = text.parse().ok().filter(|n| *n > 0).ok_or_else(wrong)?;
        }
    }
    limits.max_depth = usize::try_from(max_depth).unwrap_or(usize::MAX);
    Ok(limits)
}

/// Parses a time: seconds, or a number with `ms`, `s`, `m` or `h`.
fn timeout(text: &str) -> Result<Duration> {
    let wrong =
        || Report::usage(format!("option `--timeout` takes a time as in `90`, `500ms`, `10m` or `2h`, not `{text}`"));
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let seconds = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    let number: f64 = number.parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(number * seconds).ok().filter(|time| !time.is_zero()).ok_or_else(wrong)
}

fn explain(options: &Options) -> Result<Option<Explain>> {
    match (options.has("explain"), options.value("explain")) {
        (false, _) => Ok(None),
        (true, None | Some("text")) => Ok(Some(Explain::Text)),
        (true, Some("json")) => Ok(Some(Explain::Json)),
        (true, Some(other)) => Err(Report::usage(format!("option `--explain` takes `json` or nothing, not `{other}`"))),
    }
}

fn style(options: &Options, config: &Config, is_terminal: bool) -> Result<Style> {
    if options.has("quiet") {
        return Ok(Style::Quiet);
    }
    let is_tree = is_terminal && !config.is_terminal_dumb;
    Ok(match options.value("progress").unwrap_or("auto") {
        "none" => Style::Quiet,
        "plain" => Style::Plain,
        "tty" if is_tree => Style::Tree,
        "auto" if is_tree && !config.is_ci => Style::Tree,
        "tty" | "auto" => Style::Plain,
        other => {
            return Err(Report::usage(format!(
                "option `--progress` takes one of auto, plain, tty, none, not `{other}`"
            )));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_unless_they_say_otherwise() {
        let check = |text: &str, millis: u64| assert_eq!(timeout(text).unwrap(), Duration::from_millis(millis));
        check("90", 90_000);
        check("1.5", 1_500);
        check("500ms", 500);
        check("10m", 600_000);
        check("2h", 7_200_000);
        for bad in ["", "m", "-1", "1d", "0", "1 m"] {
            assert!(timeout(bad).is_err(), "{bad}");
        }
    }
}
