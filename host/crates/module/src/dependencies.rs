//! From the dependencies in manifests to all modules that a module needs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use graph::{Blame, Diagnostic};
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::DfsPostOrder;

use crate::fs::{self, FsError};
use crate::manifest::{Dependency, MANIFEST_NAME, ManifestError, Position, StageWork};
use crate::reference::{self, Module};
use crate::set_ups::{self, SetUpProblem};

/// A module with all modules that it needs.
#[derive(Debug, Clone)]
pub struct ModuleTree {
    /// The modules, each once. The first is the root.
    pub modules: Vec<Node>,
}

/// A module in a tree.
#[derive(Debug, Clone)]
pub struct Node {
    /// The module itself. The path of a dependency has no links in it; the path of the root is as it was given.
    pub module: Module,
    /// The dependencies in the order of the manifest.
    pub dependencies: Vec<NodeDependency>,
}

/// A dependency of a module in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeDependency {
    /// The name that the importer gives it.
    pub alias: String,
    /// The position of the module in the tree.
    pub index: usize,
    /// The powers of its importer that it gets; all of them if there is none.
    pub allow: Option<BTreeSet<String>>,
}

/// An entry of the table `[dependencies]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DependencyEntry {
    /// The path of the manifest.
    pub manifest: PathBuf,
    /// The position of the alias in the manifest.
    pub position: Position,
    /// The alias of the dependency.
    pub alias: String,
}

