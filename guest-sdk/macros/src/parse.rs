//! A module of Rust, read as an interface.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::Ident;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Attribute, Error, Field as SynField, Fields, FnArg, Item, ItemEnum, ItemFn, ItemMod, ItemStruct, Pat, Path, Result,
    Token, Visibility,
};

use crate::model::{Case, Field, Interface, Param, Stage, TypeDef, TypeKind};
use crate::types::{Declared, Scope};
use crate::{docs, names, types};

/// Reads the module of stages.
///
/// # Errors
///
/// All mistakes in it at once, each at its place.
pub(crate) fn interface(module: &ItemMod) -> Result<Interface> {
    let Some((_, items)) = &module.content else {
        return Err(Error::new(module.span(), "write the stages here, in braces: `mod stages { ... }`"));
    };
    let mut errors = Errors::default();
    let scope = scope(items);
    let types: Vec<TypeDef> = items.iter().filter_map(|item| errors.keep(type_def(item, &scope)?)).collect();
    let stages: Vec<Stage> = items
        .iter()
        .filter_map(|item| match item {
            Item::Fn(function) if is_public(&function.vis) => errors.keep(stage(function, &scope)),
            _ => None,
        })
        .collect();
    if stages.is_empty() && errors.0.is_none() {
        errors.push(Error::new(module.ident.span(), "no stage: at least one function must be `pub`"));
    }
    // Errors about what refers to a type come after those about the type itself.
    if errors.0.is_none() {
        check_names(&stages, &types, &mut errors);
        check_recursion(&types, &mut errors);
    }
    errors.take()?;
    let interface = Interface { docs: docs::lines(&module.attrs), types: reachable(&stages, types), stages };
    for def in &interface.types {
        if !def.is_public {
            let message = format!("make `{}` `pub`: it is in the signature of a stage", def.ident);
            errors.push(Error::new(def.ident.span(), message));
        }
    }
    errors.take()?;
    Ok(interface)
}

/// Returns which of the SDK's derives an item has, by its name.
pub(crate) fn sdk_derive(attributes: &[Attribute]) -> Option<&'static str> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("derive"))
        .filter_map(|attribute| attribute.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated).ok())
        .flatten()
        .find_map(|path| {
            let name = &path.segments.last()?.ident;
            ["Record", "Enum", "Variant"].into_iter().find(|derive| name == derive)
        })
}

/// Mistakes found so far.
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
        let declared = if sdk_derive(attributes).is_some() { Declared::Derived } else { otherwise };
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

fn stage(function: &ItemFn, scope: &Scope) -> Result<Stage> {
    let signature = &function.sig;
    let refuse = |span, message: &str| Err(Error::new(span, message));
    if let Some(word) = &signature.asyncness {
        return refuse(word.span, "a stage is not `async`: what waits is the host; `sync_all` evaluates many at once");
    }
    if let Some(word) = &signature.unsafety {
        return refuse(word.span, "a stage cannot be `unsafe`");
    }
    if let Some(abi) = &signature.abi {
        return refuse(abi.span(), "a stage is an ordinary function: leave `extern` out");
    }
    if let Some(dots) = &signature.variadic {
        return refuse(dots.span(), "a stage has a fixed number of parameters: take a `Vec<T>`");
    }
    if !signature.generics.params.is_empty() || signature.generics.where_clause.is_some() {
        let span =
            if signature.generics.params.is_empty() { signature.ident.span() } else { signature.generics.span() };
        return refuse(span, "a stage cannot be generic: callers cannot choose types; name them");
    }
    if let Some(cfg) = function.attrs.iter().find(|attribute| attribute.path().is_ident("cfg")) {
        return refuse(cfg.span(), "a stage is there or not: put `#[cfg]` inside of it, or take `pub` away");
    }
    let mut errors = Errors::default();
    let name = errors.keep(names::kebab(&signature.ident));
    let params: Vec<Param> = signature.inputs.iter().filter_map(|input| errors.keep(param(input, scope))).collect();
    let output = errors.keep(types::of_return(&signature.output, scope));
    check_unique("parameters", params.iter().map(|param| &param.name), signature.inputs.span(), &mut errors);
    errors.take()?;
    let name = name.expect("its error was returned");
    let (result, failure) = output.expect("its error was returned");
    Ok(Stage { ident: signature.ident.clone(), name, docs: docs::lines(&function.attrs), params, result, failure })
}

fn param(input: &FnArg, scope: &Scope) -> Result<Param> {
    let param = match input {
        FnArg::Receiver(receiver) => {
            return Err(Error::new(receiver.span(), "a stage has no `self`: each call starts anew"));
        }
        FnArg::Typed(param) => param,
    };
    let Pat::Ident(pattern) = &*param.pat else {
        return Err(Error::new(param.pat.span(), "give the parameter a name: callers see it"));
    };
    let (ty, pass) = types::of_param(&param.ty, scope)?;
    Ok(Param { name: names::kebab(&pattern.ident)?, docs: docs::line(&param.attrs), ty, pass })
}

/// Returns the type that an item declares for the interface, if it does.
fn type_def(item: &Item, scope: &Scope) -> Option<Result<TypeDef>> {
    match item {
        Item::Struct(item) => Some(record(item, sdk_derive(&item.attrs)?, scope)),
        Item::Enum(item) => Some(cases(item, sdk_derive(&item.attrs)?, scope)),
        _ => None,
    }
}

