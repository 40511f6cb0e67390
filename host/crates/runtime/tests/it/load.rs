//! Components that can be loaded, and the messages for others.

use api::{CustomType, Signature, Type};
use graph::{Blame, Diagnostic};
use runtime::{CallError, Limits, LoadError, Power};

use crate::support::{call, load_wat, runtime, stage_wat};

fn load_error(bytes: &[u8]) -> LoadError {
    runtime(Limits::default()).load_bytes("m", bytes).err().expect("it loads")
}

fn load_error_wat(text: &str) -> String {
    load_error(&wat::parse_str(text).unwrap()).to_string()
}

#[test]
fn what_is_not_wasm_is_refused() {
    let error = load_error(b"#!/bin/sh");
    assert_eq!(error.to_string(), "module `m` is not a WebAssembly file");
    assert_eq!(error.blame(), Blame::User);
    assert_eq!(load_error(b"").to_string(), "module `m` is not a WebAssembly file");
}

#[test]
fn a_core_module_is_refused_with_a_way_out() {
    let error = load_error(&wat::parse_str("(module)").unwrap());
    assert_eq!(error.to_string(), "module `m` is a core module, not a component");
    assert!(error.hint().unwrap().contains("`wasm32-wasip2`"));
}

#[test]
fn a_truncated_component_is_refused_wherever_it_is_cut() {
    let whole = wat::parse_str(stage_wat(r#"(func (export "run"))"#)).unwrap();
    for length in (4..whole.len()).step_by(7) {
        let error = load_error(&whole[..length]);
        assert!(matches!(error, LoadError::Malformed { .. } | LoadError::NoStages { .. }), "{length}: {error}");
    }
}

#[test]
fn a_component_without_stages_says_what_it_exports() {
    assert_eq!(load_error_wat("(component)"), "module `m` has no stages: it exports nothing");
    let text = r#"(component
        (core module $m (func (export "run")))
        (core instance $i (instantiate $m))
        (func $run (canon lift (core func $i "run")))
        (export "init" (func $run)))"#;
    assert_eq!(load_error_wat(text), "module `m` has no stages: it exports init");
}

#[test]
fn an_import_that_the_host_does_not_have_is_named() {
    let imports = |name: &str| format!(r#"(component (import "{name}" (instance)))"#);
    for (name, expect) in [
        // Imports that another module may provide are resolved when modules are linked.
        ("acme:other/tools@1.0.0", "module `m` has no stages: it exports nothing"),
        ("wasi:http/types@0.2.0", "module `m` imports `wasi:http/types@0.2.0`, which the host does not have"),
        ("pipeline:api/robots@0.1.0", "module `m` imports `pipeline:api/robots@0.1.0`, which the host does not have"),
        (
            "pipeline:api/container@0.2.0",
            "module `m` imports `pipeline:api/container@0.2.0`, and the host has version 0.1",
        ),
        ("wasi:cli/stdout@0.3.0", "module `m` imports `wasi:cli/stdout@0.3.0`, and the host has version 0.2"),
    ] {
        assert_eq!(load_error_wat(&imports(name)), expect);
    }
    let error = load_error(&wat::parse_str(imports("pipeline:api/robots@0.1.0")).unwrap());
    assert!(error.hint().unwrap().contains("machine"), "{:?}", error.hint());
}

#[test]
fn a_resource_that_the_package_does_not_have_is_named() {
    let text = r#"(component (import "pipeline:api/file@0.1.0" (instance (export "robot" (type (sub resource))))))"#;
    let error = load_error_wat(text);
    assert!(error.contains("`pipeline:api/file@0.1.0`") && error.contains("`robot`"), "{error}");
}

#[test]
fn a_function_of_another_type_than_the_package_has_is_named() {
    let text = r#"(component (import "pipeline:api/file@0.1.0" (instance
        (export "file" (type $file (sub resource)))
        (export "[method]file.read" (func (param "self" (borrow $file)) (result (list u8)))))))"#;
    let error = load_error_wat(text);
    assert!(error.contains("another type") && error.contains("[method]file.read"), "{error}");
}

