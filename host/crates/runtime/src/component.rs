//! A component whose imports are linked.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::{Signature, Value};
use graph::ContentDigest;
use wasmtime::component::types::ComponentFunc;
use wasmtime::component::{ComponentExportIndex, InstancePre, Type, Val};

use crate::call::{self, Call, CallError};
use crate::power::Power;
use crate::runtime::Shared;
use crate::state::State;
use crate::types::{has_object, type_of};
use crate::values::lift_plain;

/// A loaded component: a module's code. Cheap to clone.
#[derive(Clone)]
pub struct Component {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) shared: Arc<Shared>,
    pub(crate) pre: InstancePre<State>,
    pub(crate) digest: ContentDigest,
    interface: String,
    signatures: Vec<Signature>,
    stages: Vec<Stage>,
    /// Functions of the interface that are no stages, and why.
    obstacles: Vec<(String, String)>,
    imports: Vec<String>,
    powers: BTreeSet<Power>,
}

/// A function that can be called.
pub(crate) struct Stage {
    name: String,
    pub(crate) ty: ComponentFunc,
    pub(crate) index: ComponentExportIndex,
}

impl Stage {
    pub(crate) fn new(name: &str, ty: ComponentFunc, index: ComponentExportIndex) -> Self {
        Self { name: name.to_owned(), ty, index }
    }

    fn signature(&self) -> Signature {
        Signature {
            name: self.name.clone(),
            params: self.ty.params().map(|(name, ty)| (name.to_owned(), type_of(&ty))).collect(),
            result: self.ty.results().next().map(|ty| type_of(&ty)),
        }
    }
}

/// What [`Component::new`] takes besides the engine's view of it.
pub(crate) struct Facts {
    pub(crate) digest: ContentDigest,
    pub(crate) interface: String,
    pub(crate) stages: Vec<Stage>,
    pub(crate) obstacles: Vec<(String, String)>,
    pub(crate) imports: Vec<String>,
    pub(crate) powers: BTreeSet<Power>,
}

impl Component {
    pub(crate) fn new(shared: Arc<Shared>, pre: InstancePre<State>, facts: Facts) -> Self {
        let Facts { digest, interface, stages, obstacles, imports, powers } = facts;
        let signatures = stages.iter().map(Stage::signature).collect();
        let inner = Inner { shared, pre, digest, interface, signatures, stages, obstacles, imports, powers };
        Self { inner: Arc::new(inner) }
    }

    /// Returns the digest of the component's bytes.
    #[must_use]
    pub fn digest(&self) -> ContentDigest {
        self.inner.digest
    }

    /// Returns the name of the interface that has the stages, as in `local:demo/stages@0.1.0`.
    #[must_use]
    pub fn interface(&self) -> &str {
        &self.inner.interface
    }

    /// Returns the stages in the order of the interface.
    #[must_use]
    pub fn stages(&self) -> &[Signature] {
        &self.inner.signatures
    }

    /// Returns the names of all that it imports, as in `pipeline:api/container@0.1.0`.
    #[must_use]
    pub fn imports(&self) -> &[String] {
        &self.inner.imports
    }

    /// Returns the powers that it asks for.
    #[must_use]
    pub fn powers(&self) -> BTreeSet<Power> {
        self.inner.powers.clone()
    }

    /// Makes the value of a parameter from its text in WAVE, as in `{name: "x", tags: [a, b]}`.
    ///
    /// # Errors
    /// If there is no such parameter, if an object is in its type, or if the text is not of it.
    pub fn parse_wave(&self, function: &str, param: usize, text: &str) -> Result<Value, String> {
        let stage = self.stage(function).ok_or_else(|| format!("there is no stage `{function}`"))?;
        let (name, ty): (&str, Type) =
            stage.ty.params().nth(param).ok_or_else(|| format!("stage `{function}` has no parameter {param}"))?;
        if has_object(&type_of(&ty)) {
            return Err(format!("`{name}` is a {}, which cannot be written as text", type_of(&ty)));
        }
        let val = Val::from_wave(&ty, text).map_err(|error| format!("{error:#}"))?;
        lift_plain(&ty, &val).ok_or_else(|| format!("`{name}` cannot be written as text"))
    }

    /// Calls a stage, in an instance of its own.
    ///
    /// A stage that returns an error has returned: the answer is a [`Value::Result`].
    ///
    /// # Errors
    /// If the stage is not there or not granted what it needs, if an argument is not of its type,
    /// and if the stage traps.
    ///
    /// # Cancel safety
    /// Dropping the future stops the stage and frees all that it has.
    pub async fn call(&self, call: Call) -> Result<Value, CallError> {
        call::call(&self.inner, call).await
    }

    pub(crate) fn stage(&self, name: &str) -> Option<&Stage> {
        self.inner.stage(name)
    }
}

impl Inner {
    pub(crate) fn stage(&self, name: &str) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.name == name)
    }

    pub(crate) fn obstacle(&self, name: &str) -> Option<&str> {
        self.obstacles.iter().find(|(other, _)| other == name).map(|(_, reason)| reason.as_str())
    }

    pub(crate) fn stage_names(&self) -> Vec<String> {
        self.stages.iter().map(|stage| stage.name.clone()).collect()
    }

    /// Returns the powers that it asks for and is not granted.
    pub(crate) fn missing_powers(&self, granted: &BTreeSet<Power>) -> Vec<Power> {
        self.powers.difference(granted).copied().collect()
    }
}
