//! The process of a zone's network that stays in the network of this machine.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

use super::super::descendants::kill_descendants;
use super::super::descriptors::{MAX_PACKET_BYTES, receive_fds, send_fds};
use super::super::fault::{Context as _, Fault};
use super::super::sys::{self, Forked};
use super::forwarder::{self, Listeners};
use super::links::Links;
use super::plan::Plan;
use super::pool::{Ready, ZoneNetwork};
use super::resolv::{self, Resolution};
use super::router::{Router, send_report};
use super::uplink::{self, Kept, Up};
use super::{NetworkConfig, Uplink};

/// How long an uplink may take to start. It takes some 20 ms.
const START_TIMEOUT: Duration = Duration::from_secs(5);

/// The zone that a network belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    /// Names the zone among all that this machine ever had.
    pub name: String,
    /// The process id of the supervisor.
    pub supervisor: u32,
    /// Whether it is in a user namespace.
    pub is_user_namespace: bool,
    /// The zone's memory file system.
    pub memory: PathBuf,
    /// The directories in which programs are searched for.
    pub tools: Vec<PathBuf>,
}

/// A network that is being made.
pub(crate) struct Starting {
    pid: i32,
    socket: OwnedFd,
}

impl Starting {
    /// Returns the process that keeps the network.
    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    /// Waits until it is made, or is known to be impossible.
    pub(crate) fn wait(self) -> ZoneNetwork {
        let timeout = Timespec::try_from(START_TIMEOUT).ok();
        let is_there = poll(&mut [PollFd::new(&self.socket, PollFlags::IN)], timeout.as_ref()).is_ok_and(|n| n > 0);
        if is_there {
            return ZoneNetwork::with(self.socket);
        }
        sys::kill(self.pid);
        ZoneNetwork::without(format!("the uplink did not start within {} s", START_TIMEOUT.as_secs()))
    }
}

/// Starts to make the network of a zone, in a process of its own.
pub(crate) fn start(config: NetworkConfig, owner: &Owner) -> Result<Starting, Fault> {
    let (socket, theirs) = packets().context(|| "cannot make a socket".to_owned())?;
    match sys::fork(0).context(|| "cannot start the network of the zone".to_owned())? {
        Forked::Parent(pid) => Ok(Starting { pid, socket }),
        Forked::Child => {
            drop(socket);
            be(|| keep(&config, owner, theirs))
        }
    }
}

/// Is a process that does this and nothing else, and dies with its parent.
fn be(work: impl FnOnce() -> Result<(), Fault>) -> ! {
    let done =
        sys::die_with_parent().context(|| "cannot ask for the parent-death signal".to_owned()).and_then(|()| work());
    if let Err(fault) = &done {
        fault.print();
    }
    sys::exit(i32::from(done.is_err()))
}

fn packets() -> rustix::io::Result<(OwnedFd, OwnedFd)> {
    rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
}

fn keep(config: &NetworkConfig, owner: &Owner, workers: OwnedFd) -> Result<(), Fault> {
    // An uplink that goes into the background stays a child of this process.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .context(|| "cannot become a subreaper".to_owned())?;
    let kept = match connect(config, owner, &workers) {
        Ok(kept) => kept,
        Err(cause) => return send_report(&workers, &Err(cause)),
    };
    drop(workers);
    // Whatever ends of it, steps that start afterwards are told that it has.
    let _ = sys::reap(-1, true);
    kill_descendants();
    drop(kept);
    Ok(())
}

