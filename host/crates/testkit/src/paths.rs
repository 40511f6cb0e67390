//! Directories that tests use.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Returns the root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).map(Path::to_owned).unwrap_or_default()
}

/// Returns the target directory of cargo.
#[must_use]
pub fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// Makes an empty directory inside the target directory, for stores: `/tmp` may be a small file system in memory, and
/// one that cannot hold the layers of an overlay.
///
/// # Panics
/// If the directory cannot be made.
#[must_use]
pub fn scratch_dir(prefix: &str) -> TempDir {
    let parent = target_dir().join("test-scratch");
    std::fs::create_dir_all(&parent).expect("the target directory can be written");
    tempfile::Builder::new().prefix(prefix).tempdir_in(parent).expect("the target directory can be written")
}

/// Makes an empty directory with a short path, however long the path of the repository is. The name of a Unix socket
/// has at most 107 bytes, and that of an entry of a tar header at most 100.
///
/// # Panics
/// If the directory cannot be made.
#[must_use]
pub fn short_dir() -> TempDir {
    tempfile::Builder::new().prefix("t").rand_bytes(5).tempdir_in("/tmp").expect("/tmp can be written")
}
