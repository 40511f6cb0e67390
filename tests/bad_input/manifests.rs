//! Manifests with mistakes.

use testkit::Scratch;

use crate::case::{INPUT, refused, works};

const GOOD: &str = "name = \"a\"\nversion = \"0.1.0\"\nlanguage = \"rust\"\n";

#[test]
fn a_mistake_in_a_manifest_has_a_line_and_a_column() {
    let scratch = Scratch::new();
    let add = |line: &str| format!("{GOOD}{line}\n");
    let change = |from: &str, to: &str| GOOD.replace(from, to);
    let cases: [(String, &[&str]); 15] = [
        (add("languag = \"x\""), &["host.toml:4:1`: there is no key `languag`", "hint: did you mean `language`?"]),
        (add("colour = 1"), &["host.toml:4:1`: there is no key `colour`", "hint: a manifest has: name, version"]),
        (add("[module]"), &["host.toml:4:2`: there is no key `module` in a manifest"]),
        (add("name = \"b\""), &["host.toml:4:1`: the key `name` is given twice"]),
        (add("allow = [\"machin\"]"), &["host.toml:4:10`: `machin` is not a power", "did you mean `machine`?"]),
        (add("allow = \"machine\""), &["host.toml:4:9`: `allow` takes a list of powers, not a string"]),
        (add("description = 1"), &["host.toml:4:15`: `description` takes a string, not an integer"]),
        (change("\"a\"", "5"), &["host.toml:1:8`: `name` takes a string, not an integer"]),
        (change("\"a\"", "\"A b\""), &["host.toml:1:8`: `A b` cannot be the name of a module"]),
        (change("\"0.1.0\"", "\"one\""), &["host.toml:2:11`: `one` is not a version", "as in `0.1.0`"]),
        (change("rust", "ruby"), &["host.toml:3:12`: `ruby` is not a language", "hint: languages: rust, python"]),
        (change("name = \"a\"\n", ""), &["host.toml:1:1`: the key `name` is missing", "hint: add `name"]),
        (change("language = \"rust\"\n", ""), &["the key `language` is missing", "hint: add `language = \"rust\"`"]),
        (change("\"a\"", "\"a"), &["host.toml:1:", "string"]),
        (String::new(), &["host.toml:1:1`: the key `name` is missing"]),
    ];
    for (text, says) in &cases {
        scratch.write("m/host.toml", text);
        refused(&scratch.host(["functions", "-m", "m"]), INPUT, says);
    }
    works(&scratch);
}

#[test]
fn a_manifest_that_cannot_be_read_or_built_says_why() {
    let scratch = Scratch::new();
    scratch.write("bytes/host.toml", b"\xff\xfe");
    refused(&scratch.host(["functions", "-m", "bytes"]), INPUT, &["cannot read `", "bytes/host.toml`", "UTF-8"]);
    std::fs::create_dir_all(scratch.path("work/dir/host.toml")).unwrap();
    refused(&scratch.host(["functions", "-m", "dir"]), INPUT, &["directory `dir` has no `host.toml`"]);
    scratch.write("bare/host.toml", GOOD);
    refused(
        &scratch.host(["call", "-m", "bare", "x"]),
        INPUT,
        &["module `a` has no `Cargo.toml`", "hint: `host init`"],
    );
    scratch.write("go/host.toml", GOOD.replace("rust", "go"));
    refused(
        &scratch.host(["call", "-m", "go", "x"]),
        INPUT,
        &["module `a` is written in go", "hint: add `component = \"a.wasm\"`"],
    );
    works(&scratch);
}

#[test]
fn a_new_module_overwrites_nothing_and_needs_a_name() {
    let scratch = Scratch::new();
    let sdk = testkit::root().join("guest-sdk");
    let sdk = sdk.to_str().unwrap();
    scratch.write("old/host.toml", "kept");
    let answer = scratch.host(["init", "old", "--sdk", sdk]);
    refused(&answer, INPUT, &["old/host.toml` is there already", "nothing is overwritten"]);
    assert_eq!(std::fs::read_to_string(scratch.path("work/old/host.toml")).unwrap(), "kept");
    let answer = scratch.host(["init", "new", "--sdk", sdk, "--name", "Bad Name"]);
    refused(&answer, INPUT, &["`Bad Name` cannot be the name of a module", "hint: give one with `--name`"]);
    refused(
        &scratch.host(["init", "new", "--sdk", "no/such"]),
        INPUT,
        &["there is no guest SDK at `no/such`", "hint: "],
    );
    assert!(!scratch.path("work/new").exists(), "something was left");
    works(&scratch);
}
