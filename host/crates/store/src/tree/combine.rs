//! Merges trees, and computes what one tree has that another does not have.

use std::collections::HashMap;
use std::sync::Arc;

use graph::ContentDigest;

use crate::budget::Budget;
use crate::nodes::{Editor, NodeError, empty_tree};
use crate::store::Store;
use crate::tree::deep::{Next, descend};
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
            let mut merger = Merger { editor: &mut editor, budget: &budget, done: HashMap::new() };
            let first = merger.begin(merged, *tree)?;
            merged = descend(first, |level, below, depth| merger.work(level, below, depth))?;
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
        let mut differ = Differ { editor: &mut editor, budget: &budget, done: HashMap::new() };
        let first = differ.begin(base, other)?;
        let mut node = (*descend(first, |level, below, depth| differ.work(level, below, depth))?).clone();
        let (base, other) = (editor.node(base)?, editor.node(other)?);
        node.root = if base.root == other.root { None } else { other.root };
        let digest = editor.add(node);
        editor.finish(digest)
    }
}

/// A pair of directories.
type Pair = (ContentDigest, ContentDigest);

struct Merger<'a, 'b> {
    editor: &'a mut Editor<'b>,
    budget: &'a Budget,
    /// The pairs of directories that were merged before.
    done: HashMap<Pair, ContentDigest>,
}

/// Two directories that are being merged.
struct Merging {
    pair: Pair,
    node: Node,
    other: Arc<Node>,
    n_done: usize,
}

impl Merger<'_, '_> {
    fn begin(&self, base: ContentDigest, other: ContentDigest) -> Result<Next<Merging, ContentDigest>, NodeError> {
        if base == other || other == empty_tree() {
            return Ok(Next::Done(base));
        }
        if base == empty_tree() {
            return Ok(Next::Done(other));
        }
        let pair = (base, other);
        if let Some(merged) = self.done.get(&pair) {
            return Ok(Next::Done(*merged));
        }
        let (base, other) = (self.editor.node(base)?, self.editor.node(other)?);
        let node = Node { root: other.root.or(base.root), entries: base.entries.clone() };
        Ok(Next::Down(Merging { pair, node, other, n_done: 0 }))
    }

    fn work(
        &mut self,
        level: &mut Merging,
        mut below: Option<ContentDigest>,
        depth: usize,
    ) -> Result<Next<Merging, ContentDigest>, NodeError> {
        while let Some(entry) = level.other.entries.get(level.n_done) {
            // An entry that the work went down from is looked at again, with the result.
            if below.is_none() {
                self.budget.entry(depth)?;
            }
            let mut entry = entry.clone();
            if let (Some(old), Some(new)) = (level.node.get(&entry.name).and_then(Entry::directory), entry.directory())
            {
                match below.take().map_or_else(|| self.begin(old, new), |digest| Ok(Next::Done(digest)))? {
                    Next::Done(digest) => entry.kind = Kind::Directory { digest },
                    down => return Ok(down),
                }
            }
            level.node.put(entry);
            level.n_done += 1;
        }
        let merged = self.editor.add(std::mem::take(&mut level.node));
        self.done.insert(level.pair, merged);
        Ok(Next::Done(merged))
    }
}

struct Differ<'a, 'b> {
    editor: &'a mut Editor<'b>,
    budget: &'a Budget,
    /// The pairs of directories that were compared before.
    done: HashMap<Pair, Arc<Node>>,
}

/// Two directories that are being compared.
struct Comparing {
    pair: Pair,
    base: Arc<Node>,
    other: Arc<Node>,
    n_done: usize,
    entries: Vec<Entry>,
}

impl Differ<'_, '_> {
    fn begin(&self, base: ContentDigest, other: ContentDigest) -> Result<Next<Comparing, Arc<Node>>, NodeError> {
        if base == other {
            return Ok(Next::Done(Arc::default()));
        }
        let pair = (base, other);
        if let Some(node) = self.done.get(&pair) {
            return Ok(Next::Done(Arc::clone(node)));
        }
        let (base, other) = (self.editor.node(base)?, self.editor.node(other)?);
        Ok(Next::Down(Comparing { pair, base, other, n_done: 0, entries: Vec::new() }))
    }

    fn work(
        &mut self,
        level: &mut Comparing,
        mut below: Option<Arc<Node>>,
        depth: usize,
    ) -> Result<Next<Comparing, Arc<Node>>, NodeError> {
        while let Some(new) = level.other.entries.get(level.n_done) {
            // An entry that the work went down from is looked at again, with the result.
            if below.is_none() {
                self.budget.entry(depth)?;
            }
            let old = level.base.get(&new.name);
            let is_same = old.is_some_and(|old| old.is_same(new));
            let directories = old.and_then(|old| Some((old.directory()?, new.directory()?)));
            match directories.filter(|_| !is_same) {
                Some((from, to)) => {
                    let node = match below.take().map_or_else(|| self.begin(from, to), |node| Ok(Next::Done(node)))? {
                        Next::Done(node) => node,
                        down => return Ok(down),
                    };
                    let is_itself_same = old.is_some_and(|old| old.owned == new.owned);
                    if !(node.entries.is_empty() && is_itself_same) {
                        let digest = self.editor.add((*node).clone());
                        level.entries.push(Entry { kind: Kind::Directory { digest }, ..new.clone() });
                    }
                }
                None if is_same => {}
                None => level.entries.push(new.clone()),
            }
            level.n_done += 1;
        }
        let node = Arc::new(Node::of(std::mem::take(&mut level.entries)));
        self.done.insert(level.pair, Arc::clone(&node));
        Ok(Next::Done(node))
    }
}
