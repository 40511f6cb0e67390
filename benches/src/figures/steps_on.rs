//! `step-network` and `parallel`: steps on an image.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};

use super::salt;
use crate::measure::{self, N_ROUNDS, N_SHORT_ROUNDS};
use crate::report::Row;
use crate::setup::{self, Bench, Registry};

/// The engine that needs no daemon.
pub(super) const EMBEDDED: &str = "embedded";

/// The number of steps that sleep at the same time.
const N_SLEEPERS: &str = "20";

/// The time that a step sleeps, in seconds.
const SLEEP: &str = "0.5";

/// Measures a step that can reach the network beside one that cannot.
pub(super) fn network(bench: &Bench) -> Result<Vec<Row>> {
    let steps = Steps::new(bench, "network")?;
    let run = |stage: &[&str]| {
        let (printed, usage) = measure::run_and_read(&mut steps.call(EMBEDDED, &[], stage, &salt()?)?)?;
        ensure!(printed.trim() == "1", "the step printed {printed:?}");
        Ok(usage.seconds)
    };
    let pair = measure::interleave("step-network", N_SHORT_ROUNDS, || run(&["step", "--network"]), || run(&["step"]))?;
    Ok(vec![Row::times("step-network", pair.value, pair.reference, 1.3)])
}

/// Measures twenty steps that sleep at the same time, beside one `sleep`.
pub(super) fn parallel(bench: &Bench) -> Result<Vec<Row>> {
    let steps = Steps::new(bench, "parallel")?;
    let stage = ["sleepers", "--n", N_SLEEPERS, "--seconds", SLEEP];
    let pair = measure::interleave(
        "parallel",
        N_ROUNDS,
        || Ok(measure::run(&mut steps.call(EMBEDDED, &["--jobs", N_SLEEPERS], &stage, &salt()?)?)?.seconds),
        || Ok(measure::run(Command::new("sleep").arg(SLEEP))?.seconds),
    )?;
    Ok(vec![Row::times("parallel", pair.value, pair.reference, 1.2)])
}

/// Calls that run steps on an image of busybox. The image is in the store after the round that is not counted.
pub(super) struct Steps<'a> {
    bench: &'a Bench,
    module: String,
    store: PathBuf,
    /// The name of the image, with a tag.
    pub(super) image: String,
    /// The name of the image, with its digest.
    pinned: String,
    _registry: Registry,
}

impl<'a> Steps<'a> {
    /// Starts a registry with the image. `name` is a part of the names of directories.
    pub(super) fn new(bench: &'a Bench, name: &str) -> Result<Self> {
        let module = bench.module("benches/modules/chain")?;
        let registry = bench.registry(&format!("registry-{name}"))?;
        let image = bench.busybox(&format!("busybox-{name}"))?.push(&registry, "busybox")?;
        let pinned = setup::image::pinned(&image)?;
        let store = bench.directory(&format!("store-{name}"))?;
        Ok(Self { bench, module, store, image, pinned, _registry: registry })
    }

    /// Returns the call of a stage with its flags. Steps with a new salt were never run.
    pub(super) fn call(&self, engine: &str, options: &[&str], stage: &[&str], salt: &str) -> Result<Command> {
        self.call_on(&self.image, engine, options, stage, salt)
    }

    /// Returns the same call as [`Steps::call`], with the image named by its digest, so that no registry is asked.
    pub(super) fn call_pinned(&self, engine: &str, options: &[&str], stage: &[&str], salt: &str) -> Result<Command> {
        self.call_on(&self.pinned, engine, options, stage, salt)
    }

    fn call_on(&self, image: &str, engine: &str, options: &[&str], stage: &[&str], salt: &str) -> Result<Command> {
        let mut args = vec!["call", "-m", &self.module, "--engine", engine];
        args.extend(options);
        args.extend(stage);
        args.extend(["--image", image, "--salt", salt]);
        self.bench.command(&self.store, &args)
    }
}
