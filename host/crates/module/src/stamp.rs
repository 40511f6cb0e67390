//! Whether a component is newer than what it was made of.
//!
//! The stamp is a text: a first line with its version and that of this program, a line with the
//! size and the time of the component, and one for each source. Looking at them all costs some
//! ten microseconds; cargo is only asked when something differs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::fs::{self, FsError};
use crate::manifest::MANIFEST_NAME;
use crate::reference::ModuleDirectory;
use crate::sources;

/// The first line; another version of this program may document components otherwise.
const HEAD: &str = concat!("host-stamp/1 ", env!("CARGO_PKG_VERSION"));

/// The mark of a file that cannot be looked at.
const GONE: &str = "- -";

/// The mark of a file that changed during a build. No file has it.
const CHANGED: &str = "0 0";

/// Files with their sizes and times.
pub(crate) type Marks = BTreeMap<PathBuf, String>;

/// Whether a component is newer than what it was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Freshness {
    /// It can be used; also one that another tool makes without the key `build`, and a module that has no code and needs none.
    Fresh,
    /// There is none.
    NeverBuilt,
    /// A source changed, or the component did.
    Changed(PathBuf),
}

/// Returns whether the component of a module is newer than its sources.
#[must_use]
pub fn freshness(module: &ModuleDirectory, target_dir: Option<&Path>) -> Freshness {
    let is_given = module.manifest.component.is_some() && module.manifest.build.is_none();
    if is_given || !module.manifest.has_code() {
        return Freshness::Fresh;
    }
    let Ok(text) = fs::read_text(&module.stamp(target_dir)) else { return Freshness::NeverBuilt };
    let component = module.component(target_dir);
    let mut lines = text.lines();
    // A shared target directory may have a module of the same name.
    if lines.next() != Some(HEAD) || lines.next().map(Path::new) != Some(identity(module).as_path()) {
        return Freshness::NeverBuilt;
    }
    let Some(own) = lines.next() else { return Freshness::NeverBuilt };
    if fs::metadata(&component).map(|metadata| mark(&metadata)).ok().as_deref() != Some(own) {
        return Freshness::NeverBuilt;
    }
    let listed: Option<Marks> =
        lines.map(|line| split(line).map(|(mark, path)| (path.to_owned(), mark.to_owned()))).collect();
    let Some(listed) = listed else { return Freshness::NeverBuilt };
    let now = match module.manifest.build {
        // No list tells which new files the command would read.
        Some(_) => marks(&sources::files(module).unwrap_or_default()),
        None => marks(listed.keys()),
    };
    match difference(&listed, &now) {
        None => Freshness::Fresh,
        Some(path) => Freshness::Changed(relative(path, module)),
    }
}

/// Returns the files that a module's component was built from, and its manifest.
#[must_use]
pub fn built_from(module: &ModuleDirectory, target_dir: Option<&Path>) -> Vec<PathBuf> {
    let manifest = module.root.join(MANIFEST_NAME);
    if module.manifest.build.is_some() {
        return sources::files(module).into_iter().flatten().chain([manifest]).collect();
    }
    if let Some(component) = &module.manifest.component {
        return vec![manifest, module.root.join(component)];
    }
    let text = fs::read_text(&module.stamp(target_dir)).unwrap_or_default();
    let listed = text.lines().skip(3).filter_map(|line| Some(split(line)?.1.to_owned()));
    std::iter::once(manifest).chain(listed).collect()
}

/// Writes the stamp of a component that was just built from sources with these marks.
///
/// Without a usable stamp the next call builds again, which is slow and never wrong: so names that a line cannot hold
/// write none.
pub(crate) fn write(module: &ModuleDirectory, target_dir: Option<&Path>, sources: &Marks) -> Result<(), FsError> {
    let component = fs::metadata(&module.component(target_dir))?;
    let mut text = format!("{HEAD}\n{}\n{}\n", identity(module).display(), mark(&component));
    for (source, mark) in sources {
        let Some(path) = source.to_str().filter(|path| !path.contains('\n')) else { return Ok(()) };
        let _ = writeln!(text, "{mark} {path}");
    }
    fs::replace(&module.stamp(target_dir), text.as_bytes())
}

