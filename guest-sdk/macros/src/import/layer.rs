//! The half of an imported module that people use: functions and objects that look like the SDK.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use wit_parser::{Function, FunctionKind, Param, Type, TypeDefKind, TypeId};

use super::Imported;
use super::types::Shape;
use crate::names;

/// Returns the items of the module. The raw half is in `__raw`.
pub(super) fn layer(imported: &Imported) -> TokenStream {
    let raw = imported.raw_path();
    let raw = quote!(self::__raw::#raw);
    let layer = Layer { imported, raw };
    let interface = &imported.resolve.interfaces[imported.interface];
    let functions = interface
        .functions
        .values()
        .filter(|function| function.kind.resource().is_none())
        .map(|function| layer.function(function));
    let objects = interface.types.values().filter(|id| layer.is_object(**id)).map(|id| layer.object(*id));
    let types: Vec<Ident> = interface.types.values().filter_map(|id| layer.plain_type(*id)).collect();
    let raw = &layer.raw;
    quote! {
        pub use #raw::{#(#types),*};
        #(#objects)*
        #(#functions)*
    }
}

struct Layer<'a> {
    imported: &'a Imported,
    /// The path of the raw half.
    raw: TokenStream,
}

impl Layer<'_> {
    fn is_object(&self, id: TypeId) -> bool {
        matches!(self.imported.resolve.types[id].kind, TypeDefKind::Resource)
    }

    /// Returns the name of a type that is used as wit-bindgen generates it, and `None` for an
    /// object or a type of the SDK.
    fn plain_type(&self, id: TypeId) -> Option<Ident> {
        if self.imported.api_path(id).is_some() || self.is_object(self.imported.defined(id)) {
            return None;
        }
        self.imported.resolve.types[id].name.as_deref().map(names::type_ident)
    }

    fn object(&self, id: TypeId) -> TokenStream {
        let definition = &self.imported.resolve.types[id];
        let docs = definition.docs.contents.as_deref().unwrap_or_default();
        let name = names::type_ident(definition.name.as_deref().unwrap_or_default());
        let text = name.to_string();
        let raw = &self.raw;
        let functions = self.imported.resolve.interfaces[self.imported.interface]
            .functions
            .values()
            .filter(|function| function.kind.resource() == Some(id))
            .map(|function| self.function(function));
        quote! {
            #[doc = #docs]
            pub struct #name(#raw::#name);

            impl #name {
                #(#functions)*
            }

            impl ::core::fmt::Debug for #name {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    f.debug_struct(#text).finish_non_exhaustive()
                }
            }

            // Records contain the raw type.
            impl ::core::convert::From<#raw::#name> for #name {
                fn from(raw: #raw::#name) -> Self { Self(raw) }
            }
            impl ::core::convert::From<#name> for #raw::#name {
                fn from(object: #name) -> Self { object.0 }
            }
        }
    }

    /// Returns the code of a function of the interface or of an object.
    fn function(&self, function: &Function) -> TokenStream {
        let docs = function.docs.contents.as_deref().unwrap_or_default();
        let is_method = matches!(function.kind, FunctionKind::Method(_) | FunctionKind::AsyncMethod(_));
        let name = match function.kind {
            FunctionKind::Constructor(_) => format_ident!("new"),
            _ => names::value_ident(function.item_name()),
        };
        let params = &function.params[usize::from(is_method)..];
        let idents: Vec<Ident> = params.iter().map(|param| names::value_ident(&param.name)).collect();
        let (types, arguments): (Vec<_>, Vec<_>) =
            params.iter().zip(&idents).map(|(param, ident)| self.param(param, ident)).unzip();
        let receiver = is_method.then(|| quote!(&self,));
        let raw = &self.raw;
        let callee = match function.kind.resource() {
            _ if is_method => quote!(self.0.#name),
            Some(id) => {
                let object = self.imported.object(id);
                quote!(#raw::#object::#name)
            }
            None => quote!(#raw::#name),
        };
        let (output, body) = self.result(function, quote!(#callee(#(#arguments),*)));
        quote! {
            #[doc = #docs]
            pub fn #name(#receiver #(#idents: #types),*) -> #output {
                #body
            }
        }
    }

    /// Returns the type of a parameter, and the argument that is made from it.
    fn param(&self, param: &Param, ident: &Ident) -> (TokenStream, TokenStream) {
        let imported = self.imported;
        match imported.shape(&param.ty) {
            Shape::String => (quote!(impl ::core::convert::AsRef<str>), quote!(#ident.as_ref())),
            Shape::List(Type::String) => (
                quote!(impl ::core::iter::IntoIterator<Item: ::core::convert::AsRef<str>>),
                quote!(&#ident.into_iter().map(|item| item.as_ref().to_owned()).collect::<::std::vec::Vec<_>>()),
            ),
            Shape::Object { id, is_lent } => {
                let object = imported.object(id);
                match (imported.custom(id).is_some(), is_lent) {
                    (true, true) => (quote!(&#object), quote!(&#ident.0)),
                    (true, false) => (quote!(#object), quote!(#ident.0)),
                    (false, true) => (quote!(&#object), quote!(#ident)),
                    (false, false) => (quote!(impl ::core::convert::Into<#object>), quote!(#ident.into())),
                }
            }
            Shape::List(item) if self.is_lent_custom(item) => {
                let item = imported.owned(item);
                let raw = quote!(#ident.iter().map(|item| &item.0).collect::<::std::vec::Vec<_>>());
                (quote!(&[#item]), quote!(&#raw))
            }
            Shape::Option(item) if self.is_lent_custom(item) => {
                (imported.owned(&param.ty), quote!(#ident.map(|item| &item.0)))
            }
            _ => {
                (imported.borrowed(&param.ty), self.converted(quote!(#ident), &param.ty, &|_, value| quote!(#value.0)))
            }
        }
    }

    fn is_lent_custom(&self, ty: &Type) -> bool {
        match self.imported.shape(ty) {
            Shape::Object { id, is_lent: true } => self.imported.custom(id).is_some(),
            _ => false,
        }
    }

    /// Returns the return type of a function, and the body that computes it from a call.
    fn result(&self, function: &Function, call: TokenStream) -> (TokenStream, TokenStream) {
        let imported = self.imported;
        let friendly = |value, ty: &Type| self.converted(value, ty, &|ident, value| quote!(#ident(#value)));
        let Some(ty) = &function.result else { return (quote!(()), call) };
        match imported.shape(ty) {
            Shape::Result(ok, Some(err)) if imported.is_api_error(err) => {
                let output = ok.map_or_else(|| quote!(()), |ok| imported.owned(ok));
                let value = ok.map_or_else(|| quote!(value), |ok| friendly(quote!(value), ok));
                let body = quote!(match #call {
                    ::core::result::Result::Ok(value) => ::core::result::Result::Ok(#value),
                    ::core::result::Result::Err(error) => {
                        ::core::result::Result::Err(::core::convert::Into::into(error))
                    }
                });
                (quote!(::guest_sdk::Result<#output>), body)
            }
            _ => (imported.owned(ty), friendly(call, ty)),
        }
    }

    /// Returns code that converts each owned custom object in `value`.
    fn converted(
        &self,
        value: TokenStream,
        ty: &Type,
        convert: &dyn Fn(&Ident, TokenStream) -> TokenStream,
    ) -> TokenStream {
        if !self.has_custom(ty) {
            return value;
        }
        let converted = |ty: &Type| self.converted(quote!(item), ty, convert);
        match self.imported.shape(ty) {
            Shape::Object { id, .. } => match self.imported.custom(id) {
                Some(ident) => convert(&ident, value),
                None => value,
            },
            Shape::List(item) => {
                let item = converted(item);
                quote!(#value.into_iter().map(|item| #item).collect::<::std::vec::Vec<_>>())
            }
            Shape::Option(item) => {
                let item = converted(item);
                quote!(#value.map(|item| #item))
            }
            Shape::Result(ok, err) => {
                let of = |ty: Option<&Type>| ty.map_or_else(|| quote!(item), converted);
                let (ok, err) = (of(ok), of(err));
                quote!(#value.map(|item| #ok).map_err(|item| #err))
            }
            Shape::Tuple(items) => {
                let idents: Vec<Ident> = (0..items.len()).map(|n| format_ident!("item{n}")).collect();
                let items = items.iter().zip(&idents).map(|(ty, ident)| self.converted(quote!(#ident), ty, convert));
                quote!({ let (#(#idents,)*) = #value; (#(#items,)*) })
            }
            Shape::String | Shape::Named(_) | Shape::Primitive(_) | Shape::Other => value,
        }
    }

    /// Returns whether the type contains an owned custom object. Records are not searched, because
    /// the objects in them stay raw.
    fn has_custom(&self, ty: &Type) -> bool {
        match self.imported.shape(ty) {
            Shape::Object { id, is_lent } => !is_lent && self.imported.custom(id).is_some(),
            Shape::List(item) | Shape::Option(item) => self.has_custom(item),
            Shape::Tuple(items) => items.iter().any(|item| self.has_custom(item)),
            Shape::Result(ok, err) => ok.into_iter().chain(err).any(|ty| self.has_custom(ty)),
            Shape::String | Shape::Named(_) | Shape::Primitive(_) | Shape::Other => false,
        }
    }
}
