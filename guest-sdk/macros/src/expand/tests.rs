//! Tokens in, tokens out.

use super::*;
use crate::testing::check;

fn package() -> Package {
    Package { name: "tools".to_owned(), version: "1.2.3".to_owned() }
}

/// Returns the module that is left of `module`, without the generated one in it.
fn expanded(module: &str) -> String {
    let tokens = stages(TokenStream::new(), module.parse().unwrap(), &package());
    let mut module: ItemMod = syn::parse2(tokens).unwrap();
    let (_, items) = module.content.as_mut().unwrap();
    items.retain(|item| !matches!(item, Item::Mod(item) if item.ident == "__guest_sdk"));
    module.into_token_stream().to_string()
}

/// Returns all of what is made of `module`.
fn all(module: &str) -> String {
    stages(TokenStream::new(), module.parse().unwrap(), &package()).to_string()
}

/// Returns the code that is made for `module`, without its WIT.
fn glue(module: &str) -> String {
    let all = all(module);
    let start = all.find("struct Component").unwrap_or_default();
    all[start..].to_owned()
}

#[test]
fn the_documentation_of_parameters_moves_to_the_function() {
    let expanded = expanded("mod stages { /// Builds.\n pub fn build(/// The tree.\n src: Directory) {} }");
    check(
        &expanded,
        r##"#[doc = " Builds."] #[doc = ""] #[doc = " # Parameters"] #[doc = ""] #[doc = " - `src`: The tree."]
        pub fn build(src: Directory) {}"##,
    );
}

#[test]
fn a_default_is_taken_where_the_caller_gives_none() {
    let module = "mod stages { pub fn build(#[default(\"a\")] name: &str, #[default(2)] jobs: u32) {} }";
    check(&expanded(module), "mod stages { pub fn build(name: &str, jobs: u32) {} }");
    check(
        &glue(module),
        "let argument0 = match argument0 {
            ::core::option::Option::Some(value) => value,
            ::core::option::Option::None => ::std::string::String::from(\"a\"),
        };",
    );
}

#[test]
fn the_derives_are_told_that_they_were_seen() {
    let expanded = expanded("mod stages { #[derive(Record)] pub struct A { a: u8 } struct B; pub fn stage(a: A) {} }");
    check(&expanded, "#[derive(Record)] #[__guest_sdk_in_stages] pub struct A { a: u8 } struct B;");
}

#[test]
fn a_derive_outside_of_the_module_says_so() {
    let seen = quote!(
        #[__guest_sdk_in_stages]
        struct A {
            a: u8,
        }
    );
    assert!(derive("Record", seen).is_empty());
    let error = derive(
        "Record",
        quote!(
            struct A {
                a: u8,
            }
        ),
    )
    .to_string();
    let expected = "`Record` has an effect only in the module with `#[guest_sdk::stages]`: declare `A` there";
    assert!(error.contains(expected), "{error}");
}

#[test]
fn arguments_and_other_items_are_refused() {
    let error = stages(
        quote!(name),
        quote!(
            mod stages {}
        ),
        &package(),
    )
    .to_string();
    assert!(error.contains("this attribute has no arguments"), "{error}");
    let error = stages(
        TokenStream::new(),
        quote!(
            fn build() {}
        ),
        &package(),
    )
    .to_string();
    assert!(error.contains("this attribute must be on a module: `#[guest_sdk::stages] mod stages { ... }`"), "{error}");
    assert!(error.contains("fn build"), "the item stays: {error}");
    let error = all("mod stages;");
    assert!(error.contains("the module must be in this file"), "{error}");
}

#[test]
fn a_module_with_mistakes_stays_without_a_component() {
    let all = all("mod stages { fn helper() {} pub fn a(n: usize) {} }");
    assert!(all.contains("fn helper"), "{all}");
    assert!(all.contains("compile_error"), "{all}");
    assert!(!all.contains("__guest_sdk_in"), "{all}");
    assert!(!all.contains("generate !"), "{all}");
}