fn record(item: &ItemStruct, derive: &str, scope: &Scope) -> Result<TypeDef> {
    let ident = &item.ident;
    if derive != "Record" {
        return Err(Error::new(ident.span(), format!("`{ident}` is a `struct`: derive `Record`, not `{derive}`")));
    }
    if !item.generics.params.is_empty() {
        return Err(Error::new(item.generics.span(), "a record cannot be generic: callers cannot choose types"));
    }
    let Fields::Named(fields) = &item.fields else {
        return Err(Error::new(ident.span(), "a record has named fields: `struct NAME { field: T }`"));
    };
    if fields.named.is_empty() {
        return Err(Error::new(ident.span(), "a record has at least one field"));
    }
    let mut errors = Errors::default();
    let fields: Vec<Field> = fields.named.iter().filter_map(|item| errors.keep(field(item, scope))).collect();
    check_unique("fields", fields.iter().map(|field| &field.name), ident.span(), &mut errors);
    errors.take()?;
    type_def_of(ident, &item.attrs, &item.vis, TypeKind::Record(fields))
}

fn field(field: &SynField, scope: &Scope) -> Result<Field> {
    let Some(ident) = &field.ident else {
        return Err(Error::new(field.span(), "a record has named fields"));
    };
    Ok(Field {
        ident: ident.clone(),
        name: names::kebab(ident)?,
        docs: docs::lines(&field.attrs),
        ty: types::of(&field.ty, scope)?,
    })
}

fn cases(item: &ItemEnum, derive: &str, scope: &Scope) -> Result<TypeDef> {
    let ident = &item.ident;
    if derive == "Record" {
        return Err(Error::new(ident.span(), format!("`{ident}` is an `enum`: derive `Enum` or `Variant`")));
    }
    if !item.generics.params.is_empty() {
        return Err(Error::new(item.generics.span(), "an enum cannot be generic: callers cannot choose types"));
    }
    if item.variants.is_empty() {
        return Err(Error::new(ident.span(), "it has no cases, so nobody could make one"));
    }
    let plain = derive == "Enum";
    let mut errors = Errors::default();
    let cases: Vec<Case> =
        item.variants.iter().filter_map(|variant| errors.keep(case(variant, plain, scope))).collect();
    check_unique("cases", cases.iter().map(|case| &case.name), ident.span(), &mut errors);
    errors.take()?;
    type_def_of(ident, &item.attrs, &item.vis, TypeKind::Cases { plain, cases })
}

fn case(variant: &syn::Variant, plain: bool, scope: &Scope) -> Result<Case> {
    let ty = match &variant.fields {
        Fields::Unit => None,
        fields if plain => return Err(Error::new(fields.span(), "a case of an enum has no value: derive `Variant`")),
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => Some(types::of(&fields.unnamed[0].ty, scope)?),
        fields => {
            let message = "a case has one value, as in `Case(T)`: put several into a record or a tuple";
            return Err(Error::new(fields.span(), message));
        }
    };
    Ok(Case {
        ident: variant.ident.clone(),
        name: names::kebab(&variant.ident)?,
        docs: docs::lines(&variant.attrs),
        ty,
    })
}

fn type_def_of(ident: &Ident, attributes: &[Attribute], visibility: &Visibility, kind: TypeKind) -> Result<TypeDef> {
    Ok(TypeDef {
        ident: ident.clone(),
        name: names::kebab(ident)?,
        docs: docs::lines(attributes),
        kind,
        is_public: !matches!(visibility, Visibility::Inherited),
    })
}

/// Refuses names that Rust tells apart and an interface does not.
fn check_unique<'a>(what: &str, names: impl Iterator<Item = &'a String>, span: proc_macro2::Span, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            errors.push(Error::new(span, format!("two {what} are both `{name}` in the interface: rename one")));
        }
    }
}

/// Refuses stages and types of one name: in an interface they share their names.
fn check_names(stages: &[Stage], types: &[TypeDef], errors: &mut Errors) {
    let mut seen: BTreeMap<&str, &Ident> = BTreeMap::new();
    let named = types.iter().map(|def| (def.name.as_str(), &def.ident));
    for (name, ident) in named.chain(stages.iter().map(|stage| (stage.name.as_str(), &stage.ident))) {
        if let Some(other) = seen.insert(name, ident) {
            let message = format!("`{ident}` and `{other}` are both `{name}` in the interface: rename one");
            errors.push(Error::new(ident.span(), message));
        }
    }
}

/// Refuses types that contain themselves.
fn check_recursion(types: &[TypeDef], errors: &mut Errors) {
    for def in types {
        if reached(def.parts(), types).contains(&def.ident.to_string()) {
            let message = format!("`{}` contains itself, which an interface cannot express", def.ident);
            errors.push(Error::new(def.ident.span(), message));
        }
    }
}

/// Returns the types that the stages' signatures reach.
fn reachable(stages: &[Stage], types: Vec<TypeDef>) -> Vec<TypeDef> {
    let signatures = stages.iter().flat_map(|stage| stage.params.iter().map(|param| &param.ty).chain(&stage.result));
    let reached = reached(signatures.collect(), &types);
    types.into_iter().filter(|def| reached.contains(&def.ident.to_string())).collect()
}

/// Returns the names of the author's own types that can be reached from `roots`.
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
