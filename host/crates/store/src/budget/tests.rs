//! Tests of trees that are small in the store and endless in paths, or deep.

use graph::{ContentDigest, FileOp, TreePath};

use super::Limits;
use crate::tree::tests::{copy, file, store};
use crate::{Origin, Query, Store, empty_tree};

/// Copies a directory to a name in an empty or another one.
fn nested(store: &Store, base: ContentDigest, name: &str, inner: ContentDigest) -> ContentDigest {
    store.apply(&FileOp::Copy(copy(name)), base, Some(Origin { tree: inner, path: &TreePath::root() })).unwrap()
}

/// Makes a tree in which a file has 2^40 paths.
fn endless(store: &Store, contents: &str) -> ContentDigest {
    let mut tree = store.apply(&file("f", contents), empty_tree(), None).unwrap();
    for _ in 0..40 {
        let first = nested(store, empty_tree(), "a", tree);
        tree = nested(store, first, "b", tree);
    }
    tree
}

fn deep(store: &Store, n: usize) -> ContentDigest {
    let leaf = store.apply(&file("f", "x"), empty_tree(), None).unwrap();
    (0..n).fold(leaf, |tree, _| nested(store, empty_tree(), "d", tree))
}

#[test]
fn work_on_a_tree_with_endless_paths_ends_with_the_limit_and_the_option() {
    let (_dir, store) = store();
    let store = store.with_limits(Limits { max_entries: 50_000, max_results: 1000, ..Limits::default() });
    let tree = endless(&store, "x");
    let root = TreePath::root();
    let too_many = "the number of files and directories to visit is more than 50000";
    assert_eq!(store.glob(tree, &root, "**/nothing").unwrap_err().to_string(), too_many);
    assert_eq!(store.glob(tree, &root, "**").unwrap_err().to_string(), "the number of results is more than 1000");
    let query = Query { pattern: "x".to_owned(), ..Query::default() };
    assert_eq!(store.search(tree, &root, &query).unwrap_err().to_string(), too_many);
    assert_eq!(store.plan_layer(None, tree).unwrap_err().to_string(), too_many);
    let filter = FileOp::Filter { include: Vec::new(), exclude: vec!["a/**/nothing".to_owned()] };
    let error = store.apply(&filter, tree, None).unwrap_err();
    assert_eq!(error.to_string(), too_many);
    let hint = graph::Diagnostic::hint(&error).unwrap();
    assert_eq!(hint, "leave out what is not needed, or raise the limit with `--max-entries`");
}

#[test]
fn a_layer_that_is_too_large_is_refused_before_it_is_listed() {
    let (_dir, store) = store();
    let tree = endless(&store, "x");
    // Half of the paths: a list of so many would never end.
    let half = store.with_limits(Limits { max_entries: 1 << 39, ..Limits::default() });
    half.plan_layer(None, tree).unwrap_err();
    let small = store.with_limits(Limits { max_bytes: 9, ..Limits::default() });
    let tree = store.apply(&file("f", "1234567890"), empty_tree(), None).unwrap();
    let error = small.plan_layer(None, tree).unwrap_err().to_string();
    assert_eq!(error, "the size of all files together is more than 9 bytes");
}

#[test]
fn what_is_the_same_everywhere_is_done_once() {
    let (_dir, store) = store();
    let (one, other) = (endless(&store, "x"), endless(&store, "y"));
    assert_eq!(store.merge(&[one, other]).unwrap(), other);
    assert_eq!(store.diff(one, other).unwrap(), other);
    let chown = |tree| {
        let op = FileOp::Chown { path: TreePath::root(), owner: "1:2".to_owned() };
        store.apply(&op, tree, None).unwrap()
    };
    assert_eq!(chown(one), chown(one));
}

#[test]
fn a_cancelled_run_stops_a_walk() {
    let (_dir, store) = store();
    let tree = endless(&store, "x");
    let is_cancelled: std::sync::Arc<dyn Fn() -> bool + Send + Sync> = std::sync::Arc::new(|| true);
    let store = store.with_limits(Limits { is_cancelled: Some(is_cancelled), ..Limits::default() });
    assert_eq!(store.glob(tree, &TreePath::root(), "**/nothing").unwrap_err().to_string(), "cancelled");
}

#[test]
fn a_replacement_that_grows_a_file_is_limited() {
    let (_dir, store) = store();
    let source = store.apply(&file("f", "aaaa"), empty_tree(), None).unwrap();
    let store = store.with_limits(Limits { max_result_bytes: 15, ..Limits::default() });
    let op = |replacement: &str| {
        let (name, search, replacement) = ("f".to_owned(), "a".to_owned(), replacement.to_owned());
        FileOp::Replace { name, search, replacement, all: true }
    };
    let at = TreePath::parse("f").unwrap();
    let replace = |with: &str| store.apply(&op(with), empty_tree(), Some(Origin { tree: source, path: &at }));
    replace("bbb").unwrap();
    assert_eq!(replace("bbbb").unwrap_err().to_string(), "the size of the result is more than 15 bytes");
}