/// Returns the marks of files as they are.
pub(crate) fn marks<'a>(files: impl IntoIterator<Item = &'a PathBuf>) -> Marks {
    let mark_of = |path: &Path| fs::metadata(path).map_or_else(|_| GONE.to_owned(), |metadata| mark(&metadata));
    files.into_iter().map(|path| (path.clone(), mark_of(path))).collect()
}

/// Returns the marks of files for a build that began at `started_at`. A file that changed since gets the mark of none.
pub(crate) fn marks_of_build(files: &BTreeSet<PathBuf>, started_at: SystemTime) -> Result<Marks, FsError> {
    let mark_of = |path: &PathBuf| -> Result<(PathBuf, String), FsError> {
        let metadata = fs::metadata(path)?;
        // Cargo itself writes the lock file during a build.
        let is_lock = path.file_name().is_some_and(|name| name == "Cargo.lock");
        let is_newer = metadata.modified().is_ok_and(|at| at >= started_at);
        Ok((path.clone(), if is_newer && !is_lock { CHANGED.to_owned() } else { mark(&metadata) }))
    };
    files.iter().map(mark_of).collect()
}

/// Returns the first file that is not the same in both.
pub(crate) fn difference<'a>(one: &'a Marks, other: &'a Marks) -> Option<&'a Path> {
    let differs = |(path, mark): &(&PathBuf, &String)| other.get(*path) != Some(mark);
    let first = one.iter().find(differs).or_else(|| other.iter().find(|(path, _)| !one.contains_key(*path)));
    first.map(|(path, _)| path.as_path())
}

/// Returns the files that a module in Rust is made of: what cargo's `.d` file beside `artifact` lists, the
/// manifests and locks of their packages, and the module's WIT with that of its dependencies.
pub(crate) fn sources_of_crate(module: &ModuleDirectory, artifact: &Path) -> BTreeSet<PathBuf> {
    let mut sources = BTreeSet::from([module.root.join(MANIFEST_NAME), module.root.join("Cargo.toml")]);
    // What the macros read of it is in no list: among it is the WIT of the dependencies.
    sources.extend(fs::files_below(&module.root.join("wit")).unwrap_or_default());
    let listed = fs::read_text(&artifact.with_extension("d")).unwrap_or_default();
    sources.extend(dep_info(&listed));
    let packages: BTreeSet<PathBuf> = sources.iter().filter_map(|source| package_of(source)).collect();
    sources.extend(packages.iter().map(|package| package.join("Cargo.toml")));
    let lock = module.root.ancestors().map(|directory| directory.join("Cargo.lock")).find(|lock| lock.is_file());
    // A workspace's profile and versions decide, too.
    sources.extend(lock.iter().map(|lock| lock.with_file_name("Cargo.toml")).filter(|path| path.is_file()));
    sources.extend(lock);
    // One path for each: `macros/src/../../../wit` and `wit` need be looked at once.
    sources.iter().filter_map(|source| source.canonicalize().ok()).collect()
}

fn package_of(source: &Path) -> Option<PathBuf> {
    source.ancestors().skip(1).find(|directory| directory.join("Cargo.toml").is_file()).map(Path::to_owned)
}

/// Parses the one rule of a `.d` file: `target: source source`, with `\ ` for a space in a name.
fn dep_info(text: &str) -> Vec<PathBuf> {
    let Some((_, sources)) = text.lines().next().and_then(|line| line.split_once(": ")) else { return Vec::new() };
    let mut paths = vec![String::new()];
    let mut characters = sources.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, paths.last_mut()) {
            ('\\', Some(path)) if characters.peek() == Some(&' ') => path.extend(characters.next()),
            (' ', _) => paths.push(String::new()),
            (_, Some(path)) => path.push(character),
            (_, None) => {}
        }
    }
    paths.into_iter().filter(|path| !path.is_empty()).map(PathBuf::from).collect()
}

