//! The directory `wit/deps` of a module: the WIT of its imports, where the tools of all languages find it.
//!
//! ```text
//! wit/deps/ALIAS/package.wit      of a dependency
//! wit/deps/pipeline-api/*.wit     of `pipeline:api`
//! ```
//!
//! A file is written only if its contents change, because tools build again when its time changes. Each file ends with
//! a mark. A file with the mark is removed when nobody needs it any more. A file without the mark is left alone,
//! unless it is in the place of a dependency's WIT.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use graph::{Blame, Diagnostic};

use crate::fs::{self, FsError};
use crate::interface::InterfaceWit;
use crate::manifest::API_DIRECTORY;
use crate::reference::ModuleDirectory;
use crate::wit;

/// The mark at the end of written files. At the beginning it would become the documentation of the package.
const MARK: &str = "// Written by `host`, which overwrites what is changed here.\n";

/// The directory of a module's WIT.
pub(crate) const WIT_DIRECTORY: &str = "wit";

const FILE: &str = "package.wit";

/// The reason why the WIT of dependencies cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WitDepsError {
    /// Two dependencies define the same package, so that code could not tell them apart.
    #[error("dependencies `{first}` and `{second}` of module `{module}` are both the package `{package}`")]
    SamePackage {
        /// The name of the importing module.
        module: String,
        /// The alias of one dependency.
        first: String,
        /// The alias of the other dependency.
        second: String,
        /// The package that both define.
        package: String,
    },
    /// A file could not be read, written or removed.
    #[error(transparent)]
    File(#[from] FsError),
}

impl Diagnostic for WitDepsError {
    fn blame(&self) -> Blame {
        match self {
            Self::SamePackage { .. } => Blame::User,
            Self::File(error) => error.blame(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::SamePackage { .. } => {
                Some("rename the package of one of them, or give it another version".to_owned())
            }
            Self::File(error) => error.hint(),
        }
    }
}

/// Writes the WIT of all dependencies of a module and of the packages that they need, and removes WIT that is no
/// longer needed. Returns whether any file changed.
///
/// # Errors
/// Fails if two dependencies are the same package, or if a file cannot be written.
pub fn write_dependencies_wit(
    module: &ModuleDirectory,
    dependencies: &[(&str, &InterfaceWit)],
) -> Result<bool, WitDepsError> {
    let wanted = wanted(module, dependencies)?;
    let mut is_changed = remove_unwanted(module, |directory| wanted.values().any(|(wanted, _)| wanted == directory))?;
    for (directory, text) in wanted.values() {
        is_changed |= write(&deps(module).join(directory).join(FILE), text)?;
    }
    Ok(is_changed)
}

/// Writes the WIT of one dependency. Returns whether a file changed.
///
/// # Errors
/// Fails if a file cannot be read or written.
pub fn write_dependency_wit(module: &ModuleDirectory, alias: &str, wit: &InterfaceWit) -> Result<bool, FsError> {
    write(&deps(module).join(alias).join(FILE), &wit.text)
}

/// Writes the WIT of `pipeline:api`, for tools that have none of their own. Returns whether a file changed.
///
/// # Errors
/// Fails if a file cannot be read or written.
pub fn write_api_wit(module: &ModuleDirectory) -> Result<bool, FsError> {
    let mut is_changed = false;
    for (name, text) in wit::FILES {
        is_changed |= write(&deps(module).join(API_DIRECTORY).join(name), text)?;
    }
    Ok(is_changed)
}

/// Returns the paths of the written files of a module, relative to its root.
///
/// # Errors
/// Fails if the directory cannot be read.
pub fn placed_wit(module: &ModuleDirectory) -> Result<Vec<PathBuf>, FsError> {
    let mut placed = Vec::new();
    for file in fs::files_below(&deps(module))? {
        if fs::read_text(&file).is_ok_and(|text| text.ends_with(MARK)) {
            placed.push(file.strip_prefix(&module.root).unwrap_or(&file).to_owned());
        }
    }
    Ok(placed)
}

fn deps(module: &ModuleDirectory) -> PathBuf {
    module.root.join(WIT_DIRECTORY).join("deps")
}

/// Returns the directory and the text of each package.
///
/// The parts of a package that a dependency uses give way to the whole package.
fn wanted<'a>(
    module: &ModuleDirectory,
    dependencies: &[(&'a str, &'a InterfaceWit)],
) -> Result<BTreeMap<&'a str, (String, &'a str)>, WitDepsError> {
    let mut wanted: BTreeMap<&str, (String, &str)> = BTreeMap::new();
    for (alias, wit) in dependencies {
        if let Some((first, _)) = wanted.insert(&wit.package, ((*alias).to_owned(), &wit.text)) {
            return Err(WitDepsError::SamePackage {
                module: module.manifest.name.clone(),
                first,
                second: (*alias).to_owned(),
                package: wit.package.clone(),
            });
        }
    }
    for other in dependencies.iter().flat_map(|(_, wit)| &wit.others) {
        // No alias has a colon, a dot or an at sign.
        wanted.entry(&other.package).or_insert_with(|| (other.package.replace([':', '/'], "."), &other.text));
    }
    Ok(wanted)
}

