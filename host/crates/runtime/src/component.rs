//! Components whose imports are linked.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::{CustomType, ObjectType, Signature, Value};
use graph::ContentDigest;
use wasmtime::component::types::ComponentFunc;
use wasmtime::component::{ComponentExportIndex, InstancePre, Type, Val};

use crate::kinds::Kinds;
use crate::power::Power;
use crate::shared::Shared;
use crate::state::State;
use crate::types::{has_object, has_own, type_of};
use crate::values::lift_plain;

/// A loaded component: the code of a module. It is cheap to clone.
#[derive(Clone)]
pub struct Component {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) shared: Arc<Shared>,
    pub(crate) pre: InstancePre<State>,
    pub(crate) facts: Facts,
    signatures: Vec<Signature>,
    objects: Vec<ObjectType>,
}

/// A function that can be called: a stage, or a function of a type of custom objects.
pub(crate) struct Stage {
    /// The full name, as in `check`, `[constructor]linter` or `[method]linter.check`.
    name: String,
    pub(crate) ty: ComponentFunc,
    pub(crate) index: ComponentExportIndex,
    /// Whether it takes or returns objects of its own module.
    pub(crate) has_own: bool,
    signature: Signature,
}

impl Stage {
    pub(crate) fn new(kinds: &Kinds, name: &str, ty: ComponentFunc, index: ComponentExportIndex) -> Self {
        let has_own = ty.params().map(|(_, ty)| ty).chain(ty.results()).any(|ty| has_own(kinds, &ty));
        let signature = signature(kinds, name, &ty);
        Self { name: name.to_owned(), ty, index, has_own, signature }
    }
}

/// Returns the signature of a function. The name of a method is the bare name.
pub(crate) fn signature(kinds: &Kinds, name: &str, ty: &ComponentFunc) -> Signature {
    let bare = name.rsplit_once(['.', ']']).map_or(name, |(_, bare)| bare);
    Signature {
        name: bare.to_owned(),
        params: ty.params().map(|(name, ty)| (name.to_owned(), type_of(kinds, &ty))).collect(),
        result: ty.results().next().map(|ty| type_of(kinds, &ty)),
    }
}

/// Sorts functions by the types of custom objects that they belong to.
pub(crate) fn object_types<'a>(
    types: impl Iterator<Item = &'a CustomType>,
    functions: &[(String, Signature)],
) -> Vec<ObjectType> {
    let of = |kind: &str, ty: &str| -> Vec<Signature> {
        let is_of = |name: &str| match name.strip_prefix(kind) {
            Some(rest) => rest == ty || rest.strip_prefix(ty).is_some_and(|rest| rest.starts_with('.')),
            None => false,
        };
        functions.iter().filter(|(name, _)| is_of(name)).map(|(_, signature)| signature.clone()).collect()
    };
    types
        .map(|ty| ObjectType {
            name: ty.name.clone(),
            constructor: of("[constructor]", &ty.name).pop(),
            methods: of("[method]", &ty.name),
            statics: of("[static]", &ty.name),
        })
        .collect()
}

/// The facts about a component that [`Component::new`] needs.
pub(crate) struct Facts {
    pub(crate) digest: ContentDigest,
    /// The name without its version; empty for a program.
    pub(crate) interface: String,
    pub(crate) stages: Vec<Stage>,
    /// The functions of the interface that cannot be called, with the reasons.
    pub(crate) obstacles: Vec<(String, String)>,
    pub(crate) imports: Vec<String>,
    pub(crate) dependencies: Vec<DependencyImport>,
    pub(crate) powers: BTreeSet<Power>,
    pub(crate) kinds: Arc<Kinds>,
    /// The function `run` of the interface `wasi:cli/run`.
    pub(crate) program: Option<ComponentExportIndex>,
}

/// An interface that a component imports from another module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DependencyImport {
    /// The name of the import, as in `local:lint/stages@0.1.0`.
    pub name: String,
    /// The functions by their full names, as in `check` or `[method]linter.check`.
    pub functions: Vec<(String, Signature)>,
}

impl Component {
    pub(crate) fn new(shared: Arc<Shared>, pre: InstancePre<State>, facts: Facts) -> Self {
        let is_stage = |stage: &&Stage| !stage.name.starts_with('[');
        let signatures = facts.stages.iter().filter(is_stage).map(|stage| stage.signature.clone()).collect();
        let functions: Vec<_> =
            facts.stages.iter().map(|stage| (stage.name.clone(), stage.signature.clone())).collect();
        let objects = object_types(facts.kinds.own(), &functions);
        Self { inner: Arc::new(Inner { shared, pre, facts, signatures, objects }) }
    }

    /// Returns the digest of the component's bytes.
    #[must_use]
    pub fn digest(&self) -> ContentDigest {
        self.inner.facts.digest
    }

    /// Returns the name of the interface that has the stages, as in `local:demo/stages@0.1.0`. It is empty for a
    /// program without stages.
    #[must_use]
    pub fn interface(&self) -> &str {
        &self.inner.facts.interface
    }

    /// Returns the stages in the order of the interface.
    #[must_use]
    pub fn stages(&self) -> &[Signature] {
        &self.inner.signatures
    }

