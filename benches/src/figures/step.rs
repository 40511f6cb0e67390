//! `step-cold`: one step of a chain, beside the container runtime alone.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::measure::{self, N_ROUNDS};
use crate::report::Row;
use crate::setup::{self, Bench, image, is_root, program};
use crate::worker::{self, Lane};

/// The difference between the long chain and the short one, which has one step.
const N_MORE: u32 = 40;

/// The number of runs of the reference in a round, which takes their median.
const N_REFERENCE: usize = 10;

/// The command that both run.
const COMMAND: &str = "/bin/true";

/// Measures the difference between chains of 1 and of 41 new steps, for each step, beside `crun run`.
pub(super) fn step_cold(bench: &Bench) -> Result<Vec<Row>> {
    let crun = program("crun", "crun")?;
    let bundle = bench.directory("bundle")?;
    let rootfs = bundle.join("rootfs");
    image::busybox_rootfs(&rootfs)?;
    configure(&crun, &bundle)?;
    let store = bench.directory("store-steps")?;
    let mut steps = Lane::start(worker::command("steps")?.arg(&store).arg(&rootfs).arg(COMMAND))?;
    let mut bare = Lane::start(bare(&crun, &bundle)?.env("PATH", std::env::var_os("PATH").unwrap_or_default()))?;
    let pair = measure::interleave(
        "step-cold",
        N_ROUNDS,
        || {
            let short = steps.ask("1")?;
            let long = steps.ask(&(1 + N_MORE).to_string())?;
            Ok((long - short) / f64::from(N_MORE))
        },
        || {
            let runs: Result<Vec<f64>> = (0..N_REFERENCE).map(|_| bare.ask("run")).collect();
            Ok(measure::median(&mut runs?))
        },
    )?;
    Ok(vec![Row::times("step-cold", pair.value, pair.reference, 1.6)])
}

/// Writes the configuration that `crun spec` proposes, without a terminal and with the command.
fn configure(crun: &Path, bundle: &Path) -> Result<()> {
    let mut spec = Command::new(crun);
    spec.arg("spec").current_dir(bundle);
    if !is_root()? {
        spec.arg("--rootless");
    }
    measure::output(&mut spec)?;
    let path = bundle.join("config.json");
    let mut config: Value =
        serde_json::from_str(&fs::read_to_string(&path)?).context("cannot read crun's `config.json`")?;
    config["process"]["terminal"] = json!(false);
    config["process"]["args"] = json!([COMMAND]);
    setup::write(&path, config.to_string())
}

/// Returns the worker that runs the reference. As root it runs in a mount namespace without the unified hierarchy of a
/// hybrid cgroup layout, because crun would not start with it.
fn bare(crun: &Path, bundle: &Path) -> Result<Command> {
    let worker = worker::command("crun")?;
    let mut command = if is_root()? {
        let mut command = Command::new(program("unshare", "util-linux")?);
        let script = "umount -l /sys/fs/cgroup/unified 2>/dev/null; exec \"$@\"";
        command.args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"]).arg(worker.get_program());
        command.args(worker.get_args());
        command
    } else {
        worker
    };
    command.arg(crun).arg(bundle);
    Ok(command)
}
