use std::path::Path;

use wit_parser::{FunctionKind, Resolve};

use super::*;

/// Every function of the WIT package, as interface and function.
fn functions() -> Vec<(String, String)> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../wit")).unwrap();
    let mut functions = Vec::new();
    for (interface, id) in &resolve.packages[package].interfaces {
        for (name, function) in &resolve.interfaces[*id].functions {
            assert!(function.docs.contents.is_some(), "{interface}.{name} is not documented");
            assert!(
                !matches!(function.kind, FunctionKind::Static(_)),
                "{interface}.{name}: statics are not dispatched"
            );
            functions.push((interface.clone(), name.clone()));
        }
    }
    functions
}

#[test]
fn every_function_of_the_package_is_available_or_listed_as_unavailable() {
    let missing: Vec<_> = functions().into_iter().filter(|(interface, name)| find(interface, name).is_none()).collect();
    let mut listed: Vec<_> = unavailable().iter().map(|(i, f)| ((*i).to_owned(), (*f).to_owned())).collect();
    let mut sorted = missing.clone();
    sorted.sort();
    listed.sort();
    assert_eq!(sorted, listed);
}