/// Makes the router and the uplink; returns why that cannot be.
fn connect(config: &NetworkConfig, owner: &Owner, workers: &OwnedFd) -> Result<Kept, String> {
    let told = |fault: Fault| fault.to_string();
    let what = || "cannot look at the network of this machine".to_owned();
    let own = Links::open().and_then(|links| links.addresses()).context(what).map_err(told)?;
    let routes = std::fs::read_to_string("/proc/net/route").context(what).map_err(told)?;
    let plan = Plan::choose(&routes, &own, owner.supervisor);
    let read = |path: &std::path::Path| std::fs::read_to_string(path).unwrap_or_default();
    let resolution =
        resolv::decide(&read(&config.resolv_conf), &read(resolv::UPSTREAMS.as_ref()), &own, plan.gateway());
    let servers = resolution.forward_to.clone();
    let (ours, theirs) = packets().context(|| "cannot make a socket".to_owned()).map_err(told)?;
    let forked = sys::fork(0).context(|| "cannot start the router of the steps".to_owned()).map_err(told)?;
    if forked == Forked::Child {
        drop(ours);
        be(|| route(plan, &own, resolution, workers, &theirs))
    }
    drop(theirs);
    let (namespace, listeners) = receive_prepared(&ours).map_err(told)?;
    let uplink::Started { uplink, up, kept } = uplink::start(
        config,
        owner,
        &uplink::Place { plan, routes: &routes, namespace: &namespace, scratch: &owner.memory },
    )?;
    if let Some(listeners) = listeners {
        start_forwarder(listeners, servers).map_err(told)?;
    }
    let packet = postcard::to_stdvec(&(uplink, up)).map_err(|error| error.to_string())?;
    rustix::net::send(&ours, &packet, SendFlags::NOSIGNAL)
        .context(|| "cannot reach the router of the steps".to_owned())
        .map_err(told)?;
    Ok(kept)
}

/// Runs the router until the zone ends.
fn route(
    plan: Plan,
    refused: &[std::net::Ipv4Addr],
    resolution: Resolution,
    workers: &OwnedFd,
    outside: &OwnedFd,
) -> Result<(), Fault> {
    let prepared = Router::make(plan, refused).and_then(|router| {
        let listeners = if resolution.forward_to.is_empty() { None } else { Some(router.listen()?) };
        Ok((router, listeners))
    });
    let (router, listeners) = match prepared {
        Ok(prepared) => prepared,
        Err(fault) => return send_report(workers, &Err(fault.to_string())),
    };
    let mut fds = vec![router.namespace()];
    if let Some(Listeners { udp, tcp }) = &listeners {
        fds.extend([udp.as_fd(), tcp.as_fd()]);
    }
    send_fds(outside, &[0], &fds).context(|| "cannot hand on the router".to_owned())?;
    drop(listeners);
    let mut packet = vec![0; MAX_PACKET_BYTES];
    let (n_bytes, _) = rustix::net::recv(outside, &mut packet[..], RecvFlags::empty())
        .context(|| "cannot wait for the uplink".to_owned())?;
    let Ok((uplink, up)) = postcard::from_bytes::<(Uplink, Up)>(&packet[..n_bytes]) else { return Ok(()) };
    match router.connect(&up) {
        Ok(_table) => router.serve(workers, &Ok(Ready { uplink, resolv_conf: resolution.text }), up.mtu),
        Err(fault) => send_report(workers, &Err(format!("{uplink}: {fault}"))),
    }
}

fn start_forwarder(listeners: Listeners, servers: Vec<SocketAddr>) -> Result<(), Fault> {
    match sys::fork(0).context(|| "cannot start the forwarder for names".to_owned())? {
        Forked::Parent(_) => Ok(()),
        Forked::Child => {
            be(|| forwarder::run(listeners, servers).context(|| "cannot forward questions about names".to_owned()))
        }
    }
}

/// Takes the namespace of the router, and the sockets that it listens on.
fn receive_prepared(socket: &OwnedFd) -> Result<(OwnedFd, Option<Listeners>), Fault> {
    let what = || "cannot take over the router of the steps".to_owned();
    let gone = || Fault::Protocol { message: "the router of the steps has ended".to_owned() };
    let (_, mut fds) = receive_fds(socket, RecvFlags::empty()).context(what)?.ok_or_else(gone)?;
    let namespace = fds.pop_front().ok_or_else(gone)?;
    let listeners = match (fds.pop_front(), fds.pop_front()) {
        (Some(udp), Some(tcp)) => Some(Listeners { udp: UdpSocket::from(udp), tcp: TcpListener::from(tcp) }),
        _ => None,
    };
    Ok((namespace, listeners))
}
