//! Messages to the kernel over netlink: headers, attributes, acknowledgements.
//!
//! Source: Linux, `include/uapi/linux/netlink.h`.

use std::io;
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType};

const HEADER_BYTES: usize = 16;
const ALIGN: usize = 4;

/// The flag that asks the kernel for an acknowledgement.
const ACK: u16 = 0x4;
const REQUEST: u16 = 0x1;
/// Ask for all that there are.
const DUMP: u16 = 0x300;
/// Make it, and fail if it is there.
pub(super) const CREATE: u16 = 0x400 | 0x200;
/// Make it behind what is there.
pub(super) const APPEND: u16 = 0x400 | 0x800;

const TYPE_ERROR: u16 = 2;
const TYPE_DONE: u16 = 3;
const NESTED: u16 = 0x8000;

/// A request that is being written.
pub(super) struct Message {
    bytes: Vec<u8>,
}

impl Message {
    /// Begins a request of a kind, with the fixed part that belongs to that kind.
    pub(super) fn new(kind: u16, flags: u16, fixed: &[u8]) -> Self {
        let mut bytes = vec![0; HEADER_BYTES];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&(flags | REQUEST).to_ne_bytes());
        bytes.extend_from_slice(fixed);
        Self { bytes }
    }

    /// Adds an attribute.
    pub(super) fn attribute(mut self, kind: u16, value: &[u8]) -> Self {
        let length = u16::try_from(value.len() + 4).expect("attributes are names, numbers and addresses");
        self.bytes.extend_from_slice(&length.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(value);
        self.bytes.resize(self.bytes.len().next_multiple_of(ALIGN), 0);
        self
    }

    /// Adds a text that ends with a zero byte.
    pub(super) fn text(self, kind: u16, text: &str) -> Self {
        let mut value = text.as_bytes().to_vec();
        value.push(0);
        self.attribute(kind, &value)
    }

    /// Adds an attribute that holds others.
    pub(super) fn nested(mut self, kind: u16, fill: impl FnOnce(Self) -> Self) -> Self {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 2]);
        self.bytes.extend_from_slice(&(kind | NESTED).to_ne_bytes());
        let mut filled = fill(self);
        let length = u16::try_from(filled.bytes.len() - start).expect("a request is some hundred bytes");
        filled.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        filled
    }

    /// Adds what is not an attribute: the fixed part inside of a nested one.
    pub(super) fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    fn finish(mut self, more_flags: u16) -> Vec<u8> {
        let length = u32::try_from(self.bytes.len()).expect("a request is some hundred bytes");
        self.bytes[..4].copy_from_slice(&length.to_ne_bytes());
        let flags = u16::from_ne_bytes([self.bytes[6], self.bytes[7]]) | more_flags;
        self.bytes[6..8].copy_from_slice(&flags.to_ne_bytes());
        self.bytes
    }
}

/// A socket to one part of the kernel, in the network namespace in which it was opened.
#[derive(Debug)]
pub(super) struct Netlink {
    socket: OwnedFd,
}

impl Netlink {
    /// Opens a socket; `None` is for links, addresses and routes.
    pub(super) fn open(protocol: Option<Protocol>) -> io::Result<Self> {
        let (family, kind) = (AddressFamily::NETLINK, SocketType::RAW);
        let socket = rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, protocol)?;
        Ok(Self { socket })
    }

    /// Sends a request and waits until it is done.
    pub(super) fn request(&self, message: Message) -> io::Result<()> {
        self.send(&message.finish(ACK))?;
        self.acknowledgements(1)
    }

    /// Sends several requests that are done together or not at all, between two messages that say so.
    pub(super) fn batch(&self, begin: Message, messages: Vec<Message>, end: Message) -> io::Result<()> {
        let n_messages = messages.len();
        let mut bytes = begin.finish(0);
        for message in messages {
            bytes.extend(message.finish(ACK));
        }
        bytes.extend(end.finish(0));
        self.send(&bytes)?;
        self.acknowledgements(n_messages)
    }

    /// Sends a question and returns the answers, each without its header.
    pub(super) fn dump(&self, message: Message) -> io::Result<Vec<Vec<u8>>> {
        self.send(&message.finish(DUMP))?;
        let mut answers = Vec::new();
        loop {
            for (kind, body) in split(&self.receive()?) {
                match kind {
                    TYPE_DONE => return Ok(answers),
                    TYPE_ERROR => return Err(error_of(body).unwrap_or_else(|| io::ErrorKind::InvalidData.into())),
                    _ => answers.push(body.to_vec()),
                }
            }
        }
    }

    fn acknowledgements(&self, n_expected: usize) -> io::Result<()> {
        let mut n_received = 0;
        while n_received < n_expected {
            for (kind, body) in split(&self.receive()?) {
                if kind == TYPE_ERROR {
                    if let Some(error) = error_of(body) {
                        return Err(error);
                    }
                    n_received += 1;
                }
            }
        }
        Ok(())
    }

    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        rustix::net::send(&self.socket, bytes, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    fn receive(&self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; 64 * 1024];
        let (n_bytes, _) = rustix::net::recv(&self.socket, &mut bytes[..], RecvFlags::empty())?;
        bytes.truncate(n_bytes);
        Ok(bytes)
    }
}