/// The reason why the dependencies of a module cannot be found.
#[derive(Debug, thiserror::Error)]
pub enum DependencyError {
    /// The path of a dependency does not exist.
    #[error("{entry}: there is no module at `{}` for dependency `{}`", path.display(), entry.alias)]
    NotFound {
        /// The entry of the dependency.
        entry: DependencyEntry,
        /// The path in the manifest.
        path: PathBuf,
    },
    /// The path of a dependency is a directory without a manifest.
    #[error("{entry}: directory `{}` of dependency `{}` has no `{MANIFEST_NAME}`", path.display(), entry.alias)]
    NoManifestIn {
        /// The entry of the dependency.
        entry: DependencyEntry,
        /// The path in the manifest.
        path: PathBuf,
    },
    /// The path of a dependency is neither a directory nor a `.wasm` file.
    #[error(
        "{entry}: `{}` of dependency `{}` is neither a directory with a `{MANIFEST_NAME}` nor a `.wasm` file",
        path.display(),
        entry.alias
    )]
    NotAModule {
        /// The entry of the dependency.
        entry: DependencyEntry,
        /// The path in the manifest.
        path: PathBuf,
    },
    /// A module depends on itself.
    #[error("{}: the dependencies go in a circle: {}", place_of(entries), path.join(" -> "))]
    Cycle {
        /// The aliases on the way from the module back to it. The root has its name instead of an alias.
        path: Vec<String>,
        /// The entries of the cycle. The last one closes it.
        entries: Vec<DependencyEntry>,
    },
    /// The set-up of a dependency's stage cannot be taken over.
    #[error("`{}:{}:{}`: {problem}", manifest.display(), position.line, position.column)]
    SetUp {
        /// The path of the manifest that takes it over.
        manifest: PathBuf,
        /// The position of the value of `call`.
        position: Position,
        /// The reason why it cannot be taken over.
        problem: SetUpProblem,
    },
    /// A path cannot be read.
    #[error(transparent)]
    Unreadable(#[from] FsError),
    /// The manifest of a dependency has a mistake.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

impl fmt::Display for DependencyEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}:{}:{}`", self.manifest.display(), self.position.line, self.position.column)
    }
}

fn place_of(entries: &[DependencyEntry]) -> String {
    entries.last().map(ToString::to_string).unwrap_or_default()
}

impl Diagnostic for DependencyError {
    fn blame(&self) -> Blame {
        match self {
            Self::Unreadable(error) => error.blame(),
            Self::Manifest(error) => error.blame(),
            Self::NotFound { .. }
            | Self::NoManifestIn { .. }
            | Self::NotAModule { .. }
            | Self::Cycle { .. }
            | Self::SetUp { .. } => Blame::User,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound { path, .. } if path.to_string_lossy().contains([':', '@']) => {
                Some("modules in registries are not available in this version".into())
            }
            Self::NotFound { .. } => Some("paths of dependencies are relative to the manifest".into()),
            Self::NoManifestIn { .. } => Some("`host init` makes a module".into()),
            Self::NotAModule { .. } => None,
            Self::Cycle { entries, .. } => {
                let entries: Vec<String> = entries.iter().map(ToString::to_string).collect();
                Some(format!("remove one of the entries at {}", entries.join(", ")))
            }
            Self::SetUp { problem, .. } => Some(problem.hint()),
            Self::Unreadable(error) => error.hint(),
            Self::Manifest(error) => error.hint(),
        }
    }
}

/// Finds all modules that a module needs. It reads only manifests.
///
/// A directory or a file that several modules name is one module.
///
/// # Errors
/// Fails if a dependency does not exist, if a manifest has a mistake, or if a module depends on itself.
pub fn resolve(root: Module) -> Result<ModuleTree, DependencyError> {
    let path = match &root {
        Module::Directory(directory) => &directory.root,
        Module::Component(path) => path,
    };
    let path = fs::canonicalize(path)?;
    let mut resolver = Resolver { modules: Vec::new(), known: BTreeMap::new(), trail: Vec::new(), entries: Vec::new() };
    let name = root.name();
    resolver.add(path, name, root)?;
    Ok(ModuleTree { modules: resolver.modules })
}

impl ModuleTree {
    /// Returns the positions of all modules, each after its dependencies.
    #[must_use]
    pub fn order(&self) -> Vec<usize> {
        let mut graph = DiGraph::<(), ()>::new();
        let _nodes: Vec<NodeIndex> = self.modules.iter().map(|_| graph.add_node(())).collect();
        for (index, node) in self.modules.iter().enumerate() {
            for dependency in &node.dependencies {
                graph.add_edge(NodeIndex::new(index), NodeIndex::new(dependency.index), ());
            }
        }
        let mut walk = DfsPostOrder::new(&graph, NodeIndex::new(0));
        std::iter::from_fn(|| walk.next(&graph)).map(NodeIndex::index).collect()
    }
}

/// Walks the manifests depth first.
struct Resolver {
    modules: Vec<Node>,
    /// The positions of known modules, by their paths without links.
    known: BTreeMap<PathBuf, usize>,
    /// The way from the root to the current module: the path of each module, and its name on the way.
    trail: Vec<(PathBuf, String)>,
    /// The entries that lead along the way.
    entries: Vec<DependencyEntry>,
}

impl Resolver {
    /// Adds an unknown module and returns its position.
    fn add(&mut self, path: PathBuf, called: String, module: Module) -> Result<usize, DependencyError> {
        let index = self.modules.len();
        let (root, wanted) = match &module {
            Module::Directory(directory) => (directory.root.clone(), directory.manifest.dependencies.clone()),
            Module::Component(_) => (PathBuf::new(), Vec::new()),
        };
        self.modules.push(Node { module, dependencies: Vec::new() });
        self.known.insert(path.clone(), index);
        self.trail.push((path, called));
        let mut dependencies = Vec::with_capacity(wanted.len());
        for dependency in wanted {
            let (position, alias) = (dependency.position, dependency.alias.clone());
            self.entries.push(DependencyEntry { manifest: root.join(MANIFEST_NAME), position, alias });
            let index = self.depend(&root, &dependency)?;
            self.entries.pop();
            dependencies.push(NodeDependency { alias: dependency.alias, index, allow: dependency.allow });
        }
        self.trail.pop();
        if let Some(node) = self.modules.get_mut(index) {
            node.dependencies = dependencies;
        }
        self.take_over(index)?;
        Ok(index)
    }

    /// Completes the stages of a module that take over set-ups of its dependencies.
    fn take_over(&mut self, index: usize) -> Result<(), DependencyError> {
        let Some(Node { module: Module::Directory(directory), dependencies }) = self.modules.get(index) else {
            return Ok(());
        };
        let mut stages = directory.manifest.stages.clone();
        for entry in &mut stages {
            let StageWork::Call(target) = &entry.work else { continue };
            let target = target.clone();
            if !target.is_set_up {
                continue;
            }
            let dependency = dependencies.iter().find(|known| Some(&known.alias) == target.dependency.as_ref());
            let dependency = dependency.and_then(|dependency| match &self.modules.get(dependency.index)?.module {
                Module::Directory(directory) => Some((directory.root.as_path(), &directory.manifest)),
                Module::Component(_) => None,
            });
            set_ups::take_over(entry, &target, dependency).map_err(|problem| DependencyError::SetUp {
                manifest: directory.root.join(MANIFEST_NAME),
                position: target.position,
                problem,
            })?;
        }
        if let Some(Node { module: Module::Directory(directory), .. }) = self.modules.get_mut(index) {
            directory.manifest.stages = stages;
        }
        Ok(())
    }

    /// Finds the module of the last entry.
    fn depend(&mut self, root: &Path, dependency: &Dependency) -> Result<usize, DependencyError> {
        let path = fs::canonicalize(&root.join(&dependency.path)).map_err(|error| match error.is_not_found() {
            true => self.at_entry(dependency, |entry, path| DependencyError::NotFound { entry, path }),
            false => DependencyError::Unreadable(error),
        })?;
        if let Some(start) = self.trail.iter().position(|(on_trail, _)| *on_trail == path) {
            return Err(self.cycle(start, dependency));
        }
        if let Some(index) = self.known.get(&path) {
            return Ok(*index);
        }
        let module = self.load(&path, dependency)?;
        self.add(path, dependency.alias.clone(), module)
    }

    fn load(&self, path: &Path, dependency: &Dependency) -> Result<Module, DependencyError> {
        let is_wasm = dependency.path.extension().is_some_and(|extension| extension == "wasm");
        match fs::metadata(path)?.is_dir() {
            true if path.join(MANIFEST_NAME).is_file() => Ok(reference::directory(path)?),
            true => Err(self.at_entry(dependency, |entry, path| DependencyError::NoManifestIn { entry, path })),
            false if is_wasm => Ok(Module::Component(path.to_owned())),
            false => Err(self.at_entry(dependency, |entry, path| DependencyError::NotAModule { entry, path })),
        }
    }

    fn at_entry(
        &self,
        dependency: &Dependency,
        error: fn(DependencyEntry, PathBuf) -> DependencyError,
    ) -> DependencyError {
        let entry = self.entries.last().expect("`add` pushed the entry that `depend` is about").clone();
        error(entry, dependency.path.clone())
    }

    /// Makes the error for a last entry that leads back to the module at `start` of the way.
    fn cycle(&self, start: usize, dependency: &Dependency) -> DependencyError {
        let called = self.trail.iter().skip(start).map(|(_, called)| called.clone());
        // The root has no entry, so the entries after a module begin at the module's position on the way.
        let entries = self.entries.iter().skip(start).cloned().collect();
        DependencyError::Cycle { path: called.chain([dependency.alias.clone()]).collect(), entries }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    /// Writes modules, each given as its path and its dependencies; the first is the root.
    fn check(modules: &[(&str, &str)], expect: &Expect) {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        std::fs::write(base.join("tool.wasm"), "").unwrap();
        std::fs::write(base.join("notes.txt"), "").unwrap();
        std::fs::create_dir(base.join("empty")).unwrap();
        for (path, dependencies) in modules {
            std::fs::create_dir_all(base.join(path)).unwrap();
            let text = format!(
                "name = '{path}'\nversion = '0.1.0'\nlanguage = 'rust'\n[dependencies]\n{}",
                dependencies.replace("; ", "\n")
            );
            std::fs::write(base.join(path).join("host.toml"), text).unwrap();
        }
        let root = reference::find(Some(Path::new(modules[0].0)), &base).unwrap();
        let shown = match resolve(root) {
            Ok(tree) => show(&tree),
            Err(error) => format!("{error}\nhint: {}", error.hint().unwrap_or_default()),
        };
        expect.assert_eq(&shown.replace(base.to_str().unwrap(), "~"));
    }

    fn show(tree: &ModuleTree) -> String {
        let mut shown = String::new();
        for (index, node) in tree.modules.iter().enumerate() {
            shown += &format!("{index} {}:", node.module.name());
            for NodeDependency { alias, index, allow } in &node.dependencies {
                shown += &format!(" {alias}={index}");
                shown += &allow.as_ref().map(|allow| format!("{allow:?}")).unwrap_or_default();
            }
            shown.push('\n');
        }
        shown + &format!("order: {:?}", tree.order())
    }

    #[test]
    fn what_several_modules_name_is_one_module() {
        check(
            &[
                ("app", "scan = '../scan'; lint = { path = '../lint', allow = ['machine'] }; tool = '../tool.wasm'"),
                ("lint", "base = '../scan/../base'; t = { component = '../tool.wasm', allow = [] }"),
                ("scan", "b = '../base'"),
                ("base", ""),
            ],
            &expect![[r#"
                0 app: scan=1 lint=3{"machine"} tool=4
                1 scan: b=2
                2 base:
                3 lint: base=2 t=4{}
                4 tool:
                order: [2, 1, 4, 3, 0]"#]],
        );
    }

    #[test]
    fn a_circle_is_shown_with_its_aliases_and_entries() {
        check(
            &[("app", "lint = '../lint'"), ("lint", "a = '../lint'")],
            &expect![[r#"
            `~/lint/host.toml:5:1`: the dependencies go in a circle: lint -> a
            hint: remove one of the entries at `~/lint/host.toml:5:1`"#]],
        );
        check(
            &[
                ("app", "x = '../lint'"),
                ("lint", "s = '../scan'"),
                ("scan", "; b = '../base'; l = '../lint'"),
                ("base", ""),
            ],
            &expect![[r#"
                `~/scan/host.toml:7:1`: the dependencies go in a circle: x -> s -> l
                hint: remove one of the entries at `~/lint/host.toml:5:1`, `~/scan/host.toml:7:1`"#]],
        );
        check(
            &[("app", "self = '.'")],
            &expect![[r#"
            `~/app/host.toml:5:1`: the dependencies go in a circle: app -> self
            hint: remove one of the entries at `~/app/host.toml:5:1`"#]],
        );
    }

    #[test]
    fn a_dependency_that_is_not_there_is_an_error_at_its_entry() {
        check(
            &[("app", "lint = '../lint'"), ("lint", "; s = '../scan'")],
            &expect![[r#"
            `~/lint/host.toml:6:1`: there is no module at `../scan` for dependency `s`
            hint: paths of dependencies are relative to the manifest"#]],
        );
        check(
            &[("app", "lint = 'acme:lint@1.0'")],
            &expect![[r#"
            `~/app/host.toml:5:1`: there is no module at `acme:lint@1.0` for dependency `lint`
            hint: modules in registries are not available in this version"#]],
        );
        check(
            &[("app", "lint = '../empty'")],
            &expect![[r#"
            `~/app/host.toml:5:1`: directory `../empty` of dependency `lint` has no `host.toml`
            hint: `host init` makes a module"#]],
        );
        check(
            &[("app", "lint = '../notes.txt'")],
            &expect![[r#"
            `~/app/host.toml:5:1`: `../notes.txt` of dependency `lint` is neither a directory with a `host.toml` nor a `.wasm` file
            hint: "#]],
        );
        check(
            &[("app", "lint = '../tool.wasm/x'")],
            &expect![[r#"
            `~/app/host.toml:5:1`: there is no module at `../tool.wasm/x` for dependency `lint`
            hint: paths of dependencies are relative to the manifest"#]],
        );
    }

    #[test]
    fn a_wrong_manifest_of_a_dependency_is_an_error_there() {
        check(
            &[("app", "lint = '../lint'"), ("lint", "a = 1")],
            &expect![[r#"
            `~/lint/host.toml:5:5`: `a` takes a path, or a table with `path` or `component`, not an integer
            hint: "#]],
        );
    }

    #[test]
    fn a_component_depends_on_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tool.wasm");
        std::fs::write(&path, "").unwrap();
        assert_eq!(show(&resolve(Module::Component(path)).unwrap()), "0 tool:\norder: [0]");
    }

    /// Resolves `app`, whose stage `style` says this, with the dependency `lint`, whose stages say that.
    fn check_set_up(style: &str, lint: &str, expect: &Expect) {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        let write = |name: &str, rest: &str| {
            std::fs::create_dir_all(base.join(name)).unwrap();
            let head = format!("name = '{name}'\nversion = '0.1.0'\nlanguage = 'rust'\n");
            std::fs::write(base.join(name).join("host.toml"), head + rest).unwrap();
        };
        write("app", &format!("dependencies = {{ lint = '../lint' }}\n[stages]\nstyle = {{ {style} }}\n"));
        write("lint", &format!("[stages]\n{lint}\n"));
        let shown = match resolve(reference::find(Some(Path::new("app")), &base).unwrap()) {
            Ok(tree) => match &tree.modules[0].module {
                Module::Directory(directory) => shown_entry(&directory.manifest.stages[0]),
                Module::Component(_) => panic!("it is a directory"),
            },
            Err(error) => format!("{error}\nhint: {}", error.hint().unwrap_or_default()),
        };
        expect.assert_eq(&shown.replace(base.to_str().unwrap(), "~"));
    }

    fn shown_entry(entry: &crate::StageEntry) -> String {
        let StageWork::Call(target) = &entry.work else { panic!("it calls a function") };
        let mut shown = format!("{}.{}", target.dependency.as_deref().unwrap_or_default(), target.function);
        for setting in entry.args.iter().chain(&entry.defaults) {
            let crate::Argument::Literal(value) = &setting.argument else { panic!("it is a literal") };
            let base = setting.base.as_ref().map(|base| format!(" in {}", base.display())).unwrap_or_default();
            shown += &format!("\n{} = {value}{base}", setting.param);
        }
        shown += &format!("\n{:?} {:?} {:?}", entry.env, entry.description, entry.is_check);
        shown
    }

    #[test]
    fn the_set_up_of_a_dependency_is_taken_over() {
        let lint =
            "check = { args = { src = 'tests', level = 3 }, defaults = { strict = true }, env = { A = '1', B = '2' } }
            quick = { call = 'check', args = { level = 1 }, description = 'Only the worst', check = true }";
        check_set_up(
            "call = 'lint.stages.check', args = { level = 5 }, env = { B = '3' }",
            lint,
            &expect![[r#"
            lint.check
            level = 5
            src = "tests" in ~/lint
            strict = true in ~/lint
            [("A", "1"), ("B", "3")] None None"#]],
        );
        check_set_up(
            "call = 'lint.stages.quick', description = 'Quickly', check = false",
            lint,
            &expect![[r#"
            lint.check
            level = 1 in ~/lint
            [] Some("Quickly") Some(false)"#]],
        );
        check_set_up(
            "call = 'lint.check'",
            lint,
            &expect![[r#"
            lint.check
            [] None None"#]],
        );
    }

    #[test]
    fn a_set_up_that_cannot_be_taken_over_is_told() {
        let lint = "check = { args = { src = { from = 'sources' } } }\nsources = {}\npart = { from = 'sources' }";
        check_set_up(
            "call = 'lint.stages.chekc'",
            lint,
            &expect![[r#"
            `~/app/host.toml:6:18`: the manifest of dependency `lint` has no stage `chekc`
            hint: did you mean `check`?"#]],
        );
        check_set_up(
            "call = 'lint.stages.part'",
            lint,
            &expect![[r#"
            `~/app/host.toml:6:18`: stage `part` of dependency `lint` calls no function of `lint` itself
            hint: call a function, as in `call = "lint.FUNCTION"`"#]],
        );
        check_set_up(
            "call = 'lint.stages.check'",
            lint,
            &expect![[r#"
            `~/app/host.toml:6:18`: `src` of stage `check` of dependency `lint` is made by another stage of `lint`
            hint: give it a value here, as in `args = { src = ... }`"#]],
        );
        check_set_up(
            "call = 'lint.stages.check', args = { src = '.' }",
            lint,
            &expect![[r#"
            lint.check
            src = "."
            [] None None"#]],
        );
    }
}
