//! Tests of copies, merges and differences.

use expect_test::expect;
use graph::{CopyOp, CopySource, FileOp, TreePath};
use proptest::prelude::*;

use super::*;

#[test]
fn contents_are_merged_into_what_is_there() {
    let from = |s: &Store, words: &str, op: &CopyOp, base: &str| {
        let source = tree(s, words);
        s.apply(&FileOp::Copy(op.clone()), tree(s, base), Some(Origin { tree: source, path: &TreePath::root() }))
    };
    check(
        |s| from(s, "a=new sub/c", &copy("m"), "m/a=old m/keep m/sub=file"),
        &expect![[r#"
        m/
        m/a = new
        m/keep = m/keep
        m/sub/
        m/sub/c = sub/c
    "#]],
    );
    check(
        |s| from(s, "bin/tool", &copy(""), "usr/bin/sh bin->usr/bin"),
        &expect![[r#"
        bin -> usr/bin
        usr/
        usr/bin/
        usr/bin/sh = usr/bin/sh
        usr/bin/tool = bin/tool
    "#]],
    );
    let op = CopyOp { include: texts(&["**/*.txt"]), exclude: texts(&["**/d.txt"]), ..copy("o") };
    check(
        |s| {
            let source = sample(s);
            s.apply(&FileOp::Copy(op), empty_tree(), Some(Origin { tree: source, path: &TreePath::root() }))
        },
        &expect![[r#"
        o/
        o/a.txt = a
        o/sub/
        o/sub/c.txt = c
    "#]],
    );
    let op = CopyOp { owner: Some("1:2".to_owned()), mode: Some(0o640), ..copy("m/n") };
    check(
        |s| from(s, "f d/ l->f", &op, ""),
        &expect![[r#"
        m/
        m/n/ 750 1:2
        m/n/d/ 750 1:2
        m/n/f = f 640 1:2
        m/n/l -> f 777 1:2
    "#]],
    );
    check(
        |s| from(s, "f", &copy("x"), "x"),
        &expect![[r#"
        error: `/x` is a file, not a directory
    "#]],
    );
}

#[test]
fn a_file_goes_to_a_path_or_into_a_directory() {
    let from = |s: &Store, dest: &str, into: bool, base: &str| {
        let source = CopySource::File { name: "src.txt".to_owned(), into };
        let op = FileOp::Copy(CopyOp { source, ..copy(dest) });
        let tree_of = tree(s, "x/src.txt=S");
        s.apply(&op, tree(s, base), Some(Origin { tree: tree_of, path: &path("x/src.txt") }))
    };
    check(
        |s| from(s, "one", false, ""),
        &expect![[r#"
        one = S
    "#]],
    );
    check(
        |s| from(s, "new", true, ""),
        &expect![[r#"
        new/
        new/src.txt = S
    "#]],
    );
    check(
        |s| from(s, "home", false, "home/app/"),
        &expect![[r#"
        home/
        home/app/
        home/src.txt = S
    "#]],
    );
    check(
        |s| from(s, "", false, ""),
        &expect![[r#"
        src.txt = S
    "#]],
    );
}

#[test]
fn merge_and_diff() {
    check(
        |s| Ok(s.merge(&[tree(s, "a=1 d/x e"), tree(s, "a=2 d/y"), tree(s, "e/z")])?),
        &expect![[r#"
        a = 2
        d/
        d/x = d/x
        d/y = d/y
        e/
        e/z = e/z
    "#]],
    );
    check(
        |s| Ok(s.diff(tree(s, "a=1 d/x d/y=1 gone e/k"), tree(s, "a=1 d/x d/y=2 new e/k"))?),
        &expect![[r#"
        d/
        d/y = 2
        new = new
    "#]],
    );
    check(|s| Ok(s.diff(sample(s), sample(s))?), &expect![[""]]);
}

proptest! {
    // Each case makes a store.
    #![proptest_config(ProptestConfig::with_cases(20))]
    #[test]
    fn what_a_diff_says_is_what_merging_adds(a in prop::collection::vec((0..4, 0..4, 0..3), 0..9), b in prop::collection::vec((0..4, 0..4, 0..3), 0..9)) {
        let (_dir, s) = store();
        let make = |list: &[(i32, i32, i32)]| {
            tree(&s, &list.iter().map(|(d, f, c)| format!("d{d}/f{f}={c}")).collect::<Vec<_>>().join(" "))
        };
        let (a, b) = (make(&a), make(&b));
        let merged = s.merge(&[a, b]).unwrap();
        prop_assert_eq!(s.merge(&[a, s.diff(a, merged).unwrap()]).unwrap(), merged);
    }

    #[test]
    fn a_filter_keeps_the_files_that_the_patterns_take(include in patterns(), exclude in patterns()) {
        let (_dir, s) = store();
        let inner = tree(&s, "x y a/x b/y c/x");
        // The same directory at several paths.
        let all = ["", "a", "b", "b/c"].iter().fold(inner, |all, at| {
            let from = Origin { tree: inner, path: &TreePath::root() };
            s.apply(&FileOp::Copy(copy(at)), all, Some(from)).unwrap()
        });
        let files = |tree| {
            let found = s.glob(tree, &TreePath::root(), "**").unwrap();
            found.into_iter().filter(|path| !path.ends_with('/')).collect::<Vec<_>>()
        };
        let selector = crate::Selector::new(&include, &exclude).unwrap();
        let mut expected = files(all);
        expected.retain(|path| selector.takes(path.as_bytes()));
        let filtered = s.apply(&FileOp::Filter { include, exclude }, all, None).unwrap();
        prop_assert_eq!(files(filtered), expected);
    }
}

/// Some patterns of every kind: names at any depth, paths, and those that spare what others match.
fn patterns() -> impl Strategy<Value = Vec<String>> {
    let all = ["**/x", "**/c", "**", "a/*", "!b/x", "a/**/x", "*/b/y", "b", "!**/y", "b/c", "!b/c/a", "**/[a-c]", "*"];
    prop::collection::vec(prop::sample::select(all.to_vec()).prop_map(str::to_owned), 0..3)
}
