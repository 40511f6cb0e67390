//! Finds programs that the zone starts.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Where programs are searched for besides `PATH`: an ordinary user's `PATH` may lack the latter.
const DIRECTORIES: &str = "/usr/bin:/usr/local/bin:/bin:/usr/sbin:/usr/local/sbin:/sbin";

/// Returns the directories of `PATH`, and those that every machine has.
pub(crate) fn directories() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = std::env::split_paths(&path).chain(std::env::split_paths(DIRECTORIES));
    all.filter(|directory| directory.is_absolute()).collect()
}

/// Returns the first program of this name.
pub(crate) fn find_tool(directories: &[PathBuf], name: &str) -> Option<PathBuf> {
    directories.iter().map(|directory| directory.join(name)).find(|file| is_executable(file))
}

/// Returns whether somebody may execute a file.
pub(crate) fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}
