//! Finds the module that `-m` names, builds what is out of date, and loads it.

use std::path::{Path, PathBuf};

use module::{
    BuildOptions, Built, Documentation, Freshness, InterfaceWit, Module, ModuleDirectory, ModuleManifest, ModuleTree,
    freshness, interface_wit, write_dependencies_wit,
};

use pipeline::{Library, StageGraph};

use crate::args::Options;
use crate::context::Context;
use crate::platform::{Component, ModuleFile};
use crate::report::{Report, Result};

/// A module and its dependencies, built and loaded.
pub(super) struct Opened {
    tree: ModuleTree,
    /// The path of the component of each module in the tree; none for a module without code.
    paths: Vec<Option<PathBuf>>,
    pub(super) component: Box<dyn Component>,
}

impl Opened {
    /// Returns the module that was named.
    pub(super) fn module(&self) -> Option<&Module> {
        self.tree.modules.first().map(|node| &node.module)
    }

    /// Returns the name of the module.
    pub(super) fn name(&self) -> String {
        self.module().map(Module::name).unwrap_or_default()
    }

    /// Returns the directory of the module, if it has one.
    pub(super) fn directory(&self) -> Option<&ModuleDirectory> {
        match self.module() {
            Some(Module::Directory(directory)) => Some(directory),
            _ => None,
        }
    }

    /// Returns the manifest of the module, if it has one.
    pub(super) fn manifest(&self) -> Option<&ModuleManifest> {
        self.directory().map(|directory| &directory.manifest)
    }

    /// Reads the documentation of the module, or of one of its dependencies.
    pub(super) fn documentation(&self, dependency: Option<&str>) -> Option<Documentation> {
        let index = match dependency {
            None => 0,
            Some(alias) => {
                let dependencies = &self.tree.modules.first()?.dependencies;
                dependencies.iter().find(|dependency| dependency.alias == alias)?.index
            }
        };
        module::documentation_of(&self.tree.modules.get(index)?.module, self.paths.get(index)?.as_deref()?)
    }

    /// Returns the files that the components were built from.
    pub(super) fn files(&self, target_dir: Option<&Path>) -> Vec<PathBuf> {
        let files = self.tree.modules.iter().flat_map(|node| match &node.module {
            Module::Directory(directory) => module::built_from(directory, target_dir),
            Module::Component(path) => vec![path.clone()],
        });
        files.collect()
    }

    /// Returns the module and those that it needs.
    pub(super) fn modules(&self) -> impl Iterator<Item = &Module> {
        self.tree.modules.iter().map(|node| &node.module)
    }
}

/// Finds the module that `-m` names, or the one here, builds it and its dependencies where they are out of date, and
/// loads them.
pub(super) fn open(options: &Options, is_quiet: bool, context: &mut Context<'_>) -> Result<Opened> {
    let module = find(options, context)?;
    open_module(module, is_quiet, context)
}

/// Builds a module and its dependencies where they are out of date, and loads them.
pub(super) fn open_module(module: Module, is_quiet: bool, context: &mut Context<'_>) -> Result<Opened> {
    let tree = module::resolve(module)?;
    let paths = components(&tree, tree.order(), is_quiet, context)?;
    let files: Vec<ModuleFile> = tree
        .modules
        .iter()
        .zip(&paths)
        .map(|(node, path)| ModuleFile {
            name: node.module.name(),
            path: path.clone(),
            dependencies: node.dependencies.clone(),
        })
        .collect();
    let component = context.platform.load(&files)?;
    Ok(Opened { tree, paths, component })
}

/// A module as far as it is known without building or compiling it.
pub(crate) struct Known {
    pub(crate) library: Library,
    pub(crate) module: Module,
    /// The path of its component, which may not exist.
    pub(crate) path: PathBuf,
}

impl Known {
    /// Returns the directory of the module, if it has one.
    pub(crate) fn directory(&self) -> Option<&ModuleDirectory> {
        match &self.module {
            Module::Directory(directory) => Some(directory),
            Module::Component(_) => None,
        }
    }
}

/// Finds the module that `-m` names, or the one here. None if there is none, or if something is wrong with it.
pub(crate) fn known(options: &Options, context: &Context<'_>) -> Option<Known> {
    let tree = module::resolve(find(options, context).ok()?).ok()?;
    let target_dir = context.config.target_dir.as_deref();
    let path = |node: &module::Node| match &node.module {
        Module::Component(path) => path.clone(),
        Module::Directory(directory) => directory.component(target_dir),
    };
    let file = |node: &module::Node| ModuleFile {
        name: node.module.name(),
        path: Some(path(node)),
        dependencies: node.dependencies.clone(),
    };
    let files: Vec<ModuleFile> = tree.modules.iter().map(file).collect();
    let root = tree.modules.into_iter().next()?;
    Some(Known { library: context.platform.known_types(&files), path: path(&root), module: root.module })
}

