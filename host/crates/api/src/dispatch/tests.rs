use std::path::Path;

use wit_parser::{FunctionKind, Handle, Resolve, Type, TypeDefKind, TypeId};

use super::*;
use crate::table::{NameOf, rows};

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

/// Every function of the WIT package that the table has, with its row, the resource that it makes, and the resource
/// that its first parameter is.
fn available() -> Vec<(&'static Row, Option<String>, Option<String>)> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../wit")).unwrap();
    let interfaces = &resolve.packages[package].interfaces;
    let functions = interfaces.iter().flat_map(|(interface, id)| {
        resolve.interfaces[*id].functions.values().map(move |function| (interface.as_str(), function))
    });
    functions
        .filter_map(|(interface, function)| {
            let row = row_of(&method_of(interface, &function.name))?;
            let made = function.result.as_ref().and_then(|ty| resource(&resolve, ty));
            let this = function.params.first().and_then(|param| resource(&resolve, &param.ty));
            Some((row, made, this))
        })
        .collect()
}

#[test]
fn every_row_is_of_one_function_of_the_package() {
    let mut of_table: Vec<&str> = rows().map(|row| row.method).collect();
    let mut of_package: Vec<&str> = available().iter().map(|(row, ..)| row.method).collect();
    of_table.sort_unstable();
    of_package.sort_unstable();
    assert_eq!(of_table, of_package);
}

/// Returns what is wrong with the facts of a row.
fn contradiction(row: &Row, made: Option<&str>, this: Option<&str>) -> Option<&'static str> {
    let is_leaf = matches!(row.kind, Kind::Leaf(_));
    let can_be_pending = this.is_some_and(|this| Pending::CALLABLE.contains(&this));
    let makes_named = matches!(row.makes, Some("file" | "directory"));
    if !is_leaf && row.makes != made {
        return Some("it makes another resource");
    }
    if (is_leaf || row.makes.is_some()) && row.answer.is_some() {
        return Some("it has an answer for what is not made yet, and needs none");
    }
    if !is_leaf && row.makes.is_none() && can_be_pending && row.answer.is_none() {
        return Some("it has no answer for what is not made yet");
    }
    if (row.name != NameOf::Unchanged) && !makes_named {
        return Some("it names what has no name");
    }
    if makes_named && this.is_some() && this != row.makes && row.name == NameOf::Unchanged && row.method != ROOTFS {
        return Some("the name of what it makes is not known");
    }
    ((row.takes_stage_env || row.runs_command) && row.makes != Some("container"))
        .then_some("only containers have variables and commands")
}

/// The root of a tree has the name `/`, whatever it is the root of.
const ROOTFS: &str = "container.rootfs";

#[test]
fn the_facts_of_every_row_agree_with_each_other_and_with_the_package() {
    let wrong: Vec<String> = available()
        .iter()
        .filter_map(|(row, made, this)| {
            contradiction(row, made.as_deref(), this.as_deref()).map(|why| format!("{}: {why}", row.method))
        })
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_rows_that_begin_a_container_and_those_that_run_a_command_are_these() {
    let methods = |is_it: fn(&Row) -> bool| rows().filter(|row| is_it(row)).map(|row| row.method).collect::<Vec<_>>();
    assert_eq!(methods(|row| row.takes_stage_env), ["container.new", "container.from-image", "machine/rootfs"]);
    assert_eq!(methods(|row| row.runs_command), ["container.with-exec", "container.with-exec-options"]);
}

/// Returns the name of the resource that a type is a handle of.
fn resource(resolve: &Resolve, ty: &Type) -> Option<String> {
    let Type::Id(id) = ty else { return None };
    match &resolve.types[*id].kind {
        TypeDefKind::Handle(Handle::Own(resource) | Handle::Borrow(resource)) => resource_name(resolve, *resource),
        _ => None,
    }
}

/// Returns the name of a resource, through the `use` that brought it into an interface.
fn resource_name(resolve: &Resolve, id: TypeId) -> Option<String> {
    match &resolve.types[id].kind {
        TypeDefKind::Type(Type::Id(other)) => resource_name(resolve, *other),
        _ => resolve.types[id].name.clone(),
    }
}