#[test]
fn arguments_are_passed_as_the_stage_takes_them() {
    let glue = glue(
        "mod stages { pub fn a(a: String, b: &str, c: Option<&Directory>, d: Option<&str>, e: &[u8], f: Option<File>) {} }",
    );
    check(&glue, "super::a(argument0, &argument1, argument2.as_ref(), argument3.as_deref(), &argument4, argument5)");
}

#[test]
fn types_of_the_authors_own_are_converted_and_others_are_not() {
    let glue = glue(
        r"mod stages {
            #[derive(Record)] pub struct A { r#type: u8, of: Vec<B> }
            #[derive(Variant)] pub enum B { One, Two(File) }
            pub fn stage(a: Option<A>, b: Vec<File>) -> Result<Vec<B>> {}
        }",
    );
    for expected in [
        "let argument0 = argument0.map(|item| ::core::convert::Into::<super::A>::into(item));",
        "let argument1 = argument1;",
        "super::A {
            r#type: value.type_,
            of: value.of.into_iter().map(|item| ::core::convert::Into::<super::B>::into(item))
                .collect::<::std::vec::Vec<_>>()
        }",
        "match value {
            super::B::One => exports::local::tools::stages::B::One,
            super::B::Two(value) => exports::local::tools::stages::B::Two(value)
        }",
        "-> ::core::result::Result<::std::vec::Vec<exports::local::tools::stages::B>, ::guest_sdk::wit::errors::Error>",
    ] {
        check(&glue, expected);
    }
}

#[test]
fn objects_are_the_types_of_the_component() {
    let glue = glue(
        r"mod stages {
            #[derive(Object)] pub struct Linter { level: u32 }
            impl Linter {
                pub fn new(level: u32) -> Self {}
                pub fn with_level(&self, r#type: u32) -> Self {}
                pub fn all() -> Result<Vec<Self>> {}
            }
            pub fn check(a: &Linter, b: Option<&Linter>, c: &[&Linter], d: Linter, e: Vec<Linter>) -> Linter {}
        }",
    );
    for expected in [
        "type Linter = super::Linter;",
        "impl exports::local::tools::stages::GuestLinter for super::Linter",
        "fn new(argument0: ::core::primitive::u32) -> Self {
            let argument0 = argument0;
            super::Linter::new(argument0)
        }",
        "fn with_level(&self, argument0: ::core::primitive::u32) -> exports::local::tools::stages::Linter {
            let argument0 = argument0;
            ::core::convert::Into::<exports::local::tools::stages::Linter>::into(
                super::Linter::with_level(self, argument0)
            )
        }",
        "argument0: exports::local::tools::stages::LinterBorrow<'_>",
        "argument4: ::std::vec::Vec<exports::local::tools::stages::Linter>",
        "let argument0 = argument0.get::<super::Linter>();",
        "let argument1 = argument1.map(|item| item.get::<super::Linter>());",
        "let argument3 = ::core::convert::Into::<super::Linter>::into(argument3);",
        "super::check(argument0, argument1, &argument2, argument3, argument4)",
    ] {
        check(&glue, expected);
    }
}

#[test]
fn reports_have_the_types_of_the_sdk() {
    check(
        &all("mod stages { pub fn check() -> Report {} }"),
        r#""pipeline:api/report@0.1.0": ::guest_sdk::wit::report"#,
    );
    assert!(!all("mod stages { pub fn check() {} }").contains("wit :: report"));
}

#[test]
fn the_documentation_of_a_methods_parameters_moves_to_the_method() {
    let expanded = expanded(
        "mod stages { #[derive(Object)] pub struct A; impl A { pub fn new(/// The level.\n n: u8) -> A {} } }",
    );
    check(&expanded, r##"#[doc = " - `n`: The level."] pub fn new(n: u8) -> A {}"##);
}
