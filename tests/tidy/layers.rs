//! The layers: which crate may import which. `ARCHITECTURE.md` has the reasons.

use std::collections::{BTreeMap, BTreeSet};

use super::{files, none, read, root, shown};

/// Each room with the rooms that it may import, and the heavy crates that only it may use.
const ROOMS: &[(&str, &[&str], &[&str])] = &[
    ("disk", &[], &[]),
    ("graph", &[], &[]),
    ("engine", &["graph"], &[]),
    ("solver", &["graph"], &[]),
    ("store", &["disk", "graph"], &["rusqlite", "rayon"]),
    ("oci", &["disk", "graph"], &["reqwest", "zstd", "flate2"]),
    ("trees", &["engine", "graph", "oci", "store"], &[]),
    ("api", &["engine", "graph"], &[]),
    ("pid1", &[], &[]),
    ("zone", &["disk", "engine", "graph", "pid1"], &[]),
    ("evaluate", &["engine", "graph", "oci", "solver", "store", "trees"], &[]),
    ("engine-embedded", &["disk", "engine", "evaluate", "graph", "oci", "store", "trees", "zone"], &[]),
    (
        "engine-docker",
        &["engine", "evaluate", "graph", "oci", "pid1", "solver", "store", "trees"],
        &["bollard", "bollard-buildkit-proto", "tonic"],
    ),
    // Only tests use these two.
    ("conformance", &["api", "engine", "graph", "oci"], &[]),
    ("testkit", &[], &[]),
    ("runtime", &["api", "engine", "graph"], &["wasmtime", "wasmtime-wasi"]),
    ("module", &["api", "graph"], &["wit-component", "toml"]),
    ("pipeline", &["api", "graph", "module"], &[]),
    ("terminal", &[], &[]),
    ("session", &["api", "engine", "graph", "module", "pipeline", "runtime", "terminal"], &[]),
    (
        "host",
        &[
            "api",
            "engine",
            "engine-docker",
            "engine-embedded",
            "graph",
            "module",
            "oci",
            "pipeline",
            "runtime",
            "session",
            "solver",
            "store",
            "terminal",
        ],
        &["indicatif", "notify"],
    ),
];

/// Returns the names of the crates that a manifest depends on outside of tests.
fn dependencies(room: &str) -> BTreeSet<String> {
    let path = if room == "host" { "host/Cargo.toml".to_owned() } else { format!("host/crates/{room}/Cargo.toml") };
    let manifest: toml::Table = read(&root().join(&path)).parse().unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut names = BTreeSet::new();
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let tables = targets.into_iter().flat_map(|targets| targets.values().filter_map(toml::Value::as_table));
    for table in std::iter::once(&manifest).chain(tables) {
        if let Some(dependencies) = table.get("dependencies").and_then(toml::Value::as_table) {
            names.extend(dependencies.keys().cloned());
        }
    }
    names
}

#[test]
fn a_room_imports_only_the_rooms_below_it() {
    let rooms: BTreeMap<&str, &[&str]> = ROOMS.iter().map(|(room, may, _)| (*room, *may)).collect();
    let mut wrong = Vec::new();
    for (room, may) in &rooms {
        for dependency in dependencies(room) {
            if rooms.contains_key(dependency.as_str()) && !may.contains(&dependency.as_str()) {
                wrong.push(format!("`{room}` must not import `{dependency}`"));
            }
        }
    }
    none(wrong);
}

#[test]
fn a_heavy_crate_has_one_room() {
    let mut wrong = Vec::new();
    for (owner, _, heavy) in ROOMS {
        for (room, _, _) in ROOMS.iter().filter(|(room, _, _)| room != owner) {
            let used = dependencies(room);
            wrong.extend(
                heavy
                    .iter()
                    .filter(|heavy| used.contains(**heavy))
                    .map(|heavy| format!("`{heavy}` belongs to `{owner}`, and `{room}` uses it")),
            );
        }
    }
    none(wrong);
}

#[test]
fn every_room_is_in_the_table() {
    let known: BTreeSet<String> = ROOMS.iter().map(|(room, _, _)| (*room).to_owned()).collect();
    let found: BTreeSet<String> = std::fs::read_dir(root().join("host/crates"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .chain(["host".to_owned()])
        .collect();
    assert_eq!(found, known);
}

#[test]
fn the_graph_bans_what_the_root_bans() {
    let bans = |path: &str| -> BTreeSet<String> {
        let table: toml::Table = read(&root().join(path)).parse().unwrap();
        let list = table.get("disallowed-methods").and_then(toml::Value::as_array).cloned().unwrap_or_default();
        list.iter().filter_map(|ban| ban.get("path")?.as_str().map(str::to_owned)).collect()
    };
    let (all, graph) = (bans("clippy.toml"), bans("host/crates/graph/clippy.toml"));
    assert!(all.is_subset(&graph), "{:?} are missing", all.difference(&graph).collect::<Vec<_>>());
}

/// Where code may be `unsafe`, and why.
const UNSAFE: &[(&str, &str)] = &[
    ("benches/src/measure.rs", "the resources of a child process are read by a system call"),
    ("guest-sdk/", "exported functions take pointers of the component model"),
    ("host/crates/pid1/", "programs without a standard library that run inside steps"),
    ("host/crates/runtime/src/cache.rs", "wasmtime maps compiled code of the cache"),
    ("host/crates/zone/", "namespaces and processes of steps"),
    ("tests/hostile/bounds.rs", "the resources of a child process are read by a system call"),
];

#[test]
fn unsafe_code_is_only_where_it_has_a_reason() {
    // In parts, so that this file does not have them.
    let forms = [" {", " fn ", " impl ", " extern "].map(|rest| format!("{}{rest}", "unsafe"));
    let (mut wrong, mut used) = (Vec::new(), BTreeSet::new());
    for path in files(".rs").iter().filter(|path| !path.starts_with(root().join("tests/tidy"))) {
        let (text, name) = (read(path), shown(path));
        let is_code = |line: &str| !line.trim_start().starts_with("//") && forms.iter().any(|form| line.contains(form));
        if text.lines().any(is_code) {
            match UNSAFE.iter().find(|(place, _)| name.starts_with(place)) {
                Some((place, _)) => drop(used.insert(*place)),
                None => wrong.push(name),
            }
        }
    }
    none(wrong);
    let all: BTreeSet<&str> = UNSAFE.iter().map(|(place, _)| *place).collect();
    assert_eq!(used, all, "a place without unsafe code is in the list");
}

#[test]
fn only_tests_depend_on_the_crates_for_tests() {
    let rooms = ROOMS.iter().map(|(room, _, _)| *room).filter(|room| !["conformance", "testkit"].contains(room));
    let wrong = rooms.flat_map(|room| {
        let found = dependencies(room).into_iter().filter(|name| ["conformance", "testkit"].contains(&name.as_str()));
        found.map(move |name| format!("`{room}` depends on `{name}` outside of tests"))
    });
    none(wrong.collect());
}
