//! Writes entries in PAX format: ustar headers, and records for values that do not fit into them.
//! The output depends only on the entries.

use std::io::{self, Read, Write};

use super::pax::XATTR;
use super::{BLOCK_BYTES, Kind};

/// An entry to write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewEntry<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) link: &'a [u8],
    pub(crate) kind: Kind,
    /// The permission bits.
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) mtime_ns: i64,
    pub(crate) size: u64,
    pub(crate) device: (u32, u32),
    /// The names and values of extended attributes.
    pub(crate) xattrs: &'a [(Vec<u8>, Vec<u8>)],
}

const NAME_BYTES: usize = 100;
/// The largest number in a field of 8 bytes.
const MAX_ID: u64 = 0o7_777_777;
/// The largest number in a field of 12 bytes.
const MAX_SIZE: u64 = 0o77_777_777_777;

/// Writes the headers of an entry. Its data and [`padding`] follow.
pub(crate) fn header(writer: &mut impl Write, entry: &NewEntry<'_>) -> io::Result<()> {
    let records = records(entry);
    if !records.is_empty() {
        let extended = NewEntry {
            name: b"PaxHeaders/entry",
            link: b"",
            kind: Kind::Other(b'x'),
            mode: 0o644,
            uid: 0,
            gid: 0,
            mtime_ns: 0,
            size: records.len() as u64,
            device: (0, 0),
            xattrs: &[],
        };
        writer.write_all(&block(&extended))?;
        writer.write_all(&records)?;
        padding(writer, records.len() as u64)?;
    }
    writer.write_all(&block(entry))
}

/// Writes the bytes after `size` bytes of data in the last block.
pub(crate) fn padding(writer: &mut impl Write, size: u64) -> io::Result<()> {
    let n = usize::try_from(size % BLOCK_BYTES as u64).unwrap_or(0);
    if n == 0 { Ok(()) } else { writer.write_all(&[0; BLOCK_BYTES][n..]) }
}

/// Writes the end of an archive.
pub(crate) fn end(writer: &mut impl Write) -> io::Result<()> {
    writer.write_all(&[0; 2 * BLOCK_BYTES])
}

/// Copies exactly `size` bytes, and fills the last block.
///
/// # Errors
/// The kind is `InvalidData` if there are fewer or more bytes.
pub(crate) fn data(writer: &mut impl Write, reader: &mut dyn Read, size: u64) -> io::Result<()> {
    let mut buffer = vec![0; usize::try_from(size).map_or(MAX_BUFFER, |size| size.clamp(1, MAX_BUFFER))];
    let mut left = size;
    while left > 0 {
        let wanted = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        match reader.read(&mut buffer[..wanted]) {
            Ok(0) => return Err(io::Error::new(io::ErrorKind::InvalidData, "it is shorter than it was said to be")),
            Ok(n) => {
                writer.write_all(&buffer[..n])?;
                left -= n as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if reader.read(&mut buffer[..1])? != 0 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is longer than it was said to be"));
    }
    padding(writer, size)
}

const MAX_BUFFER: usize = 256 << 10;

fn block(entry: &NewEntry<'_>) -> [u8; BLOCK_BYTES] {
    let mut block = [0; BLOCK_BYTES];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    // The records have the names that do not fit; a reader without them sees the start of a name.
    put(0, &entry.name[..entry.name.len().min(NAME_BYTES)]);
    put(100, octal(entry.mode.into(), 7).as_bytes());
    put(108, octal(fitting(entry.uid.into(), MAX_ID), 7).as_bytes());
    put(116, octal(fitting(entry.gid.into(), MAX_ID), 7).as_bytes());
    put(124, octal(fitting(entry.size, MAX_SIZE), 11).as_bytes());
    let seconds = u64::try_from(entry.mtime_ns.div_euclid(1_000_000_000)).unwrap_or(0);
    put(136, octal(seconds.min(MAX_SIZE), 11).as_bytes());
    // The checksum is computed with spaces in its own field.
    put(148, b"        ");
    put(156, &[typeflag(entry.kind)]);
    put(157, &entry.link[..entry.link.len().min(NAME_BYTES)]);
    put(257, b"ustar\x0000");
    put(329, octal(fitting(entry.device.0.into(), MAX_ID), 7).as_bytes());
    put(337, octal(fitting(entry.device.1.into(), MAX_ID), 7).as_bytes());
    let sum: u64 = block.iter().map(|&byte| u64::from(byte)).sum();
    block[148..154].copy_from_slice(octal(sum, 6).as_bytes());
    block[154] = 0;
    block
}

fn typeflag(kind: Kind) -> u8 {
    match kind {
        Kind::File => b'0',
        Kind::HardLink => b'1',
        Kind::Symlink => b'2',
        Kind::CharacterDevice => b'3',
        Kind::BlockDevice => b'4',
        Kind::Directory => b'5',
        Kind::Fifo => b'6',
        Kind::Other(flag) => flag,
    }
}

fn octal(number: u64, width: usize) -> String {
    format!("{number:0width$o}")
}

/// Returns the number if it fits into the field, and otherwise 0, because the records have it.
fn fitting(number: u64, max: u64) -> u64 {
    if number <= max { number } else { 0 }
}

/// Returns the records that an entry needs, sorted by key.
fn records(entry: &NewEntry<'_>) -> Vec<u8> {
    let mut records: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let mut add = |key: &[u8], value: &[u8]| records.push((key.to_vec(), value.to_vec()));
    if entry.name.len() > NAME_BYTES {
        add(b"path", entry.name);
    }
    if entry.link.len() > NAME_BYTES {
        add(b"linkpath", entry.link);
    }
    let numbers: [(&[u8], u64, u64); 3] =
        [(b"size", entry.size, MAX_SIZE), (b"uid", entry.uid.into(), MAX_ID), (b"gid", entry.gid.into(), MAX_ID)];
    for (key, number, max) in numbers {
        if number > max {
            add(key, number.to_string().as_bytes());
        }
    }
    let whole = entry.mtime_ns % 1_000_000_000 == 0;
    let max_ns = i64::try_from(MAX_SIZE).unwrap_or(i64::MAX).saturating_mul(1_000_000_000);
    if !whole || !(0..=max_ns).contains(&entry.mtime_ns) {
        add(b"mtime", time(entry.mtime_ns).as_bytes());
    }
    for (name, value) in entry.xattrs {
        add(&[XATTR, name].concat(), value);
    }
    records.sort();
    records.iter().flat_map(|(key, value)| record(key, value)).collect()
}

/// Returns seconds with a fraction, without zeros at the end.
fn time(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let (seconds, rest) = (ns.unsigned_abs() / 1_000_000_000, ns.unsigned_abs() % 1_000_000_000);
    let text = format!("{sign}{seconds}.{rest:09}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Returns `LENGTH KEY=VALUE` and a newline. The length includes its own digits.
fn record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while rest + length.to_string().len() != length {
        length = rest + length.to_string().len();
    }
    [length.to_string().as_bytes(), b" ", key, b"=", value, b"\n"].concat()
}
