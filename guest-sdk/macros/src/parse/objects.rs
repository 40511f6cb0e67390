//! Types of custom objects.

use proc_macro2::Ident;
use syn::spanned::Spanned;
use syn::{Error, ImplItem, ImplItemFn, Item, ItemImpl, ItemStruct, Receiver, Result, Type as SynType};

use super::functions::function;
use super::{Errors, OBJECT, check_unique, is_public, sdk_derive};
use crate::model::{Failure, Function, Member, Object, Role, Type};
use crate::types::{Declared, Scope};
use crate::{docs, names};

/// Names that wit-bindgen gives to functions of its own, in the Rust code of callers.
const TAKEN: &[&str] = &["from-handle", "handle", "take-handle"];

/// Returns the type of objects that an item declares, if it does; its functions are in
/// the `impl` blocks among `items`.
pub(super) fn object(item: &Item, items: &[Item], scope: &Scope) -> Option<Result<Object>> {
    let Item::Struct(item) = item else { return None };
    (sdk_derive(&item.attrs)? == OBJECT).then(|| read(item, items, scope))
}

fn read(item: &ItemStruct, items: &[Item], scope: &Scope) -> Result<Object> {
    let ident = &item.ident;
    if !item.generics.params.is_empty() {
        let message = "an object cannot be generic: callers cannot choose types, and it lives longer than a call";
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
        let message = format!("rename `{}`: in the Rust code of callers, generated code has it", item.sig.ident);
        return Err(Error::new(item.sig.ident.span(), message));
    }
    Ok(Member { role, function })
}

fn check_receiver(receiver: &Receiver, is_new: bool) -> Result<()> {
    let refuse = |message: &str| Err(Error::new(receiver.span(), message));
    if is_new {
        return refuse("`new` makes an object: leave `self` out, or rename it");
    }
    if receiver.colon_token.is_some() {
        return refuse("write `&self`: a method takes its object so and no other way");
    }
    if receiver.mutability.is_some() {
        return refuse("an object is a value and does not change: take `&self`, and return a new object");
    }
    if receiver.reference.is_none() {
        return refuse("a method does not use up its object, which others may have: take `&self`");
    }
    Ok(())
}

/// Refuses constructors that make something else, and those that can fail.
///
/// WIT has the latter, and so have wit-bindgen and wasmtime. But the classes that
/// componentize-py makes for callers take what a constructor returns for the object.
///
/// Source: componentize-py 0.25, `src/summary.rs`.
fn check_constructor(item: &ImplItemFn, function: &Function, object: &Ident) -> Result<()> {
    let span = item.sig.output.span();
    if function.result != Some(Type::Local(object.clone())) {
        let message = format!("`new` returns `Self`: rename it if it makes something else than `{object}`");
        return Err(Error::new(span, message));
    }
    if !matches!(function.failure, Failure::Never) {
        let message = format!(
            "a constructor cannot fail, because not every language of callers has a way to say so: \
             write a stage that returns `Result<{object}>`, or give the function another name than `new`"
        );
        return Err(Error::new(span, message));
    }
    Ok(())
}
