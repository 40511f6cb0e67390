//! Reads a stream of entries. Memory for a size in the archive is allocated only after the bytes
//! have been read.

use super::header::Header;
use super::pax::{self, Pax};
use super::sparse::{self, MapPlace};
use super::{BLOCK_BYTES, Entry, Kind, Segment, TarError};
use crate::layer::error::StreamError;

/// A stream of uncompressed bytes that is read in pieces, without copies.
pub(crate) trait Source {
    /// Returns the next bytes, and an empty slice at the end.
    fn fill(&mut self) -> Result<&[u8], StreamError>;
    /// Marks `n` bytes as used.
    fn consume(&mut self, n: usize);
    /// Skips at most `n` bytes, and returns the number of skipped bytes. It is 0 only at the end.
    fn skip(&mut self, n: u64) -> Result<u64, StreamError> {
        let there = self.fill()?.len();
        let step = usize::try_from(n).map_or(there, |n| n.min(there));
        self.consume(step);
        Ok(step as u64)
    }
}

impl<S: Source + ?Sized> Source for &mut S {
    fn fill(&mut self) -> Result<&[u8], StreamError> {
        (**self).fill()
    }

    fn consume(&mut self, n: usize) {
        (**self).consume(n);
    }

    fn skip(&mut self, n: u64) -> Result<u64, StreamError> {
        (**self).skip(n)
    }
}

