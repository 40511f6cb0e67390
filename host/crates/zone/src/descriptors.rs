//! Passes open files between the processes of a zone, over sockets that keep packets apart.

use std::collections::VecDeque;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{RecvAncillaryBuffer, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags};

/// The largest packet, in bytes.
pub(super) const MAX_PACKET_BYTES: usize = 64 * 1024;

/// Sends one byte and descriptors.
pub(super) fn send_fds(socket: impl AsFd, byte: &[u8; 1], fds: &[BorrowedFd<'_>]) -> rustix::io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(fds));
    }
    rustix::net::sendmsg(socket, &[IoSlice::new(byte)], &mut ancillary, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Receives one byte and descriptors; `None` when the peer is gone.
pub(super) fn receive_fds(socket: impl AsFd, flags: RecvFlags) -> rustix::io::Result<Option<(u8, VecDeque<OwnedFd>)>> {
    let mut byte = [0];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(3))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let message = rustix::net::recvmsg(
        socket,
        &mut [IoSliceMut::new(&mut byte)],
        &mut ancillary,
        flags | RecvFlags::CMSG_CLOEXEC,
    )?;
    if message.bytes == 0 {
        return Ok(None);
    }
    let mut fds = VecDeque::new();
    for message in ancillary.drain() {
        if let rustix::net::RecvAncillaryMessage::ScmRights(received) = message {
            fds.extend(received);
        }
    }
    Ok(Some((byte[0], fds)))
}
