//! Reads layers and other archives without writing them to a disk.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;

use super::error::{LayerError, StreamError};
use super::name::{Name, clean, escape};
use super::tar::{Entry, Kind, Segment, Source, TarReader};
use super::walk::{Target, Walk};
use super::{EntryError, Limits, Skipped, contents, pipeline};
use crate::Digest;
use crate::compression::DecodeError;

/// Takes the entries of an archive in their order.
pub trait Sink {
    /// Why an entry cannot be taken.
    type Error: From<LayerError>;

    /// Takes an entry. The contents are those of a file; other entries have none.
    ///
    /// # Errors
    /// If it cannot be taken; reading ends then.
    fn take(&mut self, entry: ArchiveEntry, contents: &mut dyn Contents) -> Result<(), Self::Error>;
}

/// The contents of a file in an archive. They can be read once.
pub trait Contents {
    /// Reads all of it into memory, holes included.
    ///
    /// # Errors
    /// If the archive is damaged or cannot be read.
    fn read(&mut self) -> Result<Vec<u8>, LayerError>;

    /// Writes all of it to an empty file, which gets holes where it has them.
    ///
    /// # Errors
    /// If the archive is damaged or cannot be read, or if the file cannot be written.
    fn write_to(&mut self, file: File) -> Result<(), LayerError>;
}

/// An entry of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveEntry {
    /// The name as the archive has it, escaped for messages.
    pub name: String,
    /// The path from the root, without a leading `/`, `.`, `..` and empty names; empty for the root. Bytes.
    pub path: Vec<u8>,
    /// What is at the path.
    pub what: ArchiveKind,
    /// The permission bits with set-user-id, set-group-id and sticky.
    pub mode: u32,
    /// The number of the user that owns it.
    pub uid: u32,
    /// The number of its group.
    pub gid: u32,
    /// The time of its last change, in nanoseconds since 1970.
    pub mtime_ns: i64,
}

/// What an entry of an archive says of its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArchiveKind {
    /// A directory is there.
    Directory,
    /// A file is there.
    File {
        /// Bytes, holes included.
        size: u64,
    },
    /// A symbolic link is there.
    Symlink {
        /// The text of the link, which is not empty.
        target: Vec<u8>,
    },
    /// The same file is there as at another path.
    HardLink {
        /// The other path, in the form of [`ArchiveEntry::path`]; not empty.
        target: Vec<u8>,
    },
    /// A named pipe is there.
    Fifo,
    /// Nothing is there of what the layers below have.
    Whiteout,
    /// A directory is there that has nothing of what the layers below have in it.
    Opaque,
}

/// What was read in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadLayer {
    /// How many entries were left out.
    pub n_skipped: u64,
    /// The first of them.
    pub skipped: Vec<Skipped>,
}

/// Reads a layer, compressed or not, of which the uncompressed tar file has to have the digest `diff_id`.
///
/// # Errors
/// If the layer cannot be read, is damaged, exceeds a limit, has an entry that leads out of it, or is another one; if
/// the sink takes an entry no more.
pub fn read<T: Sink>(
    reader: impl Read + Send,
    diff_id: Digest,
    limits: &Limits,
    sink: &mut T,
) -> Result<ReadLayer, T::Error> {
    let (walk, totals) = pipeline::run(reader, limits, |chunks| walk(chunks, limits, true, sink))?;
    if totals.digest != diff_id {
        return Err(LayerError::DiffId { expected: diff_id, found: totals.digest }.into());
    }
    Ok(ReadLayer { n_skipped: walk.n_skipped, skipped: walk.skipped })
}

/// Reads a tar file that is no layer and not compressed: names that begin with `.wh.` are names like others. All of it
/// is read, with what follows its end mark.
///
/// # Errors
/// If it cannot be read, is damaged, exceeds a limit, or has an entry that leads out of it; if the sink takes an entry
/// no more.
pub fn read_plain<T: Sink>(reader: impl Read, limits: &Limits, sink: &mut T) -> Result<ReadLayer, T::Error> {
    let mut buffered = Buffered { reader, buffer: Vec::new(), position: 0, n_read: 0, max_bytes: limits.max_bytes };
    let walk = walk(&mut buffered, limits, false, sink)?;
    loop {
        match buffered.fill().map_err(|error| LayerError::stopped("at its end", error.into()))?.len() {
            0 => break,
            n => buffered.consume(n),
        }
    }
    Ok(ReadLayer { n_skipped: walk.n_skipped, skipped: walk.skipped })
}

fn walk<S: Source, T: Sink>(source: S, limits: &Limits, is_layer: bool, sink: &mut T) -> Result<Walk, T::Error> {
    let mut walk = Walk::new(*limits, false, is_layer);
    walk.all(&mut TarReader::new(source), &mut Taker { limits, sink })?;
    Ok(walk)
}

