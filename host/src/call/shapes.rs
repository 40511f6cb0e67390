//! Questions about types: which values the command line can write, and how types are shown.

use api::{CustomType, ObjectType, Signature, Type};
use pipeline::Library;

/// The resources for options. Their methods become flags.
const OPTIONS: &[&str] =
    &["exec-options", "mount-options", "build-options", "copy-options", "new-options", "search-options"];

/// The objects that the command line can make. Other objects come from stages and methods.
const MAKEABLE: &[&str] = &["container", "directory", "file", "secret", "cache-volume"];

/// Returns the placeholder of a value in usage and help.
pub(super) fn type_placeholder(ty: &Type) -> String {
    match ty {
        Type::Bool => "true|false".to_owned(),
        Type::String => "TEXT".to_owned(),
        Type::Char => "CHARACTER".to_owned(),
        Type::List(item) if **item == Type::U8 => "TEXT".to_owned(),
        Type::Option(item) => type_placeholder(item),
        Type::List(item) => format!("{},...", type_placeholder(item)),
        Type::Enum(cases) => cases.join("|"),
        Type::Flags(names) => names.join(","),
        Type::Record(_) | Type::Tuple(_) | Type::Variant(_) | Type::Result(..) => "JSON".to_owned(),
        Type::Object(name) if name == "secret" => "env:NAME".to_owned(),
        Type::Object(name) if name == "cache-volume" => "KEY".to_owned(),
        Type::Object(name) if name == "container" => "IMAGE".to_owned(),
        Type::Object(name) | Type::Other(name) => name.to_uppercase(),
        Type::Custom(custom) => custom.name.to_uppercase(),
        _ => "NUMBER".to_owned(),
    }
}

/// Describes the values of a type in an error.
pub(super) fn described(ty: &Type) -> String {
    match ty {
        Type::Bool => "true or false".to_owned(),
        Type::Char => "a single character".to_owned(),
        Type::F32 | Type::F64 => format!("a number ({ty})"),
        Type::S8 | Type::U8 | Type::S16 | Type::U16 | Type::S32 | Type::U32 | Type::S64 | Type::U64 => {
            format!("a whole number ({ty})")
        }
        ty => ty.to_string(),
    }
}

/// Returns the hint for a type that the command line cannot make.
pub(super) fn cannot_make_type(name: &str) -> String {
    format!("a {name} cannot be given on the command line, which takes scalars, JSON, {}", MAKEABLE.join(", "))
}

/// Returns whether the command line can make a value of a type.
pub(super) fn can_make(ty: &Type) -> bool {
    match ty {
        Type::Object(name) => MAKEABLE.contains(&name.as_str()),
        Type::Custom(_) | Type::Other(_) => false,
        Type::Option(item) | Type::List(item) => can_make(item),
        _ => true,
    }
}

/// Returns whether a value of a type is written as JSON or WAVE.
pub(super) fn is_structure(ty: &Type) -> bool {
    match ty {
        Type::Record(_) | Type::Tuple(_) | Type::Variant(_) | Type::Result(..) => true,
        Type::List(_) => true,
        Type::Option(item) => is_structure(item),
        _ => false,
    }
}

/// Returns whether a type is a directory, or an option or list of them.
pub(super) fn is_directory(ty: &Type) -> bool {
    match ty {
        Type::Object(name) => name == "directory",
        Type::Option(item) | Type::List(item) => is_directory(item),
        _ => false,
    }
}

/// Returns the name of a resource for options; none if the type is something else.
pub(super) fn options_of(ty: &Type) -> Option<&str> {
    match ty {
        Type::Object(name) if OPTIONS.contains(&name.as_str()) => Some(name),
        _ => None,
    }
}

/// Returns whether a value of it is written as a path of this machine.
pub(super) fn is_path(ty: &Type) -> bool {
    match ty {
        Type::Object(name) => name == "directory" || name == "file",
        Type::Option(item) | Type::List(item) => is_path(item),
        _ => false,
    }
}

/// Returns a type as text, without the fields and cases that help shows elsewhere.
pub(super) fn short(ty: &Type) -> String {
    match ty {
        Type::Option(item) => format!("option<{}>", short(item)),
        Type::List(item) => format!("list<{}>", short(item)),
        Type::Record(_) => "record".to_owned(),
        Type::Variant(_) => "variant".to_owned(),
        Type::Enum(_) => "enum".to_owned(),
        Type::Flags(_) => "flags".to_owned(),
        ty => ty.to_string(),
    }
}

/// Returns the type of the value inside `result<T, E>` and `option<T>`.
pub(crate) fn unwrapped(ty: Option<&Type>) -> Option<&Type> {
    match ty {
        Some(Type::Result(ok, _)) => unwrapped(ok.as_deref()),
        Some(Type::Option(item)) => unwrapped(Some(item)),
        other => other,
    }
}

/// Finds the methods of a type of custom objects in a library.
pub(super) fn object_type<'a>(library: &'a Library, ty: &CustomType) -> Option<&'a ObjectType> {
    let takes = |method: &Signature| matches!(method.params.first(), Some((_, Type::Custom(this))) if this == ty);
    let modules = library.own.iter().chain(library.dependencies.values());
    modules.flat_map(|module| &module.objects).find(|object| object.name == ty.name && object.methods.iter().any(takes))
}
