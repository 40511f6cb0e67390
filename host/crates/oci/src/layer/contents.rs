//! Writes the contents of files, from the tar file or from a layer below.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use super::error::LayerError;
use super::root::io;
use super::tar::{Entry, Segment, Source, TarReader};

/// The size from which on a file gets holes in place of zeros.
const HOLES_FROM: u64 = 1 << 20;
/// The size of a hole's unit.
const HOLE_BYTES: usize = 64 << 10;
static ZEROS: [u8; HOLE_BYTES] = [0; HOLE_BYTES];

/// Writes the contents of an entry to a new file. `at` is the place for messages.
pub(super) fn write<S: Source>(
    reader: &mut TarReader<S>,
    entry: &Entry,
    file: &OwnedFd,
    at: &str,
) -> Result<(), LayerError> {
    let whole = [Segment { offset: 0, size: entry.size }];
    let segments = entry.sparse.as_deref().unwrap_or(&whole);
    let mut end = 0;
    for segment in segments {
        let (mut offset, mut left) = (segment.offset, segment.size);
        while left > 0 {
            let bytes = reader.data().map_err(|error| LayerError::stopped(at, error))?;
            let n = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
            let written = if entry.size < HOLES_FROM {
                write_at(file, &bytes[..n], offset).map(|()| offset + n as u64)
            } else {
                write_with_holes(file, &bytes[..n], offset)
            };
            end = end.max(written.map_err(|errno| io("write", &entry.name, errno))?);
            reader.advance(n);
            (offset, left) = (offset + n as u64, left - n as u64);
        }
    }
    if end < entry.size {
        rustix::fs::ftruncate(file, entry.size).map_err(|errno| io("write", &entry.name, errno))?;
    }
    Ok(())
}

fn write_at(file: impl AsFd, mut bytes: &[u8], mut offset: u64) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match rustix::io::pwrite(&file, bytes, offset) {
            Ok(n) => (bytes, offset) = (&bytes[n..], offset + n as u64),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Writes everything except whole units of zeros, and returns the position after the last written
/// byte.
fn write_with_holes(file: &OwnedFd, bytes: &[u8], offset: u64) -> Result<u64, Errno> {
    // The first piece ends at the boundary of a unit.
    let first = HOLE_BYTES - usize::try_from(offset % HOLE_BYTES as u64).unwrap_or(0);
    let (head, rest) = bytes.split_at(first.min(bytes.len()));
    let mut run = 0..0;
    let mut end = 0;
    let mut flush = |run: std::ops::Range<usize>| -> Result<(), Errno> {
        if !run.is_empty() {
            end = offset + run.end as u64;
            write_at(file, &bytes[run.clone()], offset + run.start as u64)?;
        }
        Ok(())
    };
    for piece in std::iter::once(head).chain(rest.chunks(HOLE_BYTES)) {
        let next = run.end + piece.len();
        if piece == &ZEROS[..piece.len()] {
            flush(run)?;
            run = next..next;
        } else {
            run.end = next;
        }
    }
    flush(run)?;
    Ok(end)
}

/// A file that was copied from a layer below.
pub(super) struct Copied {
    pub(super) mode: u32,
    pub(super) owner: (u32, u32),
    pub(super) mtime_ns: i64,
}

/// Copies the file at `path` from the layers below, if there is one. Only files count, because a
/// hard link can only point to a file.
pub(super) fn copy_from_below(
    path: &Path,
    name: &[u8],
    create: impl FnOnce() -> Result<OwnedFd, LayerError>,
) -> Result<Option<(OwnedFd, Copied)>, LayerError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let from = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(fd) => fd,
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NXIO) => return Ok(None),
        Err(errno) => return Err(io("read below", name, errno)),
    };
    let stat = rustix::fs::fstat(&from).map_err(|errno| io("read below", name, errno))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Ok(None);
    }
    let (from, to) = (std::fs::File::from(from), std::fs::File::from(create()?));
    let copied = disk::copy_contents(&from, &to);
    copied.map_err(|source| LayerError::Io { action: "copy from below", name: super::escape(name), source })?;
    let mtime_ns = stat.st_mtime.saturating_mul(1_000_000_000).saturating_add(stat.st_mtime_nsec.cast_signed());
    let copied = Copied { mode: stat.st_mode & 0o7777, owner: (stat.st_uid, stat.st_gid), mtime_ns };
    Ok(Some((to.into(), copied)))
}
