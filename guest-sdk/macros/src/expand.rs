//! The output of the macros.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, DeriveInput, Error, FnArg, ImplItem, Item, ItemMod, Signature, Visibility, parse_quote};

use crate::wit::Package;
use crate::{docs, glue, parse};

/// The attribute that tells a derive that [`stages`] has seen its type.
const SEEN: &str = "__guest_sdk_in_stages";

/// Returns the module as the compiler needs it, with the code that makes it a component or with
/// compile errors.
pub(crate) fn stages(arguments: TokenStream, item: TokenStream, package: &Package) -> TokenStream {
    let module: ItemMod = match syn::parse2(item.clone()) {
        Ok(module) => module,
        Err(_) => {
            let message = "this attribute must be on a module: `#[guest_sdk::stages] mod stages { ... }`";
            let error = Error::new(proc_macro2::Span::call_site(), message).to_compile_error();
            return quote!(#item #error);
        }
    };
    let interface = match arguments.is_empty() {
        true => parse::interface(&module),
        false => Err(Error::new_spanned(arguments, "this attribute has no arguments")),
    };
    let (addition, error) = match interface {
        Ok(interface) => (glue::component(package, &interface), None),
        // The module is kept, so that the compiler does not report missing items as well.
        Err(error) => (TokenStream::new(), Some(error.to_compile_error())),
    };
    let module = with_items(as_rust(module), addition);
    quote!(#module #error)
}

/// Returns nothing, or a compile error. [`stages`] does all the work, because it sees the whole
/// module.
pub(crate) fn derive(name: &str, item: TokenStream) -> TokenStream {
    match syn::parse2::<DeriveInput>(item) {
        Ok(item) if item.attrs.iter().any(|attribute| attribute.path().is_ident(SEEN)) => TokenStream::new(),
        Ok(item) => {
            let message = format!(
                "`{name}` has an effect only in the module with `#[guest_sdk::stages]`: declare `{}` there",
                item.ident
            );
            Error::new_spanned(&item.ident, message).to_compile_error()
        }
        Err(error) => error.to_compile_error(),
    }
}

/// Removes the parts of the module that only this macro understands.
fn as_rust(mut module: ItemMod) -> ItemMod {
    let seen = syn::Ident::new(SEEN, proc_macro2::Span::call_site());
    let seen: Attribute = parse_quote!(#[#seen]);
    for item in module.content.iter_mut().flat_map(|(_, items)| items) {
        match item {
            Item::Fn(function) => {
                if matches!(function.vis, Visibility::Public(_)) {
                    function.attrs.retain(|attribute| !parse::is_check(attribute));
                }
                move_param_docs(&mut function.sig, &mut function.attrs);
            }
            Item::Impl(block) => {
                for item in &mut block.items {
                    if let ImplItem::Fn(function) = item {
                        move_param_docs(&mut function.sig, &mut function.attrs);
                    }
                }
            }
            Item::Struct(item) if parse::sdk_derive(&item.attrs).is_some() => item.attrs.push(seen.clone()),
            Item::Enum(item) if parse::sdk_derive(&item.attrs).is_some() => item.attrs.push(seen.clone()),
            _ => {}
        }
    }
    module
}

/// Moves the doc comments of parameters, which the compiler does not allow, into that of the
/// function.
fn move_param_docs(signature: &mut Signature, attributes: &mut Vec<Attribute>) {
    let mut lines = Vec::new();
    for input in &mut signature.inputs {
        let FnArg::Typed(param) = input else { continue };
        let text = docs::line(&param.attrs);
        if !text.is_empty() {
            let pattern = param.pat.to_token_stream();
            lines.push(format!(" - `{pattern}`: {text}"));
        }
        param.attrs.retain(|attribute| !docs::is_doc(attribute) && !parse::is_default(attribute));
    }
    if !lines.is_empty() {
        lines.insert(0, String::new());
        lines.insert(1, " # Parameters".to_owned());
        lines.insert(2, String::new());
        attributes.extend(lines.iter().map(|line| parse_quote!(#[doc = #line])));
    }
}

fn with_items(mut module: ItemMod, addition: TokenStream) -> TokenStream {
    if let Some((_, items)) = &mut module.content
        && !addition.is_empty()
    {
        items.push(Item::Verbatim(addition));
    }
    module.into_token_stream()
}

#[cfg(test)]
mod tests;
