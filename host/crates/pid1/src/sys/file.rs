//! System calls for files, directories, pipes and memory.

use core::ffi::CStr;

use super::call::{Errno, call};
use super::numbers as nr;
use crate::text::PathBuffer;

pub(crate) const O_RDONLY: usize = 0;
pub(crate) const O_WRONLY: usize = 1;
pub(crate) const O_RDWR: usize = 2;
pub(crate) const O_CREAT: usize = 0o100;
pub(crate) const O_TRUNC: usize = 0o1000;
pub(crate) const O_NONBLOCK: usize = 0o4000;
pub(super) const O_CLOEXEC: usize = 0o2000000;
/// The working directory, as a descriptor.
const AT_FDCWD: usize = -100_isize as usize;
const AT_SYMLINK_NOFOLLOW: usize = 0x100;
const AT_REMOVEDIR: usize = 0x200;
const AT_EMPTY_PATH: usize = 0x1000;
const F_SETFD: usize = 2;
const F_SETFL: usize = 4;
const FD_CLOEXEC: usize = 1;
const S_IFMT: u16 = 0o170000;
const S_IFDIR: u16 = 0o040000;
const S_IFREG: u16 = 0o100000;

/// An open file of this process. It stays open until it is closed or the process ends.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct Fd(i32);

impl Fd {
    pub(crate) const STDIN: Self = Self(0);
    pub(crate) const STDOUT: Self = Self(1);
    pub(crate) const STDERR: Self = Self(2);

    pub(crate) const fn new(number: i32) -> Self {
        Self(number)
    }

    pub(super) fn number(self) -> i32 {
        self.0
    }

    pub(super) fn arg(self) -> usize {
        self.0 as usize
    }
}

/// The beginning of `struct statx`. Source: `statx(2)`.
#[repr(C)]
#[derive(Default)]
struct Statx {
    mask: u32,
    block_size: u32,
    attributes: u64,
    n_links: u32,
    uid: u32,
    gid: u32,
    mode: u16,
    pad: u16,
    inode: u64,
    size: u64,
    rest: [u64; 26],
}

fn statx(fd: usize, path: &CStr, flags: usize) -> Result<Statx, Errno> {
    const STATX_BASIC_STATS: usize = 0x7ff;
    let mut stat = Statx::default();
    let args = [fd, path.as_ptr() as usize, flags, STATX_BASIC_STATS, &raw mut stat as usize];
    // SAFETY: the path ends with a zero, and `stat` is as large as the structure.
    unsafe { call(nr::STATX, args) }?;
    Ok(stat)
}

/// Returns whether an open file is a directory.
pub(crate) fn is_directory(fd: Fd) -> bool {
    statx(fd.arg(), c"", AT_EMPTY_PATH).is_ok_and(|stat| stat.mode & S_IFMT == S_IFDIR)
}

/// Returns whether anything is at a path. A link at its end is not followed.
pub(crate) fn exists(path: &CStr) -> bool {
    statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW).is_ok()
}

/// Returns the permission bits, the user and the group of a file or directory.
pub(crate) fn mode_and_owner(path: &CStr) -> Result<(u32, u32, u32), Errno> {
    let stat = statx(AT_FDCWD, path, 0)?;
    Ok((u32::from(stat.mode) & 0o7777, stat.uid, stat.gid))
}

/// Removes an empty directory or an empty file. Returns whether it did.
pub(crate) fn remove_empty(path: &CStr) -> bool {
    let Ok(stat) = statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW) else { return false };
    let flags = match stat.mode & S_IFMT {
        S_IFDIR => AT_REMOVEDIR,
        S_IFREG if stat.size == 0 => 0,
        _ => return false,
    };
    // SAFETY: the path ends with a zero.
    unsafe { call(nr::UNLINKAT, [AT_FDCWD, path.as_ptr() as usize, flags]) }.is_ok()
}

/// Returns the size of a file system in bytes.
pub(crate) fn size_of_file_system(path: &CStr) -> Result<u64, Errno> {
    let [_, block_size, n_blocks, ..] = statfs(path)?;
    Ok(block_size.saturating_mul(n_blocks))
}

/// Returns whether devices cannot be opened on a mount.
pub(crate) fn refuses_devices(path: &CStr) -> bool {
    const ST_NODEV: u64 = 4;
    const FLAGS: usize = 10;
    statfs(path).is_ok_and(|stat| stat[FLAGS] & ST_NODEV != 0)
}

/// Returns `struct statfs`: the type, the size of a block, the number of blocks, and further on the flags.
fn statfs(path: &CStr) -> Result<[u64; 15], Errno> {
    let mut stat = [0_u64; 15];
    // SAFETY: the path ends with a zero, and `stat` is as large as the structure.
    unsafe { call(nr::STATFS, [path.as_ptr() as usize, stat.as_mut_ptr() as usize]) }?;
    Ok(stat)
}

