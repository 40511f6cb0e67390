//! Chains of steps, in one session of the embedded engine.

use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use anyhow::{Context as _, Result};
use engine::Engine as _;
use engine_embedded::embedded;
use engine_embedded::zone::ZoneConfig;
use graph::{Edge, ExecOp, Expect, Limits, Op, Pairs, Platform, Reuse, Selection, SourceOp, Stdin, TreePath};
use store::Store;

/// Reads the number of steps of a chain, runs the chain, and writes how long that took.
pub(super) fn main(store: &Path, rootfs: &str, command: &str) -> Result<()> {
    let runtime = super::runtime()?;
    let _inside = runtime.enter();
    let io = super::session(store, Arc::new(|_| {}));
    let store = Store::open(store)?;
    let zone = ZoneConfig::new(store.root());
    let engine = embedded(store, io, zone);
    super::lane::serve(|request| {
        let n_steps = request.parse().with_context(|| format!("{request:?} is no number of steps"))?;
        let last = chain(rootfs, command, n_steps)?;
        let started = Instant::now();
        runtime.block_on(engine.solve(&[last])).map_err(|failure| anyhow::anyhow!("a step did not run: {failure}"))?;
        Ok(started.elapsed().as_secs_f64())
    })
}

/// Returns the last step of a new chain, none of whose steps was run before.
fn chain(rootfs: &str, command: &str, n_steps: usize) -> Result<Edge> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_nanos();
    let local = SourceOp::Local { path: rootfs.to_owned(), include: Vec::new(), exclude: Vec::new() };
    let first = Selection::of(Op::Source(local), Vec::new());
    let last = (0..n_steps).fold(first, |root, n| {
        let exec = exec(command, ("RUN".to_owned(), format!("{now} {n}")));
        Selection::of(Op::Exec(Box::new(exec)), vec![root])
    });
    Ok(last.edge)
}

fn exec(command: &str, variable: (String, String)) -> ExecOp {
    ExecOp {
        args: vec![command.to_owned()],
        env: [variable].into_iter().collect(),
        volatile_env: Pairs::default(),
        secret_env: Vec::new(),
        cwd: TreePath::root(),
        user: None,
        platform: Platform::of_this_machine(),
        mounts: Vec::new(),
        stdin: Stdin::Empty,
        redirect_stdout: None,
        redirect_stderr: None,
        expect: Expect::Codes(vec![0]),
        timeout: None,
        network: false,
        reuse: Reuse::Allowed,
        limits: Limits::default(),
        new_privileges: true,
    }
}
