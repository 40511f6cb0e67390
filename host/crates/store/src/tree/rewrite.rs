//! Makes a tree of the entries of another one that a selector takes, each of them changed.

use std::collections::HashMap;
use std::sync::Arc;

use graph::ContentDigest;

use crate::budget::Budget;
use crate::nodes::{Editor, NodeError, empty_tree};
use crate::tree::deep::{Next, descend, enter};
use crate::tree::edit::EditError;
use crate::tree::node::{Entry, Kind, Node};
use crate::tree::pattern::{Above, Selector};

/// Which entries of a tree are kept, and how they are changed.
pub(crate) struct Rewrite<'a> {
    selector: Selector,
    change: Box<dyn Fn(&mut Entry) + Send + Sync + 'a>,
}

impl<'a> Rewrite<'a> {
    pub(crate) fn new(selector: Selector, change: Box<dyn Fn(&mut Entry) + Send + Sync + 'a>) -> Self {
        Self { selector, change }
    }
}

/// Makes a tree of the entries that a selector takes, each of them changed.
pub(crate) fn rewrite(
    editor: &mut Editor<'_>,
    tree: ContentDigest,
    rules: &Rewrite<'_>,
) -> Result<ContentDigest, EditError> {
    let budget = editor.store.budget();
    let mut rewriter = Rewriter { editor, rules, budget, path: Vec::new(), done: HashMap::new() };
    let first = rewriter.begin(tree, Above::default())?;
    descend(first, |level, below, depth| rewriter.work(level, below, depth))
}

struct Rewriter<'a, 'b, 'c> {
    editor: &'a mut Editor<'b>,
    rules: &'a Rewrite<'c>,
    budget: Budget,
    /// The path of the entry that is looked at.
    path: Vec<u8>,
    /// The directories that were rewritten before and would become the same again, with what their entries inherit.
    done: HashMap<(ContentDigest, Above), ContentDigest>,
}

/// A directory that is being rewritten.
struct Level {
    digest: ContentDigest,
    node: Arc<Node>,
    n_done: usize,
    /// The length of its path in bytes.
    n_path: usize,
    above: Above,
    /// Whether the path of the directory makes no difference.
    is_everywhere_same: bool,
    entries: Vec<Entry>,
    /// The entry of the directory that is rewritten before the work goes on, and whether it is selected itself.
    entry: Option<(Entry, bool)>,
}

impl Rewriter<'_, '_, '_> {
    /// Begins with the directory at the current path.
    fn begin(&self, digest: ContentDigest, above: Above) -> Result<Next<Level, ContentDigest>, NodeError> {
        let is_everywhere_same = self.rules.selector.is_same_everywhere(&self.path, &above);
        let key = (digest, above);
        if is_everywhere_same && let Some(done) = self.done.get(&key) {
            return Ok(Next::Done(*done));
        }
        let (digest, above) = key;
        let node = self.editor.node(digest)?;
        let (n_path, entries) = (self.path.len(), Vec::with_capacity(node.entries.len()));
        Ok(Next::Down(Level { digest, node, n_done: 0, n_path, above, is_everywhere_same, entries, entry: None }))
    }

    fn work(
        &mut self,
        level: &mut Level,
        below: Option<ContentDigest>,
        depth: usize,
    ) -> Result<Next<Level, ContentDigest>, EditError> {
        if let (Some((entry, is_taken)), Some(below)) = (level.entry.take(), below) {
            self.keep_directory(level, entry, is_taken, below);
        }
        while let Some(entry) = level.node.entries.get(level.n_done) {
            level.n_done += 1;
            self.budget.entry(depth).map_err(NodeError::from)?;
            enter(&mut self.path, level.n_path, &entry.name);
            let verdict = self.rules.selector.judge(&self.path, &level.above);
            let entry = entry.clone();
            match entry.directory().filter(|_| verdict.may_descend) {
                None if verdict.is_taken => self.keep(level, entry),
                None => {}
                Some(digest) => match self.begin(digest, verdict.above)? {
                    Next::Done(below) => self.keep_directory(level, entry, verdict.is_taken, below),
                    down => {
                        level.entry = Some((entry, verdict.is_taken));
                        return Ok(down);
                    }
                },
            }
        }
        let made = self.editor.add(Node { root: level.node.root, entries: std::mem::take(&mut level.entries) });
        if level.is_everywhere_same {
            self.done.insert((level.digest, std::mem::take(&mut level.above)), made);
        }
        Ok(Next::Done(made))
    }

    /// A directory that is not selected itself is kept for the entries in it.
    fn keep_directory(&self, level: &mut Level, mut entry: Entry, is_taken: bool, below: ContentDigest) {
        if is_taken || below != empty_tree() {
            entry.kind = Kind::Directory { digest: below };
            self.keep(level, entry);
        }
    }

    fn keep(&self, level: &mut Level, mut entry: Entry) {
        if !matches!(entry.kind, Kind::Machine { .. }) {
            (self.rules.change)(&mut entry);
        }
        level.entries.push(entry);
    }
}
