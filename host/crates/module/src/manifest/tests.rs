//! Manifests that are accepted, and their values.

mod refused;
mod schema;
mod stages;

use expect_test::{Expect, expect};
use graph::Diagnostic as _;

use super::*;

fn check(text: &str, expect: &Expect) {
    let shown = match ModuleManifest::parse(Path::new("host.toml"), text) {
        Ok(manifest) => format!("{manifest:?}"),
        Err(error) => format!("{error}\nhint: {}", error.hint().unwrap_or_default()),
    };
    expect.assert_eq(&shown);
}

const GOOD: &str = "name = \"demo\"\nversion = \"0.1.0\"\nlanguage = \"rust\"\n";

#[test]
fn a_manifest_says_what_a_module_is() {
    check(
        &format!("{GOOD}allow = [\"machine\"]\n"),
        &expect![[
            r#"ModuleManifest { name: "demo", version: "0.1.0", language: Some(Rust), description: None, allow: {"machine"}, network: true, new_privileges: true, component: None, build: None, sources: [], dependencies: [], stages: [] }"#
        ]],
    );
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_what_is_near() {
    check(
        &format!("{GOOD}\n  alow = []\n"),
        &expect![[r#"
        `host.toml:5:3`: there is no key `alow` in a manifest
        hint: did you mean `allow`?"#]],
    );
    check(
        &format!("{GOOD}[tools]\n"),
        &expect![[r#"
            `host.toml:4:2`: there is no key `tools` in a manifest
            hint: a manifest has: name, version, language, description, allow, network, new-privileges, component, build, sources, dependencies, stages"#]],
    );
}

#[test]
fn a_wrong_type_is_named_with_its_place() {
    check(
        "name = 7\n",
        &expect![[r#"
        `host.toml:1:8`: `name` takes a string, not an integer
        hint: "#]],
    );
    check(
        &format!("{GOOD}network = \"no\"\n"),
        &expect![[r#"
        `host.toml:4:11`: `network` takes true or false, not a string
        hint: "#]],
    );
    check(
        &format!("{GOOD}allow = \"machine\"\n"),
        &expect![[r#"
        `host.toml:4:9`: `allow` takes a list of powers, not a string
        hint: "#]],
    );
}

#[test]
fn what_is_not_toml_is_named_with_its_place() {
    check(
        "name = \"demo\"\nversion = 0.1.0\n",
        &expect![[r#"
        `host.toml:2:14`: invalid float
        hint: "#]],
    );
}

#[test]
fn a_value_that_makes_no_sense_is_named() {
    check(
        "name = \"My Module\"\nlanguage = \"rust\"\n",
        &expect![[r#"
        `host.toml:1:8`: `My Module` cannot be the name of a module: it takes lowercase letters, digits and single hyphens
        hint: "#]],
    );
    check(
        "name = \"a\"\nversion = \"1.0\"\nlanguage = \"rust\"\n",
        &expect![[r#"
        `host.toml:2:11`: `1.0` is not a version: it takes three numbers, as in `0.1.0`
        hint: "#]],
    );
    check(
        "language = \"rst\"\n",
        &expect![[r#"
        `host.toml:1:12`: `rst` is not a language
        hint: did you mean `rust`?"#]],
    );
    check(
        &format!("{GOOD}allow = [\"machines\"]\n"),
        &expect![[r#"
        `host.toml:4:10`: `machines` is not a power
        hint: did you mean `machine`?"#]],
    );
    check(
        "name = \"a\"\nversion = \"1.0.0\"\n",
        &expect![[r#"
        `host.toml:1:1`: the key `language` is missing
        hint: add `language = "rust"`, or `component = "PATH.wasm"` for a component made by another tool"#]],
    );
}

#[test]
fn a_command_makes_a_component_of_sources() {
    const COMPONENT: &str = "name = 'a'\nversion = '0.1.0'\ncomponent = 'a.wasm'\n";
    let check = |keys: &str, expect: &Expect| check(&format!("{COMPONENT}{keys}"), expect);
    check(
        "build = 'make'\nsources = ['app.py', 'wit']",
        &expect![[
            r#"ModuleManifest { name: "a", version: "0.1.0", language: None, description: None, allow: {}, network: true, new_privileges: true, component: Some("a.wasm"), build: Some("make"), sources: ["app.py", "wit"], dependencies: [], stages: [] }"#
        ]],
    );
    check(
        "build = ' '",
        &expect![[r#"
        `host.toml:4:9`: `build` takes a command, and this is empty
        hint: "#]],
    );
    check(
        "build = ['make']",
        &expect![[r#"
        `host.toml:4:9`: `build` takes a string, not a list
        hint: "#]],
    );
    check(
        "sources = ['app.py']",
        &expect![[r#"
        `host.toml:4:1`: the key `build` is missing
        hint: add `build = "COMMAND"`: the command that reads the `sources`"#]],
    );
    check(
        "build = 'make'\nsources = 'app.py'",
        &expect![[r#"
        `host.toml:5:11`: `sources` takes a list of paths, not a string
        hint: "#]],
    );
    check(
        "build = 'make'\nsources = ['']",
        &expect![[r#"
        `host.toml:5:12`: `sources` takes a path, and this is empty
        hint: "#]],
    );
    self::check(
        &format!("{GOOD}build = 'make'"),
        &expect![[r#"
        `host.toml:4:1`: the key `component` is missing
        hint: add `component = "PATH.wasm"`: the file that `build` makes"#]],
    );
}

#[test]
fn a_pipeline_of_other_modules_needs_no_code() {
    let check = |stages: &str, expect: &Expect| {
        let text = format!("name = 'a'\nversion = '0.1.0'\ndependencies = {{ lint = 'l' }}\n{stages}");
        let shown = match ModuleManifest::parse(Path::new("host.toml"), &text) {
            Ok(manifest) => format!("has code: {}", manifest.has_code()),
            Err(error) => format!("{error}\nhint: {}", error.hint().unwrap_or_default()),
        };
        expect.assert_eq(&shown);
    };
    check("stages.style = { call = 'lint.check' }", &expect!["has code: false"]);
    check("stages.style = { from = 'other' }", &expect!["has code: false"]);
    check(
        "stages.style = { retry = 1 }",
        &expect![[r#"
        `host.toml:1:1`: the key `language` is missing
        hint: add `language = "rust"`, or `component = "PATH.wasm"` for a component made by another tool"#]],
    );
    check(
        "stages.style = { call = 'lint.check' }\nstages.build = { retry = 1 }",
        &expect![[r#"
        `host.toml:5:8`: stage `build` calls function `build` of a module without code
        hint: add `language` or `component` to the manifest, or let the stage `call` a function of a dependency"#]],
    );
    check(
        "stages.style = { from = 'debug' }\nstages.debug = { call = 'build' }",
        &expect![[r#"
        `host.toml:5:25`: stage `debug` calls function `build` of a module without code
        hint: add `language` or `component` to the manifest, or let the stage `call` a function of a dependency"#]],
    );
}
