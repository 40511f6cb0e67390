//! Names in Rust and names in WIT.

use heck::{ToKebabCase, ToSnakeCase, ToUpperCamelCase};
use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;

/// Returns the name in kebab case.
pub(crate) fn kebab(ident: &Ident) -> syn::Result<String> {
    let name = ident.unraw().to_string();
    let kebab = name.to_kebab_case();
    if !kebab.is_ascii() {
        return Err(syn::Error::new(
            ident.span(),
            format!("`{name}` is not ASCII, and the names of an interface must be"),
        ));
    }
    if !kebab.starts_with(|first: char| first.is_ascii_lowercase()) {
        let message =
            format!("`{name}` cannot be a name of an interface: the names of an interface begin with a letter");
        return Err(syn::Error::new(ident.span(), message));
    }
    Ok(kebab)
}

/// Returns the identifier that wit-bindgen generates for a function, a parameter, a field or a
/// package.
pub(crate) fn value_ident(kebab: &str) -> Ident {
    let snake = kebab.to_snake_case();
    match syn::parse_str::<Ident>(&snake) {
        Ok(ident) if snake != "try" => ident,
        _ => Ident::new(&format!("{snake}_"), Span::call_site()),
    }
}

/// Returns the identifier that wit-bindgen generates for a type.
pub(crate) fn type_ident(kebab: &str) -> Ident {
    match kebab {
        // wit-bindgen uses `Guest` for the trait.
        "guest" => Ident::new("Guest_", Span::call_site()),
        _ => case_ident(kebab),
    }
}

/// Returns the identifier that wit-bindgen generates for a case.
pub(crate) fn case_ident(kebab: &str) -> Ident {
    Ident::new(&kebab.to_upper_camel_case(), Span::call_site())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_kebab_case() {
        for (rust, wit) in [
            ("build", "build"),
            ("build_all", "build-all"),
            ("OptLevel", "opt-level"),
            ("HTTPServer", "http-server"),
            ("_src", "src"),
            ("r#type", "type"),
            ("step_2", "step-2"),
        ] {
            assert_eq!(kebab(&syn::parse_str(rust).unwrap()).unwrap(), wit);
        }
    }

    #[test]
    fn what_has_no_kebab_case_is_refused() {
        for (rust, message) in [
            ("__", "`__` cannot be a name of an interface: the names of an interface begin with a letter"),
            ("_2d", "`_2d` cannot be a name of an interface: the names of an interface begin with a letter"),
            ("größe", "`größe` is not ASCII, and the names of an interface must be"),
        ] {
            assert_eq!(kebab(&syn::parse_str(rust).unwrap()).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn reserved_words_are_escaped() {
        assert_eq!(value_ident("type"), "type_");
        assert_eq!(value_ident("try"), "try_");
        assert_eq!(value_ident("opt-level"), "opt_level");
        assert_eq!(type_ident("guest"), "Guest_");
    }
}
