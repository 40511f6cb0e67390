//! The Rust types of an imported interface.

use heck::ToUpperCamelCase;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use wit_parser::{Handle, Type, TypeDefKind, TypeId, TypeOwner};

use super::Imported;
use crate::names;

/// The form of a type in the imported module.
pub(super) enum Shape<'a> {
    String,
    /// An object, owned or borrowed.
    Object {
        id: TypeId,
        is_lent: bool,
    },
    List(&'a Type),
    Option(&'a Type),
    Tuple(&'a [Type]),
    Result(Option<&'a Type>, Option<&'a Type>),
    /// A type with a name: a record, an enum, a variant or an alias.
    Named(TypeId),
    /// A number, `bool` or `char`.
    Primitive(&'static str),
    /// A type that the SDK does not support.
    Other,
}

impl Imported {
    pub(super) fn shape<'a>(&'a self, ty: &'a Type) -> Shape<'a> {
        let primitive = match ty {
            Type::Id(id) => return self.shape_of(*id),
            Type::String => return Shape::String,
            Type::Bool => "bool",
            Type::U8 => "u8",
            Type::U16 => "u16",
            Type::U32 => "u32",
            Type::U64 => "u64",
            Type::S8 => "i8",
            Type::S16 => "i16",
            Type::S32 => "i32",
            Type::S64 => "i64",
            Type::F32 => "f32",
            Type::F64 => "f64",
            Type::Char => "char",
            Type::ErrorContext => return Shape::Other,
        };
        Shape::Primitive(primitive)
    }

    fn shape_of(&self, id: TypeId) -> Shape<'_> {
        let definition = &self.resolve.types[id];
        match &definition.kind {
            TypeDefKind::Handle(Handle::Own(id)) => Shape::Object { id: *id, is_lent: false },
            TypeDefKind::Handle(Handle::Borrow(id)) => Shape::Object { id: *id, is_lent: true },
            _ if definition.name.is_some() => Shape::Named(id),
            TypeDefKind::List(item) => Shape::List(item),
            TypeDefKind::Option(item) => Shape::Option(item),
            TypeDefKind::Tuple(tuple) => Shape::Tuple(&tuple.types),
            TypeDefKind::Result(result) => Shape::Result(result.ok.as_ref(), result.err.as_ref()),
            _ => Shape::Other,
        }
    }

    /// Returns the definition at the end of a chain of aliases.
    pub(super) fn defined(&self, mut id: TypeId) -> TypeId {
        while let TypeDefKind::Type(Type::Id(inner)) = self.resolve.types[id].kind {
            id = inner;
        }
        id
    }

    /// Returns the path of the SDK's type if the definition belongs to `pipeline:api`.
    pub(super) fn api_path(&self, id: TypeId) -> Option<TokenStream> {
        let definition = &self.resolve.types[self.defined(id)];
        let TypeOwner::Interface(owner) = definition.owner else { return None };
        let interface = &self.resolve.interfaces[owner];
        let package = &self.resolve.packages[interface.package?].name;
        if (package.namespace.as_str(), package.name.as_str()) != ("pipeline", "api") {
            return None;
        }
        let interface = names::value_ident(interface.name.as_deref()?);
        let name = format_ident!("{}", definition.name.as_deref()?.to_upper_camel_case());
        Some(quote!(::guest_sdk::wit::#interface::#name))
    }

    /// Returns whether the type is the error of `pipeline:api`.
    pub(super) fn is_api_error(&self, ty: &Type) -> bool {
        let Type::Id(id) = ty else { return false };
        let path = self.api_path(*id).map(|path| path.to_string());
        path == Some(quote!(::guest_sdk::wit::errors::Error).to_string())
    }

    /// Returns the name of a custom object's type, and `None` for an object of `pipeline:api`.
    pub(super) fn custom(&self, id: TypeId) -> Option<Ident> {
        let id = self.defined(id);
        match self.api_path(id) {
            Some(_) => None,
            None => self.resolve.types[id].name.as_deref().map(names::type_ident),
        }
    }

    /// Returns the name of an object's type.
    pub(super) fn object(&self, id: TypeId) -> TokenStream {
        let custom = || self.custom(id).map_or_else(TokenStream::new, |ident| quote!(#ident));
        self.api_path(id).unwrap_or_else(custom)
    }

    /// Returns the Rust type of an owned value.
    pub(super) fn owned(&self, ty: &Type) -> TokenStream {
        match self.shape(ty) {
            Shape::String => quote!(::std::string::String),
            Shape::Primitive(name) => {
                let name = format_ident!("{name}");
                quote!(::core::primitive::#name)
            }
            Shape::Object { id, is_lent } => {
                let object = self.object(id);
                if is_lent { quote!(&#object) } else { object }
            }
            Shape::List(item) => {
                let item = self.owned(item);
                quote!(::std::vec::Vec<#item>)
            }
            Shape::Option(item) => {
                let item = self.owned(item);
                quote!(::core::option::Option<#item>)
            }
            Shape::Tuple(items) => {
                let items = items.iter().map(|item| self.owned(item));
                quote!((#(#items,)*))
            }
            Shape::Result(ok, err) => {
                let or_nothing = |ty: Option<&Type>| ty.map_or_else(|| quote!(()), |ty| self.owned(ty));
                let (ok, err) = (or_nothing(ok), or_nothing(err));
                quote!(::core::result::Result<#ok, #err>)
            }
            Shape::Named(id) => self.named(id),
            Shape::Other => quote!(()),
        }
    }

    fn named(&self, id: TypeId) -> TokenStream {
        self.api_path(id).unwrap_or_else(|| {
            let name = names::type_ident(self.resolve.types[id].name.as_deref().unwrap_or_default());
            quote!(#name)
        })
    }

    /// Returns the Rust type of a parameter that the function does not keep.
    ///
    /// Source: `wit-bindgen-rust` 0.61, `TypeOwnershipStyle::OnlyTopBorrowed`.
    pub(super) fn borrowed(&self, ty: &Type) -> TokenStream {
        if self.has(ty, &|shape| matches!(shape, Shape::Object { is_lent: false, .. })) {
            return self.owned(ty);
        }
        match self.shape(ty) {
            Shape::String => quote!(&str),
            Shape::List(item) => {
                let item = self.owned(item);
                quote!(&[#item])
            }
            Shape::Option(item) => {
                let item = self.borrowed(item);
                quote!(::core::option::Option<#item>)
            }
            Shape::Tuple(items) => {
                let items = items.iter().map(|item| self.borrowed(item));
                quote!((#(#items,)*))
            }
            Shape::Result(ok, err) => {
                let or_nothing = |ty: Option<&Type>| ty.map_or_else(|| quote!(()), |ty| self.borrowed(ty));
                let (ok, err) = (or_nothing(ok), or_nothing(err));
                quote!(::core::result::Result<#ok, #err>)
            }
            Shape::Named(id) if self.has(ty, &|shape| matches!(shape, Shape::String | Shape::List(_))) => {
                let name = self.named(id);
                quote!(&#name)
            }
            Shape::Named(_) | Shape::Primitive(_) | Shape::Object { .. } | Shape::Other => self.owned(ty),
        }
    }

    /// Returns whether the type, or a type inside of it, has this shape.
    pub(super) fn has(&self, ty: &Type, is_such: &dyn Fn(&Shape<'_>) -> bool) -> bool {
        let shape = self.shape(ty);
        is_such(&shape)
            || match shape {
                Shape::List(item) | Shape::Option(item) => self.has(item, is_such),
                Shape::Tuple(items) => items.iter().any(|item| self.has(item, is_such)),
                Shape::Result(ok, err) => ok.into_iter().chain(err).any(|ty| self.has(ty, is_such)),
                Shape::Named(id) => self.parts(id).into_iter().any(|ty| self.has(ty, is_such)),
                Shape::String | Shape::Object { .. } | Shape::Primitive(_) | Shape::Other => false,
            }
    }

    /// Returns the types that the definition contains.
    fn parts(&self, id: TypeId) -> Vec<&Type> {
        match &self.resolve.types[id].kind {
            TypeDefKind::Record(record) => record.fields.iter().map(|field| &field.ty).collect(),
            TypeDefKind::Variant(variant) => variant.cases.iter().filter_map(|case| case.ty.as_ref()).collect(),
            TypeDefKind::Type(ty) | TypeDefKind::List(ty) | TypeDefKind::Option(ty) => vec![ty],
            TypeDefKind::Tuple(tuple) => tuple.types.iter().collect(),
            TypeDefKind::Result(result) => result.ok.iter().chain(&result.err).collect(),
            _ => Vec::new(),
        }
    }
}
