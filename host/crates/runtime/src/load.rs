//! From the bytes of a component to a component whose imports are linked.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use graph::{Blame, ContentDigest, Diagnostic};
use wasmtime::component::types::{self, ComponentInstance, ComponentItem};
use wasmtime::component::{Component as Compiled, ComponentExportIndex, Linker};

use crate::cache::FileStamp;
use api::{CustomType, NoStages};

use crate::component::{self, Component, DependencyImport, Facts, Stage};
use crate::kinds::Kinds;
use crate::power::Power;
use crate::shared::Shared;
use crate::state::State;
use crate::{link, program, wasi};

/// The reason why a component could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read component `{}`", path.display())]
    Read {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file is not WebAssembly.
    #[error("module `{module}` is not a WebAssembly file")]
    NotWasm {
        /// The name of the module.
        module: String,
    },
    /// The file is a core module, not a component.
    #[error("module `{module}` is a core module, not a component")]
    CoreModule {
        /// The name of the module.
        module: String,
    },
    /// The component is damaged, or uses a feature that the engine does not have.
    #[error("module `{module}` is not a well-formed component: {reason}")]
    Malformed {
        /// The name of the module.
        module: String,
        /// The message of the decoder, with the byte.
        reason: String,
    },
    /// The component exports no interface of stages.
    #[error("module `{module}` has no stages: it exports {}", list(exported))]
    NoStages {
        /// The name of the module.
        module: String,
        /// The names of its exports.
        exported: Vec<String>,
    },
    /// The component exports several interfaces that can be its stages.
    #[error("module `{module}` does not say which interface has its stages: it exports {}", list(candidates))]
    AmbiguousStages {
        /// The name of the module.
        module: String,
        /// The names of the interfaces.
        candidates: Vec<String>,
    },
    /// The component has an import that the host does not have.
    #[error("module `{module}` imports `{import}`, which the host does not have")]
    UnknownImport {
        /// The name of the module.
        module: String,
        /// The name of the import.
        import: String,
    },
    /// The component imports another version of an interface than the host has.
    #[error("module `{module}` imports `{import}`, and the host has version {known}")]
    OtherVersion {
        /// The name of the module.
        module: String,
        /// The name of the import.
        import: String,
        /// The version that the host has.
        known: &'static str,
    },
    /// An import of the component has another type than the host has.
    #[error("module `{module}` imports something of another type than the host has: {reason}")]
    ImportType {
        /// The name of the module.
        module: String,
        /// The import, and the difference.
        reason: String,
    },
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

impl Diagnostic for LoadError {
    fn blame(&self) -> Blame {
        match self {
            Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => Blame::User,
            Self::Read { .. } => Blame::Environment,
            // No code of the component has run: the user gave the wrong file.
            _ => Blame::User,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Read { .. } => return None,
            Self::NotWasm { .. } => "give it the component, a `.wasm` file, that `host build` makes".to_owned(),
            Self::CoreModule { .. } => {
                "build for `wasm32-wasip2`, or make a component of it with `wasm-tools component new`".to_owned()
            }
            Self::Malformed { .. } => "build it again".to_owned(),
            Self::NoStages { .. } => {
                "export an interface named `stages` from the module's world: `export stages;`".to_owned()
            }
            Self::AmbiguousStages { .. } => "name one of them `stages`".to_owned(),
            Self::UnknownImport { import, .. } if import.starts_with(link::PACKAGE) => {
                format!("the interfaces of `{}` are {}", link::PACKAGE, link::INTERFACES.join(", "))
            }
            Self::UnknownImport { .. } => format!("it may import {} @0.1 and {}", link::PACKAGE, wasi::KNOWN),
            Self::OtherVersion { .. } | Self::ImportType { .. } => {
                "build the module against the WIT package of this version".to_owned()
            }
        })
    }
}

/// Loads the component in a file if it is compiled already. Compiles nothing, and reads none of the component.
pub(crate) fn load_compiled(shared: &Arc<Shared>, path: &Path) -> Option<Component> {
    let cache = shared.cache.as_ref()?;
    let digest = cache.find_digest(&FileStamp::of(path).ok()?)?;
    let compiled = cache.find(&shared.engine, &digest)?;
    link(shared, &path.display().to_string(), digest, &compiled).ok()
}

/// Loads the component in a file. A known component is not read.
pub(crate) fn load_file(shared: &Arc<Shared>, path: &Path) -> Result<Component, LoadError> {
    let module = path.file_stem().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned());
    let unreadable = |source| LoadError::Read { path: path.to_owned(), source };
    let Some(cache) = &shared.cache else {
        return load_bytes(shared, &module, &fs::read(path).map_err(unreadable)?);
    };
    // The stamp is taken before the contents are read. A change in between is then seen the next time.
    let stamp = FileStamp::of(path).map_err(unreadable)?;
    let known = cache.find_digest(&stamp);
    if let Some((digest, compiled)) = known.and_then(|digest| Some((digest, cache.find(&shared.engine, &digest)?))) {
        return link(shared, &module, digest, &compiled);
    }
    let component = load_bytes(shared, &module, &fs::read(path).map_err(unreadable)?)?;
    cache.put_digest(&stamp, &component.digest());
    Ok(component)
}

