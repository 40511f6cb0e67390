//! Reads the defaults of parameters: `#[default(1)]`.

use syn::{Attribute, Error, Expr, ExprLit, ExprPath, ExprUnary, Lit, Result, UnOp};

use crate::model::{Default, Type};
use crate::names;

/// Returns whether an attribute is `#[default(...)]`, which only the macro of the module understands.
pub(crate) fn is_default(attribute: &Attribute) -> bool {
    attribute.path().is_ident("default")
}

/// Reads the default of a parameter of the type `ty`, if its attributes have one.
pub(super) fn of_param(attributes: &[Attribute], ty: &Type) -> Result<Option<Default>> {
    let Some(attribute) = attributes.iter().find(|attribute| is_default(attribute)) else { return Ok(None) };
    let value: Expr = attribute.parse_args()?;
    if matches!(ty, Type::Option(_)) {
        let message = "a parameter with a default is no `Option`: write the type inside of it";
        return Err(Error::new_spanned(attribute, message));
    }
    match text(&value, ty) {
        Some(text) => Ok(Some(Default { value, text: text? })),
        None => {
            Err(Error::new_spanned(&value, "a default is a literal of the parameter's type, or a case of its enum"))
        }
    }
}

/// Returns the text form of a default as WebAssembly values have it. None if it is not of the type.
fn text(value: &Expr, ty: &Type) -> Option<Result<String>> {
    match (value, ty) {
        (Expr::Lit(ExprLit { lit, .. }), ty) => literal(lit, ty).map(Ok),
        (Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }), Type::Primitive(_, wit)) if !wit.starts_with('u') => {
            let Expr::Lit(ExprLit { lit: lit @ (Lit::Int(_) | Lit::Float(_)), .. }) = &**expr else { return None };
            literal(lit, ty).map(|text| Ok(format!("-{text}")))
        }
        (Expr::Path(ExprPath { path, .. }), Type::Local(ident)) => {
            let mut segments = path.segments.iter().rev();
            let (case, of) = (segments.next()?, segments.next()?);
            (of.ident == *ident).then(|| names::kebab(&case.ident))
        }
        _ => None,
    }
}

fn literal(literal: &Lit, ty: &Type) -> Option<String> {
    match (literal, ty) {
        (Lit::Str(text), Type::String) => Some(format!("{:?}", text.value())),
        (Lit::Bool(value), Type::Primitive("bool", _)) => Some(value.value.to_string()),
        (Lit::Char(value), Type::Primitive("char", _)) => Some(format!("{:?}", value.value())),
        (Lit::Float(value), Type::Primitive("f32" | "f64", _)) => Some(value.base10_digits().to_owned()),
        (Lit::Int(value), Type::Primitive(name, _)) if !matches!(*name, "bool" | "char" | "f32" | "f64") => {
            Some(value.base10_digits().to_owned())
        }
        _ => None,
    }
}