/// Returns whether a directory has nothing in it.
pub(crate) fn is_empty(path: &CStr) -> bool {
    // `.` and `..` take 24 bytes each.
    const N_BYTES_OF_DOTS: usize = 48;
    let Ok(fd) = open(path, O_RDONLY, 0) else { return false };
    let mut entries = [0_u64; 128];
    let args = [fd.arg(), entries.as_mut_ptr() as usize, size_of_val(&entries)];
    // SAFETY: the kernel writes no more than the size of `entries`.
    let n_bytes = unsafe { call(nr::GETDENTS64, args) };
    close(fd);
    n_bytes.is_ok_and(|n_bytes| n_bytes <= N_BYTES_OF_DOTS)
}

/// Makes a directory and those above it, and makes it the working directory.
pub(crate) fn enter(path: &CStr) -> Result<(), Errno> {
    const MODE: usize = 0o755;
    let bytes = path.to_bytes();
    let ends = bytes.iter().enumerate().filter(|(at, byte)| *at > 0 && **byte == b'/').map(|(at, _)| at);
    for end in ends.chain([bytes.len()]) {
        let Some(directory) = PathBuffer::joined(&[&bytes[..end]]) else { break };
        // A directory that is there is as good; if it is none, the last call says so.
        // SAFETY: the path ends with a zero.
        let _ = unsafe { call(nr::MKDIRAT, [AT_FDCWD, directory.as_text().as_ptr() as usize, MODE]) };
    }
    // SAFETY: the path ends with a zero.
    unsafe { call(nr::CHDIR, [path.as_ptr() as usize]) }.map(drop)
}

/// Gives a file or directory to a user and a group.
pub(crate) fn chown(path: &CStr, uid: u32, gid: u32) -> Result<(), Errno> {
    // SAFETY: the path ends with a zero.
    unsafe { call(nr::FCHOWNAT, [AT_FDCWD, path.as_ptr() as usize, uid as usize, gid as usize, 0]) }.map(drop)
}

/// Sets the permission bits of a file or directory.
pub(crate) fn chmod(path: &CStr, mode: u32) -> Result<(), Errno> {
    // SAFETY: the path ends with a zero.
    unsafe { call(nr::FCHMODAT, [AT_FDCWD, path.as_ptr() as usize, mode as usize]) }.map(drop)
}

/// Opens a file with flags of `open(2)`. No other program gets the descriptor.
pub(crate) fn open(path: &CStr, flags: usize, mode: usize) -> Result<Fd, Errno> {
    // SAFETY: the path ends with a zero.
    let fd = unsafe { call(nr::OPENAT, [AT_FDCWD, path.as_ptr() as usize, flags | O_CLOEXEC, mode]) }?;
    Ok(Fd(fd as i32))
}

/// Closes a file.
pub(crate) fn close(fd: Fd) {
    // SAFETY: no memory is involved. The descriptor is closed also where the call fails.
    let _ = unsafe { call(nr::CLOSE, [fd.arg()]) };
}

/// Keeps a descriptor from the programs that this process starts. Does nothing if it is not open.
pub(crate) fn close_on_execute(fd: Fd) {
    // SAFETY: no memory is involved.
    let _ = unsafe { call(nr::FCNTL, [fd.arg(), F_SETFD, FD_CLOEXEC]) };
}

