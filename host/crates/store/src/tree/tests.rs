//! Tests of trees: text in, text out. A tree is written as the operations that make it.

use expect_test::Expect;
use graph::{ContentDigest, CopyOp, CopySource, FileOp, RemoveKind, TreePath};

use crate::tree::node::{Entry, Kind, Mtime, Node, Owned};
use crate::tree::resolve::escape;
use crate::{EditError, Origin, Query, Store, empty_tree};

mod copy;
mod edit;
mod node;
mod read;

pub(crate) fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("store")).unwrap();
    (dir, store)
}

/// Takes the stamps of a directory that becomes a layer.
pub(crate) fn stamps(store: &Store, dir: &std::path::Path) -> crate::Stamps {
    let contents =
        crate::ingest_layer(dir, &store.blobs_dir(), &crate::IdMap::default(), &crate::IngestLimits::default())
            .unwrap();
    crate::Stamps::of_contents(dir, &contents).unwrap()
}

fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

pub(crate) fn file(at: &str, contents: &str) -> FileOp {
    FileOp::MakeFile { path: path(at), contents: contents.into(), mode: 0o644, owner: None }
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
        .walk(&root, &store.budget(), &mut |at, entry| {
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
