//! Reading of files.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use crate::open_beneath;

/// The longest path in bytes that the kernel takes, without the zero byte at its end.
const MAX_PATH_BYTES: usize = 4095;

/// Opens a file for reading. The path can be longer than the kernel takes, if it has no links.
///
/// # Errors
/// As `open` of the system.
pub fn open(path: &Path) -> io::Result<File> {
    match path.as_os_str().as_bytes() {
        [b'/', below @ ..] if below.len() >= MAX_PATH_BYTES => {
            let root = rustix::fs::open("/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
            Ok(File::from(open_beneath(&root, below, OFlags::RDONLY, Mode::empty())?))
        }
        _ => File::open(path),
    }
}

/// Runs `work` with a buffer of 256 KiB, which each thread keeps.
pub fn with_buffer<T>(work: impl FnOnce(&mut [u8]) -> T) -> T {
    thread_local! {
        static BUFFER: std::cell::RefCell<Vec<u8>> = std::cell::RefCell::new(vec![0; 256 << 10]);
    }
    BUFFER.with_borrow_mut(|buffer| work(buffer))
}

/// Reads until the buffer is full or the file ends, and returns the number of bytes.
///
/// # Errors
/// As `read` of the system.
pub fn read_up_to(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut n = 0;
    while n < buffer.len() {
        match file.read(buffer.get_mut(n..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(n)
}
