//! Tests of operations on the files of a tree.

use expect_test::expect;
use graph::{FileOp, RemoveKind, TreePath};

use super::*;

#[test]
fn a_file_is_made_with_its_parents() {
    check(
        |s| s.apply(&file("/p/q/f.txt", "x"), empty_tree(), None),
        &expect![[r#"
        p/
        p/q/
        p/q/f.txt = x
    "#]],
    );
    check(
        |s| s.apply(&file("f/g", "y"), tree(s, "f"), None),
        &expect![[r#"
        error: `/f` is a file, not a directory
    "#]],
    );
    check(
        |s| s.apply(&file("d", "y"), tree(s, "d/x"), None),
        &expect![[r#"
        error: `/d` is a directory
    "#]],
    );
    check(
        |s| s.apply(&file("l/f", "y"), tree(s, "d/ l->/d"), None),
        &expect![[r#"
        d/
        d/f = y
        l -> /d
    "#]],
    );
    check(
        |s| s.apply(&file("l/f", "y"), tree(s, "l->../../out"), None),
        &expect![[r#"
        l -> ../../out
        out/
        out/f = y
    "#]],
    );
    check(
        |s| s.apply(&file("a/f", "y"), tree(s, "a->b b->a"), None),
        &expect![[r#"
        error: `/a/f` goes through more than 40 symbolic links
    "#]],
    );
}

#[test]
fn a_directory_that_is_there_stays() {
    let make = FileOp::MakeDirectory { path: path("a/b"), mode: 0o700, owner: Some("7:8".to_owned()) };
    check(
        |s| s.apply(&make, empty_tree(), None),
        &expect![[r#"
        a/
        a/b/ 700 7:8
    "#]],
    );
    check(
        |s| s.apply(&make, tree(s, "a/b/c"), None),
        &expect![[r#"
        a/
        a/b/
        a/b/c = a/b/c
    "#]],
    );
    check(
        |s| s.apply(&make, tree(s, "a/b"), None),
        &expect![[r#"
        error: `/a/b` is a file, not a directory
    "#]],
    );
}

#[test]
fn a_link_is_made_where_nothing_is() {
    check(
        |s| s.apply(&link("s/l", "/top"), empty_tree(), None),
        &expect![[r#"
        s/
        s/l -> /top
    "#]],
    );
    check(
        |s| s.apply(&link("l", "x"), tree(s, "l->y"), None),
        &expect![[r#"
        error: something is already at `/l`
    "#]],
    );
}

#[test]
fn owners_are_looked_up_in_the_tree() {
    let accounts = |s: &Store| {
        let passwd = s.apply(&file("etc/passwd", "app:x:1000:1001::/:\n"), empty_tree(), None).unwrap();
        s.apply(&file("etc/group", "staff:x:50:\n"), passwd, None).unwrap()
    };
    let (_dir, store) = store();
    let base = accounts(&store);
    let owner = |owner: &str| match store.resolve_owner(base, owner) {
        Ok((uid, gid)) => format!("{uid}:{gid}"),
        Err(error) => error.to_string(),
    };
    assert_eq!(owner("app"), "1000:1001");
    assert_eq!(owner("app:staff"), "1000:50");
    assert_eq!(owner("5"), "5:5");
    assert_eq!(owner("5:staff"), "5:50");
    assert_eq!(owner("app:7"), "1000:7");
    assert_eq!(owner("ghost"), "nobody is called `ghost` in `/etc/passwd` of the tree");
    assert_eq!(owner("app:ghosts"), "nobody is called `app:ghosts` in `/etc/group` of the tree");
    assert_eq!(owner(":"), "`:` is not an owner");
}

#[test]
fn removal_takes_paths_and_globs() {
    use RemoveKind::{Directory, File};
    let after = |pattern: &str, kind| {
        let (_dir, s) = store();
        match s.apply(&remove(pattern, kind), sample(&s), None) {
            Ok(tree) => s.glob(tree, &TreePath::root(), "**").unwrap().join(" "),
            Err(error) => error.to_string(),
        }
    };
    assert_eq!(after("a.txt", File), ".hid b.md empty/ sub/ sub/c.txt sub/deep/ sub/deep/d.txt");
    assert_eq!(after("zzz", File), ".hid a.txt b.md empty/ sub/ sub/c.txt sub/deep/ sub/deep/d.txt");
    assert_eq!(after("a.txt/x", File), ".hid a.txt b.md empty/ sub/ sub/c.txt sub/deep/ sub/deep/d.txt");
    assert_eq!(after("**/*.{txt,md}", File), ".hid empty/ sub/ sub/deep/");
    assert_eq!(after("sub", File), "`/sub` is a directory, not a file");
    assert_eq!(after("sub", Directory), ".hid a.txt b.md empty/");
    assert_eq!(after("*", Directory), ".hid a.txt b.md");
    assert_eq!(after("/", Directory), "");
    assert_eq!(after("../x", File), "pattern `../x` leaves its root");
    assert_eq!(after("[", File), "pattern `[` has a `[` that is not closed");
}

#[test]
fn filter_keeps_what_matches() {
    let kept = |include: &[&str], exclude: &[&str]| {
        let (_dir, s) = store();
        let op = FileOp::Filter { include: texts(include), exclude: texts(exclude) };
        let tree = s.apply(&op, sample(&s), None).unwrap();
        s.glob(tree, &TreePath::root(), "**").unwrap().join(" ")
    };
    assert_eq!(kept(&["**/*.txt"], &[]), "a.txt sub/ sub/c.txt sub/deep/ sub/deep/d.txt");
    assert_eq!(kept(&[], &["**/*.txt"]), ".hid b.md empty/ sub/ sub/deep/");
    assert_eq!(kept(&["sub"], &["**/d.txt"]), "sub/ sub/c.txt sub/deep/");
    assert_eq!(kept(&["*.txt"], &[]), "a.txt");
    assert_eq!(kept(&[], &["sub"]), ".hid a.txt b.md empty/");
    assert_eq!(kept(&[], &["sub", "!sub/deep"]), ".hid a.txt b.md empty/ sub/ sub/deep/ sub/deep/d.txt");
}

#[test]
fn chown_is_recursive_and_the_root_has_an_owner() {
    let chown = |at: &str| FileOp::Chown { path: path(at), owner: "3:4".to_owned() };
    check(
        |s| s.apply(&chown("s"), tree(s, "g s/f"), None),
        &expect![[r#"
        g = g
        s/ 755 3:4
        s/f = s/f 644 3:4
    "#]],
    );
    check(
        |s| s.apply(&chown("/"), tree(s, "g"), None),
        &expect![[r#"
        / 755 3:4
        g = g 644 3:4
    "#]],
    );
    check(
        |s| s.apply(&chown("nope"), tree(s, "g"), None),
        &expect![[r#"
        error: nothing is at `/nope`
    "#]],
    );
}

#[test]
fn replacing_wants_one_match_or_all() {
    let replace = |search: &str, all: bool, contents: &str| {
        let (_dir, s) = store();
        let source = s.apply(&file("f", contents), empty_tree(), None).unwrap();
        let op = FileOp::Replace { name: "f".to_owned(), search: search.to_owned(), replacement: "X".to_owned(), all };
        match s.apply(&op, empty_tree(), Some(Origin { tree: source, path: &path("f") })) {
            Ok(tree) => String::from_utf8(s.read_file(tree, &path("f"), 0, None).unwrap()).unwrap(),
            Err(error) => error.to_string(),
        }
    };
    assert_eq!(replace("b a\nb", false, "a b a\nb a\n"), "a X a\n");
    assert_eq!(replace("a", true, "a b a\nb a\n"), "X b X\nb X\n");
    assert_eq!(replace("z", true, "a"), "`z` is not in file `f`");
    assert_eq!(replace("z", false, "a"), "`z` is not in file `f`");
    assert_eq!(replace("a", false, "a\na"), "`a` is 2 times in file `f`, on lines 1, 2");
    assert_eq!(replace("", true, "a"), "the text to replace in file `f` is empty");
}
