//! Reads a Rust module as an interface.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::Ident;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Error, Item, ItemMod, Path, Result, Token, Visibility};

use crate::docs;
use crate::model::{Function, Interface, Object, TypeDef};
use crate::types::{Declared, Scope};

mod defaults;
mod definitions;
mod functions;
mod objects;

pub(crate) use defaults::is_default;
pub(crate) use functions::is_check;

/// The name of the derive for custom objects.
const OBJECT: &str = "Object";

/// Reads the module of stages.
///
/// # Errors
///
/// All mistakes at once, each at its place in the source.
pub(crate) fn interface(module: &ItemMod) -> Result<Interface> {
    let Some((_, items)) = &module.content else {
        return Err(Error::new(module.span(), "the module must be in this file: `mod stages { ... }`"));
    };
    let mut errors = Errors::default();
    let scope = scope(items);
    let types: Vec<TypeDef> =
        items.iter().filter_map(|item| errors.keep(definitions::type_def(item, &scope)?)).collect();
    let objects: Vec<Object> =
        items.iter().filter_map(|item| errors.keep(objects::object(item, items, &scope)?)).collect();
    let stages: Vec<Function> = items
        .iter()
        .filter_map(|item| match item {
            Item::Fn(function) if is_public(&function.vis) => errors.keep(functions::stage(function, &scope)),
            _ => None,
        })
        .collect();
    if stages.is_empty() && objects.iter().all(|object| object.members.is_empty()) && errors.0.is_none() {
        errors.push(Error::new(module.ident.span(), "the module has no stage: make at least one function `pub`"));
    }
    // A mistake in a type is reported before the mistakes that it causes in other items.
    if errors.0.is_none() {
        check_names(&stages, &objects, &types, &mut errors);
        check_recursion(&types, &mut errors);
    }
    errors.take()?;
    let mut interface = Interface { docs: docs::lines(&module.attrs), types: Vec::new(), objects, stages };
    interface.types = reachable(&interface, types);
    check_visibility(&interface, &mut errors);
    errors.take()?;
    Ok(interface)
}

/// Returns the name of the SDK's derive that an item has, if it has one.
pub(crate) fn sdk_derive(attributes: &[Attribute]) -> Option<&'static str> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("derive"))
        .filter_map(|attribute| attribute.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated).ok())
        .flatten()
        .find_map(|path| {
            let name = &path.segments.last()?.ident;
            ["Record", "Enum", "Variant", OBJECT].into_iter().find(|derive| name == derive)
        })
}

/// The mistakes that were found so far.
#[derive(Default)]
struct Errors(Option<Error>);

impl Errors {
    fn push(&mut self, error: Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    fn keep<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    fn take(&mut self) -> Result<()> {
        self.0.take().map_or(Ok(()), Err)
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Returns the types that the module declares.
fn scope(items: &[Item]) -> Scope {
    let declared = |ident: &Ident, attributes, otherwise| {
        let declared = match sdk_derive(attributes) {
            Some(OBJECT) => Declared::Object,
            Some(_) => Declared::Derived,
            None => otherwise,
        };
        (ident.to_string(), declared)
    };
    items
        .iter()
        .filter_map(|item| match item {
            Item::Struct(item) => Some(declared(&item.ident, &item.attrs, Declared::Struct)),
            Item::Enum(item) => Some(declared(&item.ident, &item.attrs, Declared::Enum)),
            _ => None,
        })
        .collect()
}

/// Reports names that differ in Rust and are equal in the interface.
fn check_unique<'a>(what: &str, names: impl Iterator<Item = &'a String>, span: proc_macro2::Span, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            errors.push(Error::new(span, format!("two {what} are both `{name}` in the interface: rename one of them")));
        }
    }
}

/// Reports stages, objects and types with the same name, because an interface does not allow that.
fn check_names(stages: &[Function], objects: &[Object], types: &[TypeDef], errors: &mut Errors) {
    let mut seen: BTreeMap<&str, &Ident> = BTreeMap::new();
    let types = types.iter().map(|def| (def.name.as_str(), &def.ident));
    let objects = objects.iter().map(|object| (object.name.as_str(), &object.ident));
    for (name, ident) in types.chain(objects).chain(stages.iter().map(|stage| (stage.name.as_str(), &stage.ident))) {
        if let Some(other) = seen.insert(name, ident) {
            let message = format!("`{ident}` and `{other}` are both `{name}` in the interface: rename one of them");
            errors.push(Error::new(ident.span(), message));
        }
    }
}

/// Reports types that callers see and that are not public.
fn check_visibility(interface: &Interface, errors: &mut Errors) {
    for def in interface.types.iter().filter(|def| !def.is_public) {
        let message = format!("make `{}` `pub`, because a stage uses it in its signature", def.ident);
        errors.push(Error::new(def.ident.span(), message));
    }
    for object in interface.objects.iter().filter(|object| !object.is_public) {
        let message = format!("make `{}` `pub`, because callers use objects", object.ident);
        errors.push(Error::new(object.ident.span(), message));
    }
}

/// Reports types that contain themselves.
fn check_recursion(types: &[TypeDef], errors: &mut Errors) {
    for def in types {
        if reached(def.parts(), types).contains(&def.ident.to_string()) {
            let message = format!("`{}` contains itself, and an interface cannot have such a type", def.ident);
            errors.push(Error::new(def.ident.span(), message));
        }
    }
}

/// Returns the types that the signatures of stages and objects use, directly or indirectly.
fn reachable(interface: &Interface, types: Vec<TypeDef>) -> Vec<TypeDef> {
    let reached = reached(interface.functions().flat_map(Function::signature).collect(), &types);
    types.into_iter().filter(|def| reached.contains(&def.ident.to_string())).collect()
}

/// Returns the names of the module's types that can be reached from `roots`.
fn reached(roots: Vec<&crate::model::Type>, types: &[TypeDef]) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut pending = roots;
    while let Some(ty) = pending.pop() {
        ty.each_local(&mut |ident| {
            if reached.insert(ident.to_string()) {
                pending.extend(types.iter().filter(|def| def.ident == *ident).flat_map(TypeDef::parts));
            }
        });
    }
    reached
}

#[cfg(test)]
mod tests;
