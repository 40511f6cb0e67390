//! What differs between two trees, for people.

use std::cmp::Ordering;
use std::sync::Arc;

use engine::{Change, ChangeKind, Changes};
use graph::ContentDigest;
use store::{Entry, Node, NodeError, Store};

/// The most entries that are named.
const MAX_NAMED: usize = 10;

/// Two directories that are being compared.
struct Level {
    /// The path of both, with a slash at its end; empty for the root.
    path: String,
    was: Arc<Node>,
    is: Arc<Node>,
    n_was: usize,
    n_is: usize,
}

/// Returns the first entries in which two trees differ. Nothing differs between trees of which one is not in the store.
pub(crate) fn between(store: &Store, was: ContentDigest, is: ContentDigest) -> Changes {
    // The digest of a file is no tree, and to ask for one that is missing would count as damage.
    let is_there = |tree| store.has_node(tree).unwrap_or(false);
    let compared = if is_there(was) && is_there(is) { compare(store, was, is) } else { Ok(Changes::default()) };
    compared.unwrap_or_default()
}

/// Compares trees. Equal directories are not entered, and directories that differ have an entry that does, so that the
/// work is bounded by the number of entries that are named.
fn compare(store: &Store, was: ContentDigest, is: ContentDigest) -> Result<Changes, NodeError> {
    let mut changes = Changes::default();
    let mut levels = vec![level(store, String::new(), was, is)?];
    if levels.iter().any(|root| root.was.owned() != root.is.owned()) {
        add(&mut changes, ChangeKind::Changed, "./".to_owned());
    }
    while let Some(here) = levels.last_mut() {
        let Some((kind, entry, deeper)) = here.next() else {
            levels.pop();
            continue;
        };
        let slash = if entry.directory().is_some() { "/" } else { "" };
        let path = format!("{}{}{slash}", here.path, String::from_utf8_lossy(&entry.name));
        if let Some((was, is)) = deeper {
            levels.push(level(store, path.clone(), was, is)?);
        }
        if let Some(kind) = kind
            && !add(&mut changes, kind, path)
        {
            break;
        }
    }
    Ok(changes)
}

/// Adds a change. Returns whether there is room for another one.
fn add(changes: &mut Changes, kind: ChangeKind, path: String) -> bool {
    changes.has_more = changes.first.len() == MAX_NAMED;
    if !changes.has_more {
        changes.first.push(Change { kind, path });
    }
    !changes.has_more
}

fn level(store: &Store, path: String, was: ContentDigest, is: ContentDigest) -> Result<Level, NodeError> {
    Ok(Level { path, was: store.node(was)?, is: store.node(is)?, n_was: 0, n_is: 0 })
}

/// How an entry differs by itself, the entry, and the two directories to compare below it.
type Difference = (Option<ChangeKind>, Entry, Option<(ContentDigest, ContentDigest)>);

impl Level {
    /// Returns the next entry that differs.
    fn next(&mut self) -> Option<Difference> {
        loop {
            let (was, is) = (self.was.entries.get(self.n_was), self.is.entries.get(self.n_is));
            let order = match (was, is) {
                (Some(was), Some(is)) => was.name.cmp(&is.name),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return None,
            };
            self.n_was += usize::from(order != Ordering::Greater);
            self.n_is += usize::from(order != Ordering::Less);
            match (order, was, is) {
                (Ordering::Less, Some(was), _) => return Some((Some(ChangeKind::Removed), was.clone(), None)),
                (Ordering::Greater, _, Some(is)) => return Some((Some(ChangeKind::Added), is.clone(), None)),
                (_, Some(was), Some(is)) if !was.is_same(is) => {
                    let below = was.directory().zip(is.directory());
                    let is_other = below.is_none() || was.owned != is.owned;
                    let below = below.filter(|(was, is)| was != is);
                    return Some((is_other.then_some(ChangeKind::Changed), is.clone(), below));
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use graph::{FileOp, TreePath};
    use store::empty_tree;

    use super::*;

    /// Makes a tree: `a=text` is a file, `a/` a directory.
    fn tree(store: &Store, words: &str) -> ContentDigest {
        words.split_whitespace().fold(empty_tree(), |tree, word| {
            let path = |at: &str| TreePath::parse(at).unwrap();
            let op = match word.split_once('=') {
                Some((at, text)) => {
                    FileOp::MakeFile { path: path(at), contents: text.into(), mode: 0o644, owner: None }
                }
                None => FileOp::MakeDirectory { path: path(word.trim_end_matches('/')), mode: 0o700, owner: None },
            };
            store.apply(&op, tree, None).unwrap()
        })
    }

    fn check(was: &str, is: &str, expect: &str) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store")).unwrap();
        let (was, is) = (tree(&store, was), tree(&store, is));
        assert_eq!(between(&store, was, is).describe(), expect);
    }

    #[test]
    fn what_differs_between_trees_is_named() {
        check("a=1 b=2", "a=1 b=2", "");
        check("a=1 b=2 c=3", "b=4 c=3 d=5", "changed `b`, added `d`, removed `a`");
        check("src/deep/a=1 src/b=2 out/x=1", "src/deep/a=2 src/b=2 out/x=1", "changed `src/deep/a`");
        check("a=1 old/x=1", "a=1 new/x=1 new/y=2", "added `new/`, removed `old/`");
        check("a=1", "a/", "changed `a/`");
        check("d/x=1", "d/ d/x=2", "changed `d/` `d/x`");
    }

    #[test]
    fn no_more_than_ten_are_named() {
        let names = |n: usize| (0..n).map(|at| format!("d/f{at}=1")).collect::<Vec<_>>().join(" ");
        let ten = "`d/f0` `d/f1` `d/f2` `d/f3` `d/f4` `d/f5` `d/f6` `d/f7` `d/f8` `d/f9`";
        check("d/x=1", &format!("d/x=1 {}", names(10)), &format!("added {ten}"));
        let twelve = "`d/f0` `d/f1` `d/f10` `d/f11` `d/f2` `d/f3` `d/f4` `d/f5` `d/f6` `d/f7`";
        check("d/x=1", &format!("d/x=1 {}", names(12)), &format!("added {twelve}, and more"));
    }

    #[test]
    fn a_tree_that_is_not_there_any_more_is_no_damage() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store")).unwrap();
        let losses = store.losses().unwrap();
        let gone = ContentDigest::from_bytes([7; 32]);
        assert_eq!(between(&store, gone, tree(&store, "a=1")), Changes::default());
        assert_eq!(store.losses().unwrap(), losses);
    }
}
