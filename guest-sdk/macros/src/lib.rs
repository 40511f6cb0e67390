//! The macros of `guest-sdk`, which re-exports them and documents how to use them.
//!
//! [`macro@stages`] reads a Rust module (`parse.rs`) into a model of its interface
//! (`model.rs`), prints that as WIT (`wit.rs`), and writes the code that connects the
//! component's exports to the author's functions (`glue.rs`). [`import!`] goes the other
//! way: it reads WIT and writes Rust (`import.rs`). All of it works on `proc_macro2` tokens,
//! so that tests are text in, text out.

mod docs;
mod expand;
mod glue;
mod import;
mod model;
mod names;
mod parse;
#[cfg(test)]
mod testing;
mod types;
mod wit;

use proc_macro::TokenStream;

/// Makes the `pub fn`s of a module the stages of a component. `guest_sdk::stages` has the
/// documentation.
#[proc_macro_attribute]
pub fn stages(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::stages(arguments.into(), item.into(), &wit::Package::of_the_crate()).into()
}

/// Makes a Rust module of the interface of a dependency. `guest_sdk::import` has the documentation.
#[proc_macro]
pub fn import(arguments: TokenStream) -> TokenStream {
    let root = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    import::import(arguments.into(), root.as_ref()).into()
}

/// Makes a `struct` of the module of stages a record of the interface.
///
/// Its fields have names, and types that [`macro@stages`] lists. None of them is a reference.
#[proc_macro_derive(Record, attributes(__guest_sdk_in_stages))]
pub fn derive_record(item: TokenStream) -> TokenStream {
    expand::derive("Record", item.into()).into()
}

/// Makes a `struct` of the module of stages a type of custom objects, which is a resource of the
/// interface.
///
/// The `pub fn`s of its `impl` blocks become the constructor (`new`), the methods (with `&self`)
/// and the static functions. Callers do not see its fields.
#[proc_macro_derive(Object, attributes(__guest_sdk_in_stages))]
pub fn derive_object(item: TokenStream) -> TokenStream {
    expand::derive("Object", item.into()).into()
}

/// Makes an `enum` of the module of stages an enum of the interface. Its cases have no values.
#[proc_macro_derive(Enum, attributes(__guest_sdk_in_stages))]
pub fn derive_enum(item: TokenStream) -> TokenStream {
    expand::derive("Enum", item.into()).into()
}

/// Makes an `enum` of the module of stages a variant of the interface. Each case has at most one
/// value.
#[proc_macro_derive(Variant, attributes(__guest_sdk_in_stages))]
pub fn derive_variant(item: TokenStream) -> TokenStream {
    expand::derive("Variant", item.into()).into()
}
