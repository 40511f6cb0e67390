//! Finds out whether a command has filled the disk.

use std::path::Path;

use rustix::io::Errno;

use super::fault::{Context as _, Fault};

/// A disk with so much room was not full a moment ago. File systems keep some of it for themselves.
const ENOUGH_BYTES: u64 = 64 << 20;

/// What is written for a try.
static TRIED: [u8; 64 << 10] = [1; 64 << 10];

/// Fails if the disk of a directory is full. Then a command may have left half a file there, whatever its exit code is,
/// and if it failed, that is the fault of the machine.
pub(super) fn check(directory: &Path) -> Result<(), Fault> {
    let what = || "the disk was full when the command ended".to_owned();
    let found = rustix::fs::statvfs(directory).context(what)?;
    if found.f_bavail.saturating_mul(found.f_frsize) >= ENOUGH_BYTES {
        return Ok(());
    }
    // How much of what is free can be used, the file system alone knows.
    let path = directory.join("room");
    let written = std::fs::write(&path, TRIED);
    let _ = std::fs::remove_file(&path);
    match written {
        Err(error)
            if [Errno::NOSPC, Errno::DQUOT].map(Errno::raw_os_error).map(Some).contains(&error.raw_os_error()) =>
        {
            Err(Fault::system(what(), error))
        }
        _ => Ok(()),
    }
}