/// Loads a component from its bytes.
pub(crate) fn load_bytes(shared: &Arc<Shared>, module: &str, bytes: &[u8]) -> Result<Component, LoadError> {
    check_kind(module, bytes)?;
    let digest = ContentDigest::of(bytes);
    let compiled = compile(shared, module, &digest, bytes)?;
    link(shared, module, digest, &compiled)
}

/// Defines the imports of a component and finds its stages.
fn link(
    shared: &Arc<Shared>,
    module: &str,
    digest: ContentDigest,
    compiled: &Compiled,
) -> Result<Component, LoadError> {
    let ty = compiled.component_type();
    let mut linker = Linker::new(&shared.engine);
    let mut kinds = Kinds::default();
    let imports = define_imports(&mut linker, shared, module, &ty, &mut kinds)?;
    let mistyped =
        |error: wasmtime::Error| LoadError::ImportType { module: module.to_owned(), reason: format!("{error:#}") };
    let pre = linker.instantiate_pre(compiled).map_err(mistyped)?;
    let linked = linker.substituted_component_type(compiled).map_err(mistyped)?;
    let program = program::find(&shared.engine, compiled, &linked);
    let (interface, stages, obstacles) = match stage_interface(shared, module, &linked) {
        Ok((interface, instance)) => {
            define_own(shared, &interface, &instance, &mut kinds);
            let (stages, obstacles) = stages(shared, compiled, &kinds, &interface, &instance);
            (interface, stages, obstacles)
        }
        Err(LoadError::NoStages { .. }) if program.is_some() => (String::new(), Vec::new(), Vec::new()),
        Err(error) => return Err(error),
    };
    let dependencies = dependencies(shared, &kinds, &linked);
    let powers = imports.iter().filter_map(|import| power(import)).collect();
    let kinds = Arc::new(kinds);
    let facts = Facts { digest, interface, stages, obstacles, imports, dependencies, powers, kinds, program };
    Ok(Component::new(Arc::clone(shared), pre, facts))
}

/// Returns the imports from other modules, with their types.
fn dependencies(shared: &Shared, kinds: &Kinds, linked: &types::Component) -> Vec<DependencyImport> {
    let imports = linked.imports(&shared.engine).filter(|(name, _)| link::is_dependency(name));
    imports
        .filter_map(|(name, item)| {
            let ComponentItem::ComponentInstance(instance) = item.ty else { return None };
            let functions = instance.exports(&shared.engine).filter_map(|(name, item)| match item.ty {
                ComponentItem::ComponentFunc(ty) => Some((name.to_owned(), component::signature(kinds, name, &ty))),
                _ => None,
            });
            Some(DependencyImport { name: name.to_owned(), functions: functions.collect() })
        })
        .collect()
}

/// Notes the resources that the interface of stages defines itself.
fn define_own(shared: &Shared, interface: &str, instance: &ComponentInstance, kinds: &mut Kinds) {
    for (name, item) in instance.exports(&shared.engine) {
        if let ComponentItem::Resource(resource) = item.ty
            && kinds.find(resource).is_none()
        {
            kinds.define(resource, CustomType { interface: link::path(interface).to_owned(), name: name.to_owned() });
        }
    }
}

/// The first eight bytes tell a component from a core module.
/// Source: component-model, `Binary.md`, "Component Definitions".
fn check_kind(module: &str, bytes: &[u8]) -> Result<(), LoadError> {
    let module = module.to_owned();
    match bytes {
        [b'\0', b'a', b's', b'm', _, _, 1, 0, ..] => Ok(()),
        [b'\0', b'a', b's', b'm', _, _, 0, 0, ..] => Err(LoadError::CoreModule { module }),
        [b'\0', b'a', b's', b'm', ..] => {
            Err(LoadError::Malformed { module, reason: "its header is cut off".to_owned() })
        }
        _ => Err(LoadError::NotWasm { module }),
    }
}

fn compile(shared: &Shared, module: &str, digest: &ContentDigest, bytes: &[u8]) -> Result<Compiled, LoadError> {
    let engine = &shared.engine;
    if let Some(found) = shared.cache.as_ref().and_then(|cache| cache.find(engine, digest)) {
        return Ok(found);
    }
    let malformed = |error: wasmtime::Error| LoadError::Malformed {
        module: module.to_owned(),
        reason: format!("{:#}", error.root_cause()),
    };
    let compiled = Compiled::from_binary(engine, bytes).map_err(malformed)?;
    if let Some(cache) = &shared.cache
        && let Ok(serialized) = compiled.serialize()
    {
        cache.put(digest, &serialized);
    }
    Ok(compiled)
}

