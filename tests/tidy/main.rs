//! The rules of the repository, as tests: layers, sizes, words, documentation, the WIT package.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod circles;
mod docs;
mod layers;
mod links;
mod sizes;
mod words;

use std::path::{Path, PathBuf};

use testkit::root;

/// Returns the files of the repository that git knows or would add and whose names have this ending.
fn files(ending: &str) -> Vec<PathBuf> {
    let args = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let output = std::process::Command::new("git").args(args).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    let files: Vec<PathBuf> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter(|path| path.ends_with(ending))
        .map(|path| root().join(path))
        .filter(|path| path.is_file())
        .collect();
    assert!(!files.is_empty(), "no file ends in `{ending}`");
    files
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns a path as messages have it: from the root of the repository.
fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Returns the folder of the package that a file belongs to, as in `host/crates/store`.
fn package(path: &Path) -> String {
    let package = path.ancestors().skip(1).find(|dir| dir.join("Cargo.toml").is_file());
    package.map(shown).unwrap_or_default()
}

/// Returns the lines of a file before its unit tests.
fn without_tests(text: &str) -> impl Iterator<Item = &str> {
    text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"))
}

#[track_caller]
fn none(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
