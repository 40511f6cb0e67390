//! Reads Rust types as types of an interface.

use std::collections::BTreeMap;

use guest_sdk_interface::API_TYPES;
use proc_macro2::Ident;
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Error, GenericArgument, PathArguments, PathSegment, Result, ReturnType, TypeReference};

use crate::model::{Failure, Pass, Type};

/// The types that the module of stages declares, and whether a derive makes them usable.
pub(crate) type Scope = BTreeMap<String, Declared>;

/// How the module declares a type.
#[derive(Clone)]
pub(crate) enum Declared {
    /// The type has `#[derive(Record)]`, `#[derive(Enum)]` or `#[derive(Variant)]`.
    Derived,
    /// The type has `#[derive(Object)]`.
    Object,
    /// The name `Self`, which stands for this type.
    Alias(Ident),
    /// The type is a `struct` without one of these derives.
    Struct,
    /// The type is an `enum` without one of these derives.
    Enum,
}

const PRIMITIVES: &[(&str, &str)] = &[
    ("bool", "bool"),
    ("u8", "u8"),
    ("u16", "u16"),
    ("u32", "u32"),
    ("u64", "u64"),
    ("i8", "s8"),
    ("i16", "s16"),
    ("i32", "s32"),
    ("i64", "s64"),
    ("f32", "f32"),
    ("f64", "f64"),
    ("char", "char"),
];

/// Types that an interface does not have, with the types to use instead.
const INSTEAD: &[(&str, &str)] = &[
    ("usize", "its size depends on the machine, so use `u32` or `u64`"),
    ("isize", "its size depends on the machine, so use `i32` or `i64`"),
    ("u128", "use `u64` or `String`"),
    ("i128", "use `i64` or `String`"),
    ("HashMap", "use `Vec<(K, V)>`"),
    ("BTreeMap", "use `Vec<(K, V)>`"),
    ("HashSet", "use `Vec<T>`"),
    ("BTreeSet", "use `Vec<T>`"),
    ("Path", "a stage has no file system, so use `File`, `Directory` or `String`"),
    ("PathBuf", "a stage has no file system, so use `File`, `Directory` or `String`"),
    ("OsStr", "use `String`"),
    ("OsString", "use `String`"),
    ("Cow", "use `String` or `Vec<T>`"),
    ("Box", "use the type inside of it"),
    ("Rc", "use the type inside of it"),
    ("Arc", "use the type inside of it"),
    ("Duration", "use `u32` or `u64`, with the unit in the parameter's name"),
    ("Error", "to fail, return `Result<T>`"),
    ("Result", "only the return type of a stage can be a `Result`, and not as a part of another type"),
    ("Self", "name the type"),
    ("str", "use `&str` for a parameter, `String` elsewhere"),
];

/// Reads the type of a parameter.
pub(crate) fn of_param(ty: &syn::Type, scope: &Scope) -> Result<(Type, Pass)> {
    if let Some(lent) = lent(ty, scope)? {
        return Ok(lent);
    }
    match ungrouped(ty) {
        syn::Type::Reference(reference) => Ok((referent(reference, scope)?.0, Pass::Reference)),
        syn::Type::Path(path) => {
            if let Some(segment) = path.path.segments.last()
                && segment.ident == "Option"
                && let [item] = arguments(segment)?[..]
                && let syn::Type::Reference(reference) = ungrouped(item)
            {
                let (item, is_slice) = referent(reference, scope)?;
                let pass = if is_slice { Pass::OptionalSlice } else { Pass::OptionalReference };
                return Ok((Type::Option(Box::new(item)), pass));
            }
            Ok((of(ty, scope)?, Pass::Value))
        }
        _ => Ok((of(ty, scope)?, Pass::Value)),
    }
}

