//! The programs that this one has started, so that none of them goes on when it is stopped.

use std::collections::BTreeSet;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use std::os::unix::process::CommandExt as _;
use tokio::signal::unix::{SignalKind, signal};

/// The programs that run, each the leader of a process group of its own.
static RUNNING: Mutex<Children> = Mutex::new(Children { is_stopped: false, groups: BTreeSet::new() });

struct Children {
    is_stopped: bool,
    groups: BTreeSet<u32>,
}

impl Children {
    fn start(&mut self, command: &mut Command) -> Result<Child> {
        if self.is_stopped {
            bail!("the measurement was stopped");
        }
        let child = command.process_group(0).spawn().with_context(|| format!("cannot run {command:?}"))?;
        self.groups.insert(child.id());
        Ok(child)
    }

    /// Ends all that run, and all that they have started.
    fn stop(&mut self) {
        self.is_stopped = true;
        for group in &self.groups {
            let group = i32::try_from(*group).ok().and_then(Pid::from_raw);
            // It may have ended in this moment.
            let _ = group.map(|group| kill_process_group(group, Signal::TERM));
        }
    }
}

fn running() -> MutexGuard<'static, Children> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a program in a process group of its own.
///
/// # Errors
/// If it cannot be started, or if this program is being stopped.
pub(crate) fn start(command: &mut Command) -> Result<Child> {
    running().start(command)
}

/// Notes that a program was waited for.
pub(crate) fn ended(id: u32) {
    running().groups.remove(&id);
}

/// Returns whether this program was asked to stop.
pub(crate) fn is_stopped() -> bool {
    running().is_stopped
}

/// From now on SIGINT and SIGTERM end the programs that run, and none is started any more: the figure that is
/// being measured fails, and what was made for it is removed as always. The second signal ends this program
/// at once.
pub(crate) fn stop_on_signals() -> Result<()> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_io().build().context("cannot wait for signals")?;
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        let listen = |kind| signal(kind).context("cannot listen for signals");
        (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?)
    };
    thread::spawn(move || {
        runtime.block_on(async {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if is_stopped() {
                    std::process::exit(i32::from(crate::STOPPED));
                }
                crate::say("stopping; once more to stop at once");
                running().stop();
            }
        });
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    #[test]
    fn a_stop_ends_what_runs_with_what_it_started_and_nothing_starts_after_it() {
        let mut children = Children { is_stopped: false, groups: BTreeSet::new() };
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        // The pipe is open as long as the inner `sleep` lives.
        let script = "sleep 1000 >\"$1\" & wait";
        let mut child = children.start(Command::new("sh").args(["-c", script, "sh"]).arg(&pipe)).unwrap();
        let mut reader = std::fs::File::open(&pipe).unwrap();
        children.stop();
        assert_eq!(child.wait().unwrap().signal(), Some(15));
        assert_eq!(std::io::copy(&mut reader, &mut std::io::sink()).unwrap(), 0);
        assert!(children.start(&mut Command::new("true")).is_err());
    }
}
