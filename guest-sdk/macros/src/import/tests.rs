//! WIT in, Rust out.

use super::*;
use crate::testing::check;

/// An interface with an object.
const LINT: &str = "
    package local:lint@0.1.0;

    /// Looks for bad style.
    interface stages {
        use pipeline:api/directory@0.1.0.{directory};
        use pipeline:api/errors@0.1.0.{error};

        record finding { path: string }

        /// Checks directory trees.
        resource linter {
            constructor(level: option<u32>);
            with-level: func(level: u32) -> linter;
            check: func(src: directory) -> result<list<finding>, error>;
            strictest: static func() -> linter;
        }

        /// Checks a tree.
        check: func(src: directory, name: string, names: list<string>) -> result<_, error>;
        each: func(levels: list<u32>) -> result<list<linter>, error>;
        sum: func(lent: list<borrow<linter>>, one: borrow<linter>, more: option<borrow<linter>>, owned: list<linter>) -> u32;
    }
";

/// Returns the module for an interface, without its raw half.
fn layer(import: &str, text: &str) -> String {
    let all = all(import, text).unwrap();
    let (head, rest) = all.split_once("mod __raw").unwrap();
    let (_, layer) = rest.split_once("generate_all }) ; }").unwrap();
    format!("{head}{layer}")
}

fn all(import: &str, text: &str) -> syn::Result<String> {
    let import: Import = syn::parse_str(import).unwrap();
    module(&import, "wit/deps/lint/package.wit", text).map(|module| module.to_string())
}

#[test]
fn the_world_imports_the_interface_by_its_own_name() {
    let inline = Imported::new(LINT).unwrap().inline(LINT, "guest-sdk:import-lint");
    let mut resolve = Resolve::default();
    resolve.push_str("package.wit", &inline).unwrap();
    let (_, world) = resolve
        .worlds
        .iter()
        .find(|(_, world)| {
            world.name == "imports"
                && world
                    .package
                    .is_some_and(|package| resolve.packages[package].name.to_string() == "guest-sdk:import-lint")
        })
        .unwrap();
    let imports: Vec<String> = world.imports.keys().map(|key| resolve.name_world_key(key)).collect();
    assert!(imports.contains(&"local:lint/stages@0.1.0".to_owned()), "{imports:?}");
}

#[test]
fn the_module_is_for_the_crate_and_has_the_documentation() {
    check(&layer("lint", LINT), "#[doc = \"Looks for bad style.\"]");
    check(&layer("lint", LINT), "pub(crate) mod lint {");
    check(&layer("pub lint", LINT), "pub mod lint {");
}

#[test]
fn functions_read_as_those_of_the_sdk() {
    let layer = layer("lint", LINT);
    for expected in [
        r#"#[doc = "Checks a tree."]
        pub fn check(
            src: impl ::core::convert::Into<::guest_sdk::wit::directory::Directory>,
            name: impl ::core::convert::AsRef<str>,
            names: impl ::core::iter::IntoIterator<Item: ::core::convert::AsRef<str>>
        ) -> ::guest_sdk::Result<()> {
            match self::__raw::local::lint::stages::check(
                src.into(),
                name.as_ref(),
                &names.into_iter().map(|item| item.as_ref().to_owned()).collect::<::std::vec::Vec<_>>()
            )"#,
        "pub fn each(levels: &[::core::primitive::u32]) -> ::guest_sdk::Result<::std::vec::Vec<Linter>>",
        "::core::result::Result::Ok(value.into_iter().map(|item| Linter(item)).collect::<::std::vec::Vec<_>>())",
        "pub fn sum(
            lent: &[&Linter],
            one: &Linter,
            more: ::core::option::Option<&Linter>,
            owned: ::std::vec::Vec<Linter>
        ) -> ::core::primitive::u32 {
            self::__raw::local::lint::stages::sum(
                &lent.iter().map(|item| &item.0).collect::<::std::vec::Vec<_>>(),
                &one.0,
                more.map(|item| &item.0),
                owned.into_iter().map(|item| item.0).collect::<::std::vec::Vec<_>>()
            )
        }",
    ] {
        check(&layer, expected);
    }
}

#[test]
fn objects_are_types_with_methods() {
    let layer = layer("lint", LINT);
    for expected in [
        "pub use self::__raw::local::lint::stages::{Finding};",
        r#"#[doc = "Checks directory trees."] pub struct Linter(self::__raw::local::lint::stages::Linter);"#,
        "pub fn new(level: ::core::option::Option<::core::primitive::u32>) -> Linter {
            Linter(self::__raw::local::lint::stages::Linter::new(level))
        }",
        "pub fn with_level(&self, level: ::core::primitive::u32) -> Linter { Linter(self.0.with_level(level)) }",
        "pub fn strictest() -> Linter { Linter(self::__raw::local::lint::stages::Linter::strictest()) }",
        ") -> ::guest_sdk::Result<::std::vec::Vec<Finding>>",
    ] {
        check(&layer, expected);
    }
}

#[test]
fn constructors_of_others_may_fail() {
    let text = "package local:lint@0.1.0; interface stages {
        use pipeline:api/errors@0.1.0.{error};
        resource linter { constructor() -> result<linter, error>; }
    }";
    check(&layer("lint", text), "pub fn new() -> ::guest_sdk::Result<Linter>");
}

#[test]
fn one_interface_is_imported_once() {
    let once = "macro_rules! only_one_import_may_be_of_local_lint_stages_0_1_0";
    check(&layer("lint", LINT), once);
    check(&layer("style", LINT), once);
}

#[test]
fn a_dependency_that_is_not_there_is_told_with_the_way_out() {
    let error = import(quote!(my_lint), Path::new("no-such-directory")).to_string();
    check(
        &error,
        r#"the crate has no `wit/deps/my-lint/package.wit`: add the dependency to `host.toml`, as in
        `my-lint = \"../my-lint\"` under `[dependencies]`, and run `host wit`, which writes that file"#,
    );
    let error = import(quote!(lint, style), Path::new(".")).to_string();
    check(&error, "write the name of one dependency: `import!(lint);`");
}

#[test]
fn an_interface_that_cannot_be_imported_is_told_with_its_file() {
    for (text, expected) in [
        (
            "package a:b; interface c { type d = u8; }",
            "`wit/deps/lint/package.wit`: it has 0 interfaces with functions, and must have one",
        ),
        (
            "package a:b; interface c { f: func(); } interface d { f: func(); }",
            "`wit/deps/lint/package.wit`: it has 2 interfaces with functions, and must have one",
        ),
        ("package a:b; interface c { f: func(g: h); }", "`wit/deps/lint/package.wit`: name `h` does not exist"),
    ] {
        let error = all("lint", text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
