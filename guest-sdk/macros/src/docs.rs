//! Reads doc comments from attributes, and removes them where the compiler does not allow them.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// Returns the lines of the doc comments in `attributes`, without the space after `///`.
pub(crate) fn lines(attributes: &[Attribute]) -> Vec<String> {
    let mut lines = Vec::new();
    for attribute in attributes {
        if let Some(text) = text(attribute) {
            lines.extend(text.lines().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned()));
            // An empty `///` is a line as well.
            if text.is_empty() {
                lines.push(String::new());
            }
        }
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// Returns the doc comments in `attributes` as one line.
pub(crate) fn line(attributes: &[Attribute]) -> String {
    let lines = lines(attributes);
    let words: Vec<&str> = lines.iter().flat_map(|line| line.split_whitespace()).collect();
    words.join(" ")
}

/// Returns whether the attribute is a doc comment.
pub(crate) fn is_doc(attribute: &Attribute) -> bool {
    text(attribute).is_some()
}

fn text(attribute: &Attribute) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}
