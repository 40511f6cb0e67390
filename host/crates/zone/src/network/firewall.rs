//! Packet filter tables that vanish with the zone.
//!
//! Those of the router go with its network namespace. In the network of this machine, a table has an
//! owner: it belongs to the socket over which it was made, and the kernel removes it when that is closed,
//! however the process ends. Since Linux 5.12.
//!
//! Source: Linux, `include/uapi/linux/netfilter/nf_tables.h`.

use std::io;
use std::net::Ipv4Addr;

use rustix::net::netlink::NETFILTER;

use super::netlink::{APPEND, CREATE, Message, Netlink, attributes};

const IP: u8 = 2;
const INET: u8 = 1;
const SUBSYSTEM: u16 = 10;
const OWNED: u32 = 0x2;
const REGISTER: u32 = 1;
const REGISTER_VERDICT: u32 = 0;
const LINK_IN: u32 = 6;
const LINK_OUT: u32 = 7;
const EQUAL: u32 = 0;
const DIFFERENT: u32 = 1;
const NETWORK_HEADER: u32 = 1;
const SOURCE_OFFSET: u32 = 12;
const PRIORITY_FILTER: i32 = 0;
const PRIORITY_SOURCE_NAT: i32 = 100;
const NAME_BYTES: usize = 16;

/// A table of this process.
#[derive(Debug)]
pub(super) struct Table {
    /// The kernel removes the table when this socket is closed.
    _socket: Netlink,
}

/// The purpose of a table.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose<'a> {
    /// What leaves over a link gets the address of this link.
    Masquerade { out: &'a str },
    /// What comes from one address and leaves over another link than `link` gets the address of that one;
    /// what comes from `link` for this machine itself is dropped.
    Guard { link: &'a str, source: Ipv4Addr },
}

impl Table {
    /// Makes a table in the network namespace of this process.
    pub(super) fn make(name: &str, purpose: Purpose<'_>) -> io::Result<Self> {
        let socket = Netlink::open(Some(NETFILTER))?;
        // A network namespace of the zone takes its tables along.
        let flags = if matches!(purpose, Purpose::Guard { .. }) { OWNED } else { 0 };
        let table = message(libc::NFT_MSG_NEWTABLE, CREATE, IP).text(1, name).attribute(2, &flags.to_be_bytes());
        let mut messages = vec![table, chain(name, "leave", "nat", libc::NF_INET_POST_ROUTING, PRIORITY_SOURCE_NAT)];
        match purpose {
            Purpose::Masquerade { out } => {
                messages.push(rule(name, "leave", |m| masquerade(link_is(m, LINK_OUT, EQUAL, out))));
            }
            Purpose::Guard { link, source } => {
                messages.push(rule(name, "leave", |m| {
                    masquerade(link_is(source_is(m, source), LINK_OUT, DIFFERENT, link))
                }));
                messages.push(chain(name, "enter", "filter", libc::NF_INET_LOCAL_IN, PRIORITY_FILTER));
                messages.push(rule(name, "enter", |m| drop_it(link_is(m, LINK_IN, EQUAL, link))));
            }
        }
        socket.batch(border(libc::NFNL_MSG_BATCH_BEGIN), messages, border(libc::NFNL_MSG_BATCH_END))?;
        Ok(Self { _socket: socket })
    }
}

/// A chain that decides about what this machine forwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ForwardChain {
    /// The table that it is in.
    pub table: String,
    pub name: String,
}

/// Returns the chains that decide about what this machine forwards.
pub(super) fn forward_chains() -> io::Result<Vec<ForwardChain>> {
    let answers = Netlink::open(Some(NETFILTER))?.dump(message(libc::NFT_MSG_GETCHAIN, 0, 0))?;
    Ok(answers.iter().filter_map(|answer| forward_chain(answer)).collect())
}

fn forward_chain(answer: &[u8]) -> Option<ForwardChain> {
    if ![IP, INET].contains(answer.first()?) {
        return None;
    }
    let found = attributes(answer, 4);
    let value = |kind: u16| found.iter().find(|(has, _)| *has == kind).map(|(_, value)| *value);
    let hook = attributes(value(4)?, 0).into_iter().find(|(kind, _)| *kind == 1)?.1.first_chunk().copied()?;
    let text = |kind: u16| Some(String::from_utf8_lossy(value(kind)?.strip_suffix(b"\0")?).into_owned());
    (u32::from_be_bytes(hook) == libc::NF_INET_FORWARD as u32)
        .then_some(ForwardChain { table: text(1)?, name: text(3)? })
}

fn message(kind: i32, flags: u16, family: u8) -> Message {
    Message::new((SUBSYSTEM << 8) | kind as u16, flags, &[family, 0, 0, 0])
}

/// The message that begins or ends a batch.
fn border(kind: i32) -> Message {
    let [high, low] = SUBSYSTEM.to_be_bytes();
    Message::new(kind as u16, 0, &[0, 0, high, low])
}

fn chain(table: &str, name: &str, kind: &str, hook: i32, priority: i32) -> Message {
    message(libc::NFT_MSG_NEWCHAIN, CREATE, IP)
        .text(1, table)
        .text(3, name)
        .nested(4, |m| m.attribute(1, &(hook as u32).to_be_bytes()).attribute(2, &priority.to_be_bytes()))
        .text(7, kind)
}

fn rule(table: &str, chain: &str, expressions: impl FnOnce(Message) -> Message) -> Message {
    message(libc::NFT_MSG_NEWRULE, APPEND, IP).text(1, table).text(2, chain).nested(4, expressions)
}

fn expression(m: Message, name: &str, data: impl FnOnce(Message) -> Message) -> Message {
    m.nested(1, |m| m.text(1, name).nested(2, data))
}

fn number(m: Message, kind: u16, value: u32) -> Message {
    m.attribute(kind, &value.to_be_bytes())
}

fn compare(m: Message, operator: u32, value: &[u8]) -> Message {
    expression(m, "cmp", |m| number(number(m, 1, REGISTER), 2, operator).nested(3, |m| m.attribute(1, value)))
}

fn link_is(m: Message, which: u32, operator: u32, link: &str) -> Message {
    let mut name = link.as_bytes().to_vec();
    name.resize(NAME_BYTES, 0);
    compare(expression(m, "meta", |m| number(number(m, 1, REGISTER), 2, which)), operator, &name)
}

fn source_is(m: Message, source: Ipv4Addr) -> Message {
    let loaded = expression(m, "payload", |m| {
        number(number(number(number(m, 1, REGISTER), 2, NETWORK_HEADER), 3, SOURCE_OFFSET), 4, 4)
    });
    compare(loaded, EQUAL, &source.octets())
}

fn masquerade(m: Message) -> Message {
    expression(m, "masq", |m| m)
}

fn drop_it(m: Message) -> Message {
    expression(m, "immediate", |m| {
        number(m, 1, REGISTER_VERDICT).nested(2, |m| m.nested(2, |m| number(m, 1, libc::NF_DROP as u32)))
    })
}
