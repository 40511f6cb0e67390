//! The schema `docs/host.schema.json` accepts and refuses the same manifests as the parser.

use std::collections::BTreeSet;

use jsonschema::Validator;
use serde_json::Value;

use super::super::keys;
use super::refused::{DEPENDENCIES, DOES, SAYS};
use super::*;

const SCHEMA: &str = include_str!("../../../../../../docs/host.schema.json");

const PAGE: &str = include_str!("../../../../../../docs/manifest.md");

/// Mistakes that only the parser finds: syntax, names that are equal in kebab case, and names of other tables.
const BEYOND_A_SCHEMA: &[&str] = &[
    "[stages.build]\nargs = { a-b = 1, a_b = 2 }",
    "[stages.build]\nargs = { a-b = 1 }\ndefaults = { c = 1, a_b = 2 }",
    "[stages.build]\nignore = { a-b = [], a_b = [] }",
    "[stages.a]\ncall = 'lint.check'",
    "[dependencies]\nlint = '../lint'\n[stages.a]\ncall = 'lnt.check'",
    "[stages.a]\nfrom = 'build.file(.)'",
    "[stages.a]\nfrom = \"build.file(\\\"\\u0061pp\\\", ?)\"",
    "[stages.a]\nfrom = '''\nbuild\n  .file(1 2)'''",
];

/// Values that JSON cannot hold, so that no schema sees them.
const NOT_JSON: &[&str] = &["1979-05-27", "nan", "-inf", "18446744073709551616"];

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

fn validator() -> Validator {
    let schema = schema();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
}

fn as_json(text: &str) -> Value {
    toml::from_str(text).unwrap()
}

fn does_parse(text: &str) -> bool {
    ModuleManifest::parse(Path::new("host.toml"), text).is_ok()
}