#[test]
fn a_component_says_what_it_has_and_what_it_asks_for() {
    let text = r#"(component
        (import "pipeline:api/directory@0.1.0" (instance $d (export "directory" (type (sub resource)))))
        (import "pipeline:api/effects@0.1.0" (instance))
        (import "pipeline:api/secret-access@0.1.3" (instance))
        (alias export $d "directory" (type $dir))
        (core module $m (func (export "run") (param i32 i32)))
        (core instance $i (instantiate $m))
        (type $own (own $dir))
        (func $run (param "src" $own) (param "n" u32) (canon lift (core func $i "run")))
        (instance $stages (export "build-all" (func $run)))
        (export "test:wat/stages@0.1.0" (instance $stages)))"#;
    let component = load_wat(Limits::default(), text);
    assert_eq!(component.interface(), "test:wat/stages@0.1.0");
    let params = vec![("src".to_owned(), Type::Object("directory".to_owned())), ("n".to_owned(), Type::U32)];
    assert_eq!(component.stages(), [Signature { name: "build-all".to_owned(), params, result: None }]);
    assert_eq!(component.powers().into_iter().collect::<Vec<_>>(), [Power::Effects, Power::SecretAccess]);
    assert_eq!(component.imports().len(), 3);
}

#[test]
fn the_only_interface_of_a_module_has_its_stages_whatever_its_name() {
    let text = stage_wat(r#"(func (export "run"))"#).replace("test:wat/stages@0.1.0", "test:wat/tasks");
    assert_eq!(load_wat(Limits::default(), &text).interface(), "test:wat/tasks");
}

#[test]
fn two_interfaces_without_the_name_are_ambiguous_and_the_name_decides() {
    let two = |second: &str| {
        format!(
            r#"(component
            (core module $m (func (export "run")))
            (core instance $i (instantiate $m))
            (func $run (canon lift (core func $i "run")))
            (instance $stages (export "run" (func $run)))
            (export "test:wat/a" (instance $stages))
            (export "test:wat/{second}" (instance $stages)))"#
        )
    };
    assert_eq!(
        load_error_wat(&two("b")),
        "module `m` does not say which interface has its stages: it exports test:wat/a, test:wat/b"
    );
    assert_eq!(load_wat(Limits::default(), &two("stages")).interface(), "test:wat/stages");
}

#[test]
fn a_function_with_a_resource_of_its_own_makes_custom_objects() {
    let text = r#"(component
        (core module $m (func (export "f") (result i32) unreachable) (func (export "run")))
        (core instance $i (instantiate $m))
        (type $thing (resource (rep i32)))
        (func $run (canon lift (core func $i "run")))
        (component $c
            (import "thing" (type $t (sub resource)))
            (import "make" (func $make (result (own $t))))
            (import "run" (func $run))
            (export $t2 "thing" (type $t))
            (export "make" (func $make) (func (result (own $t2))))
            (export "run" (func $run)))
        (func $make (result (own $thing)) (canon lift (core func $i "f")))
        (instance $stages (instantiate $c
            (with "thing" (type $thing)) (with "make" (func $make)) (with "run" (func $run))))
        (export "test:wat/stages@0.1.0" (instance $stages)))"#;
    let component = load_wat(Limits::default(), text);
    let results: Vec<_> = component.stages().iter().map(|stage| (stage.name.as_str(), stage.result.clone())).collect();
    let thing = CustomType { interface: "test:wat/stages".to_owned(), name: "thing".to_owned() };
    assert_eq!(results, [("make", Some(Type::Custom(thing))), ("run", None)]);
    let names: Vec<&str> = component.objects().iter().map(|object| object.name.as_str()).collect();
    assert_eq!(names, ["thing"]);
}

#[tokio::test]
async fn a_stage_that_is_not_there_names_those_that_are() {
    let component = load_wat(Limits::default(), &stage_wat(r#"(func (export "run"))"#));
    let error = call(&component, "walk", Vec::new()).await.unwrap_err();
    assert!(matches!(error, CallError::NoSuchStage { .. }));
    assert_eq!(error.hint().unwrap(), "it has: run");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = runtime(Limits::default()).load("/nowhere/x.wasm".as_ref()).err().unwrap();
    assert_eq!(error.to_string(), "cannot read component `/nowhere/x.wasm`");
    assert_eq!(error.blame(), Blame::User);
}
