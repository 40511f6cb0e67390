//! The supervisor: makes the namespaces, stays outside of them, and takes them along when it dies.

use std::os::fd::OwnedFd;
use std::process::ExitCode;

use rustix::net::RecvFlags;

use super::cgroup::Cgroups;
use super::descriptors::MAX_PACKET_BYTES;
use super::fault::{Context as _, Fault};
use super::init_loop::{self, Inheritance, send_started};
use super::network::{Uplink, has_iptables};
use super::protocol::Config;
use super::state::ZoneFunction;
use super::sweeper::Sweeper;
use super::sys::{self, Forked};
use super::userns;

/// Is the zone: call it first in `main` when the first argument is [`super::ARGUMENT`], before anything
/// starts a thread. `functions` is the table that [`super::Zone::call`] and [`super::After`] name.
#[must_use]
pub fn main(functions: &'static [(&'static str, ZoneFunction)]) -> ExitCode {
    match supervise(functions) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            fault.print();
            ExitCode::FAILURE
        }
    }
}

fn supervise(functions: &'static [(&'static str, ZoneFunction)]) -> Result<(), Fault> {
    sys::die_with_parent().context(|| "cannot ask for the parent-death signal".to_owned())?;
    let control = sys::take_stdin().context(|| "cannot take the control socket".to_owned())?;
    let config = read_config(&control)?;
    let parent = rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get().unsigned_abs());
    if parent != config.parent {
        // It ended before the signal was asked for.
        return Ok(());
    }
    // A signal of the terminal is for the host to act on.
    let _ = rustix::process::setsid();
    let cgroups = Cgroups::find(std::process::id());
    // Only root changes the firewall of the machine, and only for links of its own.
    let uplinks = config.network.as_ref().map(|network| network.uplinks.as_slice()).unwrap_or_default();
    let may_change_firewall = !config.is_user_namespace && uplinks.contains(&Uplink::Veth) && has_iptables();
    let firewall = may_change_firewall.then(|| config.tools.clone());
    let (sweeper, control) = Sweeper::start(&cgroups, firewall.as_deref(), control)?;
    match start_init(config, functions, &control, cgroups) {
        Ok(init) => {
            // Its end is seen by the host when no one else holds the socket.
            drop(control);
            let ended = sys::reap(init.pid, true).context(|| "cannot wait for zone init".to_owned())?;
            drop(init.life);
            if let Some(sweeper) = sweeper {
                sweeper.finish();
            }
            match ended {
                Some((_, status)) if status.code() == Some(0) => Ok(()),
                _ => Err(Fault::Protocol { message: "zone init was killed".to_owned() }),
            }
        }
        Err(fault) => send_started(&control, &Err(fault)),
    }
}

fn read_config(control: &OwnedFd) -> Result<Config, Fault> {
    let mut packet = vec![0; MAX_PACKET_BYTES];
    let (n_bytes, _) = rustix::net::recv(control, &mut packet[..], RecvFlags::empty())
        .context(|| "cannot read the configuration".to_owned())?;
    postcard::from_bytes(&packet[..n_bytes])
        .map_err(|error| Fault::Protocol { message: format!("the configuration cannot be decoded: {error}") })
}

struct Init {
    pid: i32,
    /// Closed by the end of this process, however it ends.
    life: OwnedFd,
}

fn start_init(
    config: Config,
    functions: &'static [(&'static str, ZoneFunction)],
    control: &OwnedFd,
    cgroups: Cgroups,
) -> Result<Init, Fault> {
    let what = || "cannot make a pipe".to_owned();
    let (life, life_ours) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).context(what)?;
    let (mapped, mapped_ours) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).context(what)?;
    let supervisor = std::process::id();
    let user = if config.is_user_namespace { libc::CLONE_NEWUSER } else { 0 };
    let forked = sys::fork(libc::CLONE_NEWNS | libc::CLONE_NEWPID | user);
    match forked {
        Ok(Forked::Child) => {
            drop((life_ours, mapped_ours));
            let control = control.try_clone().context(what)?;
            let code = match be_init(
                Inheritance { config, functions, control, life, cgroups, supervisor, has_owners: true },
                &mapped,
            ) {
                Ok(()) => 0,
                Err(fault) => {
                    fault.print();
                    1
                }
            };
            sys::exit(code)
        }
        Ok(Forked::Parent(pid)) => {
            let has_owners = !config.is_user_namespace || userns::map(pid)?;
            rustix::io::write(&mapped_ours, &[u8::from(has_owners)]).context(what)?;
            Ok(Init { pid, life: life_ours })
        }
        Err(error) if config.is_user_namespace => Err(userns::explain(&error)),
        Err(error) => Err(Fault::system("cannot make namespaces as root", error)),
    }
}

/// Waits for its users, becomes root of the namespace, and is zone init.
fn be_init(mut inheritance: Inheritance, mapped: &OwnedFd) -> Result<(), Fault> {
    let mut has_owners = [0];
    let n_bytes = rustix::io::read(mapped, &mut has_owners).context(|| "cannot wait for the users".to_owned())?;
    if n_bytes == 0 {
        return Ok(());
    }
    inheritance.has_owners = has_owners[0] == 1;
    if inheritance.config.is_user_namespace {
        sys::become_root(inheritance.has_owners).context(|| "cannot become root of the user namespace".to_owned())?;
    }
    // After the change of users, which takes the signal back. The pipe `life` covers what came before.
    sys::die_with_parent().context(|| "cannot ask for the parent-death signal".to_owned())?;
    init_loop::run(inheritance)
}
