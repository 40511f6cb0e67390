//! Lists the files of the guest SDK, so that the program carries them.
#![expect(clippy::unwrap_used, reason = "a build that cannot read its own sources ends")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap()).ancestors().nth(3).unwrap().to_owned();
    let sdk = root.join("guest-sdk");
    println!("cargo::rerun-if-changed={}", sdk.display());
    println!("cargo::rerun-if-changed={}", root.join("Cargo.toml").display());
    let mut files = Vec::new();
    find(&sdk, &mut files);
    files.sort();
    let out = PathBuf::from(env::var("OUT_DIR").unwrap());
    let edition = edition(&root);
    let mut list = String::from("&[\n");
    for path in files {
        let name = path.strip_prefix(&root).unwrap().to_owned();
        let mut source = path.clone();
        if path.ends_with("Cargo.toml") {
            source = out.join(name.to_str().unwrap().replace('/', "-"));
            fs::write(&source, standalone(&fs::read_to_string(&path).unwrap(), &edition)).unwrap();
        }
        writeln!(list, "    ({name:?}, include_str!({source:?})),").unwrap();
    }
    list.push_str("]\n");
    fs::write(out.join("sdk.rs"), list).unwrap();
}

/// Finds the manifests and the sources below a directory, without the tests.
fn find(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, files);
            continue;
        }
        let is_source = path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs");
        if is_source || path.ends_with("Cargo.toml") {
            files.push(path);
        }
    }
}

/// Returns the edition that the workspace sets.
fn edition(root: &Path) -> String {
    let text = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("edition = ")).unwrap();
    line.trim_matches('"').to_owned()
}

/// Returns a manifest that needs no workspace: inherited values are written out, and what only this repository uses is
/// left out.
fn standalone(manifest: &str, edition: &str) -> String {
    let value = |name: &str| env::var(name).unwrap();
    let text = manifest
        .replace("version.workspace = true", &format!("version = {:?}", value("CARGO_PKG_VERSION")))
        .replace("edition.workspace = true", &format!("edition = {edition:?}"))
        .replace("license.workspace = true", &format!("license = {:?}", value("CARGO_PKG_LICENSE")))
        .replace("publish.workspace = true", "publish = false")
        .replace("[lints]\nworkspace = true\n\n", "");
    // `rust-version` ends like `version` and so has the wrong value now.
    let wrong = format!("rust-version = {:?}", value("CARGO_PKG_VERSION"));
    let text = text.replace(&wrong, &format!("rust-version = {:?}", value("CARGO_PKG_RUST_VERSION")));
    match text.split_once("\n[dev-dependencies]") {
        Some((text, _)) => text.to_owned(),
        None => text,
    }
}
