//! `build-overhead`: compiling a real project in a step, beside the same command in a directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::measure::{self, N_ROUNDS};
use crate::report::Row;
use crate::setup::{self, Bench, Missing, program};

/// The command of the stage `build` of `functions/c-project`.
const MAKE: [&str; 2] = ["make", "-j2"];

/// The name of the step in the events.
const STEP: &str = "exec make -j2";

/// Measures the step that compiles zlib, beside the same command in a directory.
pub(super) fn overhead(bench: &Bench) -> Result<Vec<Row>> {
    let module = bench.module("functions/c-project")?;
    let sources = sources(bench)?;
    let configured = bench.directory("configured")?;
    copy(&sources, &configured)?;
    measure::output(Command::new("./configure").arg("--prefix=/usr/local").current_dir(&configured))?;
    let store = bench.directory("store-build")?;
    let events = store.with_extension("events");
    let (src, file) = (setup::text(&sources)?, setup::text(&events)?);
    let mut call = bench
        .command(&store, &["call", "-m", &module, "--no-cache", "--events", file, "build", "--src", src, "digest"])?;
    let bare = bench.directory("bare")?;
    let pair = measure::interleave(
        "build-overhead",
        N_ROUNDS,
        || {
            // Otherwise the file would have the events of all rounds.
            let _ = fs::remove_file(&events);
            measure::output(&mut call)?;
            duration(&fs::read_to_string(&events).with_context(|| format!("cannot read `{file}`"))?)
        },
        || {
            setup::empty(&bare)?;
            copy(&configured, &bare)?;
            Ok(measure::run(Command::new(MAKE[0]).args(&MAKE[1..]).current_dir(&bare))?.seconds)
        },
    )?;
    Ok(vec![Row::times("build-overhead", pair.value, pair.reference, 1.05)])
}

/// Returns the seconds that the step took.
fn duration(events: &str) -> Result<f64> {
    for line in events.lines() {
        let event: Value = serde_json::from_str(line).with_context(|| format!("event {line:?} is no JSON"))?;
        if event["name"].as_str() == Some(STEP) {
            ensure!(event["outcome"].as_str() == Some("ran"), "the step did not run: {line}");
            let millis = event["duration_ms"].as_f64().with_context(|| format!("no duration in {line}"))?;
            return Ok(millis / 1e3);
        }
    }
    anyhow::bail!("no event of `{STEP}` in {events}")
}

/// Unpacks zlib and returns the directory of its sources.
fn sources(bench: &Bench) -> Result<PathBuf> {
    let archive = archive(bench)?;
    let directory = bench.directory("zlib")?;
    measure::output(Command::new(program("tar", "tar")?).arg("-xf").arg(&archive).arg("-C").arg(&directory))?;
    let mut entries = fs::read_dir(&directory).context("cannot list what was unpacked")?;
    let only = entries.next().context("the archive is empty")?.context("cannot list what was unpacked")?;
    Ok(if entries.next().is_none() { only.path() } else { directory })
}

/// Finds the archive: `ZLIB_ARCHIVE`, or the one that `scripts/demo` has downloaded.
fn archive(bench: &Bench) -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("ZLIB_ARCHIVE").filter(|path| !path.is_empty()) {
        return fs::canonicalize(&path).with_context(|| format!("cannot find ZLIB_ARCHIVE {path:?}"));
    }
    let directories = [bench.root.join("target/demo"), bench.target.join("demo")];
    let found = directories.iter().flat_map(fs::read_dir).flatten().filter_map(Result::ok).find(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("zlib_") && name.contains(".orig.tar.") && !name.ends_with(".asc")
    });
    found.map(|entry| entry.path()).ok_or_else(|| {
        Missing::new("the source package of zlib", "run `scripts/demo`, or name it with ZLIB_ARCHIVE").into()
    })
}

/// Copies a directory with the times of its files, which `make` looks at.
fn copy(from: &Path, to: &Path) -> Result<()> {
    measure::output(Command::new("cp").arg("-a").arg(from.join(".")).arg(to)).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_duration_of_the_step_is_found_among_the_events() {
        let events = concat!(
            r#"{"event":"vertex","name":"exec ./configure","outcome":"ran","duration_ms":900.0}"#,
            "\n",
            r#"{"event":"vertex","name":"exec make -j2","outcome":"ran","duration_ms":1500.0}"#,
            "\n",
            r#"{"event":"end","ran":2}"#,
        );
        assert_eq!(duration(events).unwrap(), 1.5);
        assert!(duration("").is_err());
    }
}
