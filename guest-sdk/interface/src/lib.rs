//! The interface of a module as data, and its text in WIT.
//!
//! Each language has a front end that reads an author's sources: the macros of the SDK for Rust, programs of `host build`
//! for others. All of them make an [`Interface`], and [`Interface::package`] writes it down.

mod api;
mod names;
mod text;
mod wit;

pub use api::{API_TYPES, ApiType, ERROR};
pub use names::escaped;

/// The interface that a module exports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(deny_unknown_fields))]
pub struct Interface {
    /// The lines of the documentation.
    pub docs: Vec<String>,
    /// The records, enums and variants that signatures use, in source order.
    pub types: Vec<TypeDef>,
    /// The types of custom objects, in source order.
    pub objects: Vec<Object>,
    /// The stages, in source order.
    pub stages: Vec<Function>,
    /// The interfaces of powers that the module imports, as in `machine`.
    pub powers: Vec<String>,
}

/// A type of custom objects, which is a resource of the interface.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(deny_unknown_fields))]
pub struct Object {
    /// The name in kebab case.
    pub name: String,
    /// The lines of the documentation.
    pub docs: Vec<String>,
    /// The functions, in source order.
    pub members: Vec<Member>,
}

/// A function of a type of custom objects.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(deny_unknown_fields))]
pub struct Member {
    /// The role of the function in its type.
    pub role: Role,
    /// The function itself.
    pub function: Function,
}

/// The role of a function in its type of custom objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Role {
    /// The function returns an object, and has no name of its own.
    Constructor,
    /// The function has an object.
    Method,
    /// The function has none.
    Static,
}

/// A function of the interface: a stage, or a member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(deny_unknown_fields))]
pub struct Function {
    /// The name in kebab case.
    pub name: String,
    /// The lines of the documentation, without the parameters.
    pub docs: Vec<String>,
    /// Whether the author says that the function is a check.
    pub is_check: bool,
    /// The parameters in their order.
    pub params: Vec<Param>,
    /// The type of the result, or `None` if the function returns nothing.
    pub result: Option<Type>,
    /// Whether the function can fail.
    pub can_fail: bool,
}

/// A parameter of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(deny_unknown_fields))]
pub struct Param {
    /// The name in kebab case.
    pub name: String,
    /// The documentation as one line; empty if there is none.
    pub docs: String,
    /// The type. It is an `option` if there is a default.
    pub ty: Type,
    /// The value that the function takes if the caller gives none, in the text form of WebAssembly values.
    pub default: Option<String>,
}

/// A type in a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Type {
    /// `bool`, a number, `char` or `string`.
    Primitive(String),
    /// A list of values of one type.
    List(Box<Type>),
    /// A value that may be absent.
    Option(Box<Type>),
    /// Values of different types.
    Tuple(Vec<Type>),
    /// A type of the package `pipeline:api`: a name in [`API_TYPES`].
    Api(String),
    /// A type of the module, or a custom object that is passed by value.
    Local(String),
    /// A custom object that is passed by reference.
    Lent(String),
}

/// A record, an enum or a variant of the module.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(deny_unknown_fields))]
pub struct TypeDef {
    /// The name in kebab case.
    pub name: String,
    /// The lines of the documentation.
    pub docs: Vec<String>,
    /// The kind of the type.
    pub kind: Kind,
    /// The fields or cases, in source order.
    pub members: Vec<Part>,
}

/// The kind of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Kind {
    /// A record, whose members are fields with a type.
    Record,
    /// An enum, whose members are cases without a type.
    Enum,
    /// A variant, whose members are cases, some with a type.
    Variant,
}

/// A field of a record, or a case.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize), serde(deny_unknown_fields))]
pub struct Part {
    /// The name in kebab case.
    pub name: String,
    /// The lines of the documentation.
    pub docs: Vec<String>,
    /// The type of the field or of the case's value.
    pub ty: Option<Type>,
}

impl Interface {
    /// Returns the text of the package `local:NAME@VERSION`, with the interface `stages` and a world that exports it.
    ///
    /// A type that is not in [`API_TYPES`] or not declared is written as it is, so that a parser of WIT refuses the text.
    #[must_use]
    pub fn package(&self, name: &str, version: &str) -> String {
        wit::package(self, name, version)
    }

    /// Returns the stages and the members of objects.
    fn functions(&self) -> impl Iterator<Item = &Function> {
        let members = self.objects.iter().flat_map(|object| &object.members);
        members.map(|member| &member.function).chain(&self.stages)
    }

    /// Calls `visit` with the name of each type of `pipeline:api` that occurs.
    fn each_api(&self, visit: &mut dyn FnMut(&str)) {
        let parts = self.types.iter().flat_map(|def| &def.members).filter_map(|part| part.ty.as_ref());
        parts.for_each(|ty| ty.each_api(visit));
        for function in self.functions() {
            function.params.iter().map(|param| &param.ty).chain(&function.result).for_each(|ty| ty.each_api(visit));
        }
    }
}

impl Type {
    fn each_api(&self, visit: &mut dyn FnMut(&str)) {
        match self {
            Self::Primitive(_) | Self::Local(_) | Self::Lent(_) => {}
            Self::List(item) | Self::Option(item) => item.each_api(visit),
            Self::Tuple(items) => items.iter().for_each(|item| item.each_api(visit)),
            Self::Api(name) => visit(name),
        }
    }
}
