//! The functions that stages can call, and the rules by which types fit together.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use api::{CustomType, ObjectType, Signature, Type, Value};

/// The functions that a pipeline is made of.
#[derive(Debug, Clone, Default)]
pub struct Library {
    /// The functions of the module itself; none if it has no code.
    pub own: Option<ModuleTypes>,
    /// The functions of its dependencies, by alias.
    pub dependencies: BTreeMap<String, ModuleTypes>,
}

/// The types of a module's exports.
#[derive(Debug, Clone, Default)]
pub struct ModuleTypes {
    /// The functions of the module.
    pub stages: Vec<Signature>,
    /// The types of custom objects of the module.
    pub objects: Vec<ObjectType>,
}

/// Makes values from the literals of a manifest: from paths, names of secrets, names of images, and JSON.
pub trait Literals {
    /// Makes a value of a type.
    ///
    /// # Errors
    /// Fails if the literal is not of the type. The error is a message for people.
    fn value(&mut self, ty: &Type, literal: &serde_json::Value, context: &LiteralContext<'_>) -> Result<Value, String>;
}

/// The parameter that a literal is for.
#[derive(Debug, Clone, Copy)]
pub struct LiteralContext<'a> {
    /// The name of the stage.
    pub stage: &'a str,
    /// The name of the parameter.
    pub param: &'a str,
    /// Patterns of entries that are left out of a directory.
    pub exclude: &'a [String],
    /// The directory that paths are relative to; that of the manifest if there is none.
    pub base: Option<&'a Path>,
}

/// Returns the type that a function with this result makes if it succeeds: the `ok` of a `result`, or the result
/// itself.
#[must_use]
pub fn made_by(result: Option<&Type>) -> Option<&Type> {
    match result {
        Some(Type::Result(ok, _)) => ok.as_deref(),
        other => other,
    }
}

/// Returns the value of a parameter without a source; none if the type needs a value.
#[must_use]
pub fn omitted(ty: &Type) -> Option<Value> {
    match ty {
        Type::Option(_) => Some(Value::Option(None)),
        Type::Bool => Some(Value::Bool(false)),
        _ => None,
    }
}

/// Returns whether the value that a function with this result makes can be the value of a parameter.
pub(crate) fn fits(result: Option<&Type>, param: &Type) -> bool {
    let is_taken = |made: Option<&Type>| match (made, param) {
        (Some(made), _) if made == param => true,
        (Some(made), Type::Option(item)) => *made == **item,
        _ => false,
    };
    is_taken(made_by(result)) || is_taken(result)
}

/// Returns whether a type is a directory, or is made of directories.
pub(crate) fn takes_directories(ty: &Type) -> bool {
    match ty {
        Type::Object(name) => name == "directory",
        Type::Option(item) | Type::List(item) => takes_directories(item),
        _ => false,
    }
}

/// Returns the custom objects of all modules by their types.
pub(crate) fn objects_by_type(library: &Library) -> HashMap<&CustomType, &ObjectType> {
    let modules = library.own.iter().chain(library.dependencies.values());
    modules.flat_map(|module| &module.objects).filter_map(|object| Some((type_of(object)?, object))).collect()
}

/// Returns the type of an object, which is the first parameter of its methods. Returns none if it has no methods.
fn type_of(object: &ObjectType) -> Option<&CustomType> {
    object.methods.iter().find_map(|method| match method.params.first() {
        Some((_, Type::Custom(custom))) => Some(custom),
        _ => None,
    })
}
