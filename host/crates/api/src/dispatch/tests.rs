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

#[test]
fn every_lazy_function_knows_what_it_makes() {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../wit")).unwrap();
    let mut wrong = Vec::new();
    for (interface, id) in &resolve.packages[package].interfaces {
        for (name, function) in &resolve.interfaces[*id].functions {
            let Some(Function::Lazy(lazy)) = find(interface, name) else { continue };
            let made = match function.result {
                Some(wit_parser::Type::Id(id)) => match &resolve.types[id].kind {
                    wit_parser::TypeDefKind::Handle(wit_parser::Handle::Own(resource)) => {
                        resource_name(&resolve, *resource)
                    }
                    _ => None,
                },
                _ => None,
            };
            if lazy.makes != made.as_deref() {
                wrong.push(format!("{interface}.{name} makes {made:?}, not {:?}", lazy.makes));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// Returns the name of a resource, through the `use` that brought it into an interface.
fn resource_name(resolve: &Resolve, id: wit_parser::TypeId) -> Option<String> {
    match &resolve.types[id].kind {
        wit_parser::TypeDefKind::Type(wit_parser::Type::Id(other)) => resource_name(resolve, *other),
        _ => resolve.types[id].name.clone(),
    }
}
