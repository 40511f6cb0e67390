//! What stages can be made of, and how types fit together.

use std::collections::{BTreeMap, HashMap};

use api::{CustomType, ObjectType, Signature, Type, Value};

/// The functions that a pipeline is made of.
#[derive(Debug, Clone, Default)]
pub struct Library {
    /// The module's own; none if it has no code.
    pub own: Option<ModuleTypes>,
    /// Those of its dependencies, by alias.
    pub dependencies: BTreeMap<String, ModuleTypes>,
}

/// What a module exports.
#[derive(Debug, Clone, Default)]
pub struct ModuleTypes {
    /// Its functions.
    pub stages: Vec<Signature>,
    /// Its custom objects.
    pub objects: Vec<ObjectType>,
}

/// Makes values of what a manifest says: of paths, names of secrets, images and JSON.
pub trait Literals {
    /// Makes a value of a type.
    ///
    /// # Errors
    /// If the literal cannot be one; the text says why.
    fn value(&mut self, ty: &Type, literal: &serde_json::Value, context: &LiteralContext<'_>) -> Result<Value, String>;
}

/// What a literal is for.
#[derive(Debug, Clone, Copy)]
pub struct LiteralContext<'a> {
    /// The stage that takes it.
    pub stage: &'a str,
    /// The parameter of the stage.
    pub param: &'a str,
    /// Patterns of what is left out of a directory.
    pub exclude: &'a [String],
}

/// Returns what a function with this result makes when it does not fail: the `ok` of a `result`,
/// or the result as it is.
#[must_use]
pub fn made_by(result: Option<&Type>) -> Option<&Type> {
    match result {
        Some(Type::Result(ok, _)) => ok.as_deref(),
        other => other,
    }
}

/// Returns the value of a parameter that nothing is given for; none if the type requires one.
#[must_use]
pub fn omitted(ty: &Type) -> Option<Value> {
    match ty {
        Type::Option(_) => Some(Value::Option(None)),
        Type::Bool => Some(Value::Bool(false)),
        _ => None,
    }
}

/// Returns whether what a function with this result makes can be the value of a parameter.
pub(crate) fn fits(result: Option<&Type>, param: &Type) -> bool {
    let is_taken = |made: Option<&Type>| match (made, param) {
        (Some(made), _) if made == param => true,
        (Some(made), Type::Option(item)) => *made == **item,
        _ => false,
    };
    is_taken(made_by(result)) || is_taken(result)
}

/// Returns whether it is a directory, or made of directories.
pub(crate) fn takes_directories(ty: &Type) -> bool {
    match ty {
        Type::Object(name) => name == "directory",
        Type::Option(item) | Type::List(item) => takes_directories(item),
        _ => false,
    }
}

/// Returns the custom objects of all modules, by their type.
pub(crate) fn objects_by_type(library: &Library) -> HashMap<&CustomType, &ObjectType> {
    let modules = library.own.iter().chain(library.dependencies.values());
    modules.flat_map(|module| &module.objects).filter_map(|object| Some((type_of(object)?, object))).collect()
}

/// Returns the type of an object: methods take it first. None if it has no methods.
fn type_of(object: &ObjectType) -> Option<&CustomType> {
    object.methods.iter().find_map(|method| match method.params.first() {
        Some((_, Type::Custom(custom))) => Some(custom),
        _ => None,
    })
}
