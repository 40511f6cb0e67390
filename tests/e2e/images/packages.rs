//! An image with a C compiler, made of Debian packages that are installed on this machine.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::Registry;

/// The packages, without their dependencies.
const PACKAGES: &[&str] = &["base-files", "dash", "gcc", "gzip", "libc6-dev", "tar"];

/// Links of `alternatives`, which belong to no package.
const OTHERS: &[&str] = &["/usr/bin/cc", "/etc/alternatives/cc"];

/// The targets of the links in the root.
const LINKS: &[&str] = &["/bin", "/lib", "/lib64", "/sbin"];

/// Pushes an image with `cc`, `tar` and a shell to a registry, and returns its name.
pub(crate) fn push_compiler(registry: &Registry) -> String {
    let to = conformance::images::Registry::at(registry.address());
    conformance::images::push_archive(&to, "gcc", "14", archive().unwrap()).unwrap();
    registry.name("gcc:14")
}

/// Returns an archive of the files of the packages.
fn archive() -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    archive.follow_symlinks(false);
    for path in paths() {
        archive.append_path_with_name(&path, path.strip_prefix("/").unwrap_or(&path))?;
    }
    archive.into_inner()
}

/// Returns the files of the packages, each by its path without links.
fn paths() -> BTreeSet<PathBuf> {
    let mut paths: BTreeSet<PathBuf> = LINKS.iter().chain(OTHERS).map(PathBuf::from).collect();
    for listed in said("dpkg-query", &["--listfiles"], &packages()).lines().map(Path::new) {
        let parent = listed.parent().and_then(|parent| fs::canonicalize(parent).ok());
        if let (Some(parent), Some(name)) = (parent, listed.file_name()) {
            paths.insert(parent.join(name));
        }
    }
    paths.retain(|path| path.symlink_metadata().is_ok());
    paths
}

/// Returns the packages with their dependencies.
fn packages() -> Vec<String> {
    let depends = ["depends", "--recurse", "--installed", "--no-recommends", "--no-suggests", "--no-conflicts"];
    let options = [&depends[..], &["--no-breaks", "--no-replaces", "--no-enhances"]].concat();
    let listed = said("apt-cache", &options, PACKAGES);
    // The line of a package is not indented, and a virtual package is in brackets.
    listed.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_alphanumeric())).map(str::to_owned).collect()
}

fn said(program: &str, options: &[&str], words: &[impl AsRef<str>]) -> String {
    let mut command = Command::new(program);
    command.args(options).args(words.iter().map(AsRef::as_ref));
    let output = command.output().unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
