//! Files with holes: parts that are zeros and take no space.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::Errno;

/// The unit of `st_blocks`.
const BLOCK_BYTES: u64 = 512;

/// Returns how many bytes of a file take no space on the disk. Those are its holes, or what the file system saves by
/// compression.
#[must_use]
pub fn hole_bytes(size_bytes: u64, n_blocks: u64) -> u64 {
    size_bytes.saturating_sub(n_blocks.saturating_mul(BLOCK_BYTES))
}

/// Returns whether a file can have holes.
#[must_use]
pub fn has_holes(metadata: &Metadata) -> bool {
    hole_bytes(metadata.len(), metadata.blocks()) > 0
}

/// Returns the first part of a file that is no hole, from byte `offset` on, as its begin and its end; none if there is
/// only a hole up to the end of the file. The position in the file is changed.
///
/// # Errors
/// If the file cannot be searched.
pub fn next_data(file: impl AsFd, offset: u64) -> io::Result<Option<(u64, u64)>> {
    let start = match rustix::fs::seek(&file, rustix::fs::SeekFrom::Data(offset)) {
        Ok(start) => start,
        Err(Errno::NXIO) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    let end = rustix::fs::seek(&file, rustix::fs::SeekFrom::Hole(start))?;
    Ok(Some((start, end)))
}

/// Copies the contents of an open file to a new one, and returns the number of bytes. The files share blocks if the
/// file system can do that; otherwise the kernel copies if it can. The copy has the holes of the file. Both files have
/// to be at their begin.
///
/// # Errors
/// If a file cannot be read or written.
pub fn copy_contents(from: &File, to: &File) -> io::Result<u64> {
    /// Whether the file system could not share blocks once. The files of a store are on one file system.
    static NO_CLONE: AtomicBool = AtomicBool::new(false);
    if !NO_CLONE.load(Ordering::Relaxed) {
        match rustix::fs::ioctl_ficlone(to, from) {
            Ok(()) => return Ok(from.metadata()?.len()),
            Err(Errno::OPNOTSUPP | Errno::NOTTY | Errno::NOSYS) => NO_CLONE.store(true, Ordering::Relaxed),
            Err(_) => {}
        }
    }
    let metadata = from.metadata()?;
    if has_holes(&metadata) {
        return copy_data(from, to, metadata.len());
    }
    // `io::copy` between files tries `copy_file_range` first, then `sendfile`, then `read` and `write`.
    io::copy(&mut &*from, &mut &*to)
}

/// Copies everything but holes.
fn copy_data(mut from: &File, mut to: &File, size_bytes: u64) -> io::Result<u64> {
    let mut offset = 0;
    while let Some((start, end)) = next_data(from, offset)? {
        from.seek(SeekFrom::Start(start))?;
        to.seek(SeekFrom::Start(start))?;
        let n = io::copy(&mut from.take(end - start), &mut to)?;
        if n < end - start {
            // The file has become shorter.
            return Ok(start + n);
        }
        offset = end;
    }
    // What is no data behind the last part is a hole, too.
    to.set_len(offset.max(size_bytes))?;
    Ok(offset.max(size_bytes))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt as _;

    use super::*;

    #[test]
    fn a_copy_has_the_same_contents_and_the_same_holes() {
        const SIZE: u64 = 1 << 30;
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(b"begin", 0).unwrap();
        file.write_all_at(b"middle", 300 << 20).unwrap();
        file.set_len(SIZE).unwrap();
        let copy = tempfile::tempfile().unwrap();
        assert_eq!(copy_contents(&file, &copy).unwrap(), SIZE);
        let metadata = copy.metadata().unwrap();
        assert_eq!(metadata.len(), SIZE);
        assert!(metadata.blocks() * BLOCK_BYTES < 1 << 20, "{} blocks", metadata.blocks());
        let mut read = [0; 8];
        copy.read_exact_at(&mut read, (300 << 20) - 1).unwrap();
        assert_eq!(&read, b"\0middle\0");
        copy.read_exact_at(&mut read, 0).unwrap();
        assert_eq!(&read, b"begin\0\0\0");
    }

    #[test]
    fn a_file_that_ends_in_data_or_has_nothing_is_copied_whole() {
        let check = |at: u64, contents: &[u8]| {
            let file = tempfile::tempfile().unwrap();
            file.write_all_at(contents, at).unwrap();
            let copy = tempfile::tempfile().unwrap();
            assert_eq!(copy_contents(&file, &copy).unwrap(), at + contents.len() as u64);
            let mut read = vec![0; contents.len()];
            copy.read_exact_at(&mut read, at).unwrap();
            assert_eq!((read.as_slice(), copy.metadata().unwrap().len()), (contents, at + contents.len() as u64));
        };
        check(0, b"");
        check(0, b"plain");
        check(8 << 20, b"end");
    }
}