#[test]
fn the_schema_has_the_keys_that_the_parser_has() {
    let schema = schema();
    let names = |pointer: &str| -> BTreeSet<String> {
        match schema.pointer(pointer).unwrap() {
            Value::Object(properties) => properties.keys().cloned().collect(),
            list => list.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect(),
        }
    };
    let check = |pointer: &str, known: &[&str]| {
        assert_eq!(names(pointer), known.iter().map(|name| (*name).to_owned()).collect(), "{pointer}");
    };
    check("/properties", keys::MANIFEST.names);
    check("/$defs/stage/properties", keys::STAGE.names);
    check("/$defs/dependency/anyOf/1/properties", keys::DEPENDENCY.names);
    check("/$defs/stage/dependentSchemas/from/properties", keys::NOT_BESIDE_FROM);
    check("/$defs/powers/items/enum", POWERS);
    check("/properties/language/enum", &Language::ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}

#[test]
fn the_page_shows_a_good_manifest_and_every_key() {
    let example = PAGE.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    ModuleManifest::parse(Path::new("host.toml"), example).unwrap();
    validator().validate(&as_json(example)).unwrap();
    let all = [keys::MANIFEST.names, keys::STAGE.names, keys::DEPENDENCY.names, POWERS].concat();
    let missing: Vec<_> =
        all.iter().filter(|key| !PAGE.contains(&format!("`{key}")) && !PAGE.contains(&format!("`[{key}"))).collect();
    assert!(missing.is_empty(), "keys without a line: {missing:?}");
}

#[test]
fn the_schema_takes_what_the_parser_takes() {
    let validator = validator();
    for rest in [
        "",
        "description = 'x'\nallow = ['machine', 'secret-access']\nnetwork = false\ncomponent = 'a.wasm'",
        "dependencies = {}\nstages = {}",
        "[dependencies]\na = '../a'\nb = { path = 'b', allow = [] }\nc-2 = { component = 'v/c.wasm' }",
        "[stages.build]",
        "[stages.build]\nargs = { src = '.', n = [1, { x = 2.5 }], c_flags = true }\ndefaults = { a = {} }",
        "[stages.build]\nargs = { a = { from = 'b.file(\"x\")' }, m = { from = 1, to = 2 } }",
        "[stages.build]\nignore = ['*.o']\nenv = { CI = '', 'a b' = '=' }",
        "[stages.build]\nignore = { src = [], a_b = ['x'] }\nretry = 0\ntimeout = 1\nallow-failure = true",
        "[stages.build]\nretry = 4294967295\ntimeout = '1.5h'",
        "[stages.build]\ntimeout = '90'",
        "[stages.build]\ncall = 'other_one'",
        "[dependencies]\nlint = 'l'\n[stages.style]\ncall = 'lint.check-all'",
        "[dependencies]\nlint = 'l'\n[stages.style]\ncall = 'lint.stages.check-all'",
        "[stages.report]\nfrom = ' linter . with_level( 3 ).check() '\ndescription = 'x'\nretry = 1\ntimeout = 5",
    ] {
        let text = format!("{GOOD}{rest}");
        assert!(does_parse(&text), "{rest}");
        if let Err(error) = validator.validate(&as_json(&text)) {
            panic!("{rest}: {error}");
        }
    }
}

#[test]
fn the_schema_refuses_what_the_parser_refuses() {
    let validator = validator();
    let refused = [SAYS, DOES, DEPENDENCIES].concat();
    for rest in refused.iter().filter(|rest| !NOT_JSON.iter().any(|value| rest.contains(value))) {
        let text = format!("{GOOD}{rest}");
        assert!(!does_parse(&text), "{rest}");
        assert_eq!(validator.is_valid(&as_json(&text)), BEYOND_A_SCHEMA.contains(rest), "{rest}");
    }
}

#[test]
fn both_agree_on_the_head_of_a_manifest() {
    let validator = validator();
    let head = "name = 'a'\nversion = '0.1.0'\n";
    let lint = "dependencies = { lint = 'l' }\n";
    let check = |text: &str, is_good: bool| {
        assert_eq!(does_parse(text), is_good, "{text}");
        assert_eq!(validator.is_valid(&as_json(text)), is_good, "{text}");
    };
    check("", false);
    check(head, false);
    check(&format!("{head}component = 'a.wasm'"), true);
    check(&format!("{head}component = ''"), false);
    check(&format!("{head}component = 'a.wasm'\nbuild = 'make'\nsources = ['a.c', 'wit']"), true);
    check(&format!("{head}component = 'a.wasm'\nbuild = 'make'\nsources = []"), true);
    check(&format!("{head}component = 'a.wasm'\nbuild = ' '"), false);
    check(&format!("{head}component = 'a.wasm'\nbuild = ['make']"), false);
    check(&format!("{head}component = 'a.wasm'\nbuild = 'make'\nsources = ['']"), false);
    check(&format!("{head}component = 'a.wasm'\nsources = ['a.c']"), false);
    check(&format!("{head}language = 'c'\nbuild = 'make'"), false);
    check(&format!("{head}language = 'ruby'"), false);
    check("name = 'A b'\nversion = '0.1.0'\nlanguage = 'c'", false);
    check("name = 'a--b'\nversion = '0.1.0'\nlanguage = 'c'", false);
    check("name = 'a-2'\nversion = '0.1.0-rc.1'\nlanguage = 'c'", true);
    check("name = 'a'\nversion = '01.1.0'\nlanguage = 'c'", false);
    check("name = 'a'\nversion = '1.0'\nlanguage = 'c'", false);
    check(&format!("{head}{lint}stages = {{}}"), false);
    check(&format!("{head}{lint}stages.a = {{ call = 'lint.check' }}"), true);
    check(&format!("{head}{lint}stages.a = {{ from = 'b' }}"), true);
    check(&format!("{head}{lint}stages.a = {{ call = 'check' }}"), false);
    check(&format!("{head}{lint}stages.a = {{ call = 'lint.check' }}\nstages.b = {{ retry = 1 }}"), false);
}
