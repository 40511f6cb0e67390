//! Merges trees, and computes what one tree has that another does not have.

use std::collections::HashMap;
use std::sync::Arc;

use graph::ContentDigest;

use crate::budget::Budget;
use crate::nodes::{Editor, NodeError, empty_tree};
use crate::store::Store;
use crate::tree::deep::descend;
use crate::tree::node::{Entry, Kind, Node};

impl Store {
    /// Merges trees. Directories of the same path are merged, and get the mode and the owner of the later one; of
    /// anything else the later one replaces the earlier. The root has the mode and the owner of the last tree that
    /// sets them.
    ///
    /// # Errors
    /// If a tree cannot be read or stored.
    pub fn merge(&self, trees: &[ContentDigest]) -> Result<ContentDigest, NodeError> {
        let mut editor = Editor::new(self);
        let budget = self.budget();
        let mut merged = empty_tree();
        for tree in trees {
            merged = merge(&mut editor, merged, *tree, &mut (HashMap::new(), &budget), 0)?;
        }
        editor.finish(merged)
    }

    /// Returns the tree of the entries of `other` that `base` does not have, or has in another form.
    ///
    /// # Errors
    /// If a tree cannot be read or stored.
    pub fn diff(&self, base: ContentDigest, other: ContentDigest) -> Result<ContentDigest, NodeError> {
        let mut editor = Editor::new(self);
        let budget = self.budget();
        let mut node = (*diff(&mut editor, base, other, &mut (HashMap::new(), &budget), 0)?).clone();
        let (base, other) = (editor.node(base)?, editor.node(other)?);
        node.root = if base.root == other.root { None } else { other.root };
        let digest = editor.add(node);
        editor.finish(digest)
    }
}

/// The pairs of directories that were combined before, and the budget.
type Done<'a, T> = (HashMap<(ContentDigest, ContentDigest), T>, &'a Budget);

fn merge(
    editor: &mut Editor<'_>,
    base: ContentDigest,
    other: ContentDigest,
    done: &mut Done<'_, ContentDigest>,
    depth: usize,
) -> Result<ContentDigest, NodeError> {
    if base == other || other == empty_tree() {
        return Ok(base);
    }
    if base == empty_tree() {
        return Ok(other);
    }
    let pair = (base, other);
    if let Some(merged) = done.0.get(&pair) {
        return Ok(*merged);
    }
    let (base, other) = (editor.node(base)?, editor.node(other)?);
    let mut node = (*base).clone();
    node.root = other.root.or(base.root);
    for entry in &other.entries {
        done.1.entry(depth)?;
        let mut entry = entry.clone();
        if let (Some(old), Some(new)) = (node.get(&entry.name).and_then(Entry::directory), entry.directory()) {
            let digest = descend(depth, || merge(editor, old, new, done, depth + 1))?;
            entry.kind = Kind::Directory { digest };
        }
        node.put(entry);
    }
    let merged = editor.add(node);
    done.0.insert(pair, merged);
    Ok(merged)
}

fn diff(
    editor: &mut Editor<'_>,
    base: ContentDigest,
    other: ContentDigest,
    done: &mut Done<'_, Arc<Node>>,
    depth: usize,
) -> Result<Arc<Node>, NodeError> {
    if base == other {
        return Ok(Arc::default());
    }
    let pair = (base, other);
    if let Some(node) = done.0.get(&pair) {
        return Ok(Arc::clone(node));
    }
    let (base, other) = (editor.node(base)?, editor.node(other)?);
    let mut entries = Vec::new();
    for new in &other.entries {
        done.1.entry(depth)?;
        let Some(old) = base.get(&new.name) else {
            entries.push(new.clone());
            continue;
        };
        if old.is_same(new) {
            continue;
        }
        let mut entry = new.clone();
        if let (Some(from), Some(to)) = (old.directory(), new.directory()) {
            let below = descend(depth, || diff(editor, from, to, done, depth + 1))?;
            let is_itself_same = old.owned == new.owned;
            if below.entries.is_empty() && is_itself_same {
                continue;
            }
            entry.kind = Kind::Directory { digest: editor.add((*below).clone()) };
        }
        entries.push(entry);
    }
    let node = Arc::new(Node::of(entries));
    done.0.insert(pair, Arc::clone(&node));
    Ok(node)
}
