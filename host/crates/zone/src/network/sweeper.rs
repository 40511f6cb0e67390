//! The process that removes what a zone leaves in the firewall of this machine.
//!
//! It is outside of the zone and outlives it, whoever kills what, but only for as long as that takes.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use super::super::protocol::{Context as _, Fault};
use super::super::sys::{self, Forked};
use super::accept::{has_iptables, remove_stale};
use super::{NetworkConfig, Uplink};

/// A process that waits for the end of this one, and of all that this one forks.
#[derive(Debug)]
pub(crate) struct Sweeper {
    pid: i32,
    life: OwnedFd,
}

impl Sweeper {
    /// Starts it if the zone of this name may change the firewall. The process drops `control`, whose end the
    /// host waits for; this one gets it back.
    pub(crate) fn start(
        config: &NetworkConfig,
        tools: &[PathBuf],
        name: &str,
        control: OwnedFd,
    ) -> Result<(Option<Self>, OwnedFd), Fault> {
        if !config.uplinks.contains(&Uplink::Veth) || !has_iptables() {
            return Ok((None, control));
        }
        let what = || "cannot start the sweeper of the zone".to_owned();
        let (over, life) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).context(what)?;
        match sys::fork(0).context(what)? {
            Forked::Parent(pid) => Ok((Some(Self { pid, life }), control)),
            Forked::Child => {
                drop((control, life));
                remove_stale(tools, None);
                // Nobody writes: it returns when the last that could has ended.
                let _ = rustix::io::read(&over, &mut [0]);
                remove_stale(tools, Some(name));
                sys::exit(0)
            }
        }
    }

    /// Waits until it is done. The zone has ended.
    pub(crate) fn finish(self) {
        drop(self.life);
        let _ = sys::reap(self.pid, true);
    }
}
