//! The network of steps: a network namespace for each, with one way out for all of a zone.
//!
//! ```text
//! this machine's network    ┊  the zone's router            ┊  a step
//!                           ┊                               ┊
//! pasta, slirp4netns, or ───┊── up0    table 100       s7 ──┊── eth0   default route
//! a veth with masquerading  ┊          masquerading    s8 ──┊── eth0   of another step
//! ```
//!
//! The router is a network namespace in which the zone has all power, also as an ordinary user. Links
//! between it and steps are made ahead of the steps that need them. There is one
//! uplink per zone. What comes from a step is routed by table 100 alone, which leads out, and
//! refuses all addresses of other steps and of this machine.
//!
//! Two processes keep it: [`outside`], in the network of this machine, which starts the uplink and forwards
//! questions about names where that is needed; and [`router`], which makes namespaces. All of it dies with
//! the zone. Decision 6 has the reasons.

mod accept;
mod firewall;
mod forwarder;
mod links;
mod netlink;
mod outside;
mod plan;
mod pool;
mod resolv;
mod router;
mod uplink;

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub(super) use accept::{has_iptables, remove_stale as remove_stale_rules};
pub(super) use outside::{Owner, Starting, start};
pub(super) use pool::{Joined, ZoneNetwork};

/// The kind of link between a zone and the network of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Uplink {
    /// A pair of links and masquerading by the kernel; as root only.
    Veth,
    /// The program `pasta` of the package `passt`.
    Pasta,
    /// The program `slirp4netns`.
    Slirp4netns,
}

impl fmt::Display for Uplink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Veth => "veth",
            Self::Pasta => "pasta",
            Self::Slirp4netns => "slirp4netns",
        })
    }
}

/// The settings of the network of a zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkConfig {
    /// The uplinks that are tried, in this order.
    pub uplinks: Vec<Uplink>,
    /// The file with the name servers of this machine, `/etc/resolv.conf`.
    pub resolv_conf: PathBuf,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self { uplinks: vec![Uplink::Veth, Uplink::Pasta, Uplink::Slirp4netns], resolv_conf: "/etc/resolv.conf".into() }
    }
}
