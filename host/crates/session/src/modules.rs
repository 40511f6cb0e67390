//! The modules of a run: which provides what another imports, and what each may do.

use std::collections::BTreeSet;
use std::sync::Arc;

use graph::{Blame, Diagnostic};
use runtime::{Component, Instance, Power};

/// A module as it was loaded, with what it says of its dependencies.
#[derive(Clone)]
pub struct ModuleSpec {
    /// For messages.
    pub name: String,
    /// Its code; none for a pipeline that is made of other modules only.
    pub component: Option<Component>,
    /// The modules that it may call.
    pub dependencies: Vec<DependencySpec>,
}

/// A module that another one may call.
#[derive(Clone)]
pub struct DependencySpec {
    /// What the importer calls it.
    pub alias: String,
    /// Its position among the modules.
    pub module: usize,
    /// The powers of the importer that it gets; all of them if none.
    pub allow: Option<BTreeSet<Power>>,
}

/// A module with what it was granted. The same component with other powers is another module.
pub(crate) struct LoadedModule {
    pub(crate) name: String,
    pub(crate) component: Option<Component>,
    pub(crate) granted: BTreeSet<Power>,
    /// By alias, as positions among the loaded modules.
    pub(crate) dependencies: Vec<(String, usize)>,
    /// Where its custom objects live.
    pub(crate) instance: Arc<Instance>,
}

/// The modules of a run; the first is the one that is called.
pub struct Modules {
    pub(crate) loaded: Vec<LoadedModule>,
}

/// Why modules do not fit together.
#[derive(Debug, thiserror::Error)]
pub enum ModuleError {
    /// Nothing provides what a module imports.
    #[error("module `{module}` imports `{import}`, which the host does not have")]
    NotProvided {
        /// The importer.
        module: String,
        /// The name of the import.
        import: String,
        /// What its dependencies provide, by alias.
        dependencies: Vec<(String, String)>,
    },
    /// A dependency has other functions than its importer was built against.
    #[error("module `{module}` was built against another `{alias}` than there is: {reason}")]
    Differs {
        /// The importer.
        module: String,
        /// What it calls the dependency.
        alias: String,
        /// The first difference.
        reason: String,
    },
    /// A dependency needs more than its importer may.
    #[error("dependency `{alias}` of module `{module}` needs {}, which `{module}` was not granted", named(powers))]
    NotGranted {
        /// The importer.
        module: String,
        /// What it calls the dependency.
        alias: String,
        /// Which powers, all of them.
        powers: Vec<Power>,
        /// Whether the importer has them and does not pass them on.
        is_withheld: bool,
    },
}

fn named(powers: &[Power]) -> String {
    let names: Vec<String> = powers.iter().map(|power| format!("`{power}`")).collect();
    format!("the power{} {}", if powers.len() == 1 { "" } else { "s" }, names.join(", "))
}

impl Diagnostic for ModuleError {
    fn blame(&self) -> Blame {
        Blame::User
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotProvided { dependencies, .. } if dependencies.is_empty() => {
                "name the module that exports it under `[dependencies]` in `host.toml`".to_owned()
            }
            Self::NotProvided { dependencies, .. } => {
                let list: Vec<String> =
                    dependencies.iter().map(|(alias, interface)| format!("`{alias}` provides `{interface}`")).collect();
                format!("of its dependencies, {}", list.join(", "))
            }
            Self::Differs { .. } => "build the importer again: `host build` brings the interface up to date".to_owned(),
            Self::NotGranted { alias, powers, is_withheld: true, .. } => {
                let list: Vec<String> = powers.iter().map(|power| format!("\"{power}\"")).collect();
                format!("add {} to `allow` of the dependency `{alias}` in `host.toml`", list.join(", "))
            }
            Self::NotGranted { powers, .. } => {
                let list: Vec<String> = powers.iter().map(|power| format!("--allow {power}")).collect();
                format!("grant it with `{}`, or with `allow` in `host.toml`", list.join(" "))
            }
        })
    }
}