/// Reads the type of a parameter that borrows custom objects: `&Object`, `Option<&Object>`,
/// `Vec<&Object>` or `&[&Object]`.
fn lent(ty: &syn::Type, scope: &Scope) -> Result<Option<(Type, Pass)>> {
    let object = |ty| lent_object(ty, scope).map(Type::Lent);
    let objects = |ty| object(ty).map(|item| Type::List(Box::new(item)));
    let (lent, pass) = match ungrouped(ty) {
        syn::Type::Reference(reference) => match ungrouped(&reference.elem) {
            syn::Type::Slice(slice) => (objects(&slice.elem), Pass::Reference),
            _ => (object(ty), Pass::Value),
        },
        syn::Type::Path(path) => {
            let Some(segment) = path.path.segments.last() else { return Ok(None) };
            let [item] = arguments(segment)?[..] else { return Ok(None) };
            let lent = match segment.ident.to_string().as_str() {
                "Vec" => objects(item),
                "Option" => object(item).map(|item| Type::Option(Box::new(item))),
                _ => None,
            };
            (lent, Pass::Value)
        }
        _ => return Ok(None),
    };
    Ok(lent.map(|ty| (ty, pass)))
}

/// Returns the type of the custom object if `ty` is a reference to one.
fn lent_object(ty: &syn::Type, scope: &Scope) -> Option<Ident> {
    let syn::Type::Reference(reference) = ungrouped(ty) else { return None };
    let syn::Type::Path(path) = ungrouped(&reference.elem) else { return None };
    if reference.mutability.is_some() {
        return None;
    }
    let ident = &path.path.segments.last()?.ident;
    match scope.get(&ident.to_string())? {
        Declared::Object => Some(ident.clone()),
        Declared::Alias(object) => Some(object.clone()),
        Declared::Derived | Declared::Struct | Declared::Enum => None,
    }
}

/// Reads the return type of a function.
pub(crate) fn of_return(output: &ReturnType, scope: &Scope) -> Result<(Option<Type>, Failure)> {
    let ReturnType::Type(_, ty) = output else { return Ok((None, Failure::Never)) };
    if let syn::Type::Path(path) = ungrouped(ty)
        && let Some(segment) = path.path.segments.last()
        && segment.ident == "Result"
    {
        return match arguments(segment)?[..] {
            [value] => Ok((of_value(value, scope)?, Failure::Error)),
            [value, error] => Ok((of_value(value, scope)?, failure(error))),
            _ => Err(Error::new(ty.span(), "write the type of the value: `Result<T>`, or `Result<()>` for none")),
        };
    }
    Ok((of_value(ty, scope)?, Failure::Never))
}

/// Reads an owned type.
pub(crate) fn of(ty: &syn::Type, scope: &Scope) -> Result<Type> {
    let refuse = |reason: &str| {
        let message = format!("an interface cannot have the type `{}`: {reason}", printed(ty));
        Err(Error::new(ty.span(), message))
    };
    match ungrouped(ty) {
        syn::Type::Path(path) if path.qself.is_none() => match path.path.segments.last() {
            Some(segment) => of_segment(ty, segment, scope),
            None => refuse("the type has no name"),
        },
        syn::Type::Tuple(tuple) if tuple.elems.is_empty() => refuse("remove it"),
        syn::Type::Tuple(tuple) => {
            Ok(Type::Tuple(tuple.elems.iter().map(|item| of(item, scope)).collect::<Result<_>>()?))
        }
        syn::Type::Reference(_) => refuse("only a parameter can be a reference, so use an owned type here"),
        syn::Type::Array(_) | syn::Type::Slice(_) => refuse("use `Vec<T>`"),
        syn::Type::ImplTrait(_) | syn::Type::TraitObject(_) => {
            refuse("callers cannot choose a type, so use the type itself")
        }
        syn::Type::BareFn(_) => refuse("a function cannot be passed to a stage"),
        _ => refuse("the documentation of `#[guest_sdk::stages]` lists the types that can be used"),
    }
}

