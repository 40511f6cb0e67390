//! The model of an interface: the part of a Rust module that callers see.

use guest_sdk_interface::ApiType;
use proc_macro2::{Ident, Span};

/// The interface that the module of stages exports.
pub(crate) struct Interface {
    /// The lines of the doc comment.
    pub docs: Vec<String>,
    /// The types of the module that signatures use, in source order.
    pub types: Vec<TypeDef>,
    /// The types of custom objects, in source order.
    pub objects: Vec<Object>,
    /// The stages, in source order.
    pub stages: Vec<Function>,
}

/// A type of custom objects: a `struct` with its `pub fn`s. It is a resource of the interface.
pub(crate) struct Object {
    pub ident: Ident,
    /// The name in kebab case.
    pub name: String,
    pub docs: Vec<String>,
    /// The functions, in source order.
    pub members: Vec<Member>,
    pub is_public: bool,
}

/// A function of a type of custom objects.
pub(crate) struct Member {
    pub role: Role,
    pub function: Function,
}

/// The role of a function in its type of custom objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The function is `new`, which returns an object.
    Constructor,
    /// The function has `&self`.
    Method,
    /// The function has neither.
    Static,
}

/// A function of the interface: a stage, or a member of an object.
pub(crate) struct Function {
    pub ident: Ident,
    /// The name in kebab case.
    pub name: String,
    pub docs: Vec<String>,
    /// Whether the author says that it is a check.
    pub is_check: bool,
    pub params: Vec<Param>,
    /// The type of the result, or `None` if it returns nothing.
    pub result: Option<Type>,
    pub failure: Failure,
}

/// A parameter of a function.
pub(crate) struct Param {
    /// The name in kebab case.
    pub name: String,
    /// The doc comment as one line; empty if there is none.
    pub docs: String,
    pub ty: Type,
    pub pass: Pass,
    pub default: Option<Default>,
}

/// The value of a parameter that the caller does not give.
pub(crate) struct Default {
    /// The value as the author wrote it.
    pub value: syn::Expr,
    /// The value in the text form of WebAssembly values.
    pub text: String,
}

/// The form of a parameter in the author's function. The component always owns the argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// The parameter is `T`.
    Value,
    /// The parameter is `&T`, `&str` or `&[T]`.
    Reference,
    /// The parameter is `Option<&T>`.
    OptionalReference,
    /// The parameter is `Option<&str>` or `Option<&[T]>`.
    OptionalSlice,
}

/// Whether a function can fail, and with which error.
#[derive(Clone, Copy)]
pub(crate) enum Failure {
    /// The function cannot fail.
    Never,
    /// The function fails with the error of the SDK.
    Error,
    /// The function fails with another error type, at this place in the source.
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
    /// `bool`, a number or `char`, with its name in Rust and its name in WIT.
    Primitive(&'static str, &'static str),
    String,
    List(Box<Type>),
    Option(Box<Type>),
    Tuple(Vec<Type>),
    Api(ApiType),
    /// A type of the module, or a custom object that is passed by value, with its name in Rust.
    Local(Ident),
    /// A custom object that is passed by reference, with the name of its type.
    Lent(Ident),
}

impl Type {
    /// Calls `visit` with each type of the module that occurs in the type.
    pub(crate) fn each_local(&self, visit: &mut dyn FnMut(&Ident)) {
        match self {
            Self::Primitive(..) | Self::String | Self::Api(_) => {}
            Self::List(item) | Self::Option(item) => item.each_local(visit),
            Self::Tuple(items) => items.iter().for_each(|item| item.each_local(visit)),
            Self::Local(ident) | Self::Lent(ident) => visit(ident),
        }
    }

    /// Calls `visit` with each type of `pipeline:api` that occurs in the type.
    pub(crate) fn each_api(&self, visit: &mut dyn FnMut(ApiType)) {
        match self {
            Self::Primitive(..) | Self::String | Self::Local(_) | Self::Lent(_) => {}
            Self::List(item) | Self::Option(item) => item.each_api(visit),
            Self::Tuple(items) => items.iter().for_each(|item| item.each_api(visit)),
            Self::Api(api) => visit(*api),
        }
    }

    /// Returns whether a type of the module occurs in the type.
    pub(crate) fn has_local(&self) -> bool {
        let mut has_local = false;
        self.each_local(&mut |_| has_local = true);
        has_local
    }
}

/// A record, an enum or a variant of the module.
pub(crate) struct TypeDef {
    pub ident: Ident,
    /// The name in kebab case.
    pub name: String,
    pub docs: Vec<String>,
    pub kind: TypeKind,
    pub is_public: bool,
}

/// The fields or cases of a type.
pub(crate) enum TypeKind {
    Record(Vec<Field>),
    /// The cases of an enum if `plain`, and otherwise of a variant.
    Cases {
        plain: bool,
        cases: Vec<Case>,
    },
}

/// A field of a record.
pub(crate) struct Field {
    pub ident: Ident,
    /// The name in kebab case.
    pub name: String,
    pub docs: Vec<String>,
    pub ty: Type,
}

/// A case of an enum or of a variant.
pub(crate) struct Case {
    pub ident: Ident,
    /// The name in kebab case.
    pub name: String,
    pub docs: Vec<String>,
    pub ty: Option<Type>,
}

impl TypeDef {
    /// Returns the types of the fields or cases.
    pub(crate) fn parts(&self) -> Vec<&Type> {
        match &self.kind {
            TypeKind::Record(fields) => fields.iter().map(|field| &field.ty).collect(),
            TypeKind::Cases { cases, .. } => cases.iter().filter_map(|case| case.ty.as_ref()).collect(),
        }
    }
}

impl Function {
    /// Returns the types of the parameters and of the result.
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

    /// Returns the name of a type of the module in the interface.
    pub(crate) fn name_of(&self, ident: &Ident) -> &str {
        let types = self.types.iter().map(|def| (&def.ident, &def.name));
        let objects = self.objects.iter().map(|object| (&object.ident, &object.name));
        types.chain(objects).find(|(found, _)| *found == ident).map_or("", |(_, name)| name)
    }

    /// Calls `visit` with each type that occurs in the interface.
    pub(crate) fn each_type(&self, visit: &mut dyn FnMut(&Type)) {
        for def in &self.types {
            def.parts().into_iter().for_each(&mut *visit);
        }
        for function in self.functions() {
            function.signature().for_each(&mut *visit);
        }
    }
}
