//! Tests of trees: text in, text out. A tree is written as the operations that make it.

use std::sync::Arc;

use expect_test::{Expect, expect};
use graph::{ContentDigest, CopyOp, CopySource, FileOp, RemoveKind, TreePath};
use proptest::prelude::*;

use crate::tree::node::{Entry, Kind, Mtime, Node, Owned};
use crate::tree::resolve::escape;
use crate::{EditError, Origin, Query, Store, empty_tree};

pub(crate) fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("store")).unwrap();
    (dir, store)
}

fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

pub(crate) fn file(at: &str, contents: &str) -> FileOp {
    FileOp::MakeFile { path: path(at), contents: Arc::from(contents.as_bytes()), mode: 0o644, owner: None }
}

fn mkdir(at: &str) -> FileOp {
    FileOp::MakeDirectory { path: path(at), mode: 0o755, owner: None }
}

fn link(at: &str, target: &str) -> FileOp {
    FileOp::Symlink { target: target.to_owned(), path: path(at) }
}

fn remove(pattern: &str, kind: RemoveKind) -> FileOp {
    FileOp::Remove { pattern: pattern.to_owned(), base: TreePath::root(), kind }
}

pub(crate) fn copy(dest: &str) -> CopyOp {
    CopyOp {
        dest: path(dest),
        source: CopySource::Contents,
        include: Vec::new(),
        exclude: Vec::new(),
        owner: None,
        mode: None,
        keep_owner: false,
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

/// Makes a tree: `a` is a file with its name in it, `a=text` one with that text, `a/` a directory, `a->b` a link.
pub(crate) fn tree(store: &Store, words: &str) -> ContentDigest {
    words.split_whitespace().fold(empty_tree(), |tree, word| {
        let op = match (word.split_once("->"), word.split_once('='), word.strip_suffix('/')) {
            (Some((at, target)), ..) => link(at, target),
            (_, Some((at, contents)), _) => file(at, contents),
            (_, _, Some(at)) => mkdir(at),
            _ => file(word, word),
        };
        store.apply(&op, tree, None).unwrap()
    })
}

/// A directory with hidden, empty and nested entries.
fn sample(store: &Store) -> ContentDigest {
    tree(store, ".hid=h a.txt=a b.md=b empty/ sub/c.txt=c sub/deep/d.txt=d")
}

pub(crate) fn show(store: &Store, tree: ContentDigest) -> String {
    let root = store.node(tree).unwrap();
    let mut lines = Vec::new();
    let owned = |owned: Owned, usual: u32| match (owned.mode == usual, owned.uid, owned.gid) {
        (true, 0, 0) => String::new(),
        (_, uid, gid) => format!(" {:o} {uid}:{gid}", owned.mode),
    };
    if let Some(own) = root.root {
        lines.push(format!("/{}", owned(own, 0o755)));
    }
    store
        .walk(&root, &mut Vec::new(), 0, &store.budget(), &mut |at, entry| {
            let at = escape(at);
            lines.push(match &entry.kind {
                Kind::File { digest, .. } => {
                    let text = String::from_utf8_lossy(&store.read_blob(digest).unwrap()).into_owned();
                    format!("{at} = {text}{}", owned(entry.owned, 0o644))
                }
                Kind::Directory { .. } => format!("{at}/{}", owned(entry.owned, 0o755)),
                Kind::Symlink { target } => format!("{at} -> {}{}", escape(target), owned(entry.owned, 0o777)),
                Kind::Fifo => format!("{at} fifo"),
                Kind::Machine { host_path, .. } => format!("{at} machine {}", escape(host_path)),
            });
            Ok(!matches!(entry.kind, Kind::Machine { .. }))
        })
        .unwrap();
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn check(made: impl FnOnce(&Store) -> Result<ContentDigest, EditError>, expect: &Expect) {
    let (_dir, store) = store();
    let text = match made(&store) {
        Ok(tree) => show(&store, tree),
        Err(error) => format!("error: {error}\n"),
    };
    expect.assert_eq(&text);
}

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

#[test]
fn a_node_has_one_encoding() {
    assert!(Node::decode(&[1, 0, 0]).is_ok());
    // Flags that are neither 0 nor 1, and numbers with more bytes than they need or bits than there are.
    let too_large = [&[1, 0][..], &[0xff; 9], &[0x7f]].concat();
    for bytes in [&[1, 0xff, 0][..], &[1, 2, 0], &[1, 0, 0x80, 0], &[1, 1, 0x80, 0x80, 0, 0, 0, 0], &too_large] {
        assert!(Node::decode(bytes).is_err(), "{bytes:?}");
    }
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let digest = any::<[u8; 32]>().prop_map(ContentDigest::from_bytes);
    let kind = prop_oneof![
        (digest.clone(), any::<u64>()).prop_map(|(digest, size)| Kind::File { digest, size }),
        digest.clone().prop_map(|digest| Kind::Directory { digest }),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(|target| Kind::Symlink { target: target.into() }),
        Just(Kind::Fifo),
        (prop::collection::vec(any::<u8>(), 0..9), digest)
            .prop_map(|(path, key)| Kind::Machine { host_path: path.into(), key }),
    ];
    let mtime =
        prop_oneof![Just(Mtime::Unset), any::<i64>().prop_map(Mtime::Seen), any::<i64>().prop_map(Mtime::Pinned)];
    let name = prop::collection::vec(1_u8..255, 1..9)
        .prop_filter("a name", |name| !name.contains(&b'/') && name != b"." && name != b"..");
    (name, kind, any::<(u32, u32, u32)>(), mtime).prop_map(|(name, kind, (mode, uid, gid), mtime)| Entry {
        name: name.into(),
        kind,
        owned: Owned { mode, uid, gid },
        mtime,
    })
}

proptest! {
    #[test]
    fn a_node_reads_back_as_it_was_written(entries in prop::collection::vec(any_entry(), 0..9), root: Option<(u32, u32, u32)>) {
        let mut node = Node::default();
        entries.into_iter().for_each(|entry| node.put(entry));
        node.root = root.map(|(mode, uid, gid)| Owned { mode, uid, gid });
        let (digest, bytes) = node.encode();
        prop_assert_eq!(Node::decode(&bytes), Ok((digest, node)));
    }

    #[test]
    fn no_bytes_make_decoding_panic(bytes in prop::collection::vec(any::<u8>(), 0..99)) {
        let _ = Node::decode(&bytes);
    }

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
}
