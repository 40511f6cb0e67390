//! Graphs of stages: `makespan`, `plan-10000`, `cutoff`, `cross-call`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value as Json;

use super::salt;
use crate::measure::{self, N_ROUNDS};
use crate::report::Row;
use crate::setup::{self, Bench, Missing, program};
use crate::worker::Random;

/// The number of graphs.
const N_GRAPHS: usize = 40;

/// The number of stages in a graph.
const N_STAGES: usize = 12;

/// The number of steps that run at the same time.
const N_JOBS: usize = 4;

/// The shortest sleep of a step, and the most that is added to it, in milliseconds.
const LEAST_MS: usize = 200;
const MORE_MS: usize = 600;

/// The number of graphs that run at the same time. Their steps sleep and hardly use the processors.
const N_LANES: usize = 2;

/// The number of stages in the plan.
const N_PLANNED: usize = 10_000;

/// Measures random graphs of stages whose steps sleep, beside the shortest time that is possible.
pub(super) fn makespan(bench: &Bench) -> Result<Vec<Row>> {
    let stages = Stages::new(bench, "makespan")?;
    let salt = salt()?;
    let graphs = (0..N_GRAPHS).map(|n| stages.nap(n, &salt)).collect::<Result<Vec<_>>>()?;
    let bound: f64 = graphs.iter().map(|(_, bound)| bound).sum();
    let mut lanes: Vec<Vec<Command>> = (0..N_LANES).map(|_| Vec::new()).collect();
    for (n, (run, _)) in graphs.into_iter().enumerate() {
        lanes[n % N_LANES].push(run);
    }
    let run = |lane: Vec<Command>| -> Result<f64> {
        lane.into_iter().map(|mut run| Ok(measure::run(&mut run)?.seconds)).sum()
    };
    let took: Result<f64> = thread::scope(|scope| {
        let lanes: Vec<_> = lanes.into_iter().map(|lane| scope.spawn(move || run(lane))).collect();
        lanes.into_iter().map(|lane| lane.join().unwrap_or_else(|_| bail!("a lane panicked"))).sum()
    });
    let n = N_GRAPHS as f64;
    Ok(vec![Row::times("makespan", took? / n, bound / n, 1.05)])
}

/// Measures a plan of many stages in chains of ten, each a call of its own, beside ninja, which runs the same number of
/// commands `true`.
pub(super) fn plan(bench: &Bench) -> Result<Vec<Row>> {
    let ninja = program("ninja", "ninja-build")?;
    let stages = Stages::new(bench, "plan")?;
    let mut manifest = stages.manifest();
    let mut build = "rule call\n  command = true\n".to_owned();
    for n in 0..N_PLANNED {
        let _ = write!(manifest, "[stages.s{n}]\ncall = \"chain.pass\"\nargs = {{ name = \"s{n}\"");
        let _ = write!(build, "build s{n}: call");
        if n % 10 != 0 {
            let _ = write!(manifest, ", text = {{ from = \"s{}\" }}", n - 1);
            let _ = write!(build, " s{}", n - 1);
        }
        manifest.push_str(" }\n");
        build.push('\n');
    }
    let module = stages.module("plan", &manifest)?;
    let directory = bench.directory("ninja-plan")?;
    setup::write(&directory.join("build.ninja"), build)?;
    let mut plan = bench.command(&stages.store, &["plan", "-m", setup::text(&module)?, "--quiet"])?;
    bench.warm(&mut plan)?;
    let mut calls = Command::new(ninja);
    // No command writes its file, so that all commands run each time.
    calls.arg("-C").arg(&directory);
    let pair = measure::interleave(
        "plan-10000",
        N_ROUNDS,
        || Ok(measure::run(&mut plan)?.seconds),
        || Ok(measure::run(&mut calls)?.seconds),
    )?;
    Ok(vec![Row::times("plan-10000", pair.value, pair.reference, 0.2)])
}

/// Counts the steps that run after the compiling step when only a comment changed.
pub(super) fn cutoff(bench: &Bench) -> Result<Vec<Row>> {
    let stages = Stages::new(bench, "cutoff")?;
    let source = stages.directory.join("source");
    let compile = "[stages.compile]\ncall = \"chain.compile\"\nargs = { src = \"../source\" }\n";
    let test = "[stages.test]\ncall = \"chain.test\"\nargs = { compile = { from = \"compile\" } }\n";
    let module = stages.module("cutoff", &format!("{}{compile}{test}", stages.manifest()))?;
    let mut n_downstream = 0.0;
    for (text, n_expected) in [("# one\nmain\n", 2), ("# another\nmain\n", 1)] {
        setup::write(&source, text)?;
        let events = stages.directory.join("events");
        let args = ["call", "-m", setup::text(&module)?, "--events", setup::text(&events)?, "test"];
        measure::output(&mut bench.command(&stages.store, &args)?)?;
        let ran = commands_that_ran(&events)?;
        ensure!(ran.iter().any(|name| name.contains("grep")), "the changed source was not compiled: {ran:?}");
        n_downstream = ran.iter().filter(|name| !name.contains("grep")).count() as f64;
        ensure!(n_expected == 1 || ran.len() == n_expected, "the first run ran {ran:?}");
    }
    Ok(vec![Row::count("cutoff", n_downstream, 0.0)])
}