/// The reason why an entry cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error(transparent)]
    Stream(#[from] StreamError),
    #[error(transparent)]
    Tar(#[from] TarError),
}

/// The maximum size of a name or of extended headers, which are kept in memory. It is Go's limit.
const MAX_EXTENDED_BYTES: u64 = 1 << 20;

/// The maximum number of digits of a number in a map.
const MAX_DIGITS: usize = 20;

/// Reads a tar file from its start to its end.
pub(crate) struct TarReader<S> {
    source: S,
    /// The number of bytes that were taken from the source.
    offset: u64,
    /// The number of unread bytes of the entry's data.
    left: u64,
    /// The number of bytes after the data in the last block.
    padding: u64,
    /// Of the entry whose header was read last.
    name: Option<Vec<u8>>,
    is_at_end: bool,
}

/// The extended headers before the header of an entry.
#[derive(Default)]
struct Extensions {
    pax: Pax,
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    are_there: bool,
}

impl<S: Source> TarReader<S> {
    pub(crate) fn new(source: S) -> Self {
        Self { source, offset: 0, left: 0, padding: 0, name: None, is_at_end: false }
    }

    /// Returns the name of the entry that is read, for messages; none between two of them.
    pub(crate) fn name(&self) -> Option<&[u8]> {
        self.name.as_deref()
    }

    /// Returns the next entry, after skipping the rest of the current one. An archive ends with two
    /// empty blocks or, as in Go, at the end of the file.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, ReadError> {
        let mut extensions = Extensions::default();
        self.name = None;
        while !self.is_at_end {
            self.skip(self.left)?;
            self.left = 0;
            let padding = std::mem::take(&mut self.padding);
            self.skip(padding)?;
            let offset = self.offset;
            let block = match self.block()? {
                None if extensions.are_there => return Err(TarError::Truncated { offset }.into()),
                None => break,
                Some(block) => block,
            };
            if block == [0; BLOCK_BYTES] {
                match self.block()? {
                    Some(second) if second != block => return Err(TarError::Checksum { offset }.into()),
                    _ => break,
                }
            }
            let header = Header::parse(&block, offset)?;
            match header.typeflag() {
                b'x' => extensions.pax = pax::parse(&self.extended(header.size()?)?)?,
                b'L' => extensions.name = Some(until_nul(self.extended(header.size()?)?)),
                b'K' => extensions.link = Some(until_nul(self.extended(header.size()?)?)),
                // Records for all entries are ignored, as in containerd and Docker, because images rely on that.
                b'g' => drop(self.extended(header.size()?)?),
                _ => return self.entry(&header, extensions).map(Some),
            }
            extensions.are_there = true;
        }
        self.is_at_end = true;
        Ok(None)
    }

    /// Returns the next bytes of the entry's data, and an empty slice at its end.
    pub(crate) fn data(&mut self) -> Result<&[u8], ReadError> {
        if self.left == 0 {
            return Ok(&[]);
        }
        let bytes = self.source.fill()?;
        if bytes.is_empty() {
            return Err(TarError::Truncated { offset: self.offset }.into());
        }
        let n = usize::try_from(self.left).map_or(bytes.len(), |left| left.min(bytes.len()));
        Ok(&bytes[..n])
    }

    /// Marks `n` bytes of the data as used.
    pub(crate) fn advance(&mut self, n: usize) {
        self.source.consume(n);
        self.offset += n as u64;
        self.left -= n as u64;
    }

    fn skip(&mut self, mut n: u64) -> Result<(), ReadError> {
        while n > 0 {
            let step = self.source.skip(n)?;
            if step == 0 {
                return Err(TarError::Truncated { offset: self.offset }.into());
            }
            self.offset += step;
            n -= step;
        }
        Ok(())
    }

    /// Reads a block, and returns `None` if the file ends before it.
    fn block(&mut self) -> Result<Option<[u8; BLOCK_BYTES]>, ReadError> {
        let mut block = [0; BLOCK_BYTES];
        let mut n = 0;
        while n < BLOCK_BYTES {
            let bytes = self.source.fill()?;
            if bytes.is_empty() {
                return if n == 0 { Ok(None) } else { Err(TarError::Truncated { offset: self.offset }.into()) };
            }
            let step = bytes.len().min(BLOCK_BYTES - n);
            block[n..n + step].copy_from_slice(&bytes[..step]);
            self.source.consume(step);
            self.offset += step as u64;
            n += step;
        }
        Ok(Some(block))
    }

    /// Reads a block that must exist.
    fn block_of_entry(&mut self) -> Result<[u8; BLOCK_BYTES], ReadError> {
        let offset = self.offset;
        Ok(self.block()?.ok_or(TarError::Truncated { offset })?)
    }

    /// Reads the data of an extended header.
    fn extended(&mut self, size: u64) -> Result<Vec<u8>, ReadError> {
        if size > MAX_EXTENDED_BYTES {
            return Err(TarError::LongExtended { size, max: MAX_EXTENDED_BYTES }.into());
        }
        self.set_data(size);
        let mut bytes = Vec::new();
        while self.left > 0 {
            let part = self.data()?;
            bytes.extend_from_slice(part);
            let n = part.len();
            self.advance(n);
        }
        Ok(bytes)
    }

    fn set_data(&mut self, size: u64) {
        self.left = size;
        self.padding = size.next_multiple_of(BLOCK_BYTES as u64) - size;
    }

    fn entry(&mut self, header: &Header<'_>, extensions: Extensions) -> Result<Entry, ReadError> {
        let Extensions { pax, name, link, .. } = extensions;
        let name = pax.path.or(name).unwrap_or_else(|| header.name());
        self.name = Some(name.clone());
        let kind = header.kind(&name);
        // An entry without data may have a size, such as that of a link's target.
        let has_data = matches!(kind, Kind::File | Kind::Other(_));
        let stored = if has_data { pax.size.map_or_else(|| header.size(), Ok)? } else { 0 };
        if i64::try_from(stored).is_err() {
            return Err(TarError::Number { field: "size" }.into());
        }
        self.set_data(stored);
        let mut entry = Entry {
            name,
            link: pax.link.or(link).unwrap_or_else(|| header.link()),
            kind,
            mode: header.mode()?,
            uid: pax.uid.map_or_else(|| header.uid(), Ok)?,
            gid: pax.gid.map_or_else(|| header.gid(), Ok)?,
            mtime_ns: pax.mtime_ns.map_or_else(|| header.mtime_ns(), Ok)?,
            size: stored,
            device: match kind {
                Kind::CharacterDevice | Kind::BlockDevice => header.device()?,
                _ => (0, 0),
            },
            xattrs: pax.xattrs,
            sparse: None,
            data_offset: self.offset,
        };
        if kind == Kind::File {
            self.holes(header, &pax.sparse, &mut entry)?;
        }
        Ok(entry)
    }

    /// Reads the map of a sparse file.
    fn holes(&mut self, header: &Header<'_>, pax: &sparse::PaxSparse, entry: &mut Entry) -> Result<(), ReadError> {
        let (segments, size) = if header.typeflag() == b'S' {
            (self.old_segments(header)?, sparse::old_size(header)?)
        } else {
            let size = pax.size.unwrap_or(entry.size);
            match pax.place()? {
                MapPlace::None => return Ok(()),
                MapPlace::Records(segments) => (segments, size),
                MapPlace::Data => (self.segments_in_data()?, size),
            }
        };
        sparse::check(&segments, size, self.left)?;
        if let Some(name) = &pax.name {
            entry.name.clone_from(name);
        }
        (entry.size, entry.sparse, entry.data_offset) = (size, Some(segments), self.offset);
        Ok(())
    }

    fn old_segments(&mut self, header: &Header<'_>) -> Result<Vec<Segment>, ReadError> {
        let mut segments = Vec::new();
        let mut has_more = sparse::old_map(header, &mut segments)?;
        while has_more {
            has_more = sparse::old_continuation(&self.block_of_entry()?, &mut segments)?;
        }
        Ok(segments)
    }

    /// Reads the map before the data: lines of decimal numbers in whole blocks. The first number is
    /// the number of parts.
    fn segments_in_data(&mut self) -> Result<Vec<Segment>, ReadError> {
        let mut numbers = Vec::new();
        let mut line = Vec::new();
        let mut n_wanted = None;
        let mut segments = Vec::new();
        while n_wanted.is_none_or(|n| (segments.len() as u64) < n) {
            if self.left < BLOCK_BYTES as u64 {
                return Err(TarError::Sparse("it ends too early").into());
            }
            let block = self.block_of_entry()?;
            self.left -= BLOCK_BYTES as u64;
            for &byte in &block {
                if byte != b'\n' {
                    line.push(byte);
                    if line.len() > MAX_DIGITS {
                        return Err(TarError::Number { field: "sparse map" }.into());
                    }
                    continue;
                }
                let found = pax::number(&line, "sparse map")?;
                line.clear();
                match n_wanted {
                    None => n_wanted = Some(found),
                    Some(_) => numbers.push(found),
                }
                if let [offset, size] = numbers[..] {
                    sparse::push(&mut segments, Segment { offset, size })?;
                    numbers.clear();
                }
                if n_wanted == Some(segments.len() as u64) {
                    break;
                }
            }
        }
        Ok(segments)
    }
}

fn until_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len()));
    bytes
}
