//! Opens what is below a directory, without following links.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// The longest path in bytes that is given to the kernel at once. The limit of the kernel is 4,096.
const CHUNK_BYTES: usize = 2048;

/// Whether the kernel or a seccomp filter has refused `openat2` once.
static NO_OPENAT2: AtomicBool = AtomicBool::new(false);

/// Opens `path` below `root`. It follows no symbolic link and never leaves `root`. The path can be longer than
/// `PATH_MAX`. At most two descriptors are open at a time.
///
/// # Errors
/// As those of `openat2`.
pub fn open_beneath(root: impl AsFd, path: &[u8], flags: OFlags, mode: Mode) -> rustix::io::Result<OwnedFd> {
    let mut rest = path;
    let mut held: Option<OwnedFd> = None;
    while rest.len() > CHUNK_BYTES {
        let Some(cut) = rest[..CHUNK_BYTES].iter().rposition(|&b| b == b'/') else { break };
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        let next = match &held {
            Some(fd) => open_chunk(fd, &rest[..cut], flags, Mode::empty())?,
            None => open_chunk(&root, &rest[..cut], flags, Mode::empty())?,
        };
        held = Some(next);
        rest = &rest[cut + 1..];
    }
    let rest = if rest.is_empty() { b"." } else { rest };
    match &held {
        Some(fd) => open_chunk(fd, rest, flags, mode),
        None => open_chunk(&root, rest, flags, mode),
    }
}

fn open_chunk(dir: &impl AsFd, path: &[u8], flags: OFlags, mode: Mode) -> rustix::io::Result<OwnedFd> {
    let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    if !NO_OPENAT2.load(Ordering::Relaxed) {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        match rustix::fs::openat2(dir, path, flags, mode, resolve) {
            Err(Errno::NOSYS | Errno::PERM) => NO_OPENAT2.store(true, Ordering::Relaxed),
            // A rename elsewhere made the check inconclusive.
            Err(Errno::AGAIN) => {}
            done => return done,
        }
    }
    let mut dir = rustix::fs::openat(dir, ".", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let mut parts = path.split(|&b| b == b'/').filter(|part| !part.is_empty()).peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rustix::fs::openat(&dir, part, flags, mode);
        }
        let inner = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        dir = rustix::fs::openat(&dir, part, inner, Mode::empty())?;
    }
    Ok(dir)
}
