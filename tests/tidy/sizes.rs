//! Files, functions and crates that stay small enough to be read.

use std::collections::BTreeMap;

use super::{files, none, package, read, shown, without_tests};

/// The most lines of a file, without its unit tests.
const MAX_FILE_LINES: usize = 700;
/// The most lines of a file of tests.
const MAX_TEST_FILE_LINES: usize = 800;
/// The most lines of a function.
const MAX_FUNCTION_LINES: usize = 80;
/// The most lines of a test: a table of cases may be longer than code.
const MAX_TEST_LINES: usize = 120;
/// The most lines of a crate, without its tests.
const MAX_CRATE_LINES: usize = 10_000;
/// The most lines of a crate that evaluates graphs or runs commands, without its tests.
const MAX_ENGINE_LINES: usize = 6500;

/// The crates that evaluate graphs and run commands, without the zone.
const ENGINES: &[&str] = &[
    "host/crates/engine-docker",
    "host/crates/engine-embedded",
    "host/crates/evaluate",
    "host/crates/pid1",
    "host/crates/trees",
];

fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.starts_with("tests/") || path.ends_with("tests.rs")
}

#[test]
fn files_are_small() {
    let mut wrong = Vec::new();
    for path in files(".rs") {
        let (text, name) = (read(&path), shown(&path));
        let (lines, most) = if is_test(&name) {
            (text.lines().count(), MAX_TEST_FILE_LINES)
        } else {
            (without_tests(&text).count(), MAX_FILE_LINES)
        };
        if lines > most {
            wrong.push(format!("{name}: {lines} lines, at most {most}"));
        }
    }
    none(wrong);
}

#[test]
fn crates_are_small() {
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    for path in files(".rs").iter().filter(|path| !is_test(&shown(path))) {
        *lines.entry(package(path)).or_default() += without_tests(&read(path)).count();
    }
    let wrong = lines.iter().filter_map(|(name, lines)| {
        let most = if ENGINES.contains(&name.as_str()) { MAX_ENGINE_LINES } else { MAX_CRATE_LINES };
        (*lines > most).then(|| format!("{name}: {lines} lines, at most {most}"))
    });
    none(wrong.collect());
    let unknown = ENGINES.iter().filter(|engine| !lines.contains_key(**engine));
    none(unknown.map(|engine| format!("`{engine}` is not a crate")).collect());
}

#[test]
fn functions_are_small() {
    let mut wrong = Vec::new();
    for path in files(".rs") {
        let (text, name) = (read(&path), shown(&path));
        let n_lines = without_tests(&text).count();
        for (line, length) in functions(&text) {
            let most = if is_test(&name) || line > n_lines { MAX_TEST_LINES } else { MAX_FUNCTION_LINES };
            if length > most {
                wrong.push(format!("{name}:{line}: {length} lines, at most {most}"));
            }
        }
    }
    none(wrong);
}

/// Returns the functions with a body of several lines: the number of the first line, and how many lines follow it.
fn functions(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate().filter(|(_, line)| is_function(line)) {
        // rustfmt puts the brace that ends a function where the function begins. A function without a body ends with a
        // semicolon there, or on its first line.
        let indent = &line[..line.len() - line.trim_start().len()];
        let length = lines[start..].iter().position(|line| match line.strip_prefix(indent) {
            Some(rest) if !rest.starts_with(' ') => rest == "}" || rest.ends_with(';') || rest.ends_with("{}"),
            _ => false,
        });
        found.extend(length.filter(|length| *length > 0).map(|length| (start + 1, length)));
    }
    found
}

/// Returns whether a line begins a function, whatever stands before `fn`.
fn is_function(line: &str) -> bool {
    let Some((before, after)) = line.trim_start().split_once("fn ") else { return false };
    let is_name = after.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let qualifiers = ["const", "async", "unsafe", "default", "extern"];
    let is_qualifier = |word: &str| qualifiers.contains(&word) || word.starts_with("pub") || word.starts_with('"');
    let in_path = ["super)", "crate)", "self)"];
    is_name && before.split_whitespace().all(|word| is_qualifier(word) || word == "in" || in_path.contains(&word))
}

#[test]
fn a_function_is_found_whatever_stands_before_it() {
    let body = "{\n    let x = 1;\n    x\n}\n";
    for qualifiers in [
        "",
        "pub ",
        "pub(crate) ",
        "pub(in super) ",
        "async ",
        "unsafe ",
        "const ",
        "pub(super) async ",
        "pub const unsafe ",
        "pub unsafe extern \"C\" ",
    ] {
        assert_eq!(functions(&format!("{qualifiers}fn f() -> u8 {body}")), [(1, 3)], "{qualifiers}");
    }
    for line in ["    let f: fn (u8) = g;", "//! a fn that", "type F = fn(u8) -> u8;", "let x = \"fn f() {\";"] {
        assert!(!is_function(line), "{line}");
    }
}

#[test]
fn a_function_without_a_body_does_not_reach_into_the_next_one() {
    let text =
        "trait T {\n    fn one(&self);\n    fn two(\n        &self,\n    ) -> u8;\n    fn three(&self) {\n    }\n}\n";
    assert_eq!(functions(text), [(3, 2), (6, 1)]);
}

#[test]
fn no_wasm_is_committed() {
    let output = std::process::Command::new("git").args(["ls-files", "*.wasm"]).current_dir(super::root()).output();
    assert_eq!(String::from_utf8(output.unwrap().stdout).unwrap(), "");
}