/// Removes the packages of former dependencies.
fn remove_unwanted(module: &ModuleDirectory, is_wanted: impl Fn(&str) -> bool) -> Result<bool, FsError> {
    let mut is_changed = false;
    for directory in fs::read_dir(&deps(module))? {
        let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let file = directory.join(FILE);
        let is_ours = || fs::read_text(&file).is_ok_and(|text| text.ends_with(MARK));
        if name != API_DIRECTORY && !is_wanted(&name) && is_ours() {
            fs::remove_file(&file)?;
            fs::remove_dir_if_empty(&directory);
            is_changed = true;
        }
    }
    Ok(is_changed)
}

fn write(path: &Path, text: &str) -> Result<bool, FsError> {
    let contents = format!("{text}{MARK}");
    match fs::read(path) {
        Ok(existing) if existing == contents.as_bytes() => return Ok(false),
        Ok(_) => {}
        Err(error) if error.is_not_found() => {}
        Err(error) => return Err(error),
    }
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::replace(path, contents.as_bytes())?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interface::PackageWit;
    use crate::reference::{Module, find};

    fn module(root: &Path) -> ModuleDirectory {
        std::fs::write(root.join("host.toml"), "name = \"a\"\nversion = \"0.1.0\"\nlanguage = \"rust\"").unwrap();
        let Module::Directory(module) = find(None, root).unwrap() else { panic!() };
        *module
    }

    fn wit(package: &str, others: &[&str]) -> InterfaceWit {
        let text = |package: &str| format!("package {package};\ninterface stages {{}}\n");
        let others = others.iter().map(|other| PackageWit { package: (*other).to_owned(), text: text(other) });
        InterfaceWit {
            package: package.to_owned(),
            interface: "stages".to_owned(),
            text: text(package),
            others: others.collect(),
        }
    }

    fn files(root: &Path) -> Vec<String> {
        let files = fs::files_below(&root.join("wit")).unwrap();
        files.iter().map(|file| file.strip_prefix(root).unwrap().display().to_string()).collect()
    }

    #[test]
    fn what_is_the_same_is_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let module = module(dir.path());
        let lint = wit("local:lint@0.1.0", &[]);
        assert!(write_dependency_wit(&module, "lint", &lint).unwrap());
        assert!(!write_dependency_wit(&module, "lint", &lint).unwrap());
        assert!(write_dependency_wit(&module, "lint", &wit("local:lint@0.2.0", &[])).unwrap());
        assert!(write_api_wit(&module).unwrap());
        assert!(!write_api_wit(&module).unwrap());
        std::fs::write(dir.path().join("wit/deps/lint/mine.wit"), "package mine:own;").unwrap();
        let placed = placed_wit(&module).unwrap();
        assert_eq!(placed.len(), 1 + wit::FILES.len(), "{placed:?}");
        assert_eq!(placed[0], Path::new("wit/deps/lint/package.wit"));
    }

    #[test]
    fn a_tool_finds_all_that_a_module_imports() {
        let dir = tempfile::tempdir().unwrap();
        let module = module(dir.path());
        write_api_wit(&module).unwrap();
        write_dependencies_wit(&module, &[("lint", &wit("local:lint@0.1.0", &["local:scan@0.1.0"]))]).unwrap();
        let world = "package local:a@0.1.0; world module { import local:lint/stages@0.1.0;
            import pipeline:api/container@0.1.0; import local:scan/stages@0.1.0; }";
        std::fs::write(dir.path().join("wit/module.wit"), world).unwrap();
        wit_parser::Resolve::default().push_dir(dir.path().join("wit")).unwrap();
    }

    #[test]
    fn former_dependencies_are_removed_and_the_author_s_files_stay() {
        let dir = tempfile::tempdir().unwrap();
        let module = module(dir.path());
        let (lint, base) = (wit("local:lint@0.1.0", &["local:base@0.1.0"]), wit("local:base@0.1.0", &[]));
        std::fs::create_dir_all(dir.path().join("wit/deps/mine")).unwrap();
        std::fs::write(dir.path().join("wit/deps/mine/package.wit"), "package mine:own;").unwrap();
        assert!(write_dependencies_wit(&module, &[("lint", &lint)]).unwrap());
        assert_eq!(
            files(dir.path()),
            ["wit/deps/lint/package.wit", "wit/deps/local.base@0.1.0/package.wit", "wit/deps/mine/package.wit"]
        );
        assert!(write_dependencies_wit(&module, &[("linter", &lint), ("base", &base)]).unwrap());
        assert_eq!(
            files(dir.path()),
            ["wit/deps/base/package.wit", "wit/deps/linter/package.wit", "wit/deps/mine/package.wit"]
        );
        assert!(!write_dependencies_wit(&module, &[("linter", &lint), ("base", &base)]).unwrap());
    }

    #[test]
    fn two_dependencies_that_are_one_package_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let lint = wit("local:lint@0.1.0", &[]);
        let error = write_dependencies_wit(&module(dir.path()), &[("a", &lint), ("b", &lint)]).unwrap_err();
        assert_eq!(error.to_string(), "dependencies `a` and `b` of module `a` are both the package `local:lint@0.1.0`");
        assert!(!dir.path().join("wit").exists());
    }
}
