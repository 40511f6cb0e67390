//! The side of the workers: takes a network namespace that was made ahead.
//!
//! The pool is what waits in a socket: each packet is a byte and the descriptor of a namespace. Whoever
//! is about to take one writes a byte, and the router makes another. A namespace is used by one step and
//! goes with it: connections that wait for their end, among other things, would be seen by the next.

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{RecvFlags, SendFlags};

use super::super::descriptors::{MAX_PACKET_BYTES, receive_fds};
use super::super::fault::{Context as _, Fault};
use super::super::spec::Network;
use super::{Uplink, resolv};

/// The first packet of the router.
pub(super) type Report = Result<Ready, String>;

/// What a zone's network is like.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Ready {
    pub uplink: Uplink,
    /// The text of `/etc/resolv.conf` of steps.
    pub resolv_conf: String,
}

/// The network of a zone, as zone init and its workers have it.
#[derive(Debug)]
pub(crate) struct ZoneNetwork {
    state: Result<(Ready, OwnedFd), String>,
}

/// The network that a step gets.
#[derive(Debug)]
pub(crate) enum Joined {
    /// A namespace with a way out.
    Outside(OwnedFd),
    /// A new one without; and why, if one with was asked for.
    Alone(Option<String>),
    /// Nothing, as the host took the request back.
    Cancelled,
}

impl ZoneNetwork {
    /// Makes the network of a zone that is to have none.
    pub(crate) fn refused() -> Self {
        Self::without("it is switched off for this run".to_owned())
    }

    /// Makes the network of a zone in which no step has a way out.
    pub(super) fn without(cause: String) -> Self {
        Self { state: Err(cause) }
    }

    /// Reads the first packet of the router.
    pub(super) fn with(socket: OwnedFd) -> Self {
        let mut packet = vec![0; MAX_PACKET_BYTES];
        let read = rustix::net::recv(&socket, &mut packet[..], RecvFlags::empty()).map_or(0, |(n_bytes, _)| n_bytes);
        let report: Report = postcard::from_bytes(&packet[..read]).unwrap_or_else(|_| Err(GONE.to_owned()));
        Self { state: report.map(|ready| (ready, socket)) }
    }

    /// Returns the way out, or why there is none.
    pub(crate) fn uplink(&self) -> Result<Uplink, String> {
        self.state.as_ref().map(|(ready, _)| ready.uplink).map_err(Clone::clone)
    }

    /// Returns the text of `/etc/resolv.conf` for a step, if it is to have one.
    pub(crate) fn resolv_conf(&self, network: Network) -> Option<&str> {
        match (network, &self.state) {
            (Network::None, _) => None,
            (Network::Outside, Ok((ready, _))) => Some(&ready.resolv_conf),
            (Network::Outside, Err(_)) => Some(resolv::NOWHERE),
        }
    }

    /// Takes a namespace for a step; `request` is readable when the host takes the step back.
    pub(crate) fn join(&self, network: Network, request: BorrowedFd<'_>) -> Result<Joined, Fault> {
        match (network, &self.state) {
            (Network::None, _) => Ok(Joined::Alone(None)),
            (Network::Outside, Ok((_, socket))) => take(socket, request),
            (Network::Outside, Err(cause)) => Ok(Joined::Alone(Some(cause.clone()))),
        }
    }
}

/// Why there is no way out any more.
const GONE: &str = "what kept the network of the zone has ended";

fn take(socket: &OwnedFd, request: BorrowedFd<'_>) -> Result<Joined, Fault> {
    let what = || "cannot make a network for the step".to_owned();
    let gone = || Ok(Joined::Alone(Some(GONE.to_owned())));
    if rustix::net::send(socket, &[0], SendFlags::NOSIGNAL).is_err() {
        return gone();
    }
    loop {
        let mut fds =
            [PollFd::new(socket, PollFlags::IN), PollFd::from_borrowed_fd(request, PollFlags::RDHUP | PollFlags::IN)];
        match poll(&mut fds, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Fault::system(what(), error)),
        }
        let [is_there, is_cancelled] = fds.map(|fd| !fd.revents().is_empty());
        if is_cancelled {
            return Ok(Joined::Cancelled);
        }
        if !is_there {
            continue;
        }
        match receive_fds(socket, RecvFlags::DONTWAIT) {
            // Another worker was faster.
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Fault::system(what(), error)),
            Ok(None) => return gone(),
            Ok(Some((0, mut fds))) => return fds.pop_front().map_or_else(gone, |fd| Ok(Joined::Outside(fd))),
            Ok(Some((errno, _))) => {
                return Err(std::io::Error::from_raw_os_error(errno.into())).context(what);
            }
        }
    }
}