/// Builds the modules of a tree that are out of date, in this order, and returns the paths of all components.
fn components(
    tree: &ModuleTree,
    order: Vec<usize>,
    is_quiet: bool,
    context: &mut Context<'_>,
) -> Result<Vec<Option<PathBuf>>> {
    let mut paths: Vec<Option<PathBuf>> = vec![None; tree.modules.len()];
    for index in order {
        let Some(node) = tree.modules.get(index) else { continue };
        if let Module::Directory(directory) = &node.module {
            if !directory.manifest.has_code() {
                continue;
            }
            let is_built = directory.manifest.component.is_none() || directory.manifest.build.is_some();
            if !node.dependencies.is_empty() && is_built {
                place_interfaces(directory, node, &paths)?;
            }
        }
        let path = component(&node.module, is_quiet, context)?;
        if let Some(place) = paths.get_mut(index) {
            *place = Some(path);
        }
    }
    Ok(paths)
}

/// Builds the dependencies of a module where they are out of date, and writes their interfaces for its build.
pub(super) fn place_wit(directory: &ModuleDirectory, is_quiet: bool, context: &mut Context<'_>) -> Result<()> {
    let tree = module::resolve(Module::Directory(Box::new(directory.clone())))?;
    let order = tree.order().into_iter().filter(|index| *index > 0).collect();
    let paths = components(&tree, order, is_quiet, context)?;
    match tree.modules.first() {
        Some(node) => place_interfaces(directory, node, &paths),
        None => Ok(()),
    }
}

/// Writes the interfaces of a module's dependencies to `wit/deps`, where the tools of its language look for them.
fn place_interfaces(directory: &ModuleDirectory, node: &module::Node, paths: &[Option<PathBuf>]) -> Result<()> {
    let mut interfaces: Vec<(&str, InterfaceWit)> = Vec::new();
    for dependency in &node.dependencies {
        let Some(Some(path)) = paths.get(dependency.index) else { continue };
        let bytes = std::fs::read(path).map_err(|error| {
            Report::environment(format!("cannot read `{}`", path.display())).caused_by(error.to_string())
        })?;
        let interface = interface_wit(&bytes)
            .map_err(|error| Report::from(error).context(format!("cannot use dependency `{}`", dependency.alias)))?;
        interfaces.push((&dependency.alias, interface));
    }
    let interfaces: Vec<(&str, &InterfaceWit)> = interfaces.iter().map(|(alias, wit)| (*alias, wit)).collect();
    write_dependencies_wit(directory, &interfaces)?;
    Ok(())
}

/// Finds the module that `-m` names, or the one here.
pub(super) fn find(options: &Options, context: &Context<'_>) -> Result<Module> {
    match options.value("module").or_else(|| options.value("path")) {
        Some(reference) => find_at(reference, context),
        None => Ok(module::find(None, &context.config.cwd)?),
    }
}

/// Finds the module that was named.
pub(super) fn find_at(reference: &str, context: &Context<'_>) -> Result<Module> {
    // Errors name the path as it was written.
    let path = match reference.starts_with('~') {
        true => context.config.resolve(reference),
        false => PathBuf::from(reference),
    };
    Ok(module::find(Some(&path), &context.config.cwd)?)
}

/// Refuses a module that is a program and has no stages.
pub(super) fn check_has_stages(opened: &Opened, graph: &StageGraph) -> Result<()> {
    if !graph.stages().is_empty() || !opened.component.is_program() {
        return Ok(());
    }
    let file = match opened.paths.first() {
        Some(Some(path)) => path.display().to_string(),
        _ => "FILE.wasm".to_owned(),
    };
    Err(Report::usage(format!("module `{}` is a program, and has no stages", opened.name()))
        .with_hint(format!("`host run {file} [ARGS]...` runs it")))
}

/// Returns the path of a module's component. If a source has changed, it says so and builds the module first.
pub(super) fn component(module: &Module, is_quiet: bool, context: &mut Context<'_>) -> Result<PathBuf> {
    let directory = match module {
        Module::Component(path) => return Ok(path.clone()),
        Module::Directory(directory) => directory,
    };
    let target_dir = context.config.target_dir.as_deref();
    let path = directory.component(target_dir);
    let why = match freshness(directory, target_dir) {
        Freshness::Fresh => return Ok(path),
        Freshness::NeverBuilt => "it was not built before".to_owned(),
        Freshness::Changed(source) => format!("`{}` changed", source.display()),
    };
    if !is_quiet {
        context.io.say(&format!("building module `{}`: {why}", directory.manifest.name));
    }
    Ok(build(directory, is_quiet, context)?.path)
}

/// Builds a module.
pub(super) fn build(directory: &ModuleDirectory, is_quiet: bool, context: &mut Context<'_>) -> Result<Built> {
    let config = context.config;
    let stderr = &mut context.io.stderr;
    let options = BuildOptions {
        cargo: &config.cargo(),
        target_dir: config.target_dir.as_deref(),
        is_colored: stderr.is_terminal() && config.is_color_allowed,
    };
    // With `-q` the messages of the build are kept, and shown if the build fails.
    let mut kept = Vec::new();
    let built = match is_quiet {
        true => module::build(directory, &options, &mut kept),
        false => module::build(directory, &options, stderr),
    };
    let built = built.map_err(|error| {
        let text = String::from_utf8_lossy(&kept);
        if !text.is_empty() {
            context.io.say(text.trim_end());
        }
        Report::from(error)
    })?;
    for warning in &built.warnings {
        context.io.say(&format!("warning: {warning}"));
    }
    Ok(built)
}
