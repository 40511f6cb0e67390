//! Decides which files are watched.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use module::Module;
use store::Selector;

use crate::call::LocalSource;
use crate::config::Config;
use crate::report::Result;

/// The files and directories that are watched, and the exceptions.
#[derive(Default)]
pub(super) struct Roots {
    roots: Vec<Root>,
    /// Paths that `host` or builds write. Changes below them do not count.
    ignored: Vec<PathBuf>,
}

struct Root {
    /// Absolute, without links.
    path: PathBuf,
    selector: Selector,
    /// Whether a directory that is not selected contains no selected file.
    is_pruned: bool,
}

impl Roots {
    /// Makes an empty set. Changes below `written`, and of files that the output of this program goes to, never count:
    /// each call would cause the next.
    pub(super) fn new<'a>(written: impl Iterator<Item = &'a Path>, config: &'a Config) -> Self {
        let made = [config.target_dir.as_deref(), Some(config.store.as_path())].into_iter().flatten();
        Self { roots: Vec::new(), ignored: written.chain(made).map(real).chain(redirected()).collect() }
    }

    /// Adds the sources of a module without its build results, or its component.
    pub(super) fn add_module(&mut self, module: &Module) -> Result<()> {
        let directory = match module {
            Module::Component(path) => return self.add_selected(path, &[], &[]),
            Module::Directory(directory) => directory,
        };
        let root = real(&directory.root);
        self.ignored.extend(["target", ".host"].map(|made| root.join(made)));
        if directory.manifest.build.is_none() {
            return self.add_selected(&root, &[], &[]);
        }
        self.ignored.extend(directory.manifest.component.iter().map(|component| root.join(component)));
        let paths = module::source_paths(directory);
        paths.iter().try_for_each(|path| self.add_selected(path, &[], &module::left_out()))
    }

    /// Adds a path that a stage is given.
    pub(super) fn add(&mut self, source: &LocalSource) -> Result<()> {
        self.add_selected(&source.path, &source.include, &source.exclude)
    }

    fn add_selected(&mut self, path: &Path, include: &[String], exclude: &[String]) -> Result<()> {
        let selector = Selector::new(include, exclude)?;
        let is_pruned = include.is_empty() && !exclude.iter().any(|pattern| pattern.trim().starts_with('!'));
        self.roots.push(Root { path: real(path), selector, is_pruned });
        Ok(())
    }

    /// Returns the roots themselves.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.roots.iter().map(|root| root.path.as_path())
    }

    /// Returns whether a change at this path counts.
    pub(super) fn has(&self, path: &Path) -> bool {
        !self.is_ignored(path) && self.roots.iter().any(|root| root.has(path))
    }

    /// Returns whether a change inside of this directory may count.
    pub(super) fn may_have_below(&self, directory: &Path) -> bool {
        let may = |root: &Root| match directory.strip_prefix(&root.path) {
            Ok(_) if root.is_pruned => root.has(directory),
            Ok(_) => true,
            Err(_) => false,
        };
        !self.is_ignored(directory) && self.roots.iter().any(may)
    }

    fn is_ignored(&self, path: &Path) -> bool {
        let is_of_git = path.components().any(|part| part.as_os_str() == OsStr::new(".git"));
        is_of_git || self.ignored.iter().any(|ignored| path.starts_with(ignored))
    }
}

impl Root {
    fn has(&self, path: &Path) -> bool {
        match path.strip_prefix(&self.path) {
            Ok(below) if below.as_os_str().is_empty() => true,
            Ok(below) => self.selector.takes(below.as_os_str().as_bytes()),
            Err(_) => false,
        }
    }
}

/// Returns the files that standard output and standard error are redirected to.
fn redirected() -> impl Iterator<Item = PathBuf> {
    let streams = ["/proc/self/fd/1", "/proc/self/fd/2"].into_iter();
    streams.filter_map(|stream| std::fs::read_link(stream).ok()).filter(|path| path.is_file())
}

/// Resolves links in the part of a path that exists.
fn real(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) if !parent.as_os_str().is_empty() => real(parent).join(name),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use module::{ModuleDirectory, ModuleManifest};

    use super::*;

    fn module(root: &str, keys: &str) -> Module {
        let manifest = format!("name = 'm'\nversion = '0.1.0'\n{keys}");
        let manifest = ModuleManifest::parse(Path::new("host.toml"), &manifest).unwrap();
        Module::Directory(Box::new(ModuleDirectory { root: root.into(), manifest }))
    }

    fn roots() -> Roots {
        let mut roots = Roots { ignored: vec![PathBuf::from("/made")], ..Roots::default() };
        roots.add_module(&module("/nowhere/module", "language = 'rust'")).unwrap();
        let built = "component = 'dist/m.wasm'\nbuild = 'make'";
        roots.add_module(&module("/nowhere/built", built)).unwrap();
        roots.add_module(&module("/nowhere/listed", &format!("{built}\nsources = ['src', '../shared']"))).unwrap();
        let exclude = ["*.log".to_owned(), "tmp".to_owned()].to_vec();
        roots.add(&LocalSource { path: "/nowhere/src".into(), include: Vec::new(), exclude }).unwrap();
        let exclude = ["*".to_owned(), "!keep".to_owned()].to_vec();
        roots.add(&LocalSource { path: "/nowhere/some".into(), include: Vec::new(), exclude }).unwrap();
        roots
    }

    fn check(path: &str, counts: bool) {
        assert_eq!(roots().has(Path::new(path)), counts, "{path}");
    }

    #[test]
    fn what_is_given_and_not_made_counts() {
        check("/nowhere/module/host.toml", true);
        check("/nowhere/module/src/lib.rs", true);
        check("/nowhere/module/target/debug/x", false);
        check("/nowhere/module/.host/guest-sdk/src/lib.rs", false);
        check("/nowhere/module/.git/index", false);
        check("/nowhere/built/app.py", true);
        check("/nowhere/built/dist/bundle.js", true);
        check("/nowhere/built/dist/m.wasm", false);
        check("/nowhere/built/a/node_modules/b.js", false);
        check("/nowhere/built/.venv/lib.py", false);
        check("/nowhere/listed/host.toml", true);
        check("/nowhere/listed/src/app.py", true);
        check("/nowhere/listed/README.md", false);
        check("/nowhere/src", true);
        check("/nowhere/src/a/b.c", true);
        check("/nowhere/src/a.log", false);
        check("/nowhere/src/tmp/x", false);
        check("/nowhere/some/x", false);
        check("/nowhere/some/keep", true);
        check("/nowhere/other", false);
        check("/made/x", false);
    }

    #[test]
    fn directories_of_which_nothing_counts_are_not_looked_into() {
        let roots = roots();
        let check = |path: &str, may: bool| assert_eq!(roots.may_have_below(Path::new(path)), may, "{path}");
        check("/nowhere/src/a", true);
        check("/nowhere/src/tmp", false);
        check("/nowhere/module/target", false);
        check("/nowhere/built/.venv", false);
        check("/nowhere/some/x", true);
        check("/nowhere/other", false);
    }
}
