//! Documentation that every file and every item has, and that agrees with the code.

use std::collections::BTreeSet;

use wit_component::{DecodedWasm, WitPrinter};
use wit_parser::{Docs, FunctionKind, PackageId, Resolve, TypeDefKind, WorldKey};

use super::{files, none, read, root, shown};

#[test]
fn every_file_says_what_it_is() {
    let silent: Vec<String> = files(".rs")
        .iter()
        .filter(|path| {
            let name = shown(path);
            // The files of unit tests belong to the file beside them.
            !name.ends_with("tests.rs") && !read(path).lines().take(3).any(|line| line.starts_with("//!"))
        })
        .map(|path| shown(path))
        .collect();
    none(silent);
}

#[test]
fn the_list_of_what_is_not_available_is_that_of_the_code() {
    let listed: BTreeSet<String> = read(&root().join("docs/unavailable.md"))
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name.to_owned()))
        .collect();
    let in_code: BTreeSet<String> = api::unavailable()
        .iter()
        .map(|(interface, function)| match function.strip_prefix("[method]") {
            Some(method) => method.to_owned(),
            None => format!("{interface}.{function}"),
        })
        .collect();
    assert_eq!(listed, in_code);
}

#[test]
fn everything_in_the_wit_package_is_documented() {
    let (resolve, package) = wit();
    let mut silent = Vec::new();
    let mut check = |name: String, docs: &Docs| {
        if docs.contents.is_none() {
            silent.push(format!("{name} is not documented"));
        }
    };
    for (name, id) in &resolve.packages[package].interfaces {
        let interface = &resolve.interfaces[*id];
        check(format!("interface `{name}`"), &interface.docs);
        for (function, item) in &interface.functions {
            check(format!("`{name}.{function}`"), &item.docs);
        }
        for (ty, id) in &interface.types {
            // A type that another interface defines is documented there.
            let kind = &resolve.types[*id].kind;
            if !matches!(kind, TypeDefKind::Type(_)) {
                check(format!("type `{name}.{ty}`"), &resolve.types[*id].docs);
            }
            for (member, docs) in members(kind) {
                check(format!("`{member}` of `{name}.{ty}`"), docs);
            }
        }
    }
    none(silent);
}

/// Returns the fields or cases of a type.
fn members(kind: &TypeDefKind) -> Vec<(&str, &Docs)> {
    match kind {
        TypeDefKind::Record(record) => record.fields.iter().map(|field| (&*field.name, &field.docs)).collect(),
        TypeDefKind::Enum(cases) => cases.cases.iter().map(|case| (&*case.name, &case.docs)).collect(),
        TypeDefKind::Variant(variant) => variant.cases.iter().map(|case| (&*case.name, &case.docs)).collect(),
        TypeDefKind::Flags(flags) => flags.flags.iter().map(|flag| (&*flag.name, &flag.docs)).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn functions_of_the_wit_package_have_at_most_four_parameters() {
    let (resolve, package) = wit();
    let mut wrong = Vec::new();
    for (name, id) in &resolve.packages[package].interfaces {
        for (function, item) in &resolve.interfaces[*id].functions {
            // The first parameter of a method is its object.
            let n_params = item.params.len() - usize::from(matches!(item.kind, FunctionKind::Method(_)));
            if n_params > 4 {
                wrong.push(format!("`{name}.{function}` has {n_params} parameters"));
            }
        }
    }
    none(wrong);
}

#[test]
fn the_wit_package_is_the_same_when_it_is_encoded_and_decoded() {
    let (resolve, package) = wit();
    let print = |resolve: &Resolve, package: PackageId| {
        let mut printer = WitPrinter::default();
        printer.print(resolve, package, &[]).unwrap();
        printer.output.to_string()
    };
    let encoded = wit_component::encode(&resolve, package).unwrap();
    let DecodedWasm::WitPackage(decoded, decoded_package) = wit_component::decode(&encoded).unwrap() else {
        panic!("a package is not decoded as a package");
    };
    assert_eq!(print(&decoded, decoded_package), print(&resolve, package));
}

/// The interfaces that a module imports by name, because they are powers or because they have only types.
const NOT_IN_THE_WORLD: &[&str] = &["effects", "machine", "report", "secret-access", "sources"];

#[test]
fn the_world_imports_every_interface_but_powers_and_types() {
    let (resolve, package) = wit();
    let world = resolve.select_world(&[package], Some("imports")).unwrap();
    let id = |key: &WorldKey| match key {
        WorldKey::Interface(id) => resolve.interfaces[*id].name.clone(),
        WorldKey::Name(name) => Some(name.clone()),
    };
    let imported: BTreeSet<String> = resolve.worlds[world].imports.keys().filter_map(id).collect();
    let interfaces = resolve.packages[package].interfaces.keys();
    let expected: BTreeSet<String> = interfaces.filter(|name| !NOT_IN_THE_WORLD.contains(&&***name)).cloned().collect();
    assert_eq!(imported, expected);
}

fn wit() -> (Resolve, PackageId) {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(root().join("wit")).unwrap();
    (resolve, package)
}
