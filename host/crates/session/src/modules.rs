//! The modules of a run: the providers of each module's imports, and the powers of each module.

use std::collections::BTreeSet;
use std::sync::Arc;

use graph::{Blame, Diagnostic};
use runtime::{Component, Instance, Power};

/// A loaded module with its dependencies.
#[derive(Clone)]
pub struct ModuleSpec {
    /// The name of the module in messages.
    pub name: String,
    /// The code of the module; none for a pipeline that is made only of other modules.
    pub component: Option<Component>,
    /// The modules that it may call.
    pub dependencies: Vec<DependencySpec>,
}

/// A module that another module may call.
#[derive(Clone)]
pub struct DependencySpec {
    /// The name that the importer gives it.
    pub alias: String,
    /// The position of the module in the list of modules.
    pub module: usize,
    /// The powers of the importer that it gets; all of them if there is none.
    pub allow: Option<BTreeSet<Power>>,
}

/// A module with its powers. The same component with other powers is another module.
pub(crate) struct LoadedModule {
    pub(crate) name: String,
    pub(crate) component: Option<Component>,
    pub(crate) granted: BTreeSet<Power>,
    /// The aliases of the dependencies, with their positions among the loaded modules.
    pub(crate) dependencies: Vec<(String, usize)>,
    /// The instance that the custom objects of the module live in.
    pub(crate) instance: Arc<Instance>,
}

/// The modules of a run. The first one is the module that is called.
pub struct Modules {
    pub(crate) loaded: Vec<LoadedModule>,
}

/// The reason why modules do not fit together.
#[derive(Debug, thiserror::Error)]
pub enum ModuleError {
    /// No dependency provides an import of a module.
    #[error("module `{module}` imports `{import}`, which the host does not have")]
    NotProvided {
        /// The name of the importing module.
        module: String,
        /// The name of the import.
        import: String,
        /// The aliases of the dependencies, and the interfaces that they provide.
        dependencies: Vec<(String, String)>,
    },
    /// A dependency has other functions than the ones that its importer was built against.
    #[error("module `{module}` was built against another `{alias}` than there is: {reason}")]
    Differs {
        /// The name of the importing module.
        module: String,
        /// The alias of the dependency.
        alias: String,
        /// The first difference, as a sentence.
        reason: String,
    },
    /// A dependency needs more powers than its importer gives it.
    #[error("dependency `{alias}` of module `{module}` needs {}, which `{module}` was not granted", named(powers))]
    NotGranted {
        /// The name of the importing module.
        module: String,
        /// The alias of the dependency.
        alias: String,
        /// All missing powers.
        powers: Vec<Power>,
        /// Whether the importer has these powers and does not pass them on.
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
    /// Links modules. The first one gets the powers `granted`; each dependency gets at most those of its importer.
    ///
    /// # Errors
    /// Fails if no dependency provides an import, if a dependency has other functions than expected, or if it needs
    /// more powers than it gets.
    ///
    /// # Panics
    /// Panics if the position of a dependency is not in the list.
    pub fn link(specs: &[ModuleSpec], granted: BTreeSet<Power>) -> Result<Self, ModuleError> {
        let mut this = Self { loaded: Vec::new() };
        let mut keys = Vec::new();
        this.load(specs, 0, granted, &mut keys)?;
        Ok(this)
    }

    /// Loads a module with its dependencies, and returns its position.
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

    /// Finds the provider of a module's import. Returns its alias and its position.
    pub(crate) fn provider(&self, importer: usize, import: &str) -> Option<(&str, usize)> {
        let provides =
            |index: usize| self.loaded[index].component.as_ref().is_some_and(|component| component.is_named(import));
        let mut dependencies = self.loaded[importer].dependencies.iter();
        dependencies.find(|(_, index)| provides(*index)).map(|(alias, index)| (alias.as_str(), *index))
    }

    /// Finds a dependency of a module by its alias, and returns its position.
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
