//! Finds programs that the zone starts.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// The directories of programs that every machine has. The `PATH` of an ordinary user may lack the latter.
pub(super) const SYSTEM_DIRECTORIES: [&str; 6] =
    ["/usr/bin", "/usr/local/bin", "/bin", "/usr/sbin", "/usr/local/sbin", "/sbin"];

/// Returns the first program of this name.
pub(super) fn find_tool(directories: &[PathBuf], name: &str) -> Option<PathBuf> {
    directories.iter().map(|directory| directory.join(name)).find(|file| is_executable(file))
}

/// Returns whether a file is a program.
pub(super) fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}
