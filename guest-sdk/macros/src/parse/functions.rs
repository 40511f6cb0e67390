//! Reads the functions that callers see.

use syn::spanned::Spanned;
use syn::{Attribute, Error, FnArg, ItemFn, Pat, Result, Signature};

use super::{Errors, check_unique, defaults};
use crate::model::{Function, Param};
use crate::types::Scope;
use crate::{docs, names, types};

/// The attribute of a stage that is a check.
const CHECK: &str = "check";

/// The word that messages use for a stage.
const STAGE: &str = "stage";

/// Reads a stage.
pub(super) fn stage(function: &ItemFn, scope: &Scope) -> Result<Function> {
    let mut stage = self::function(STAGE, &function.attrs, &function.sig, scope)?;
    if let Some(attribute) = function.attrs.iter().find(|attribute| is_check(attribute)) {
        attribute.meta.require_path_only()?;
        stage.is_check = true;
    }
    Ok(stage)
}

/// Returns whether an attribute is `#[check]`, which only the macro of the module understands.
pub(crate) fn is_check(attribute: &Attribute) -> bool {
    attribute.path().is_ident(CHECK)
}

/// Reads a function that callers see. `what` is the word that messages use for it.
pub(super) fn function(what: &str, attributes: &[Attribute], signature: &Signature, scope: &Scope) -> Result<Function> {
    check_qualifiers(what, attributes, signature)?;
    let mut errors = Errors::default();
    let name = errors.keep(names::kebab(&signature.ident));
    let params: Vec<Param> =
        signature.inputs.iter().filter_map(|input| errors.keep(param(what, input, scope).transpose()?)).collect();
    let output = errors.keep(types::of_return(&signature.output, scope));
    check_unique("parameters", params.iter().map(|param| &param.name), signature.inputs.span(), &mut errors);
    errors.take()?;
    let name = name.expect("its error was returned");
    let (result, failure) = output.expect("its error was returned");
    Ok(Function {
        ident: signature.ident.clone(),
        name,
        docs: docs::lines(attributes),
        is_check: false,
        params,
        result,
        failure,
    })
}

/// Reports qualifiers that a function of an interface cannot have.
fn check_qualifiers(what: &str, attributes: &[Attribute], signature: &Signature) -> Result<()> {
    let refuse = |span, message: &str| Err(Error::new(span, format!("a {what} {message}")));
    if let Some(word) = &signature.asyncness {
        return refuse(
            word.span,
            "cannot be `async`: methods of objects wait by themselves, and `sync_all` evaluates several at the same time",
        );
    }
    if let Some(word) = &signature.unsafety {
        return refuse(word.span, "cannot be `unsafe`");
    }
    if let Some(abi) = &signature.abi {
        return refuse(abi.span(), "cannot be `extern`: remove that word");
    }
    if let Some(dots) = &signature.variadic {
        return refuse(dots.span(), "cannot have a variable number of parameters: use a `Vec<T>`");
    }
    if !signature.generics.params.is_empty() || signature.generics.where_clause.is_some() {
        let span =
            if signature.generics.params.is_empty() { signature.ident.span() } else { signature.generics.span() };
        return refuse(span, "cannot be generic, because callers cannot choose types: use the types themselves");
    }
    if let Some(cfg) = attributes.iter().find(|attribute| attribute.path().is_ident("cfg")) {
        return refuse(
            cfg.span(),
            "cannot have `#[cfg]`, because the interface is the same in every build: use `#[cfg]` inside of the function, or remove `pub`",
        );
    }
    Ok(())
}

/// Reads a parameter, and returns `None` for `self` where it is allowed.
fn param(what: &str, input: &FnArg, scope: &Scope) -> Result<Option<Param>> {
    let param = match input {
        FnArg::Receiver(receiver) if what == STAGE => {
            return Err(Error::new(
                receiver.span(),
                "a stage cannot have `self`, because every call starts without state: remove it",
            ));
        }
        FnArg::Receiver(_) => return Ok(None),
        FnArg::Typed(param) => param,
    };
    let Pat::Ident(pattern) = &*param.pat else {
        return Err(Error::new(param.pat.span(), "the parameter needs a name, because callers see it"));
    };
    let (ty, pass) = types::of_param(&param.ty, scope)?;
    let default = defaults::of_param(&param.attrs, &ty)?;
    Ok(Some(Param { name: names::kebab(&pattern.ident)?, docs: docs::line(&param.attrs), ty, pass, default }))
}
