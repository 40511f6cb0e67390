//! Makes a tree of a base and of the changes that a command made to it.

use graph::ContentDigest;

use crate::layer::{Change, ChangeKind, LayerContents};
use crate::nodes::{Editor, NodeError, empty_tree};
use crate::store::Store;
use crate::tree::deep::descend;
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
        apply(&mut editor, &mut node, &contents.changes, 0, 0)?;
        let tree = editor.add(node);
        editor.finish(tree)
    }
}

/// Applies changes that are all in one directory, whose path has `n_path` bytes.
fn apply(
    editor: &mut Editor<'_>,
    node: &mut Node,
    changes: &[Change],
    n_path: usize,
    depth: usize,
) -> Result<(), NodeError> {
    let mut rest = changes;
    while let Some((change, after)) = rest.split_first() {
        let name: Box<[u8]> = change.path.get(n_path..).unwrap_or_default().into();
        // The changes in a directory follow the directory.
        let is_below =
            |other: &Change| other.path.starts_with(&change.path) && other.path.get(change.path.len()) == Some(&b'/');
        let n_below = after.partition_point(is_below);
        let (below, next) = after.split_at(n_below);
        rest = next;
        let old = node.get(&name).cloned();
        let kind = match &change.what {
            ChangeKind::Whiteout => {
                node.take(&name);
                continue;
            }
            ChangeKind::Directory { is_opaque } => {
                let digest = match old.as_ref().map(|old| &old.kind) {
                    // The view of a directory of this machine is mounted over the directory that the layer has there.
                    Some(Kind::Machine { .. }) if below.is_empty() => continue,
                    Some(Kind::Directory { digest }) if !is_opaque => *digest,
                    _ => empty_tree(),
                };
                let mut inner = (*editor.node(digest)?).clone();
                descend(depth, || apply(editor, &mut inner, below, change.path.len() + 1, depth + 1))?;
                Kind::Directory { digest: editor.add(inner) }
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
        node.put(Entry { name, kind, owned: change.owned, mtime });
    }
    Ok(())
}
