//! Types of parameters and results, as far as callers need them.

use std::fmt;

/// A WIT type, independent of any component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// `bool`
    Bool,
    /// `s8`
    S8,
    /// `u8`
    U8,
    /// `s16`
    S16,
    /// `u16`
    U16,
    /// `s32`
    S32,
    /// `u32`
    U32,
    /// `s64`
    S64,
    /// `u64`
    U64,
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `char`
    Char,
    /// `string`
    String,
    /// `list<T>`
    List(Box<Self>),
    /// `record`: fields in order
    Record(Vec<(String, Self)>),
    /// `tuple<...>`
    Tuple(Vec<Self>),
    /// `variant`
    Variant(Vec<(String, Option<Self>)>),
    /// `enum`
    Enum(Vec<String>),
    /// `flags`
    Flags(Vec<String>),
    /// `option<T>`
    Option(Box<Self>),
    /// `result<T, E>`
    Result(Option<Box<Self>>, Option<Box<Self>>),
    /// A resource of the package `pipeline:api`, by its name, owned or borrowed.
    Object(String),
    /// A custom object: a resource that a module defines.
    Custom(CustomType),
    /// A type that no caller can make or show: a resource of nobody, a future, a stream.
    Other(String),
}

/// The type of custom objects.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomType {
    /// The interface that defines it, as in `local:lint/stages@0.1.0`.
    pub interface: String,
    /// Its name there, as in `linter`.
    pub name: String,
}

/// What a module says of a type of custom objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectType {
    /// Its name, as in `linter`.
    pub name: String,
    /// What makes one; its name is that of the type.
    pub constructor: Option<Signature>,
    /// In the order of the interface; the first parameter of each is the object.
    pub methods: Vec<Signature>,
    /// Functions that belong to the type and take no object of it.
    pub statics: Vec<Signature>,
}

/// The signature of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The function's name, as in `build-all`.
    pub name: String,
    /// Names and types in order. A method's begin with its object.
    pub params: Vec<(String, Type)>,
    /// None for a function without a result.
    pub result: Option<Type>,
}

impl Type {
    /// Returns the first of this type and the types in it, from the outside in, for which `is_it` says yes.
    pub fn find(&self, is_it: &dyn Fn(&Self) -> bool) -> Option<&Self> {
        if is_it(self) {
            return Some(self);
        }
        match self {
            Self::List(item) | Self::Option(item) => item.find(is_it),
            Self::Record(fields) => fields.iter().find_map(|(_, ty)| ty.find(is_it)),
            Self::Tuple(items) => items.iter().find_map(|ty| ty.find(is_it)),
            Self::Variant(cases) => cases.iter().find_map(|(_, ty)| ty.as_ref()?.find(is_it)),
            Self::Result(ok, err) => [ok, err].into_iter().find_map(|ty| ty.as_ref()?.find(is_it)),
            _ => None,
        }
    }
}

impl fmt::Display for Type {
    /// Writes the type as WIT does; records, variants and enums by their structure.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |items: &[Self]| items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match self {
            Self::Bool => f.write_str("bool"),
            Self::S8 => f.write_str("s8"),
            Self::U8 => f.write_str("u8"),
            Self::S16 => f.write_str("s16"),
            Self::U16 => f.write_str("u16"),
            Self::S32 => f.write_str("s32"),
            Self::U32 => f.write_str("u32"),
            Self::S64 => f.write_str("s64"),
            Self::U64 => f.write_str("u64"),
            Self::F32 => f.write_str("f32"),
            Self::F64 => f.write_str("f64"),
            Self::Char => f.write_str("char"),
            Self::String => f.write_str("string"),
            Self::List(item) => write!(f, "list<{item}>"),
            Self::Record(fields) => {
                let fields: Vec<_> = fields.iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
                write!(f, "record {{ {} }}", fields.join(", "))
            }
            Self::Tuple(items) => write!(f, "tuple<{}>", join(items)),
            Self::Variant(cases) => {
                let case = |(name, ty): &(String, Option<Self>)| match ty {
                    Some(ty) => format!("{name}({ty})"),
                    None => name.clone(),
                };
                write!(f, "variant {{ {} }}", cases.iter().map(case).collect::<Vec<_>>().join(", "))
            }
            Self::Enum(cases) => write!(f, "enum {{ {} }}", cases.join(", ")),
            Self::Flags(names) => write!(f, "flags {{ {} }}", names.join(", ")),
            Self::Option(item) => write!(f, "option<{item}>"),
            Self::Result(None, None) => f.write_str("result"),
            Self::Result(Some(ok), None) => write!(f, "result<{ok}>"),
            Self::Result(None, Some(err)) => write!(f, "result<_, {err}>"),
            Self::Result(Some(ok), Some(err)) => write!(f, "result<{ok}, {err}>"),
            Self::Object(name) | Self::Other(name) => f.write_str(name),
            Self::Custom(custom) => f.write_str(&custom.name),
        }
    }
}
