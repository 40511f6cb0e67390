//! Links, addresses, routes and routing rules of a network namespace.
//!
//! Source: Linux, `include/uapi/linux/{rtnetlink,if_link,if_addr,fib_rules,veth}.h`.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd as _, BorrowedFd};

use super::netlink::{APPEND, CREATE, Message, Netlink, attributes};

const INET: u8 = libc::AF_INET as u8;
const IFF_UP: u32 = 1;
const INFO_PEER: u16 = 1;
const ADDRESS: u16 = 1;
const LOCAL: u16 = 2;
/// The next hop is on the link, whatever its address.
const ONLINK: u32 = 4;
const PROTOCOL_STATIC: u8 = 4;
const SCOPE_UNIVERSE: u8 = 0;
const SCOPE_LINK: u8 = 253;
const RULE_LINK_IN: u16 = 3;
const RULE_PRIORITY: u16 = 6;
const RULE_TABLE: u16 = 15;
const TO_TABLE: u8 = 1;

/// The number of the loopback of every network namespace.
pub(super) const LOOPBACK: u32 = 1;

/// The table in which routes are by default.
pub(super) const MAIN: u8 = 254;

/// Configures the network namespace in which it was opened.
#[derive(Debug)]
pub(super) struct Links(Netlink);

/// One end of a pair of links.
#[derive(Debug, Clone, Copy)]
pub(super) struct End<'a> {
    pub name: &'a str,
    /// Its number, which must be free; the kernel chooses for 0.
    pub index: u32,
}

impl Links {
    pub(super) fn open() -> io::Result<Self> {
        Netlink::open(None).map(Self)
    }

    /// Makes two links that are joined: one here, one in another network namespace.
    pub(super) fn make_pair(&self, here: End<'_>, there: End<'_>, other: BorrowedFd<'_>, mtu: u32) -> io::Result<()> {
        let mtu = mtu.to_ne_bytes();
        let peer = |m: Message| {
            m.raw(&link_header(there.index, 0))
                .text(libc::IFLA_IFNAME, there.name)
                .attribute(libc::IFLA_MTU, &mtu)
                .attribute(libc::IFLA_NET_NS_FD, &other.as_raw_fd().to_ne_bytes())
        };
        let message = Message::new(libc::RTM_NEWLINK, CREATE, &link_header(here.index, 0))
            .text(libc::IFLA_IFNAME, here.name)
            .attribute(libc::IFLA_MTU, &mtu)
            .nested(libc::IFLA_LINKINFO, |m| {
                let data = |m: Message| m.nested(INFO_PEER, peer);
                m.text(libc::IFLA_INFO_KIND, "veth").nested(libc::IFLA_INFO_DATA, data)
            });
        self.0.request(message)
    }

    /// Switches a link on.
    pub(super) fn set_up(&self, link: u32) -> io::Result<()> {
        self.0.request(Message::new(libc::RTM_NEWLINK, 0, &link_header(link, IFF_UP)))
    }

    /// Returns the number of a link.
    pub(super) fn index(&self, name: &str) -> io::Result<u32> {
        let mut wanted = name.as_bytes().to_vec();
        wanted.push(0);
        let links = self.0.dump(Message::new(libc::RTM_GETLINK, 0, &link_header(0, 0)))?;
        let found = links.iter().find(|link| attributes(link, 16).contains(&(libc::IFLA_IFNAME, &wanted)));
        let index = found.and_then(|link| link.get(4..8)?.first_chunk().copied());
        index.map(u32::from_ne_bytes).ok_or_else(|| io::Error::from_raw_os_error(libc::ENODEV))
    }

    /// Gives a link an address.
    pub(super) fn add_address(&self, link: u32, address: Ipv4Addr, prefix: u8) -> io::Result<()> {
        let [a, b, c, d] = link.to_ne_bytes();
        let message = Message::new(libc::RTM_NEWADDR, CREATE, &[INET, prefix, 0, SCOPE_UNIVERSE, a, b, c, d])
            .attribute(LOCAL, &address.octets())
            .attribute(ADDRESS, &address.octets());
        self.0.request(message)
    }

    /// Returns the IPv4 addresses of all links.
    pub(super) fn addresses(&self) -> io::Result<Vec<Ipv4Addr>> {
        let answers = self.0.dump(Message::new(libc::RTM_GETADDR, 0, &[INET, 0, 0, 0, 0, 0, 0, 0]))?;
        let local = |answer: &Vec<u8>| {
            let found = attributes(answer, 8).into_iter().find(|(kind, _)| *kind == LOCAL);
            found.and_then(|(_, value)| value.first_chunk::<4>().copied()).map(Ipv4Addr::from)
        };
        Ok(answers.iter().filter_map(local).collect())
    }

    /// Adds a route to one address over a link.
    pub(super) fn add_host_route(&self, to: Ipv4Addr, link: u32) -> io::Result<()> {
        let header = route_header(32, MAIN, SCOPE_LINK, libc::RTN_UNICAST, 0);
        let message = Message::new(libc::RTM_NEWROUTE, CREATE, &header);
        self.0.request(message.attribute(libc::RTA_DST, &to.octets()).attribute(libc::RTA_OIF, &link.to_ne_bytes()))
    }

    /// Adds a route to everything, over a gateway on a link.
    pub(super) fn add_default_route(&self, table: u8, gateway: Ipv4Addr, link: u32) -> io::Result<()> {
        let header = route_header(0, table, SCOPE_UNIVERSE, libc::RTN_UNICAST, ONLINK);
        let message = Message::new(libc::RTM_NEWROUTE, CREATE, &header);
        self.0.request(
            message.attribute(libc::RTA_GATEWAY, &gateway.octets()).attribute(libc::RTA_OIF, &link.to_ne_bytes()),
        )
    }

    /// Refuses what is for these addresses, at once and with an answer.
    pub(super) fn prohibit(&self, table: u8, to: Ipv4Addr, prefix: u8) -> io::Result<()> {
        let header = route_header(prefix, table, SCOPE_UNIVERSE, libc::RTN_PROHIBIT, 0);
        let message = Message::new(libc::RTM_NEWROUTE, CREATE, &header);
        self.0.request(message.attribute(libc::RTA_DST, &to.octets()))
    }

    /// Makes a table decide for what comes from a link, or for everything.
    pub(super) fn add_rule(&self, priority: u32, from: Option<&str>, table: u8) -> io::Result<()> {
        let header = [INET, 0, 0, 0, table, 0, 0, TO_TABLE, 0, 0, 0, 0];
        let message = Message::new(libc::RTM_NEWRULE, APPEND, &header)
            .attribute(RULE_PRIORITY, &priority.to_ne_bytes())
            .attribute(RULE_TABLE, &u32::from(table).to_ne_bytes());
        self.0.request(match from {
            Some(link) => message.text(RULE_LINK_IN, link),
            None => message,
        })
    }
}

fn link_header(index: u32, up: u32) -> [u8; 16] {
    let mut header = [0; 16];
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    header[8..12].copy_from_slice(&up.to_ne_bytes());
    header[12..].copy_from_slice(&up.to_ne_bytes());
    header
}

fn route_header(prefix: u8, table: u8, scope: u8, kind: u8, flags: u32) -> [u8; 12] {
    let [a, b, c, d] = flags.to_ne_bytes();
    [INET, prefix, 0, 0, table, PROTOCOL_STATIC, scope, kind, a, b, c, d]
}