/// Reads some bytes; zero of them at the end.
pub(crate) fn read(fd: Fd, buffer: &mut [u8]) -> Result<usize, Errno> {
    loop {
        // SAFETY: the kernel writes no more than the length of the buffer.
        match unsafe { call(nr::READ, [fd.arg(), buffer.as_mut_ptr() as usize, buffer.len()]) } {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}

/// Writes all bytes.
pub(crate) fn write_all(fd: Fd, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        // SAFETY: the kernel reads no more than the length of the bytes.
        match unsafe { call(nr::WRITE, [fd.arg(), bytes.as_ptr() as usize, bytes.len()]) } {
            Ok(n) => bytes = &bytes[n..],
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads bytes of a file from a place on; fewer at its end.
pub(crate) fn read_at(fd: Fd, buffer: &mut [u8], at: usize) -> Result<usize, Errno> {
    // SAFETY: the kernel writes no more than the length of the buffer.
    unsafe { call(nr::PREAD64, [fd.arg(), buffer.as_mut_ptr() as usize, buffer.len(), at]) }
}

/// Returns fresh memory, which is never given back.
pub(crate) fn memory(len: usize) -> Result<&'static mut [u8], Errno> {
    const READ_AND_WRITE: usize = 3;
    const PRIVATE_AND_ANONYMOUS: usize = 0x22;
    let args = [0, len.max(1), READ_AND_WRITE, PRIVATE_AND_ANONYMOUS, usize::MAX, 0];
    // SAFETY: a new mapping touches no memory that is in use.
    let at = unsafe { call(nr::MMAP, args) }?;
    // SAFETY: the mapping is new, writable, as long, and stays.
    Ok(unsafe { core::slice::from_raw_parts_mut(at as *mut u8, len) })
}

/// Returns the contents of a file, in memory that is never given back.
pub(crate) fn read_file(path: &CStr) -> Result<&'static [u8], Errno> {
    let fd = open(path, O_RDONLY, 0)?;
    let size = statx(fd.arg(), c"", AT_EMPTY_PATH)?.size as usize;
    let room = memory(size)?;
    let mut n = 0;
    while n < size {
        match read(fd, &mut room[n..])? {
            0 => break,
            more => n += more,
        }
    }
    close(fd);
    Ok(&room[..n])
}

/// Returns the end of a pipe to read from, and the one to write to.
///
/// A read of an empty pipe is refused with [`Errno::AGAIN`]; a write to a full one waits.
pub(crate) fn pipe() -> Result<(Fd, Fd), Errno> {
    let mut ends = [0_i32; 2];
    // SAFETY: the kernel writes two numbers.
    unsafe { call(nr::PIPE2, [ends.as_mut_ptr() as usize, O_CLOEXEC]) }?;
    let [from, to] = ends.map(Fd);
    // Only of this end: the other is the command's standard output, which programs expect to wait.
    // SAFETY: no memory is involved.
    unsafe { call(nr::FCNTL, [from.arg(), F_SETFL, O_NONBLOCK]) }?;
    Ok((from, to))
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;

    use super::*;

    fn text(path: &std::path::Path) -> CString {
        CString::new(path.to_str().unwrap()).unwrap()
    }

    #[test]
    fn a_pipe_makes_those_wait_who_write_and_not_those_who_read() {
        const F_GETFL: usize = 3;
        let (from, to) = pipe().unwrap();
        let mut buffer = [0; 8];
        assert_eq!(read(from, &mut buffer), Err(Errno::AGAIN));
        // SAFETY: no memory is involved.
        let flags = unsafe { call(nr::FCNTL, [to.arg(), F_GETFL]) }.unwrap();
        assert_eq!(flags & O_NONBLOCK, 0);
        write_all(to, b"four").unwrap();
        assert_eq!(read(from, &mut buffer), Ok(4));
        close(to);
        assert_eq!(read(from, &mut buffer), Ok(0));
        close(from);
    }

    #[test]
    fn a_file_is_read_whole_and_from_a_place_on() {
        let directory = tempfile::tempdir().unwrap();
        let path = text(&directory.path().join("file"));
        let fd = open(&path, O_RDWR | O_CREAT, 0o644).unwrap();
        write_all(fd, b"0123456789").unwrap();
        assert_eq!(read_file(&path), Ok(b"0123456789".as_slice()));
        let mut buffer = [0; 8];
        assert_eq!(read_at(fd, &mut buffer, 7), Ok(3));
        assert_eq!(buffer[..3], *b"789");
        close(fd);
        assert_eq!(read_file(c"/does/not/exist"), Err(Errno::NOENT));
        assert_eq!(write_all(fd, b"x"), Err(Errno(9)));
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let full = open(c"/dev/full", O_WRONLY, 0).unwrap();
        assert_eq!(write_all(full, b"x"), Err(Errno(28)));
        close(full);
    }

    #[test]
    fn only_what_is_empty_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| text(&directory.path().join(name));
        for name in ["empty", "full/x"] {
            std::fs::create_dir_all(directory.path().join(name)).unwrap();
        }
        std::fs::write(directory.path().join("file"), "").unwrap();
        std::fs::write(directory.path().join("text"), "a").unwrap();
        std::os::unix::fs::symlink("empty", directory.path().join("link")).unwrap();
        assert!(is_empty(&at("empty")) && !is_empty(&at("full")) && !is_empty(&at("none")));
        let removed = ["empty", "full", "file", "text", "link", "none"].map(|name| remove_empty(&at(name)));
        assert_eq!(removed, [true, false, true, false, false, false]);
        assert!(!exists(&at("empty")) && exists(&at("full")) && exists(&at("link")));
    }

    #[test]
    fn modes_are_set_and_found() {
        let directory = tempfile::tempdir().unwrap();
        let path = text(directory.path());
        chmod(&path, 0o1750).unwrap();
        let (mode, uid, gid) = mode_and_owner(&path).unwrap();
        assert_eq!(mode, 0o1750);
        chown(&path, uid, gid).unwrap();
        assert!(mode_and_owner(c"/does/not/exist").is_err());
        assert!(size_of_file_system(c"/").unwrap() > 1 << 20);
        assert!(!refuses_devices(c"/dev") && !refuses_devices(c"/does/not/exist"));
    }
}
