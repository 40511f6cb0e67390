//! The router of a zone: a process in a network namespace of its own, which makes those of steps.

use std::net::Ipv4Addr;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::net::{RecvFlags, SendFlags};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::super::descriptors::{receive_fds, send_fds};
use super::super::fault::{Context as _, Fault};
use super::super::sys;
use super::firewall::{Purpose, Table};
use super::forwarder::Listeners;
use super::links::{End, LOOPBACK, Links, MAIN};
use super::plan::Plan;
use super::pool::Report;
use super::uplink::{INNER_LINK, Up};

/// How many namespaces are made ahead.
const N_READY: usize = 2;

/// The number of a step's link in its namespace, after that of the loopback.
const STEP_LINK: u32 = 2;

/// From which number on links to steps are numbered in the router.
const FIRST_LINK: u32 = 1000;

/// The table that routes what comes from steps.
const STEPS: u8 = 100;

/// The sockets and addresses of the router.
pub(super) struct Router {
    plan: Plan,
    links: Links,
    namespace: OwnedFd,
}

impl Router {
    /// Makes a network namespace, enters it, and prepares it for the uplink. `refused` is what steps must
    /// not reach.
    pub(super) fn make(plan: Plan, refused: &[Ipv4Addr]) -> Result<Self, Fault> {
        sys::enter_new_network().context(|| "cannot make a network namespace".to_owned())?;
        let what = || "cannot configure the router of the steps".to_owned();
        let links = Links::open().context(what)?;
        links.set_up(LOOPBACK).context(what)?;
        links.add_address(LOOPBACK, plan.gateway(), 32).context(what)?;
        set("net/ipv4/ip_forward", "1").context(what)?;
        // An address that is not that of the step is not let through.
        set("net/ipv4/conf/default/rp_filter", "1").context(what)?;
        without_ipv6();
        links.add_rule(10, Some(INNER_LINK), MAIN).context(what)?;
        links.add_rule(11, Some("lo"), MAIN).context(what)?;
        links.add_rule(12, None, STEPS).context(what)?;
        let (all, prefix) = plan.all();
        links.prohibit(STEPS, all, prefix).context(what)?;
        for address in refused {
            // Two links may have one address.
            let _ = links.prohibit(STEPS, *address, 32);
        }
        Ok(Self { plan, links, namespace: own_namespace().context(what)? })
    }

    /// Returns the namespace of the router.
    pub(super) fn namespace(&self) -> BorrowedFd<'_> {
        self.namespace.as_fd()
    }

    /// Listens for questions about names.
    pub(super) fn listen(&self) -> Result<Listeners, Fault> {
        Listeners::open(self.plan.gateway()).context(|| "cannot listen for questions about names".to_owned())
    }

    /// Leads what comes from steps to the uplink, and returns what must be kept for that.
    pub(super) fn connect(&self, up: &Up) -> Result<Table, Fault> {
        let what = || "cannot lead steps to the uplink".to_owned();
        let link = self.links.index(INNER_LINK).context(what)?;
        if let Some((address, prefix)) = up.address {
            self.links.add_address(link, address, prefix).context(what)?;
            self.links.set_up(link).context(what)?;
            self.links.add_default_route(MAIN, up.gateway, link).context(what)?;
        }
        self.links.add_default_route(STEPS, up.gateway, link).context(what)?;
        Table::make("host-zone", Purpose::Masquerade { out: INNER_LINK })
            .context(|| "cannot make the packet filter of the steps".to_owned())
    }

    /// Says how it went, and makes namespaces for workers until there is nobody left to ask for one.
    pub(super) fn serve(&self, workers: &OwnedFd, report: &Report, mtu: u32) -> Result<(), Fault> {
        send_report(workers, report)?;
        let mut n_made = 0;
        for _ in 0..N_READY {
            self.offer(workers, &mut n_made, mtu)?;
        }
        while let Some(_asked) =
            receive_fds(workers, RecvFlags::empty()).context(|| "cannot wait for steps".to_owned())?
        {
            self.offer(workers, &mut n_made, mtu)?;
        }
        Ok(())
    }

    fn offer(&self, workers: &OwnedFd, n_made: &mut u32, mtu: u32) -> Result<(), Fault> {
        let made = self.make_step(*n_made, mtu);
        *n_made = n_made.wrapping_add(1) & 0x3fff_ffff;
        let sent = match &made {
            Ok(namespace) => send_fds(workers, &[0], &[namespace.as_fd()]),
            Err(error) => send_fds(workers, &[error.raw_os_error().unwrap_or(libc::EIO) as u8], &[]),
        };
        sent.context(|| "cannot hand on a network namespace".to_owned())
    }

    /// Makes a namespace with a link to this one.
    fn make_step(&self, n: u32, mtu: u32) -> std::io::Result<OwnedFd> {
        let (address, index) = (self.plan.step(n), FIRST_LINK + n);
        let name = format!("s{n}");
        sys::enter_new_network()?;
        let made = self.furnish_step(address, mtu, End { name: &name, index });
        move_into_link_name_space(self.namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
        let namespace = made?;
        self.links.set_up(index)?;
        self.links.add_host_route(address, index)?;
        Ok(namespace)
    }

    /// Prepares the namespace that this process is in for a step.
    fn furnish_step(&self, address: Ipv4Addr, mtu: u32, there: End<'_>) -> std::io::Result<OwnedFd> {
        without_ipv6();
        let links = Links::open()?;
        links.set_up(LOOPBACK)?;
        links.make_pair(End { name: "eth0", index: STEP_LINK }, there, self.namespace.as_fd(), mtu)?;
        links.set_up(STEP_LINK)?;
        links.add_address(STEP_LINK, address, 32)?;
        links.add_host_route(self.plan.gateway(), STEP_LINK)?;
        links.add_default_route(MAIN, self.plan.gateway(), STEP_LINK)?;
        own_namespace()
    }
}

/// Tells zone init how it went.
pub(super) fn send_report(workers: &OwnedFd, report: &Report) -> Result<(), Fault> {
    let packet = postcard::to_stdvec(report).map_err(|error| Fault::Protocol { message: error.to_string() })?;
    rustix::net::send(workers, &packet, SendFlags::NOSIGNAL).context(|| "cannot answer zone init".to_owned())?;
    Ok(())
}

/// Returns the network namespace of this process.
pub(super) fn own_namespace() -> std::io::Result<OwnedFd> {
    rustix::fs::open("/proc/self/ns/net", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).map_err(Into::into)
}

/// Changes a setting of the network namespace of this process.
pub(super) fn set(name: &str, value: &str) -> std::io::Result<()> {
    std::fs::write(format!("/proc/sys/{name}"), value)
}

/// Gives links that are made from now on no address of IPv6, which would lead nowhere.
fn without_ipv6() {
    // A kernel without IPv6 has no such setting.
    let _ = set("net/ipv6/conf/default/disable_ipv6", "1");
}