    /// Returns the signature of a function by its full name, as in `check` or `[method]linter.check`.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<&Signature> {
        self.stage(name).map(|stage| &stage.signature)
    }

    /// Returns whether a function is called in the instance that the module's custom objects live in. Such calls are
    /// made one after the other.
    #[must_use]
    pub fn is_called_alone(&self, name: &str) -> bool {
        self.stage(name).is_some_and(|stage| stage.has_own)
    }

    /// Returns the types of custom objects that the component defines.
    #[must_use]
    pub fn objects(&self) -> &[ObjectType] {
        &self.inner.objects
    }

    /// Returns whether the component can be run as a program.
    #[must_use]
    pub fn is_program(&self) -> bool {
        self.inner.facts.program.is_some()
    }

    /// Returns the names of all imports, as in `pipeline:api/container@0.1.0`.
    #[must_use]
    pub fn imports(&self) -> &[String] {
        &self.inner.facts.imports
    }

    /// Returns the imports from other modules.
    #[must_use]
    pub fn dependencies(&self) -> &[DependencyImport] {
        &self.inner.facts.dependencies
    }

    /// Returns whether an import of another component means the stages of this one.
    ///
    /// The versions must be compatible in the sense of Cargo: their first number that is not zero is the same.
    #[must_use]
    pub fn is_named(&self, import: &str) -> bool {
        let split = |name: &str| -> (String, String) {
            let (path, version) = name.split_once('@').unwrap_or((name, ""));
            (path.to_owned(), version.to_owned())
        };
        let (path, version) = split(import);
        let (own_path, own_version) = split(self.interface());
        path == own_path && compatible(&version) == compatible(&own_version)
    }

    /// Checks that this component has all functions that another one imports of it, with the same types.
    ///
    /// # Errors
    /// Fails with a sentence about the first function that is missing or differs.
    pub fn provides(&self, import: &DependencyImport) -> Result<(), String> {
        for (name, wanted) in &import.functions {
            let shown = name.rsplit_once(']').map_or(name.as_str(), |(_, name)| name);
            let Some(found) = self.stage(name) else { return Err(format!("it has no `{shown}`")) };
            let types = |signature: &Signature| -> Vec<api::Type> {
                signature.params.iter().map(|(_, ty)| ty.clone()).chain(signature.result.clone()).collect()
            };
            if types(&found.signature) != types(wanted) || found.signature.params.len() != wanted.params.len() {
                return Err(format!("its `{shown}` is {}, not {}", of_types(&found.signature), of_types(wanted)));
            }
        }
        Ok(())
    }

    /// Returns the powers that the component asks for.
    #[must_use]
    pub fn powers(&self) -> BTreeSet<Power> {
        self.inner.facts.powers.clone()
    }

    /// Makes the value of a parameter from text in WAVE, as in `{name: "x", tags: [a, b]}`.
    ///
    /// # Errors
    /// Fails if there is no such parameter, if its type contains an object, or if the text is not of that type.
    pub fn parse_wave(&self, function: &str, param: usize, text: &str) -> Result<Value, String> {
        let stage = self.stage(function).ok_or_else(|| format!("there is no stage `{function}`"))?;
        let (name, ty): (&str, Type) =
            stage.ty.params().nth(param).ok_or_else(|| format!("stage `{function}` has no parameter {param}"))?;
        let kinds = &self.inner.facts.kinds;
        let known = type_of(kinds, &ty);
        if has_object(&known) {
            return Err(format!("`{name}` is a {known}, which cannot be written as text"));
        }
        let val = Val::from_wave(&ty, text).map_err(|error| format!("{error:#}"))?;
        lift_plain(kinds, &ty, &val).ok_or_else(|| format!("`{name}` cannot be written as text"))
    }

    pub(crate) fn stage(&self, name: &str) -> Option<&Stage> {
        self.inner.stage(name)
    }
}

fn of_types(signature: &Signature) -> String {
    let params: Vec<String> = signature.params.iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
    let result = signature.result.as_ref().map_or(String::new(), |ty| format!(" -> {ty}"));
    format!("`func({}){result}`", params.join(", "))
}

/// Returns the part of a version that compatible versions have in common.
fn compatible(version: &str) -> &str {
    let mut end = 0;
    for part in version.split('.') {
        end += part.len() + 1;
        if part != "0" {
            break;
        }
    }
    version.get(..end.saturating_sub(1)).unwrap_or(version)
}

impl Inner {
    pub(crate) fn stage(&self, name: &str) -> Option<&Stage> {
        self.facts.stages.iter().find(|stage| stage.name == name)
    }

    pub(crate) fn obstacle(&self, name: &str) -> Option<&str> {
        self.facts.obstacles.iter().find(|(other, _)| other == name).map(|(_, reason)| reason.as_str())
    }

    pub(crate) fn stage_names(&self) -> Vec<String> {
        self.signatures.iter().map(|signature| signature.name.clone()).collect()
    }

    /// Returns the powers that the component asks for and is not granted.
    pub(crate) fn missing_powers(&self, granted: &BTreeSet<Power>) -> Vec<Power> {
        self.facts.powers.difference(granted).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compatible_as_cargo_has_it() {
        for (version, expect) in [("1.2.3", "1"), ("0.1.7", "0.1"), ("0.0.3", "0.0.3"), ("", "")] {
            assert_eq!(compatible(version), expect);
        }
    }
}
