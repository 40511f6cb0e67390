//! The lowest layer of every root: the mountpoints that every container needs.
//!
//! It is a directory of the store, made once and found by the digest of what is in it, so that a root
//! without `/proc` can be mounted on and nothing of it appears in an upper directory.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::fault::{Context as _, Fault};

const DIRECTORIES: [&str; 4] = ["proc", "sys", "dev", "etc"];

/// The files of the skeleton, for files of the network to be mounted on.
pub(super) const FILES: [&str; 3] = ["etc/hosts", "etc/hostname", "etc/resolv.conf"];

/// Returns the skeleton below a directory of the store, and makes it if it is not there.
pub(super) fn prepare(base: &Path) -> Result<PathBuf, Fault> {
    let mut hasher = blake3::Hasher::new();
    for name in DIRECTORIES.iter().chain(&FILES) {
        hasher.update(name.as_bytes()).update(b"\0");
    }
    let skeleton = base.join(format!("root-{}", &hasher.finalize().to_hex()[..8]));
    // Somebody may have tidied up.
    if is_complete(&skeleton) {
        return Ok(skeleton);
    }
    let what = || format!("cannot make `{}`", skeleton.display());
    let temporary = base.join(format!("new-{}-{}", std::process::id(), unique()));
    fill(&temporary).context(what)?;
    if skeleton.exists() {
        let _ = std::fs::rename(&skeleton, temporary.with_extension("old"));
        let _ = disk::remove_all(&temporary.with_extension("old"));
    }
    match std::fs::rename(&temporary, &skeleton) {
        Ok(()) => {}
        // Another zone was first.
        Err(_) if is_complete(&skeleton) => drop(disk::remove_all(&temporary)),
        Err(error) => return Err(Fault::system(what(), error)),
    }
    Ok(skeleton)
}

fn is_complete(skeleton: &Path) -> bool {
    DIRECTORIES.iter().chain(&FILES).all(|name| skeleton.join(name).exists())
}

/// Returns something that another zone does not have; process ids repeat from zone to zone.
pub(super) fn unique() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _};
    std::hash::RandomState::new().build_hasher().finish()
}

fn fill(directory: &Path) -> std::io::Result<()> {
    std::fs::create_dir(directory)?;
    std::fs::set_permissions(directory, Permissions::from_mode(0o755))?;
    for name in DIRECTORIES {
        std::fs::create_dir(directory.join(name))?;
        std::fs::set_permissions(directory.join(name), Permissions::from_mode(0o755))?;
    }
    for name in FILES {
        std::fs::write(directory.join(name), "")?;
        std::fs::set_permissions(directory.join(name), Permissions::from_mode(0o644))?;
    }
    Ok(())
}
