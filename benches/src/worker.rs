//! Code that runs in a process of its own: this binary with [`ARGUMENT`] as the first argument.
//!
//! | worker | does |
//! | --- | --- |
//! | `steps STORE ROOTFS COMMAND` | is a [`Lane`]: reads a number, and runs a chain of that many steps |
//! | `crun PROGRAM BUNDLE` | is a [`Lane`]: runs the bundle for each line that it reads |
//! | `graph STORE N fill\|null` | evaluates a graph, and prints the time of each part |

pub(crate) mod graph;
mod lane;
mod random;
mod steps;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Instant;

use ::graph::SecretName;
use anyhow::{Context as _, Result, bail};
use engine::{EventSink, Failure, FailureCode, SecretProvider, SessionIo};
use engine_embedded::zone;
use tokio_util::sync::CancellationToken;

pub(crate) use lane::Lane;
pub(crate) use random::Random;

/// The first argument of a worker.
pub(crate) const ARGUMENT: &str = "__worker";

/// The first argument of the process in which steps run.
pub(crate) const ZONE: &str = zone::ARGUMENT;

/// Runs the zone of the embedded engine.
pub(crate) fn zone() -> ExitCode {
    engine_embedded::zone_main()
}

/// Returns the command that starts a worker.
pub(crate) fn command(name: &str) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("cannot find this program")?);
    command.args([ARGUMENT, name]);
    Ok(command)
}

/// Runs a worker.
pub(crate) fn main(args: &[String]) -> Result<()> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["steps", store, rootfs, command] => steps::main(Path::new(store), rootfs, command),
        ["crun", program, bundle] => crun(program, bundle),
        ["graph", store, n, what] => graph::main(Path::new(store), n.parse()?, what),
        _ => bail!("there is no worker {args:?}"),
    }
}

/// Runs the container runtime alone. It makes no cgroup, because on cgroup v1 that takes longer than everything else,
/// and a reference must not be slow.
fn crun(program: &str, bundle: &str) -> Result<()> {
    let mut n_runs = 0;
    lane::serve(|_| {
        n_runs += 1;
        let name = format!("bench-{}-{n_runs}", std::process::id());
        let mut command = Command::new(program);
        command.args(["--cgroup-manager=disabled", "run", "--bundle", bundle, &name]);
        let started = Instant::now();
        let status = command.status().context("cannot run crun")?;
        let seconds = started.elapsed().as_secs_f64();
        if !status.success() {
            bail!("crun ended with {status}");
        }
        Ok(seconds)
    })
}

/// Returns the settings of a session without secrets, network and images.
fn session(store: &Path, events: EventSink) -> SessionIo {
    SessionIo {
        events,
        secrets: Arc::new(NoSecrets),
        cancel: CancellationToken::new(),
        n_jobs: std::thread::available_parallelism().map_or(1, usize::from),
        is_cache_used: true,
        timeout: None,
        max_output_bytes: engine::MAX_OUTPUT_BYTES,
        rules: engine::Rules { network: false, ..engine::Rules::default() },
        images: engine::ImageAccess::default(),
        store: store.to_owned(),
        is_dry: false,
    }
}

struct NoSecrets;

impl SecretProvider for NoSecrets {
    fn value(&self, name: &SecretName) -> Result<Vec<u8>, Failure> {
        Err(Failure::invalid(FailureCode::NotFound, format!("there is no secret `{}`", name.0)))
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")
}