/// Returns the kinds and bodies of the messages in a packet.
fn split(packet: &[u8]) -> Vec<(u16, &[u8])> {
    let mut found = Vec::new();
    let mut rest = packet;
    while let Some((header, _)) = rest.split_at_checked(HEADER_BYTES) {
        let length = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let Some(body) = rest.get(HEADER_BYTES..length) else { break };
        found.push((u16::from_ne_bytes([header[4], header[5]]), body));
        rest = rest.get(length.next_multiple_of(ALIGN)..).unwrap_or_default();
    }
    found
}

/// Returns the error in an acknowledgement; `None` if all went well.
fn error_of(body: &[u8]) -> Option<io::Error> {
    let code = body.first_chunk().map_or(-libc::EIO, |bytes| i32::from_ne_bytes(*bytes));
    (code != 0).then(|| io::Error::from_raw_os_error(-code))
}

/// Returns the attributes behind the fixed part of an answer: kind without flags, and value.
pub(super) fn attributes(answer: &[u8], n_fixed_bytes: usize) -> Vec<(u16, &[u8])> {
    let mut found = Vec::new();
    let mut rest = answer.get(n_fixed_bytes..).unwrap_or_default();
    while let Some((header, _)) = rest.split_at_checked(4) {
        let length = usize::from(u16::from_ne_bytes([header[0], header[1]]));
        let Some(value) = rest.get(4..length) else { break };
        found.push((u16::from_ne_bytes([header[2], header[3]]) & 0x3fff, value));
        rest = rest.get(length.next_multiple_of(ALIGN)..).unwrap_or_default();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_aligned_and_nested() {
        let message = Message::new(16, CREATE, &[1, 2, 3, 4]).text(3, "lo").nested(18, |m| m.text(1, "veth"));
        let bytes = message.finish(ACK);
        assert_eq!(bytes.len() % ALIGN, 0);
        assert_eq!(bytes[..8], [44, 0, 0, 0, 16, 0, 0x05, 0x06]);
        let found = split(&bytes);
        let outer = attributes(found[0].1, 4);
        assert_eq!(outer[0], (3, &b"lo\0"[..]));
        assert_eq!((outer[1].0, attributes(outer[1].1, 0)), (18, vec![(1, &b"veth\0"[..])]));
    }

    #[test]
    fn a_packet_that_is_cut_ends_where_it_is() {
        assert_eq!(split(&[9, 0, 0]), []);
        assert_eq!(split(&[60, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]), []);
        assert_eq!(attributes(&[200, 0, 1, 0, 7], 0), []);
    }

    #[test]
    fn the_kernel_answers() {
        let loopback = Netlink::open(None).unwrap().dump(Message::new(libc::RTM_GETLINK, 0, &[0; 16])).unwrap();
        assert!(loopback.iter().any(|link| attributes(link, 16).contains(&(libc::IFLA_IFNAME, &b"lo\0"[..]))));
        let nothing = Message::new(libc::RTM_NEWROUTE, 0, &[0; 12]);
        assert!(Netlink::open(None).unwrap().request(nothing).is_err());
    }
}
