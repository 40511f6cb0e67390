//! The process that removes what a zone leaves on this machine: control groups, and rules of the firewall.
//!
//! It is outside of the zone and outlives it, also when the zone is killed, for as long as that takes. If it
//! is killed too, the next zone removes what is left.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

use super::cgroup::Cgroups;
use super::fault::{Context as _, Fault};
use super::network::remove_stale_rules;
use super::sys::{self, Forked};

/// How often groups are tried to be removed whose processes the kernel has not ended yet, and the pause in between.
const ATTEMPTS: u32 = 1000;
const PAUSE: Duration = Duration::from_millis(5);

/// A process that waits for the end of this one, and of all that this one forks.
#[derive(Debug)]
pub(super) struct Sweeper {
    pid: i32,
    life: OwnedFd,
}

impl Sweeper {
    /// Starts the sweeper of a zone. The new process drops `control`, whose end the host waits for; this one gets
    /// it back. `firewall` has the directories of programs if the zone may change the firewall.
    pub(super) fn start(
        cgroups: &Cgroups,
        firewall: Option<&[PathBuf]>,
        control: OwnedFd,
    ) -> Result<(Option<Self>, OwnedFd), Fault> {
        if cgroups.is_empty() && firewall.is_none() {
            return Ok((None, control));
        }
        let what = || "cannot start the sweeper of the zone".to_owned();
        let (over, life) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).context(what)?;
        match sys::fork(0).context(what)? {
            Forked::Parent(pid) => Ok((Some(Self { pid, life }), control)),
            Forked::Child => {
                drop((control, life));
                sweep(cgroups, firewall, &over);
                sys::exit(0)
            }
        }
    }

    /// Waits until everything is removed. The zone has ended.
    pub(super) fn finish(self) {
        drop(self.life);
        let _ = sys::reap(self.pid, true);
    }
}

/// Removes what earlier zones left, waits for the end of this one, and removes what it left.
fn sweep(cgroups: &Cgroups, firewall: Option<&[PathBuf]>, over: &OwnedFd) {
    let remove = |own: Option<&str>| {
        firewall.into_iter().for_each(|tools| remove_stale_rules(tools, own));
        cgroups.remove_stale(own.is_some())
    };
    remove(None);
    // Nobody writes: it returns when the last process that could has ended.
    let _ = rustix::io::read(over, &mut [0]);
    let mut is_done = remove(Some(cgroups.zone_name()));
    for _ in 0..ATTEMPTS {
        if is_done {
            return;
        }
        std::thread::sleep(PAUSE);
        is_done = cgroups.remove_stale(true);
    }
}
