//! Makes the Rust module of a dependency's interface.
//!
//! wit-bindgen generates the raw half, in a hidden module. `layer.rs` generates the half that
//! people use, which looks like the SDK.

use std::path::Path;

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Visibility};
use wit_parser::{InterfaceId, Resolve, TypeDefKind, TypeOwner};

use crate::{glue, names, wit};

mod layer;
mod types;

/// The arguments of `import!(...)`.
struct Import {
    visibility: Option<Visibility>,
    /// The name of the dependency in `host.toml`.
    alias: Ident,
}

impl Parse for Import {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let visibility = match input.parse()? {
            Visibility::Inherited => None,
            visibility => Some(visibility),
        };
        let alias = input.parse()?;
        if !input.is_empty() {
            return Err(input.error("write the name of one dependency: `import!(lint);`"));
        }
        Ok(Self { visibility, alias })
    }
}

/// The interface of a dependency.
struct Imported {
    resolve: Resolve,
    interface: InterfaceId,
    /// The name, such as `local:lint/stages@0.1.0`.
    name: String,
}

/// Returns the module for the dependency that `arguments` name, or a compile error. `root` is the
/// directory of the crate.
pub(crate) fn import(arguments: TokenStream, root: &Path) -> TokenStream {
    let module = syn::parse2::<Import>(arguments).and_then(|import| {
        let (path, text) = read(&import.alias, root)?;
        module(&import, &path, &text)
    });
    module.unwrap_or_else(Error::into_compile_error)
}

/// Returns the text of the dependency's interface, and its path in the crate.
fn read(alias: &Ident, root: &Path) -> syn::Result<(String, String)> {
    let kebab = names::kebab(alias)?;
    let path_of = |name: &str| format!("wit/deps/{name}/package.wit");
    for path in [path_of(&kebab), path_of(&kebab.replace('-', "_"))] {
        if let Ok(text) = std::fs::read_to_string(root.join(&path)) {
            return Ok((path, text));
        }
    }
    let message = format!(
        "the crate has no `{path}`: add the dependency to `host.toml`, as in `{kebab} = \"../{kebab}\"` under \
         `[dependencies]`, and run `host wit`, which writes that file",
        path = path_of(&kebab)
    );
    Err(Error::new(alias.span(), message))
}

impl Imported {
    /// Reads the text of a package with one interface.
    fn new(text: &str) -> Result<Self, String> {
        let mut resolve = Resolve::default();
        let package = resolve.push_source("package.wit", &wit::with_api(text)).map_err(|error| format!("{error:#}"))?;
        let interfaces = resolve.packages.get(package).map(|package| &package.interfaces).into_iter().flatten();
        let with_functions: Vec<InterfaceId> =
            interfaces.map(|(_, id)| *id).filter(|id| !resolve.interfaces[*id].functions.is_empty()).collect();
        let [interface] = with_functions[..] else {
            return Err(format!("it has {} interfaces with functions, and must have one", with_functions.len()));
        };
        let name = resolve.id_of(interface).ok_or("its interface has no name")?;
        Ok(Self { resolve, interface, name })
    }

    /// Returns the text followed by the world `imports` of `package`.
    fn inline(&self, text: &str, package: &str) -> String {
        let text = wit::with_api(text);
        let world = format!("world imports {{ include pipeline:api/imports@0.1.0; import {}; }}", self.name);
        format!("{text}\npackage {package} {{ {world} }}\n")
    }

    /// Returns whether the interface uses `pipeline:api/report`, which not every world has.
    fn uses_report(&self) -> bool {
        self.resolve.interfaces[self.interface].types.values().any(|id| match self.resolve.types[*id].kind {
            TypeDefKind::Type(wit_parser::Type::Id(id)) => match self.resolve.types[id].owner {
                TypeOwner::Interface(owner) => {
                    self.resolve.id_of(owner).is_some_and(|name| name.starts_with("pipeline:api/report@"))
                }
                TypeOwner::World(_) | TypeOwner::None => false,
            },
            _ => false,
        })
    }

    /// Returns the path of the module that wit-bindgen generates for the interface, below that of
    /// the world.
    fn raw_path(&self) -> TokenStream {
        let interface = &self.resolve.interfaces[self.interface];
        let package = interface.package.and_then(|id| self.resolve.packages.get(id)).map(|package| &package.name);
        let names = [
            package.map(|name| name.namespace.as_str()),
            package.map(|name| name.name.as_str()),
            interface.name.as_deref(),
        ];
        let idents = names.into_iter().flatten().map(names::value_ident);
        quote!(#(#idents)::*)
    }
}

/// Returns the module for an interface with this text, which is at `path` in the crate.
fn module(import: &Import, path: &str, text: &str) -> syn::Result<TokenStream> {
    let Import { visibility, alias } = import;
    let imported = Imported::new(text).map_err(|error| Error::new(alias.span(), format!("`{path}`: {error}")))?;
    let visibility = visibility.as_ref().map_or_else(|| quote!(pub(crate)), |visibility| quote!(#visibility));
    let package = format!("guest-sdk:import-{}", names::kebab(alias)?);
    let world = format!("{package}/imports");
    let inline = imported.inline(text, &package);
    let docs = imported.resolve.interfaces[imported.interface].docs.contents.as_deref().unwrap_or_default();
    let report = imported.uses_report().then(glue::with_report);
    let layer = layer::layer(&imported);
    let path = format!("/{path}");
    // The span of the alias lets the compiler show both of two equal imports.
    let once = Ident::new(&once(&imported.name), alias.span());
    Ok(quote! {
        #[doc = #docs]
        #[allow(
            warnings, unsafe_code, missing_docs, unreachable_pub, unused_qualifications,
            clippy::all, clippy::pedantic, clippy::restriction,
            reason = "generated by `guest_sdk::import!`"
        )]
        #visibility mod #alias {
            mod __raw {
                ::guest_sdk::generate!({ path: [], world: #world, #report inline: #inline, generate_all });
            }

            #layer

            // Cargo builds again if this file changes.
            const _: &[u8] = ::core::include_bytes!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), #path));

            // The macro is exported, so that the compiler reports a second one in the crate.
            #[macro_export]
            macro_rules! #once { () => {}; }
        }
    })
}

/// Returns the name of a macro that a crate has once for each interface that it imports.
fn once(interface: &str) -> String {
    let words: String = interface.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!("only_one_import_may_be_of_{words}")
}

#[cfg(test)]
mod tests;
