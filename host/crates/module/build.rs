//! Lists the files of the guest SDKs, so that the program carries them.
#![expect(clippy::unwrap_used, reason = "a build that cannot read its own sources ends")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap()).ancestors().nth(3).unwrap().to_owned();
    let sdk = root.join("guest-sdk");
    println!("cargo::rerun-if-changed={}", sdk.display());
    println!("cargo::rerun-if-changed={}", root.join("Cargo.toml").display());
    let out = PathBuf::from(env::var("OUT_DIR").unwrap());
    rust(&root, &out);
    for (language, ends) in [("python", &["py"][..]), ("javascript", &["js", "mjs", "ts", "json"])] {
        let is_source = |path: &Path| path.extension().is_some_and(|end| ends.iter().any(|wanted| end == *wanted));
        let found = files(&sdk.join(language), is_source);
        let named = found.iter().map(|path| (path.strip_prefix(&sdk).unwrap(), path.as_path()));
        write(&out.join(format!("{language}.rs")), named);
    }
}

/// Lists the SDK for Rust, whose manifests are changed.
fn rust(root: &Path, out: &Path) {
    let is_source = |path: &Path| {
        path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") || path.ends_with("Cargo.toml")
    };
    let files = files(&root.join("guest-sdk"), is_source);
    let edition = edition(root);
    let named: Vec<(PathBuf, PathBuf)> = files
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(root).unwrap().to_owned();
            if !path.ends_with("Cargo.toml") {
                return (name, path);
            }
            let standing = out.join(name.to_str().unwrap().replace('/', "-"));
            fs::write(&standing, standalone(&fs::read_to_string(&path).unwrap(), &edition)).unwrap();
            (name, standing)
        })
        .collect();
    write(&out.join("sdk.rs"), named.iter().map(|(name, path)| (name.as_path(), path.as_path())));
}

/// Writes a list of names with the contents of files.
fn write<'a>(list: &Path, files: impl Iterator<Item = (&'a Path, &'a Path)>) {
    let mut text = String::from("&[\n");
    for (name, path) in files {
        writeln!(text, "    ({name:?}, include_str!({path:?})),").unwrap();
    }
    text.push_str("]\n");
    fs::write(list, text).unwrap();
}

/// Returns the files below a directory that are wanted, sorted.
fn files(directory: &Path, is_wanted: impl Fn(&Path) -> bool + Copy) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, is_wanted));
        } else if is_wanted(&path) {
            found.push(path);
        }
    }
    found.sort();
    found
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
