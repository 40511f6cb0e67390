//! Modules that import each other in a circle can only be read together.

use std::collections::{BTreeMap, BTreeSet};

use super::{files, none, package, read, shown, without_tests};

/// Crates that have circles between their top modules. Nothing is added to this list.
const EXEMPT: &[&str] = &["host/crates/store"];

/// The top modules of a crate, each with those that it imports.
type Modules = BTreeMap<String, BTreeSet<String>>;

#[test]
fn no_modules_of_a_crate_import_each_other() {
    let mut wrong = Vec::new();
    for (package, modules) in crates() {
        let circles = circles(&modules);
        if EXEMPT.contains(&package.as_str()) {
            assert!(!circles.is_empty(), "`{package}` has no circle, and it is in the list of those that have");
        } else {
            wrong.extend(circles.iter().map(|circle| format!("{package}: {}", circle.join(", "))));
        }
    }
    none(wrong);
}

fn crates() -> BTreeMap<String, Modules> {
    let mut crates: BTreeMap<String, Modules> = BTreeMap::new();
    for path in files(".rs") {
        let (package, name) = (package(&path), shown(&path));
        let Some(module) = name.strip_prefix(&format!("{package}/src/")).and_then(module_of) else { continue };
        let text: String = without_tests(&read(&path)).filter(|line| !is_comment(line)).collect::<Vec<_>>().join("\n");
        crates.entry(package).or_default().entry(module).or_default().extend(imports(&text));
    }
    crates
}

/// Returns the top module of a file below `src`; none for the root of the crate, which imports all, and for tests.
fn module_of(file: &str) -> Option<String> {
    let first = file.split(['/', '.']).next().unwrap_or_default();
    let is_test = file.split(['/', '.']).any(|part| part == "tests");
    (!["lib", "main", "bin"].contains(&first) && !is_test).then(|| first.to_owned())
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

/// Returns the names behind `crate::`, also those in braces.
fn imports(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let word = |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("").to_owned();
    for (at, found) in text.match_indices("crate::") {
        let rest = &text[at + found.len()..];
        match rest.strip_prefix('{') {
            None => drop(names.insert(word(rest))),
            Some(list) => names.extend(top_items(list).into_iter().map(|item| word(item.trim()))),
        }
    }
    names
}

/// Returns the items of a list up to its closing brace; lists inside it stay whole.
fn top_items(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut items) = (0_usize, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                items.push(&list[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items
}

/// Returns the sets of modules that all reach each other.
fn circles(modules: &Modules) -> Vec<Vec<&str>> {
    let reached = |from: &str| {
        let (mut reached, mut left) = (BTreeSet::new(), vec![from.to_owned()]);
        while let Some(module) = left.pop() {
            let next = modules.get(&module).into_iter().flatten().filter(|next| modules.contains_key(*next));
            left.extend(next.filter(|next| reached.insert((*next).clone())).cloned());
        }
        reached
    };
    let reached: BTreeMap<&str, BTreeSet<String>> = modules.keys().map(|from| (from.as_str(), reached(from))).collect();
    let reaches = |from: &str, to: &str| from != to && reached[from].contains(to);
    let mut circles: Vec<Vec<&str>> = Vec::new();
    for from in reached.keys().copied() {
        let mut circle: Vec<&str> =
            reached.keys().copied().filter(|to| reaches(from, to) && reaches(to, from)).collect();
        if !circle.is_empty() && !circles.iter().any(|known| known.contains(&from)) {
            circle.push(from);
            circle.sort_unstable();
            circles.push(circle);
        }
    }
    circles
}

#[test]
fn a_circle_is_found_over_several_modules() {
    let modules = |list: &[(&str, &str)]| -> Modules {
        list.iter().map(|(name, text)| ((*name).to_owned(), imports(text))).collect()
    };
    let found = modules(&[
        ("a", "use crate::{b::{self, X}, d::Y};"),
        ("b", "use crate::c;"),
        ("c", "crate::a::f()"),
        ("d", ""),
    ]);
    assert_eq!(circles(&found), [["a", "b", "c"]]);
    assert!(circles(&modules(&[("a", "use crate::b;"), ("b", "use crate::Root;")])).is_empty());
}
