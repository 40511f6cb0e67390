//! The model of an interface: what is left of a Rust module when only what callers see
//! is kept.

use proc_macro2::{Ident, Span};

/// An interface: what the module of stages exports.
pub(crate) struct Interface {
    /// Lines of documentation.
    pub docs: Vec<String>,
    /// The types of the author's own that signatures reach, in source order.
    pub types: Vec<TypeDef>,
    /// In source order.
    pub objects: Vec<Object>,
    /// In source order.
    pub stages: Vec<Function>,
}

/// A type of custom objects: a `struct` with its `pub fn`s, a resource of the interface.
pub(crate) struct Object {
    pub ident: Ident,
    /// In kebab case.
    pub name: String,
    pub docs: Vec<String>,
    /// In source order.
    pub members: Vec<Member>,
    pub is_public: bool,
}

/// A function of a type of objects.
pub(crate) struct Member {
    pub role: Role,
    pub function: Function,
}

/// What a function is to its type of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// `new`: makes an object.
    Constructor,
    /// Takes `&self`.
    Method,
    /// Neither.
    Static,
}

/// A function that the module exports: a stage, or a member of an object.
pub(crate) struct Function {
    pub ident: Ident,
    /// In kebab case.
    pub name: String,
    pub docs: Vec<String>,
    pub params: Vec<Param>,
    /// `None` where it returns nothing.
    pub result: Option<Type>,
    pub failure: Failure,
}

/// A parameter of a function.
pub(crate) struct Param {
    /// In kebab case.
    pub name: String,
    /// One line; empty if it is not documented.
    pub docs: String,
    pub ty: Type,
    pub pass: Pass,
}

/// How the author's function takes an argument, which the component always owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// `T`
    Value,
    /// `&T`, `&str`, `&[T]`
    Reference,
    /// `Option<&T>`
    OptionalReference,
    /// `Option<&str>`, `Option<&[T]>`
    OptionalSlice,
}

/// How a function fails.
#[derive(Clone, Copy)]
pub(crate) enum Failure {
    /// Never.
    Never,
    /// With the error of the SDK.
    Error,
    /// With an error of another type, written there.
    Other(Span),
}

impl Failure {
    /// Returns whether the function can fail.
    pub(crate) fn is_possible(self) -> bool {
        !matches!(self, Self::Never)
    }
}

/// A type in a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// `bool`, a number, `char`: its name in Rust and its name in WIT.
    Primitive(&'static str, &'static str),
    String,
    List(Box<Type>),
    Option(Box<Type>),
    Tuple(Vec<Type>),
    Api(ApiType),
    /// A type of the author's own, by its name in Rust; an object that is handed over.
    Local(Ident),
    /// An object of the author's own that is lent for the call, by the name of its type.
    Lent(Ident),
}

impl Type {
    /// Calls `visit` with each type of the author's own in it.
    pub(crate) fn each_local(&self, visit: &mut dyn FnMut(&Ident)) {
        match self {
            Self::Primitive(..) | Self::String | Self::Api(_) => {}
            Self::List(item) | Self::Option(item) => item.each_local(visit),
            Self::Tuple(items) => items.iter().for_each(|item| item.each_local(visit)),
            Self::Local(ident) | Self::Lent(ident) => visit(ident),
        }
    }

    /// Calls `visit` with each type of `pipeline:api` in it.
    pub(crate) fn each_api(&self, visit: &mut dyn FnMut(ApiType)) {
        match self {
            Self::Primitive(..) | Self::String | Self::Local(_) | Self::Lent(_) => {}
            Self::List(item) | Self::Option(item) => item.each_api(visit),
            Self::Tuple(items) => items.iter().for_each(|item| item.each_api(visit)),
            Self::Api(api) => visit(*api),
        }
    }

    /// Returns whether a type of the author's own is in it.
    pub(crate) fn has_local(&self) -> bool {
        let mut has_local = false;
        self.each_local(&mut |_| has_local = true);
        has_local
    }
}

