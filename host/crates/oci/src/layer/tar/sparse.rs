//! Sparse files: GNU's old map in headers, and its three maps in PAX records.

use super::header::{Header, number};
use super::{BLOCK_BYTES, Segment, TarError};

/// The maximum number of parts of a file, because a map is kept in memory.
const MAX_SEGMENTS: usize = 1 << 16;

/// The half of a pair that a number of a map is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PaxMap {
    Offset,
    Size,
}

/// The PAX records about a sparse file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct PaxSparse {
    pub(crate) major: Option<u64>,
    pub(crate) minor: Option<u64>,
    pub(crate) name: Option<Vec<u8>>,
    pub(crate) size: Option<u64>,
    segments: Vec<Segment>,
    /// The first half of a pair whose second half has not been read yet.
    offset: Option<u64>,
}

/// The place of a file's map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MapPlace {
    /// The file is not sparse.
    None,
    /// The map is in the records (versions 0.0 and 0.1).
    Records(Vec<Segment>),
    /// The map is before the data (version 1.0).
    Data,
}

impl PaxSparse {
    pub(crate) fn push(&mut self, kind: PaxMap, number: u64) -> Result<(), TarError> {
        match (kind, self.offset.take()) {
            (PaxMap::Offset, None) => self.offset = Some(number),
            (PaxMap::Size, Some(offset)) => push(&mut self.segments, Segment { offset, size: number })?,
            _ => return Err(TarError::Sparse("an offset or a size is missing")),
        }
        Ok(())
    }

    /// Returns the place of the map.
    pub(crate) fn place(&self) -> Result<MapPlace, TarError> {
        if self.offset.is_some() {
            return Err(TarError::Sparse("an offset or a size is missing"));
        }
        match (self.major.unwrap_or(0), self.minor.unwrap_or(0)) {
            (1, 0) => Ok(MapPlace::Data),
            (0, 0 | 1) if self.size.is_none() && self.segments.is_empty() => Ok(MapPlace::None),
            (0, 0 | 1) => Ok(MapPlace::Records(self.segments.clone())),
            _ => Err(TarError::Sparse("its version is not known")),
        }
    }
}

pub(crate) fn push(segments: &mut Vec<Segment>, segment: Segment) -> Result<(), TarError> {
    if segments.len() >= MAX_SEGMENTS {
        return Err(TarError::Sparse("it has too many parts"));
    }
    segments.push(segment);
    Ok(())
}

/// Returns the pairs in a header of GNU's old format, and whether another block with pairs follows.
pub(crate) fn old_map(header: &Header<'_>, segments: &mut Vec<Segment>) -> Result<bool, TarError> {
    pairs(&header.bytes()[386..482], segments)?;
    Ok(header.bytes()[482] != 0)
}

/// Returns the size of a file in GNU's old format, holes included.
pub(crate) fn old_size(header: &Header<'_>) -> Result<u64, TarError> {
    header.size_at(483..495, "sparse size")
}

/// Returns the pairs in a block after the header, and whether another one follows.
pub(crate) fn old_continuation(block: &[u8; BLOCK_BYTES], segments: &mut Vec<Segment>) -> Result<bool, TarError> {
    pairs(&block[..504], segments)?;
    Ok(block[504] != 0)
}

fn pairs(bytes: &[u8], segments: &mut Vec<Segment>) -> Result<(), TarError> {
    let wrong = TarError::Number { field: "sparse map" };
    for pair in bytes.chunks_exact(24).take_while(|pair| pair[0] != 0) {
        let part = |field| number(field).and_then(|n| u64::try_from(n).ok()).ok_or_else(|| wrong.clone());
        push(segments, Segment { offset: part(&pair[..12])?, size: part(&pair[12..])? })?;
    }
    Ok(())
}

/// Checks that the parts are in order, do not overlap, are within the file, and have the size of
/// the data.
pub(crate) fn check(segments: &[Segment], size: u64, n_data: u64) -> Result<(), TarError> {
    let (mut end, mut sum) = (0u64, 0u64);
    for segment in segments {
        if segment.offset < end {
            return Err(TarError::Sparse("parts overlap or are not in order"));
        }
        end = segment.offset.saturating_add(segment.size);
        if end > size {
            return Err(TarError::Sparse("a part is beyond the end of the file"));
        }
        sum += segment.size;
    }
    if sum == n_data { Ok(()) } else { Err(TarError::Sparse("its parts are not the data that are there")) }
}
