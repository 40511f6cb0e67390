//! The guest SDKs that the program carries, and puts beside the sources of a module.

use std::path::{Path, PathBuf};

use crate::fs::{self, FsError};
use crate::wit;

/// The directory in a module that has what the program puts there. Git ignores it.
pub(crate) const DIRECTORY: &str = ".host";

/// The path of the SDK in a module.
pub(crate) const PATH: &str = ".host/guest-sdk";

/// The files of the SDK: their paths from the directory above it, and their contents.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

/// The files of the SDK for Python: their paths from the directory above it, and their contents.
const PYTHON: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/python.rs"));

/// The files of the SDK for JavaScript and TypeScript: their paths from the directory above it, and their contents.
const JAVASCRIPT: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/javascript.rs"));

/// Puts the SDK into the module in `root`, if its `Cargo.toml` names it there. Files that are the same stay untouched.
///
/// # Errors
/// Fails if a file cannot be written.
pub(crate) fn place_if_used(root: &Path) -> Result<(), FsError> {
    let manifest = fs::read_text(&root.join("Cargo.toml")).unwrap_or_default();
    if is_used(&manifest) { place(root) } else { Ok(()) }
}

/// Returns whether a `Cargo.toml` names the SDK that the program carries.
fn is_used(manifest: &str) -> bool {
    let Ok(manifest) = manifest.parse::<toml::Table>() else { return false };
    let path = manifest.get("dependencies").and_then(|table| table.get("guest-sdk")?.get("path")?.as_str());
    path.is_some_and(|path| path.trim_start_matches("./") == PATH)
}

/// Puts the SDK into the module in `root`.
pub(crate) fn place(root: &Path) -> Result<(), FsError> {
    let directory = own_directory(root)?;
    let wit = wit::FILES.iter().map(|(name, text)| (format!("wit/{name}"), *text));
    let sdk = FILES.iter().map(|(name, text)| ((*name).to_owned(), *text));
    sdk.chain(wit).try_for_each(|(name, text)| put(&directory.join(&name), text))
}

/// Puts the SDK for Python into the module in `root`, and returns its directory.
pub(crate) fn place_python(root: &Path) -> Result<PathBuf, FsError> {
    place_files(root, PYTHON).map(|directory| directory.join("python"))
}

/// Puts the SDK for JavaScript and TypeScript into the module in `root`, and returns its directory.
pub(crate) fn place_javascript(root: &Path) -> Result<PathBuf, FsError> {
    place_files(root, JAVASCRIPT).map(|directory| directory.join("javascript"))
}

/// Puts files into the directory for what the program puts into a module, and returns that directory.
fn place_files(root: &Path, files: &[(&str, &str)]) -> Result<PathBuf, FsError> {
    let directory = own_directory(root)?;
    files.iter().try_for_each(|(name, text)| put(&directory.join(name), text))?;
    Ok(directory)
}

/// Makes the directory for what the program puts into the module in `root`, and returns its path.
pub(crate) fn own_directory(root: &Path) -> Result<PathBuf, FsError> {
    let directory = root.join(DIRECTORY);
    put(&directory.join(".gitignore"), "*\n")?;
    Ok(directory)
}

/// Writes a file with its directory, unless it has these contents.
pub(crate) fn put(path: &Path, text: &str) -> Result<(), FsError> {
    if fs::read_text(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::replace(path, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sdk_is_placed_where_a_module_names_it_and_is_left_alone_afterwards() {
        let dir = tempfile::tempdir().unwrap();
        let manifest = dir.path().join("Cargo.toml");
        std::fs::write(&manifest, "[dependencies]\nguest-sdk = { path = '../sdk' }\n").unwrap();
        place_if_used(dir.path()).unwrap();
        assert!(!dir.path().join(".host").exists());

        std::fs::write(&manifest, "[dependencies]\nguest-sdk = { path = './.host/guest-sdk' }\n").unwrap();
        place_if_used(dir.path()).unwrap();
        let file = dir.path().join(".host/guest-sdk/src/lib.rs");
        let before = std::fs::metadata(&file).unwrap().modified().unwrap();
        std::fs::write(dir.path().join(".host/wit/file.wit"), "changed").unwrap();
        place_if_used(dir.path()).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().modified().unwrap(), before);
        assert_ne!(std::fs::read_to_string(dir.path().join(".host/wit/file.wit")).unwrap(), "changed");
        assert_eq!(std::fs::read_to_string(dir.path().join(".host/.gitignore")).unwrap(), "*\n");
    }

    #[test]
    fn the_manifests_of_the_sdk_need_no_workspace() {
        let manifests: Vec<_> = FILES.iter().filter(|(name, _)| name.ends_with("Cargo.toml")).collect();
        assert_eq!(manifests.len(), 3);
        for (name, text) in manifests {
            assert!(!text.contains("workspace"), "{name}: {text}");
            let manifest: toml::Table = text.parse().unwrap();
            assert_eq!(manifest["package"]["version"].as_str(), Some(env!("CARGO_PKG_VERSION")), "{name}");
            assert_eq!(manifest["package"]["rust-version"].as_str(), Some(env!("CARGO_PKG_RUST_VERSION")), "{name}");
        }
    }
}
