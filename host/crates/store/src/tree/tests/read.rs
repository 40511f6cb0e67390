//! Tests of reading trees.

use super::*;

#[test]
fn globs_match_as_the_oracle_says() {
    let (_dir, s) = store();
    let tree = sample(&s);
    let glob = |pattern: &str| s.glob(tree, &TreePath::root(), pattern).unwrap().join(" ");
    assert_eq!(glob("*"), ".hid a.txt b.md empty/ sub/");
    assert_eq!(glob("**"), ".hid a.txt b.md empty/ sub/ sub/c.txt sub/deep/ sub/deep/d.txt");
    assert_eq!(glob("**/*.txt"), "a.txt sub/c.txt sub/deep/d.txt");
    assert_eq!(glob("*.{md,txt}"), "a.txt b.md");
    assert_eq!(glob("[ab].*"), "a.txt b.md");
    assert_eq!(glob("sub/*"), "sub/c.txt sub/deep/");
    assert_eq!(glob("sub/**"), "sub/c.txt sub/deep/ sub/deep/d.txt");
    assert_eq!(glob("sub/"), "sub/");
    assert_eq!(glob("/a.txt"), "a.txt");
    assert_eq!(glob("./a.txt"), "a.txt");
    assert_eq!(glob("zzz*"), "");
    let links = self::tree(&s, "real/f ln->real");
    assert_eq!(s.glob(links, &TreePath::root(), "**").unwrap(), ["ln", "real/", "real/f"]);
    assert_eq!(s.glob(links, &TreePath::root(), "ln/*").unwrap(), [""; 0]);
    assert_eq!(s.glob(tree, &path("nope"), "*").unwrap_err().to_string(), "nothing is at `/nope`");
}

#[test]
fn reading_follows_links_inside_the_tree() {
    let (_dir, s) = store();
    let tree = tree(&s, "top=T s/l->/top up->../../../top dangling->nowhere d/f=F dl->d loop->loop");
    let read = |at: &str| match s.read_file(tree, &path(at), 0, None) {
        Ok(bytes) => String::from_utf8(bytes).unwrap(),
        Err(error) => error.to_string(),
    };
    assert_eq!(read("s/l"), "T");
    assert_eq!(read("up"), "T");
    assert_eq!(read("dl/f"), "F");
    assert_eq!(read("dangling"), "nothing is at `/dangling`");
    assert_eq!(read("d"), "`/d` is a directory, not a file");
    assert_eq!(read("top/x"), "`/top` is a file, not a directory");
    assert_eq!(read("loop"), "`/loop` goes through more than 40 symbolic links");
    assert_eq!(s.read_file(tree, &path("top"), 5, Some(1)).unwrap(), b"");
    let sub = s.subtree(tree, &path("dl")).unwrap();
    assert_eq!(s.entries(sub, &TreePath::root()).unwrap(), ["f"]);
    assert!(s.stat(tree, &path("dl"), false).unwrap().unwrap().kind == crate::StatKind::Symlink);
    assert!(s.stat(tree, &path("nope"), true).unwrap().is_none());
}

#[test]
fn digests_count_modes_and_pinned_times_and_not_the_route() {
    let (_dir, s) = store();
    let a = tree(&s, "f=1 g=2");
    assert_eq!(a, tree(&s, "g=2 f=1"));
    let more = tree(&s, "x=2 g=2 f=1");
    assert_eq!(a, s.apply(&remove("x", RemoveKind::File), more, None).unwrap());
    let below = tree(&s, "d/f=1 d/g=2");
    assert_eq!(a, s.digest_at(below, &path("d")).unwrap());
    let stamped = |tree| s.apply(&FileOp::Timestamps { seconds: 5 }, tree, None).unwrap();
    assert_ne!(a, stamped(a));
    assert_eq!(stamped(a), stamped(stamped(a)));
}

#[test]
fn search_finds_lines() {
    let (_dir, s) = store();
    let base = tree(&s, "b.txt=x sub/a.txt=y");
    let base = s.apply(&file("a.txt", "One\ntwo one\r\nthree"), base, None).unwrap();
    let base = s.apply(&file("bin", "one\0"), base, None).unwrap();
    let search = |query: &Query| match s.search(base, &TreePath::root(), query) {
        Ok(found) => found.iter().map(|m| format!("{}:{}:{}", m.path, m.line, m.text)).collect::<Vec<_>>().join(" | "),
        Err(error) => error.to_string(),
    };
    let query = |pattern: &str| Query { pattern: pattern.to_owned(), ..Query::default() };
    assert_eq!(search(&query("one")), "a.txt:2:two one");
    assert_eq!(search(&Query { is_insensitive: true, ..query("one") }), "a.txt:1:One | a.txt:2:two one");
    assert_eq!(search(&Query { limit: Some(1), ..query("t") }), "a.txt:2:two one");
    assert_eq!(search(&Query { files_only: true, is_insensitive: true, ..query("one") }), "a.txt:1:One");
    assert_eq!(search(&Query { globs: texts(&["sub/*"]), ..query(".") }), "sub/a.txt:1:y");
    assert_eq!(search(&Query { is_literal: true, ..query(".") }), "");
    assert_eq!(search(&query("(")), "`(` is not a regular expression: unclosed group");
}

#[test]
fn a_name_that_is_not_utf8_is_kept_and_shown_escaped() {
    let (_dir, s) = store();
    let digest = s.put_blob(b"x").unwrap();
    let entry = Entry::new(b"\xff.txt", Kind::File { digest, size: 1 }, Owned::FILE);
    let tree = s.put_node(Node::of(vec![entry])).unwrap();
    let error = s.entries(tree, &TreePath::root()).unwrap_err();
    assert_eq!(error.to_string(), r"`/\xff.txt` has a name that is not UTF-8");
    assert_eq!(s.glob(tree, &TreePath::root(), "*.md").unwrap(), [""; 0]);
}

#[test]
fn no_tree_is_too_deep() {
    let (_dir, s) = store();
    let deep = "d/".repeat(2000) + "f";
    let made = s.apply(&file(&deep, "x"), empty_tree(), None).unwrap();
    assert_eq!(s.glob(made, &TreePath::root(), "**/f").unwrap(), std::slice::from_ref(&deep));
    let owned = s.apply(&FileOp::Chown { path: path("d"), owner: "1".to_owned() }, made, None).unwrap();
    assert_eq!(s.merge(&[made, owned]).unwrap(), owned);
    assert_eq!(s.diff(made, owned).unwrap(), owned);
    let op = FileOp::Copy(copy("d"));
    s.apply(&op, made, Some(Origin { tree: owned, path: &path("d") })).unwrap();
}
