//! Reads records, enums and variants.

use proc_macro2::Ident;
use syn::spanned::Spanned;
use syn::{Attribute, Error, Field as SynField, Fields, Item, ItemEnum, ItemStruct, Result, Visibility};

use super::{Errors, OBJECT, check_unique, sdk_derive};
use crate::model::{Case, Field, TypeDef, TypeKind};
use crate::types::Scope;
use crate::{docs, names, types};

/// Returns the record, enum or variant that an item declares, if it declares one.
pub(super) fn type_def(item: &Item, scope: &Scope) -> Option<Result<TypeDef>> {
    match item {
        Item::Struct(item) => match sdk_derive(&item.attrs)? {
            OBJECT => None,
            derive => Some(record(item, derive, scope)),
        },
        Item::Enum(item) => Some(cases(item, sdk_derive(&item.attrs)?, scope)),
        _ => None,
    }
}

fn record(item: &ItemStruct, derive: &str, scope: &Scope) -> Result<TypeDef> {
    let ident = &item.ident;
    if derive != "Record" {
        let message = format!("`{ident}` is a `struct`: derive `Record` or `Object`, not `{derive}`");
        return Err(Error::new(ident.span(), message));
    }
    if !item.generics.params.is_empty() {
        return Err(Error::new(
            item.generics.span(),
            "a record cannot be generic, because callers cannot choose types",
        ));
    }
    let Fields::Named(fields) = &item.fields else {
        return Err(Error::new(ident.span(), "a record must have named fields: `struct NAME { field: T }`"));
    };
    if fields.named.is_empty() {
        return Err(Error::new(ident.span(), "a record must have at least one field"));
    }
    let mut errors = Errors::default();
    let fields: Vec<Field> = fields.named.iter().filter_map(|item| errors.keep(field(item, scope))).collect();
    check_unique("fields", fields.iter().map(|field| &field.name), ident.span(), &mut errors);
    errors.take()?;
    type_def_of(ident, &item.attrs, &item.vis, TypeKind::Record(fields))
}

fn field(field: &SynField, scope: &Scope) -> Result<Field> {
    let Some(ident) = &field.ident else {
        return Err(Error::new(field.span(), "a record must have named fields"));
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
    if matches!(derive, "Record" | OBJECT) {
        return Err(Error::new(ident.span(), format!("`{ident}` is an `enum`: derive `Enum` or `Variant`")));
    }
    if !item.generics.params.is_empty() {
        return Err(Error::new(item.generics.span(), "an enum cannot be generic, because callers cannot choose types"));
    }
    if item.variants.is_empty() {
        return Err(Error::new(ident.span(), "the enum has no cases, so it has no values: add one"));
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
        fields if plain => {
            return Err(Error::new(fields.span(), "a case of an enum cannot have a value: derive `Variant` instead"));
        }
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => Some(types::of(&fields.unnamed[0].ty, scope)?),
        fields => {
            let message = "a case has at most one value, as in `Case(T)`: use a record or a tuple for several";
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
