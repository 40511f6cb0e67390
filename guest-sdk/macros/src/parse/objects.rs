//! Reads types of custom objects.

use proc_macro2::Ident;
use syn::spanned::Spanned;
use syn::{Error, ImplItem, ImplItemFn, Item, ItemImpl, ItemStruct, Receiver, Result, Type as SynType};

use super::functions::function;
use super::{Errors, OBJECT, check_unique, is_public, sdk_derive};
use crate::model::{Failure, Function, Member, Object, Role, Type};
use crate::types::{Declared, Scope};
use crate::{docs, names};

/// Names of functions that wit-bindgen generates in the modules of callers.
const TAKEN: &[&str] = &["from-handle", "handle", "take-handle"];

/// Returns the type of custom objects that an item declares, if it declares one. Its functions are
/// in the `impl` blocks among `items`.
pub(super) fn object(item: &Item, items: &[Item], scope: &Scope) -> Option<Result<Object>> {
    let Item::Struct(item) = item else { return None };
    (sdk_derive(&item.attrs)? == OBJECT).then(|| read(item, items, scope))
}

fn read(item: &ItemStruct, items: &[Item], scope: &Scope) -> Result<Object> {
    let ident = &item.ident;
    if !item.generics.params.is_empty() {
        let message =
            "an object cannot be generic, because callers cannot choose types and it lives longer than a call";
        return Err(Error::new(item.generics.span(), message));
    }
    let mut scope = scope.clone();
    scope.insert("Self".to_owned(), Declared::Alias(ident.clone()));
    let mut errors = Errors::default();
    let members: Vec<Member> = items
        .iter()
        .filter_map(|item| inherent_impl(item, ident))
        .flat_map(|block| &block.items)
        .filter_map(|item| match item {
            ImplItem::Fn(function) if is_public(&function.vis) => errors.keep(member(function, ident, &scope)),
            _ => None,
        })
        .collect();
    check_unique("functions", members.iter().map(|member| &member.function.name), ident.span(), &mut errors);
    errors.take()?;
    Ok(Object {
        ident: ident.clone(),
        name: names::kebab(ident)?,
        docs: docs::lines(&item.attrs),
        members,
        is_public: is_public(&item.vis),
    })
}

/// Returns the item if it is `impl object { ... }`.
fn inherent_impl<'a>(item: &'a Item, object: &Ident) -> Option<&'a ItemImpl> {
    match item {
        Item::Impl(block) if block.trait_.is_none() => match &*block.self_ty {
            SynType::Path(path) if path.path.is_ident(object) => Some(block),
            _ => None,
        },
        _ => None,
    }
}

fn member(item: &ImplItemFn, object: &Ident, scope: &Scope) -> Result<Member> {
    let (role, what) = match item.sig.receiver() {
        Some(receiver) => {
            check_receiver(receiver, item.sig.ident == "new")?;
            (Role::Method, "method")
        }
        None if item.sig.ident == "new" => (Role::Constructor, "constructor"),
        None => (Role::Static, "function"),
    };
    let function = function(what, &item.attrs, &item.sig, scope)?;
    if role == Role::Constructor {
        check_constructor(item, &function, object)?;
    }
    if TAKEN.contains(&function.name.as_str()) {
        let message = format!("rename `{}`: generated code in the modules of callers uses this name", item.sig.ident);
        return Err(Error::new(item.sig.ident.span(), message));
    }
    Ok(Member { role, function })
}

fn check_receiver(receiver: &Receiver, is_new: bool) -> Result<()> {
    let refuse = |message: &str| Err(Error::new(receiver.span(), message));
    if is_new {
        return refuse("`new` is the constructor and cannot have `self`: remove it, or rename the function");
    }
    if receiver.colon_token.is_some() {
        return refuse("a method can take its object only as `&self`");
    }
    if receiver.mutability.is_some() {
        return refuse("a method cannot change its object: use `&self`, and return a new object");
    }
    if receiver.reference.is_none() {
        return refuse("a method cannot consume its object, because others may use it: use `&self`");
    }
    Ok(())
}

/// Reports constructors that return another type, and those that can fail.
///
/// WIT, wit-bindgen and wasmtime support constructors that can fail. The classes that
/// componentize-py generates for callers do not: they take the result for the object.
///
/// Source: componentize-py 0.25, `src/summary.rs`.
fn check_constructor(item: &ImplItemFn, function: &Function, object: &Ident) -> Result<()> {
    let span = item.sig.output.span();
    if function.result != Some(Type::Local(object.clone())) {
        let message =
            format!("`new` is the constructor and must return `Self`: rename it if it does not return `{object}`");
        return Err(Error::new(span, message));
    }
    if !matches!(function.failure, Failure::Never) {
        let message = format!(
            "a constructor cannot fail, because not every language of callers can express that: \
             write a stage that returns `Result<{object}>`, or give the function a name other than `new`"
        );
        return Err(Error::new(span, message));
    }
    Ok(())
}