fn of_segment(ty: &syn::Type, segment: &PathSegment, scope: &Scope) -> Result<Type> {
    let name = segment.ident.to_string();
    let arguments = arguments(segment)?;
    // These come first, because a type of the module hides one of the prelude.
    if let Some(declared) = scope.get(&name) {
        return match declared {
            Declared::Derived | Declared::Object => Ok(Type::Local(segment.ident.clone())),
            Declared::Alias(ident) => Ok(Type::Local(ident.clone())),
            Declared::Struct => Err(Error::new(
                ty.span(),
                format!(
                    "put `#[derive(Record)]` or `#[derive(Object)]` before `struct {name}`, because callers see it"
                ),
            )),
            Declared::Enum => Err(Error::new(
                ty.span(),
                format!("put `#[derive(Enum)]` or `#[derive(Variant)]` before `enum {name}`, because callers see it"),
            )),
        };
    }
    if let Some((_, instead)) = INSTEAD.iter().find(|(rust, _)| *rust == name) {
        return Err(Error::new(ty.span(), format!("an interface cannot have the type `{}`: {instead}", printed(ty))));
    }
    match (name.as_str(), &arguments[..]) {
        ("String", []) => return Ok(Type::String),
        ("Vec", [item]) => return Ok(Type::List(Box::new(of(item, scope)?))),
        ("Option", [item]) => return Ok(Type::Option(Box::new(of(item, scope)?))),
        ("Vec" | "Option", _) => {
            return Err(Error::new(ty.span(), format!("write the type of its elements: `{name}<T>`")));
        }
        _ => {}
    }
    if let Some((rust, wit)) = PRIMITIVES.iter().find(|(rust, _)| *rust == name) {
        return Ok(Type::Primitive(rust, wit));
    }
    match API_TYPES.iter().find(|api| api.class == name) {
        Some(api) => Ok(Type::Api(*api)),
        None => Err(Error::new(
            ty.span(),
            format!(
                "an interface cannot have the type `{}`: one of your own must be declared in this module, with \
                 `#[derive(Record)]`, `#[derive(Enum)]`, `#[derive(Variant)]` or `#[derive(Object)]`",
                printed(ty)
            ),
        )),
    }
}

/// Reads the target of a reference, and whether it is a slice.
fn referent(reference: &TypeReference, scope: &Scope) -> Result<(Type, bool)> {
    if reference.mutability.is_some() {
        let message = format!("a stage cannot change its arguments: use `{}`", printed(&reference.elem));
        return Err(Error::new(reference.span(), message));
    }
    match ungrouped(&reference.elem) {
        syn::Type::Slice(slice) => Ok((Type::List(Box::new(of(&slice.elem, scope)?)), true)),
        syn::Type::Path(path) if path.path.is_ident("str") => Ok((Type::String, true)),
        item => Ok((of(item, scope)?, false)),
    }
}

/// Reads a type that may be `()`.
fn of_value(ty: &syn::Type, scope: &Scope) -> Result<Option<Type>> {
    match ungrouped(ty) {
        syn::Type::Tuple(tuple) if tuple.elems.is_empty() => Ok(None),
        syn::Type::Never(_) => Ok(None),
        ty => of(ty, scope).map(Some),
    }
}

fn failure(error: &syn::Type) -> Failure {
    match ungrouped(error) {
        syn::Type::Path(path) if path.path.is_ident("Error") => Failure::Error,
        other => Failure::Other(other.span()),
    }
}

/// Returns the types between `<` and `>`.
fn arguments(segment: &PathSegment) -> Result<Vec<&syn::Type>> {
    match &segment.arguments {
        PathArguments::None => Ok(Vec::new()),
        PathArguments::AngleBracketed(list) => list
            .args
            .iter()
            .filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(Ok(ty)),
                GenericArgument::Lifetime(_) => None,
                other => Some(Err(Error::new(other.span(), "this argument of a type cannot be used in an interface"))),
            })
            .collect(),
        PathArguments::Parenthesized(list) => Err(Error::new(list.span(), "a function cannot be passed to a stage")),
    }
}

/// Returns the type without invisible groups and parentheses around it.
fn ungrouped(ty: &syn::Type) -> &syn::Type {
    match ty {
        syn::Type::Group(group) => ungrouped(&group.elem),
        syn::Type::Paren(paren) => ungrouped(&paren.elem),
        ty => ty,
    }
}

/// Returns the type as people write it.
fn printed(ty: &syn::Type) -> String {
    let mut text = ty.to_token_stream().to_string();
    for (spaced, dense) in
        [(" <", "<"), ("< ", "<"), (" >", ">"), (" ,", ","), ("& ", "&"), (" :: ", "::"), (" ;", ";")]
    {
        text = text.replace(spaced, dense);
    }
    text
}