impl Modules {
    /// Links modules, of which the first is granted powers; each dependency gets those of its importer at most.
    ///
    /// # Errors
    /// If nothing provides an import, if what provides it differs, or if a dependency needs more than it gets.
    ///
    /// # Panics
    /// If a dependency is not among the modules.
    pub fn link(specs: &[ModuleSpec], granted: BTreeSet<Power>) -> Result<Self, ModuleError> {
        let mut this = Self { loaded: Vec::new() };
        let mut keys = Vec::new();
        this.load(specs, 0, granted, &mut keys)?;
        Ok(this)
    }

    /// Loads a module with its dependencies; returns its position.
    fn load(
        &mut self,
        specs: &[ModuleSpec],
        index: usize,
        granted: BTreeSet<Power>,
        keys: &mut Vec<(usize, BTreeSet<Power>)>,
    ) -> Result<usize, ModuleError> {
        let key = (index, granted);
        if let Some(position) = keys.iter().position(|known| *known == key) {
            return Ok(position);
        }
        let position = self.loaded.len();
        let spec = &specs[index];
        self.loaded.push(LoadedModule {
            name: spec.name.clone(),
            component: spec.component.clone(),
            granted: key.1.clone(),
            dependencies: Vec::new(),
            instance: Instance::new(),
        });
        keys.push(key.clone());
        for dependency in &spec.dependencies {
            let passed = match &dependency.allow {
                Some(allow) => key.1.intersection(allow).copied().collect(),
                None => key.1.clone(),
            };
            check_powers(spec, dependency, &specs[dependency.module], &key.1, &passed)?;
            let module = self.load(specs, dependency.module, passed, keys)?;
            self.loaded[position].dependencies.push((dependency.alias.clone(), module));
        }
        self.check_imports(position)?;
        Ok(position)
    }

    fn check_imports(&self, position: usize) -> Result<(), ModuleError> {
        let module = &self.loaded[position];
        let imports = module.component.iter().flat_map(Component::dependencies);
        for import in imports {
            let Some((alias, provider)) = self.provider(position, &import.name) else {
                let of = |(alias, index): &(String, usize)| {
                    let component = self.loaded[*index].component.as_ref()?;
                    Some((alias.clone(), component.interface().to_owned()))
                };
                let dependencies = module.dependencies.iter().filter_map(of).collect();
                let (module, import) = (module.name.clone(), import.name.clone());
                return Err(ModuleError::NotProvided { module, import, dependencies });
            };
            let component = self.loaded[provider].component.as_ref();
            if let Some(Err(reason)) = component.map(|component| component.provides(import)) {
                return Err(ModuleError::Differs { module: module.name.clone(), alias: alias.to_owned(), reason });
            }
        }
        Ok(())
    }

    /// Finds what provides an import of a module: its alias and its position.
    pub(crate) fn provider(&self, importer: usize, import: &str) -> Option<(&str, usize)> {
        let provides =
            |index: usize| self.loaded[index].component.as_ref().is_some_and(|component| component.is_named(import));
        let mut dependencies = self.loaded[importer].dependencies.iter();
        dependencies.find(|(_, index)| provides(*index)).map(|(alias, index)| (alias.as_str(), *index))
    }

    /// Finds a dependency of a module.
    pub(crate) fn dependency(&self, importer: usize, alias: &str) -> Option<usize> {
        let dependencies = &self.loaded[importer].dependencies;
        dependencies.iter().find(|(known, _)| known == alias).map(|(_, index)| *index)
    }
}

fn check_powers(
    importer: &ModuleSpec,
    dependency: &DependencySpec,
    spec: &ModuleSpec,
    granted: &BTreeSet<Power>,
    passed: &BTreeSet<Power>,
) -> Result<(), ModuleError> {
    let needed = spec.component.as_ref().map(Component::powers).unwrap_or_default();
    let powers: Vec<Power> = needed.difference(passed).copied().collect();
    if powers.is_empty() {
        return Ok(());
    }
    let is_withheld = powers.iter().all(|power| granted.contains(power));
    let (module, alias) = (importer.name.clone(), dependency.alias.clone());
    Err(ModuleError::NotGranted { module, alias, powers, is_withheld })
}
