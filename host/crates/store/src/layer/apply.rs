//! Makes a tree of a base and of the changes that a command made to it.

use graph::ContentDigest;

use crate::layer::{Change, ChangeKind, LayerContents};
use crate::nodes::{Editor, NodeError, empty_tree};
use crate::store::Store;
use crate::tree::deep::{Next, descend};
use crate::tree::node::{Entry, Kind, Mtime, Node};

impl Store {
    /// Returns the tree that `base` becomes with the changes of a layer. If the layer has nothing but what was
    /// there before, as when a command opened a file for writing and left it as it was, that is `base`.
    ///
    /// # Errors
    /// If a directory of `base` is missing from the store, or the tree cannot be stored.
    pub fn apply_changes(&self, base: ContentDigest, contents: &LayerContents) -> Result<ContentDigest, NodeError> {
        let mut editor = Editor::new(self);
        let mut node = (*editor.node(base)?).clone();
        node.set_owned(contents.root);
        let first = Level { node, changes: &contents.changes, n_path: 0 };
        let node = descend(Next::Down(first), |level, below, _| apply(&mut editor, level, below))?;
        let tree = editor.add(node);
        editor.finish(tree)
    }
}

/// A directory to which changes are applied.
struct Level<'a> {
    node: Node,
    /// The changes that are not applied yet, all in the directory.
    changes: &'a [Change],
    /// The length of its path in bytes, with the `/` behind it.
    n_path: usize,
}

fn apply<'a>(
    editor: &mut Editor<'_>,
    level: &mut Level<'a>,
    mut below: Option<Node>,
) -> Result<Next<Level<'a>, Node>, NodeError> {
    while let Some((change, after)) = level.changes.split_first() {
        let name: Box<[u8]> = change.path.get(level.n_path..).unwrap_or_default().into();
        // The changes in a directory follow the directory.
        let is_below =
            |other: &Change| other.path.starts_with(&change.path) && other.path.get(change.path.len()) == Some(&b'/');
        let (changes, next) = after.split_at(after.partition_point(is_below));
        let old = level.node.get(&name).cloned();
        let kind = match &change.what {
            ChangeKind::Whiteout => {
                level.node.take(&name);
                level.changes = next;
                continue;
            }
            ChangeKind::Directory { is_opaque } => {
                let digest = match old.as_ref().map(|old| &old.kind) {
                    // The view of a directory of this machine is mounted over the directory that the layer has there.
                    Some(Kind::Machine { .. }) if changes.is_empty() => {
                        level.changes = next;
                        continue;
                    }
                    Some(Kind::Directory { digest }) if !is_opaque => *digest,
                    _ => empty_tree(),
                };
                let digest = match below.take() {
                    Some(node) => editor.add(node),
                    None if changes.is_empty() => digest,
                    None => {
                        // The directory is looked at again when everything in it is done.
                        let node = (*editor.node(digest)?).clone();
                        return Ok(Next::Down(Level { node, changes, n_path: change.path.len() + 1 }));
                    }
                };
                Kind::Directory { digest }
            }
            ChangeKind::File { digest, size } => Kind::File { digest: *digest, size: *size },
            ChangeKind::Symlink { target } => Kind::Symlink { target: target.as_slice().into() },
            ChangeKind::Fifo => Kind::Fifo,
        };
        // A time that an operation has set stays a part of the digest, as long as the file has it.
        let mtime = match old.map(|old| old.mtime) {
            Some(Mtime::Pinned(time)) if time == change.mtime_ns => Mtime::Pinned(time),
            _ => Mtime::Seen(change.mtime_ns),
        };
        level.node.put(Entry { name, kind, owned: change.owned, mtime });
        level.changes = next;
    }
    Ok(Next::Done(std::mem::take(&mut level.node)))
}