/// Defines the imports of the component and nothing else. Returns their names.
fn define_imports(
    linker: &mut Linker<State>,
    shared: &Shared,
    module: &str,
    ty: &types::Component,
    kinds: &mut Kinds,
) -> Result<Vec<String>, LoadError> {
    let mut names = Vec::new();
    let mut resources = Vec::new();
    for (name, item) in ty.imports(&shared.engine) {
        let unknown = || LoadError::UnknownImport { module: module.to_owned(), import: name.to_owned() };
        let other = |known| LoadError::OtherVersion { module: module.to_owned(), import: name.to_owned(), known };
        let mistyped = |error: wasmtime::Error| LoadError::ImportType {
            module: module.to_owned(),
            reason: format!("`{name}`: {error:#}"),
        };
        let ComponentItem::ComponentInstance(instance) = &item.ty else { return Err(unknown()) };
        let (path, version) = name.split_once('@').unwrap_or((name, ""));
        if let Some(interface) = path.strip_prefix(link::PACKAGE).and_then(|rest| rest.strip_prefix('/')) {
            if !link::INTERFACES.contains(&interface) {
                return Err(unknown());
            }
            if !version.starts_with("0.1.") {
                return Err(other("0.1"));
            }
            let mut target = linker.instance(name).map_err(mistyped)?;
            link::define(&mut target, &shared.engine, interface, instance, &mut resources).map_err(mistyped)?;
        } else if link::is_dependency(name) {
            let mut target = linker.instance(name).map_err(mistyped)?;
            link::define_dependency(&mut target, &shared.engine, name, instance, kinds, &mut resources)
                .map_err(mistyped)?;
        } else {
            if path.starts_with("wasi:") && !version.starts_with("0.2.") {
                return Err(other("0.2"));
            }
            wasi::define(linker, path).ok_or_else(unknown)?.map_err(mistyped)?;
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

fn power(import: &str) -> Option<Power> {
    let interface = import.strip_prefix(link::PACKAGE)?.strip_prefix('/')?;
    interface.split('@').next()?.parse().ok()
}

/// Finds the interface whose functions are the stages.
fn stage_interface(
    shared: &Shared,
    module: &str,
    ty: &types::Component,
) -> Result<(String, ComponentInstance), LoadError> {
    let exported: Vec<_> = ty.exports(&shared.engine).collect();
    let instance = |wanted: &str| {
        exported.iter().find_map(|(name, item)| match &item.ty {
            ComponentItem::ComponentInstance(instance) if *name == wanted => Some(instance),
            _ => None,
        })
    };
    let interfaces = exported.iter().map(|(name, _)| *name).filter(|name| instance(name).is_some());
    let found = api::stage_interface(interfaces, |name| instance(name).is_some_and(|it| can_be_stages(shared, it)));
    let module = module.to_owned();
    match found.map(|name| (name, instance(name))) {
        Ok((name, Some(instance))) => Ok((name.to_owned(), instance.clone())),
        Err(NoStages::Ambiguous { candidates }) => Err(LoadError::AmbiguousStages { module, candidates }),
        Ok((_, None)) | Err(NoStages::Missing) => {
            Err(LoadError::NoStages { module, exported: exported.iter().map(|(name, _)| (*name).to_owned()).collect() })
        }
    }
}

/// Returns whether an interface has functions, and all of them can be stages.
fn can_be_stages(shared: &Shared, instance: &ComponentInstance) -> bool {
    let functions = instance.exports(&shared.engine).filter_map(|(name, item)| match item.ty {
        ComponentItem::ComponentFunc(ty) => Some((name, ty)),
        _ => None,
    });
    let mut functions = functions.peekable();
    functions.peek().is_some()
        && functions.all(|(name, ty)| {
            !ty.async_() && api::can_be_stage(name, &component::signature(&Kinds::default(), name, &ty))
        })
}

/// Sorts the functions of the interface into those that can be called, and the others with the reasons.
fn stages(
    shared: &Shared,
    compiled: &Compiled,
    kinds: &Kinds,
    interface: &str,
    instance: &ComponentInstance,
) -> (Vec<Stage>, Vec<(String, String)>) {
    let mut stages = Vec::new();
    let mut obstacles = Vec::new();
    let Some(parent) = compiled.get_export_index(None, interface) else { return (stages, obstacles) };
    for (name, item) in instance.exports(&shared.engine) {
        let ComponentItem::ComponentFunc(ty) = item.ty else { continue };
        let index: Option<ComponentExportIndex> = compiled.get_export_index(Some(&parent), name);
        match (obstacle(kinds, name, &ty), index) {
            (Some(reason), _) => obstacles.push((name.to_owned(), reason)),
            (None, Some(index)) => stages.push(Stage::new(kinds, name, ty, index)),
            (None, None) => {}
        }
    }
    (stages, obstacles)
}

/// Returns the reason why a function of the interface cannot be called, if there is one.
fn obstacle(kinds: &Kinds, name: &str, ty: &types::ComponentFunc) -> Option<String> {
    if ty.async_() {
        return Some("it is an async function".to_owned());
    }
    api::obstacle(&component::signature(kinds, name, ty))
}
