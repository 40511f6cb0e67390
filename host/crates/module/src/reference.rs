//! From the argument of `-m` to a module.

use std::path::{Path, PathBuf};

use graph::{Blame, Diagnostic};

use crate::fs::{self, FsError};
use crate::manifest::{MANIFEST_NAME, ManifestError, ModuleManifest};
use crate::sdk;

/// A module: a directory, or a component.
#[derive(Debug, Clone)]
pub enum Module {
    /// A directory with a manifest.
    Directory(Box<ModuleDirectory>),
    /// The path of a component.
    Component(PathBuf),
}

/// A directory with a manifest.
#[derive(Debug, Clone)]
pub struct ModuleDirectory {
    /// The absolute path of the directory.
    pub root: PathBuf,
    /// The manifest of the module.
    pub manifest: ModuleManifest,
}

/// The reason why a module cannot be found.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// Neither `cwd` nor a directory above it has a manifest.
    #[error("there is no `{MANIFEST_NAME}` in `{}` or a directory above it", start.display())]
    NoManifest {
        /// The directory that the search began in.
        start: PathBuf,
    },
    /// The path does not exist.
    #[error("there is no module at `{}`", path.display())]
    NotFound {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// The path is a directory without a manifest.
    #[error("directory `{}` has no `{MANIFEST_NAME}`", path.display())]
    NoManifestIn {
        /// The path of the directory.
        path: PathBuf,
    },
    /// The path is neither a directory nor a `.wasm` file.
    #[error("`{}` is neither a directory with a `{MANIFEST_NAME}` nor a `.wasm` file", path.display())]
    NotAModule {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// The path cannot be read.
    #[error(transparent)]
    Unreadable(FsError),
    /// The manifest has a mistake.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

impl Diagnostic for FindError {
    fn blame(&self) -> Blame {
        match self {
            Self::Unreadable(error) => error.blame(),
            Self::Manifest(error) => error.blame(),
            Self::NoManifest { .. } | Self::NotFound { .. } | Self::NoManifestIn { .. } | Self::NotAModule { .. } => {
                Blame::User
            }
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoManifest { .. } => {
                Some("name a module with `-m DIRECTORY` or `-m FILE.wasm`, or make one with `host init`".into())
            }
            Self::NotFound { path } if path.to_string_lossy().contains([':', '@']) => {
                Some("modules in registries are not available in this version".into())
            }
            Self::NotFound { .. } => Some("`-m` takes a directory with a `host.toml` or a `.wasm` file".into()),
            Self::NoManifestIn { .. } => Some("`host init` makes a module".into()),
            Self::NotAModule { .. } => None,
            Self::Unreadable(error) => error.hint(),
            Self::Manifest(error) => error.hint(),
        }
    }
}

/// Finds a module: the one at `reference`, or the one whose directory has `cwd` in it.
///
/// # Errors
/// Fails if there is no module, or if its manifest has a mistake.
pub fn find(reference: Option<&Path>, cwd: &Path) -> Result<Module, FindError> {
    let Some(reference) = reference else {
        let root = cwd.ancestors().find(|directory| directory.join(MANIFEST_NAME).is_file());
        return match root {
            Some(root) => Ok(directory(root)?),
            None => Err(FindError::NoManifest { start: cwd.to_owned() }),
        };
    };
    let path = cwd.join(reference);
    let metadata = fs::metadata(&path).map_err(|error| match error.is_not_found() {
        true => FindError::NotFound { path: reference.to_owned() },
        false => FindError::Unreadable(error),
    })?;
    if metadata.is_dir() {
        return match path.join(MANIFEST_NAME).is_file() {
            true => Ok(directory(&path)?),
            false => Err(FindError::NoManifestIn { path: reference.to_owned() }),
        };
    }
    match path.extension().is_some_and(|extension| extension == "wasm") {
        true => Ok(Module::Component(path)),
        // The path of the manifest itself means its directory.
        false if path.file_name().is_some_and(|name| name == MANIFEST_NAME) => {
            Ok(directory(path.parent().unwrap_or(&path))?)
        }
        false => Err(FindError::NotAModule { path: reference.to_owned() }),
    }
}

/// Loads the module whose manifest is in `root`.
pub(crate) fn directory(root: &Path) -> Result<Module, ManifestError> {
    let manifest = ModuleManifest::load(&root.join(MANIFEST_NAME))?;
    Ok(Module::Directory(Box::new(ModuleDirectory { root: root.to_owned(), manifest })))
}

impl Module {
    /// Returns the name of the module: the one in the manifest, or that of the file.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Directory(directory) => directory.manifest.name.clone(),
            Self::Component(path) => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        }
    }
}

impl ModuleDirectory {
    /// Returns the path of the component: the one that the manifest names, or the one that `host build` makes.
    ///
    /// `target_dir` is cargo's target directory, if it is not the usual one.
    #[must_use]
    pub fn component(&self, target_dir: Option<&Path>) -> PathBuf {
        match &self.manifest.component {
            Some(path) => self.root.join(path),
            None => self.output_dir(target_dir).join(format!("{}.wasm", self.manifest.name)),
        }
    }

    pub(crate) fn stamp(&self, target_dir: Option<&Path>) -> PathBuf {
        let directory = match self.manifest.component {
            // Another tool makes the component, and knows no directory `target`.
            Some(_) => self.root.join(sdk::DIRECTORY),
            None => self.output_dir(target_dir),
        };
        directory.join(format!("{}.stamp", self.manifest.name))
    }

    pub(crate) fn output_dir(&self, target_dir: Option<&Path>) -> PathBuf {
        match target_dir {
            Some(target_dir) => self.root.join(target_dir).join("host"),
            None => self.root.join("target/host"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_found_upwards() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("src/deep");
        std::fs::create_dir_all(&inner).unwrap();
        assert!(matches!(find(None, &inner), Err(FindError::NoManifest { .. })));
        std::fs::write(dir.path().join("host.toml"), "name = \"a\"\nversion = \"0.1.0\"\nlanguage = \"rust\"").unwrap();
        assert_eq!(find(None, &inner).unwrap().name(), "a");
        assert_eq!(find(Some(Path::new("../..")), &inner).unwrap().name(), "a");
        assert!(matches!(find(Some(Path::new(".")), &inner), Err(FindError::NoManifestIn { .. })));
        assert!(matches!(find(Some(Path::new("gone")), &inner), Err(FindError::NotFound { .. })));
    }
}