/// A type of `pipeline:api`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ApiType {
    /// The interface that has it.
    pub interface: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// Its name in the SDK.
    pub rust: &'static str,
}

/// The error that stages answer with.
pub(crate) const ERROR: ApiType = ApiType { interface: "errors", name: "error", rust: "Error" };

/// The types of `pipeline:api` that a signature may have.
pub(crate) const API_TYPES: &[ApiType] = &[
    ApiType { interface: "cache", name: "cache-sharing", rust: "CacheSharing" },
    ApiType { interface: "cache", name: "cache-volume", rust: "CacheVolume" },
    ApiType { interface: "container", name: "container", rust: "Container" },
    ApiType { interface: "container", name: "port", rust: "Port" },
    ApiType { interface: "container", name: "protocol", rust: "Protocol" },
    ApiType { interface: "directory", name: "directory", rust: "Directory" },
    ApiType { interface: "directory", name: "search-result", rust: "SearchResult" },
    ApiType { interface: "file", name: "file", rust: "File" },
    ApiType { interface: "file", name: "stat", rust: "Stat" },
    ApiType { interface: "report", name: "report", rust: "Report" },
    ApiType { interface: "report", name: "test-case", rust: "TestCase" },
    ApiType { interface: "report", name: "verdict", rust: "Verdict" },
    ApiType { interface: "secret", name: "secret", rust: "Secret" },
    ApiType { interface: "service", name: "service", rust: "Service" },
];

/// A type of the author's own.
pub(crate) struct TypeDef {
    pub ident: Ident,
    /// In kebab case.
    pub name: String,
    pub docs: Vec<String>,
    pub kind: TypeKind,
    pub is_public: bool,
}

/// What a type of the author's own is made of.
pub(crate) enum TypeKind {
    Record(Vec<Field>),
    /// All cases are without a value if `plain`.
    Cases {
        plain: bool,
        cases: Vec<Case>,
    },
}

/// A field of a record.
pub(crate) struct Field {
    pub ident: Ident,
    /// In kebab case.
    pub name: String,
    pub docs: Vec<String>,
    pub ty: Type,
}

/// A case of an enum or of a variant.
pub(crate) struct Case {
    pub ident: Ident,
    /// In kebab case.
    pub name: String,
    pub docs: Vec<String>,
    pub ty: Option<Type>,
}

impl TypeDef {
    /// Returns the types of its fields or cases.
    pub(crate) fn parts(&self) -> Vec<&Type> {
        match &self.kind {
            TypeKind::Record(fields) => fields.iter().map(|field| &field.ty).collect(),
            TypeKind::Cases { cases, .. } => cases.iter().filter_map(|case| case.ty.as_ref()).collect(),
        }
    }
}

impl Function {
    /// Returns the types in its signature.
    pub(crate) fn signature(&self) -> impl Iterator<Item = &Type> {
        self.params.iter().map(|param| &param.ty).chain(&self.result)
    }
}

impl Interface {
    /// Returns the stages and the members of objects.
    pub(crate) fn functions(&self) -> impl Iterator<Item = &Function> {
        let members = self.objects.iter().flat_map(|object| &object.members);
        members.map(|member| &member.function).chain(&self.stages)
    }

    /// Returns the name of a type of the author's own.
    pub(crate) fn name_of(&self, ident: &Ident) -> &str {
        let types = self.types.iter().map(|def| (&def.ident, &def.name));
        let objects = self.objects.iter().map(|object| (&object.ident, &object.name));
        types.chain(objects).find(|(found, _)| *found == ident).map_or("", |(_, name)| name)
    }

    /// Calls `visit` with each type that is written in it.
    pub(crate) fn each_type(&self, visit: &mut dyn FnMut(&Type)) {
        for def in &self.types {
            def.parts().into_iter().for_each(&mut *visit);
        }
        for function in self.functions() {
            function.signature().for_each(&mut *visit);
        }
    }
}
