//! Finds the container runtime, and loads it so that it starts fast.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{MemfdFlags, SealFlags};

use super::error::ZoneError;
use super::fault::{Context as _, Fault};
use super::tools::{find_tool, is_executable};

/// The annotation by which crun, since 1.8, takes a finished seccomp program. Its presence in the
/// binary tells whether it does, which is a hundred times cheaper than asking for the version.
const SECCOMP_ANNOTATION: &[u8] = b"run.oci.seccomp_bpf_data";

/// A container runtime that is ready to be executed.
#[derive(Debug)]
pub(super) struct Runtime {
    /// A sealed copy in memory. crun executes itself a second time from a place that a container
    /// cannot write to, unless it is in such a place already; that costs 1.5 ms a step.
    pub fd: OwnedFd,
    /// Whether it takes a finished seccomp program.
    pub is_seccomp_compiled: bool,
}

/// Finds the runtime that was asked for, or crun, in directories.
pub(super) fn find_runtime(asked: Option<&Path>, directories: &[PathBuf]) -> Result<PathBuf, ZoneError> {
    let name = asked.unwrap_or(Path::new("crun"));
    if name.components().count() > 1 {
        return if is_executable(name) {
            Ok(name.to_owned())
        } else {
            Err(ZoneError::no_runtime(format!("there is no container runtime `{}`", name.display())))
        };
    }
    find_tool(directories, &name.to_string_lossy())
        .ok_or_else(|| ZoneError::no_runtime(format!("the container runtime `{}` is not installed", name.display())))
}

/// Copies the runtime into memory and seals it.
///
/// # Errors
/// If it cannot be read, or is not crun.
pub(super) fn load_runtime(path: &Path) -> Result<Runtime, Fault> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|mut file| file.read_to_end(&mut bytes))
        .context(|| format!("cannot read the container runtime `{}`", path.display()))?;
    if !contains(&bytes, b"--cgroup-manager") && !contains(&bytes, b"cgroup-manager") {
        return Err(Fault::NoRuntime { message: format!("the container runtime `{}` is not crun", path.display()) });
    }
    let what = || "cannot copy the container runtime into memory".to_owned();
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // MFD_EXEC since Linux 6.3, where a machine may forbid it by default.
    let fd = rustix::fs::memfd_create("crun", flags | MemfdFlags::EXEC)
        .or_else(|_| rustix::fs::memfd_create("crun", flags))
        .context(what)?;
    File::from(fd.try_clone().context(what)?).write_all(&bytes).context(what)?;
    // Exactly these: crun compares.
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    rustix::fs::fcntl_add_seals(fd.as_fd(), seals).context(what)?;
    Ok(Runtime { fd, is_seccomp_compiled: contains(&bytes, SECCOMP_ANNOTATION) })
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    let (first, rest) = (needle[0], &needle[1..]);
    let mut at = 0;
    while let Some(found) = haystack[at..].iter().position(|byte| *byte == first) {
        at += found + 1;
        if haystack[at..].starts_with(rest) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_runtime_is_named() {
        let error = find_runtime(Some(Path::new("/no/crun")), &[]).unwrap_err();
        assert_eq!(error.to_string(), "there is no container runtime `/no/crun`");
        let error = find_runtime(None, &["/no".into()]).unwrap_err();
        assert_eq!(error.to_string(), "the container runtime `crun` is not installed");
    }

    #[test]
    fn bytes_are_found_at_the_end_too() {
        assert!(contains(b"aab", b"ab"));
        assert!(!contains(b"aa", b"ab"));
    }
}