#[test]
fn a_deep_tree_is_made_quickly_and_refused_where_it_is_walked() {
    let (_dir, store) = store();
    let tree = deep(&store, 20_000);
    let error = store.plan_layer(None, tree).unwrap_err().to_string();
    assert_eq!(error, "the directories are in each other more often than 4096");
    let error = store.glob(tree, &TreePath::root(), "**").unwrap_err().to_string();
    assert_eq!(error, "the directories are in each other more often than 4096");
    let fine = deep(&store, 4000);
    assert_eq!(store.plan_layer(None, fine).unwrap().entries.len(), 4001);
}

#[test]
fn a_filter_whose_patterns_are_names_looks_at_shared_directories_once() {
    let (_dir, store) = store();
    let store = store.with_limits(Limits { max_entries: 1000, ..Limits::default() });
    let tree = endless(&store, "x");
    let filter = |include: &[&str], exclude: &[&str]| {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        let op = FileOp::Filter { include: texts(include), exclude: texts(exclude) };
        store.apply(&op, tree, None).unwrap()
    };
    assert_eq!(filter(&[], &["**/nothing"]), tree);
    assert_eq!(filter(&["**/f"], &["**/*.o", "!**/keep"]), tree);
    assert_eq!(filter(&["**/nothing"], &[]), empty_tree());
    // What is excluded is not looked at, and what an include pattern has matched is the same everywhere.
    let half = nested(&store, empty_tree(), "a", store.subtree(tree, &TreePath::parse("a").unwrap()).unwrap());
    assert_eq!(filter(&["a"], &[]), half);
    assert_eq!(filter(&[], &["b"]), half);
}

#[test]
fn each_of_50_000_nested_copies_visits_as_many_entries_as_the_first() {
    let (_dir, store) = store();
    let store = store.with_limits(Limits { max_entries: 2, ..Limits::default() });
    let tree = deep(&store, 50_000);
    assert_eq!(store.entries(tree, &TreePath::root()).unwrap(), ["d/"]);
}

#[test]
fn an_export_that_is_cancelled_after_its_plan_is_made_stops_at_the_next_file() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let (dir, store) = store();
    let tree = crate::tree::tests::tree(&store, "a b c");
    let n_looks = AtomicUsize::new(0);
    let is_cancelled = std::sync::Arc::new(move || n_looks.fetch_add(1, Ordering::Relaxed) > 0);
    let store = store.with_limits(Limits { is_cancelled: Some(is_cancelled), ..Limits::default() });
    let out = dir.path().join("out");
    let error = store.export(tree, &TreePath::root(), &out, false).unwrap_err();
    assert_eq!(error.to_string(), "cancelled");
    assert_eq!(crate::fs::names(&out).unwrap(), ["a"]);
}

#[test]
fn a_search_keeps_the_begin_of_a_long_line_and_counts_the_lines_behind_it() {
    let (_dir, store) = store();
    let long = "a".repeat(9 << 20);
    let tree = crate::tree::tests::tree(&store, "small=a");
    let tree = store.apply(&file("large", &format!("b\r\n{long}end\nend\n")), tree, None).unwrap();
    let search = |store: &Store, pattern: &str| {
        let query = Query { pattern: pattern.to_owned(), ..Query::default() };
        let found = store.search(tree, &TreePath::root(), &query)?;
        Ok::<_, crate::ReadError>(
            found.into_iter().map(|found| (found.path, found.line, found.text.len())).collect::<Vec<_>>(),
        )
    };
    let at = |path: &str, line, n| (path.to_owned(), line, n);
    assert_eq!(search(&store, "a").unwrap(), [at("large", 2, 1 << 20), at("small", 1, 1)]);
    assert_eq!(search(&store, "end").unwrap(), [at("large", 3, 3)]);
    assert_eq!(search(&store, "^b$").unwrap(), [at("large", 1, 1)]);
    let small = store.with_limits(Limits { max_bytes: 9 << 20, ..Limits::default() });
    let error = search(&small, "a").unwrap_err().to_string();
    assert_eq!(error, format!("the size of all files together is more than {} bytes", 9 << 20));
}

#[test]
fn a_text_is_replaced_only_in_a_file_that_fits_into_memory() {
    let (_dir, store) = store();
    let source = store.apply(&file("f", "0123456789"), empty_tree(), None).unwrap();
    let store = store.with_limits(Limits { max_result_bytes: 9, ..Limits::default() });
    let (name, search, replacement) = ("f".to_owned(), "0123".to_owned(), String::new());
    let op = FileOp::Replace { name, search, replacement, all: false };
    let from = Origin { tree: source, path: &TreePath::parse("f").unwrap() };
    let error = store.apply(&op, empty_tree(), Some(from)).unwrap_err();
    assert_eq!(error.to_string(), "the size of the result is more than 9 bytes");
}
