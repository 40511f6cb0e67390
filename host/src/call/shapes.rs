//! Questions about types: what the command line can write, and how it is told.

use api::Type;

/// The resources that are options: their methods become flags.
const OPTIONS: &[&str] =
    &["exec-options", "mount-options", "build-options", "copy-options", "new-options", "search-options"];

/// What the command line can make; the others can only come from stages and methods.
const MAKEABLE: &[&str] = &["container", "directory", "file", "secret", "cache-volume"];

/// Returns what to type for a value.
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

/// Returns what a flag takes, in an error.
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

/// Returns why a flag of this type cannot be given.
pub(super) fn cannot_make_type(name: &str) -> String {
    format!("a {name} cannot be given on the command line, which takes scalars, JSON, {}", MAKEABLE.join(", "))
}

/// Returns whether the command line can make a value of it.
pub(super) fn can_make(ty: &Type) -> bool {
    match ty {
        Type::Object(name) => MAKEABLE.contains(&name.as_str()),
        Type::Custom(_) | Type::Other(_) => false,
        Type::Option(item) | Type::List(item) => can_make(item),
        _ => true,
    }
}

/// Returns whether one value of it is written as JSON or WAVE.
pub(super) fn is_structure(ty: &Type) -> bool {
    match ty {
        Type::Record(_) | Type::Tuple(_) | Type::Variant(_) | Type::Result(..) => true,
        Type::List(_) => true,
        Type::Option(item) => is_structure(item),
        _ => false,
    }
}

/// Returns whether directories are what it is made of.
pub(super) fn is_directory(ty: &Type) -> bool {
    match ty {
        Type::Object(name) => name == "directory",
        Type::Option(item) | Type::List(item) => is_directory(item),
        _ => false,
    }
}

/// Returns the resource of options that it is.
pub(super) fn options_of(ty: &Type) -> Option<&str> {
    match ty {
        Type::Object(name) if OPTIONS.contains(&name.as_str()) => Some(name),
        _ => None,
    }
}
