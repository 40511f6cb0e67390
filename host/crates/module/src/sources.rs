//! The sources of a component that the command in the key `build` makes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::fs::{self, FsError};
use crate::manifest::MANIFEST_NAME;
use crate::reference::ModuleDirectory;

/// The entries that are never sources, besides those whose name begins with a dot: tools write them.
const LEFT_OUT: &[&str] = &["target", "node_modules", "__pycache__"];

/// Returns patterns, in the syntax of `.dockerignore`, of what is never a source, besides the component itself.
#[must_use]
pub fn left_out() -> Vec<String> {
    std::iter::once(".*").chain(LEFT_OUT.iter().copied()).map(|name| format!("**/{name}")).collect()
}

/// Returns the files and directories that the manifest calls sources, and the manifest. Without `sources` that is the
/// whole directory.
#[must_use]
pub fn source_paths(module: &ModuleDirectory) -> Vec<PathBuf> {
    match module.manifest.sources.as_slice() {
        [] => vec![module.root.clone()],
        named => named.iter().map(|path| module.root.join(path)).chain([module.root.join(MANIFEST_NAME)]).collect(),
    }
}

/// Returns the files that the component is made of, with absolute paths.
///
/// # Errors
/// Fails if a source that the manifest names does not exist, or if a directory cannot be read.
pub(crate) fn files(module: &ModuleDirectory) -> Result<BTreeSet<PathBuf>, FsError> {
    let component = module.manifest.component.as_ref().map(|component| module.root.join(component));
    let mut files = BTreeSet::new();
    for path in source_paths(module) {
        match fs::metadata(&path)?.is_dir() {
            true => add_below(&path, component.as_deref(), &mut files)?,
            false => drop(files.insert(path)),
        }
    }
    Ok(files)
}

/// Adds the files in a directory and in those below it. A directory with a manifest is another module.
fn add_below(directory: &Path, component: Option<&Path>, files: &mut BTreeSet<PathBuf>) -> Result<(), FsError> {
    for entry in fs::read_dir(directory)? {
        let name = entry.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || LEFT_OUT.contains(&name.as_ref()) || component == Some(entry.as_path()) {
            continue;
        }
        match fs::is_directory_itself(&entry)? {
            true if entry.join(MANIFEST_NAME).is_file() => {}
            true => add_below(&entry, component, files)?,
            false => drop(files.insert(entry)),
        }
    }
    Ok(())
}
