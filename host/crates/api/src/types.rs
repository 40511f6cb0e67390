//! The types of parameters and results.

use std::fmt;

/// A WIT type, independent of any component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// The WIT type `bool`.
    Bool,
    /// The WIT type `s8`.
    S8,
    /// The WIT type `u8`.
    U8,
    /// The WIT type `s16`.
    S16,
    /// The WIT type `u16`.
    U16,
    /// The WIT type `s32`.
    S32,
    /// The WIT type `u32`.
    U32,
    /// The WIT type `s64`.
    S64,
    /// The WIT type `u64`.
    U64,
    /// The WIT type `f32`.
    F32,
    /// The WIT type `f64`.
    F64,
    /// The WIT type `char`.
    Char,
    /// The WIT type `string`.
    String,
    /// The WIT type `list<T>`, with the type of its items.
    List(Box<Self>),
    /// A WIT `record`, with its fields in order.
    Record(Vec<(String, Self)>),
    /// The WIT type `tuple<...>`, with the types of its items.
    Tuple(Vec<Self>),
    /// A WIT `variant`, with its cases in order.
    Variant(Vec<(String, Option<Self>)>),
    /// A WIT `enum`, with its cases in order.
    Enum(Vec<String>),
    /// The WIT type `flags`, with the names of the flags.
    Flags(Vec<String>),
    /// The WIT type `option<T>`.
    Option(Box<Self>),
    /// The WIT type `result<T, E>`.
    Result(Option<Box<Self>>, Option<Box<Self>>),
    /// A resource of the package `pipeline:api`, by its name. Owned and borrowed handles are the same type.
    Object(String),
    /// A custom object: a resource that a module defines.
    Custom(CustomType),
    /// A type that no caller can make or show, such as a future, a stream or an unknown resource.
    Other(String),
}

/// The type of custom objects.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomType {
    /// The interface that defines the type, as in `local:lint/stages@0.1.0`.
    pub interface: String,
    /// The name of the type in that interface, as in `linter`.
    pub name: String,
}

/// The functions of a type of custom objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectType {
    /// The name of the type, as in `linter`.
    pub name: String,
    /// The constructor, under the name of the type.
    pub constructor: Option<Signature>,
    /// The methods in the order of the interface. The first parameter of each is the object.
    pub methods: Vec<Signature>,
    /// The functions that belong to the type and do not take an object of it.
    pub statics: Vec<Signature>,
}

/// The signature of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The name of the function, as in `build-all`.
    pub name: String,
    /// The names and types of the parameters. The first parameter of a method is its object.
    pub params: Vec<(String, Type)>,
    /// The type of the result; none for a function without one.
    pub result: Option<Type>,
}

impl Type {
    /// Returns the first type for which `is_it` holds: this type itself, or one inside it, from the outside in.
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
    /// Writes the type in WIT. Records, variants and enums are written by their structure.
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