/// Returns the directory of a module, by whatever way it was found.
fn identity(module: &ModuleDirectory) -> PathBuf {
    fs::canonicalize(&module.root).unwrap_or_else(|_| module.root.clone())
}

fn mark(metadata: &Metadata) -> String {
    let since = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    format!("{} {}", metadata.len(), since.as_nanos())
}

fn split(line: &str) -> Option<(&str, &Path)> {
    let at = line.match_indices(' ').nth(1)?.0;
    Some((line.get(..at)?, Path::new(line.get(at + 1..)?)))
}

fn relative(path: &Path, module: &ModuleDirectory) -> PathBuf {
    let below = path.strip_prefix(&module.root).or_else(|_| path.strip_prefix(identity(module)));
    below.unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::{Module, find};

    #[test]
    fn a_dep_info_file_lists_sources() {
        let paths = dep_info("/t/a.wasm: /src/lib.rs /my\\ dir/b.rs\n");
        assert_eq!(paths, [PathBuf::from("/src/lib.rs"), PathBuf::from("/my dir/b.rs")]);
        assert!(dep_info("").is_empty());
    }

    #[test]
    fn a_component_is_fresh_until_a_source_changes() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let write_file = |name: &str, text: &str| {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            path
        };
        write_file("host.toml", "name = \"a\"\nversion = \"0.1.0\"\nlanguage = \"rust\"");
        write_file("Cargo.toml", "");
        let source = write_file("src/lib.rs", "");
        let Module::Directory(module) = find(None, root).unwrap() else { panic!() };
        assert_eq!(freshness(&module, None), Freshness::NeverBuilt);

        write_file("target/host/a.wasm", "x");
        let dependency = write_file("wit/deps/lint/package.wit", "package local:lint;");
        let artifact = write_file("target/a.wasm", "x");
        write_file("target/a.d", &format!("a.wasm: {}", source.display()));
        let later = SystemTime::now() + std::time::Duration::from_secs(9);
        write(&module, None, &marks_of_build(&sources_of_crate(&module, &artifact), later).unwrap()).unwrap();
        assert_eq!(freshness(&module, None), Freshness::Fresh);

        let other_way = root.join("src/..");
        let Module::Directory(again) = find(Some(&other_way), root).unwrap() else { panic!() };
        assert_eq!(freshness(&again, None), Freshness::Fresh);

        std::fs::write(&dependency, "package local:lint@0.2.0;").unwrap();
        assert_eq!(freshness(&module, None), Freshness::Changed("wit/deps/lint/package.wit".into()));
        write(&module, None, &marks_of_build(&sources_of_crate(&module, &artifact), later).unwrap()).unwrap();
        assert_eq!(freshness(&module, None), Freshness::Fresh);

        std::fs::write(&source, "changed").unwrap();
        assert_eq!(freshness(&module, None), Freshness::Changed("src/lib.rs".into()));
        std::fs::remove_file(&source).unwrap();
        assert_eq!(freshness(&module, None), Freshness::Changed("src/lib.rs".into()));
    }

    #[test]
    fn a_source_that_changed_during_the_build_makes_the_next_call_build_again() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        std::fs::write(root.join("host.toml"), "name = \"a\"\nversion = \"0.1.0\"\nlanguage = \"rust\"").unwrap();
        std::fs::create_dir_all(root.join("target/host")).unwrap();
        std::fs::write(root.join("target/host/a.wasm"), "x").unwrap();
        let Module::Directory(module) = find(None, root).unwrap() else { panic!() };
        let marks = marks_of_build(&BTreeSet::from([root.join("host.toml")]), UNIX_EPOCH).unwrap();
        write(&module, None, &marks).unwrap();
        assert_eq!(freshness(&module, None), Freshness::Changed("host.toml".into()));
    }
}