/// Gives entries to a sink.
struct Taker<'a, T> {
    limits: &'a Limits,
    sink: &'a mut T,
}

impl<T: Sink> Target for Taker<'_, T> {
    type Error = T::Error;

    fn take<S: Source>(
        &mut self,
        reader: &mut TarReader<S>,
        entry: &Entry,
        name: Name,
        at: &str,
    ) -> Result<(), T::Error> {
        let (path, what) = match name {
            Name::Metadata => return Ok(()),
            Name::Opaque(path) => (path, ArchiveKind::Opaque),
            Name::Whiteout(path) => (path, ArchiveKind::Whiteout),
            Name::Plain(path) => match self.what(entry)? {
                Some(what) => (path, what),
                None => return Ok(()),
            },
        };
        let (mode, mtime_ns) = (entry.mode & 0o7777, entry.mtime_ns);
        let taken =
            ArchiveEntry { name: escape(&entry.name), path, what, mode, uid: entry.uid, gid: entry.gid, mtime_ns };
        self.sink.take(taken, &mut Data { reader, entry, at })
    }
}

impl<T> Taker<'_, T> {
    fn what(&self, entry: &Entry) -> Result<Option<ArchiveKind>, LayerError> {
        Ok(Some(match entry.kind {
            Kind::File => ArchiveKind::File { size: entry.size },
            Kind::Directory => ArchiveKind::Directory,
            Kind::Symlink => ArchiveKind::Symlink { target: entry.link.clone() },
            Kind::HardLink => ArchiveKind::HardLink { target: self.target(entry)? },
            Kind::Fifo => ArchiveKind::Fifo,
            // They are left out before they come here.
            Kind::CharacterDevice | Kind::BlockDevice | Kind::Other(_) => return Ok(None),
        }))
    }

    fn target(&self, entry: &Entry) -> Result<Vec<u8>, LayerError> {
        let bad = |source| LayerError::Entry { name: escape(&entry.name), source };
        let target = clean(&entry.link, self.limits).map_err(|error| match error {
            EntryError::Outside => bad(EntryError::LinkOutside(escape(&entry.link))),
            error => bad(error),
        })?;
        if target.is_empty() { Err(bad(EntryError::LinkDirectory(escape(&entry.link)))) } else { Ok(target) }
    }
}

/// The data of an entry.
struct Data<'a, S> {
    reader: &'a mut TarReader<S>,
    entry: &'a Entry,
    at: &'a str,
}

impl<S: Source> Contents for Data<'_, S> {
    fn read(&mut self) -> Result<Vec<u8>, LayerError> {
        let size = self.entry.size;
        let whole = [Segment { offset: 0, size }];
        let mut bytes = Vec::new();
        // Holes are zeros. Whoever reads into memory has looked at the size.
        let end = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
        for segment in self.entry.sparse.as_deref().unwrap_or(&whole) {
            bytes.resize(end(segment.offset), 0);
            let mut left = segment.size;
            while left > 0 {
                let data = self.reader.data().map_err(|error| LayerError::stopped(self.at, error))?;
                let n = usize::try_from(left).map_or(data.len(), |left| left.min(data.len()));
                bytes.extend_from_slice(&data[..n]);
                self.reader.advance(n);
                left -= n as u64;
            }
        }
        bytes.resize(end(size), 0);
        Ok(bytes)
    }

    fn write_to(&mut self, file: File) -> Result<(), LayerError> {
        contents::write(self.reader, self.entry, &OwnedFd::from(file), self.at)
    }
}

/// How much is read at once.
const BUFFER_BYTES: usize = 256 << 10;

/// Bytes that are neither compressed nor hashed.
struct Buffered<R> {
    reader: R,
    buffer: Vec<u8>,
    position: usize,
    n_read: u64,
    max_bytes: u64,
}

impl<R: Read> Source for Buffered<R> {
    fn fill(&mut self) -> Result<&[u8], StreamError> {
        if self.position == self.buffer.len() {
            self.buffer.resize(BUFFER_BYTES, 0);
            let n = loop {
                match self.reader.read(&mut self.buffer) {
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    read => break read,
                }
            };
            self.buffer.truncate(*n.as_ref().unwrap_or(&0));
            self.position = 0;
            self.n_read += n.map_err(|error| StreamError::Decode(DecodeError::Read(error)))? as u64;
            if self.n_read > self.max_bytes {
                return Err(StreamError::TooLarge(self.max_bytes));
            }
        }
        Ok(&self.buffer[self.position..])
    }

    fn consume(&mut self, n: usize) {
        self.position += n;
    }
}