/// Measures a stage that calls a function in Python or JavaScript ten times, beside the same ten calls by the host.
pub(super) fn cross_call(bench: &Bench) -> Result<Vec<Row>> {
    let relay = bench.component("benches/modules/relay")?;
    let example = bench.example("session", "cross_call")?;
    let mut rows = Vec::new();
    for (figure, language) in [("cross-call-python", "Python"), ("cross-call-javascript", "JavaScript")] {
        let greeter = greeter(bench, language)?;
        let (printed, _) = measure::run_and_read(Command::new(&example).arg(&relay).arg(greeter))?;
        let seconds = |label: &str| {
            let line = printed.lines().find_map(|line| line.trim().strip_prefix(label));
            let number = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
            number.map(|micros| micros / 1e6).with_context(|| format!("the example printed no `{label}`: {printed}"))
        };
        rows.push(Row::times(figure, seconds("chain of ten")?, seconds("one by one")?, 1.5));
    }
    Ok(rows)
}

/// Finds the module of `tests/functions/polyglot` in a language. The tests build it.
fn greeter(bench: &Bench, language: &str) -> Result<PathBuf> {
    for target in [&bench.target, &bench.root.join("target")] {
        for directory in std::fs::read_dir(target.join("polyglot")).into_iter().flatten().flatten() {
            let component = directory.path().join("module.wasm");
            if component.is_file() {
                let inspect = ["inspect", "--json", "-m", setup::text(&component)?];
                let shown = measure::output(&mut bench.command(&bench.directory("store-greeter")?, &inspect)?)?;
                if shown.contains("test:polyglot/stages") && is_written_in(language, &shown) {
                    return Ok(component);
                }
            }
        }
    }
    let how = "`cargo test -p runtime polyglot` builds it";
    Err(Missing::new(format!("the module of `tests/functions/polyglot` in {language}"), how).into())
}

/// Returns whether a module was written in a language, by an export that its tools add.
fn is_written_in(language: &str, inspection: &str) -> bool {
    let mark = if language == "Python" { "\"exports\"" } else { "\"init\"" };
    inspection.contains(&format!("\"name\": {mark}"))
}

/// Returns the names of the commands that ran, from the events of a run.
pub(super) fn commands_that_ran(events: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(events).with_context(|| format!("cannot read `{}`", events.display()))?;
    let mut names = Vec::new();
    for line in text.lines() {
        let event: Json = serde_json::from_str(line).context("an event is no JSON")?;
        if event["operation"] == "exec" && event["outcome"] == "ran" {
            names.push(event["name"].as_str().unwrap_or_default().to_owned());
        }
    }
    Ok(names)
}

/// Manifests with stages that call the functions of one module.
struct Stages<'a> {
    bench: &'a Bench,
    component: PathBuf,
    directory: PathBuf,
    store: PathBuf,
}

impl<'a> Stages<'a> {
    fn new(bench: &'a Bench, name: &str) -> Result<Self> {
        let component = bench.component("benches/modules/chain")?;
        let directory = bench.directory(&format!("stages-{name}"))?;
        Ok(Self { bench, component, directory, store: bench.directory(&format!("store-{name}"))? })
    }

    /// Returns the beginning of a manifest.
    fn manifest(&self) -> String {
        let component = self.component.display();
        format!(
            "name = \"stages\"\nversion = \"0.1.0\"\nallow = [\"machine\"]\n\n\
             [dependencies]\nchain = {{ component = '{component}' }}\n\n"
        )
    }

    fn module(&self, name: &str, manifest: &str) -> Result<PathBuf> {
        let module = self.directory.join(name);
        setup::empty(&module)?;
        setup::write(&module.join("host.toml"), manifest)?;
        Ok(module)
    }

    /// Returns the command that runs a random graph, and the shortest time for it in seconds.
    fn nap(&self, n: usize, salt: &str) -> Result<(Command, f64)> {
        let mut random = Random::new(n as u64 + 1);
        let mut manifest = self.manifest();
        let (mut ends, mut sum) = (Vec::<f64>::new(), 0.0);
        for stage in 0..N_STAGES {
            let seconds = (LEAST_MS + random.below(MORE_MS)) as f64 / 1e3;
            let mut feeders = Vec::new();
            for _ in 0..3 {
                let (is_fed, feeder) = (stage > 0 && random.below(3) > 0, random.below(stage.max(1)));
                if is_fed && !feeders.contains(&feeder) {
                    feeders.push(feeder);
                }
            }
            let begin = feeders.iter().map(|feeder| ends[*feeder]).fold(0.0, f64::max);
            ends.push(begin + seconds);
            sum += seconds;
            let _ = write!(
                manifest,
                "[stages.s{stage}]\ncall = \"chain.nap\"\n\
                 args = {{ name = \"s{stage}\", seconds = {seconds}, salt = \"{salt}-{n}\""
            );
            for (param, feeder) in ["a", "b", "c"].iter().zip(feeders) {
                let _ = write!(manifest, ", {param} = {{ from = \"s{feeder}\" }}");
            }
            manifest.push_str(" }\n\n");
        }
        let module = self.module(&format!("graph-{n}"), &manifest)?;
        let jobs = N_JOBS.to_string();
        let run = ["run", "-m", setup::text(&module)?, "--quiet", "--jobs", &jobs];
        let critical_path = ends.iter().copied().fold(0.0, f64::max);
        Ok((self.bench.command(&self.store, &run)?, critical_path.max(sum / N_JOBS as f64)))
    }
}
