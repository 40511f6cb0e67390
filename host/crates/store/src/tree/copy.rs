//! Copies from one tree into another.

use std::sync::Arc;

use graph::{ContentDigest, CopyOp, CopySource};

use crate::budget::Budget;
use crate::nodes::{Editor, NodeError, empty_tree};
use crate::tree::deep::{Next, descend};
use crate::tree::edit::{Edit, EditError, Origin, directory_mode, edit_at, file_name};
use crate::tree::node::{Entry, Kind, Node, Owned};
use crate::tree::pattern::Selector;
use crate::tree::read::Selected;
use crate::tree::resolve::{PathTarget, ReadError, escape, resolve};
use crate::tree::rewrite::{Rewrite, rewrite};

/// The owner and the mode that copied entries get.
struct Ownership {
    owner: Option<(u32, u32)>,
    mode: Option<u32>,
}

impl Ownership {
    fn apply(&self, owned: &mut Owned, kind: &Kind) {
        if let Some((uid, gid)) = self.owner {
            (owned.uid, owned.gid) = (uid, gid);
        }
        match (self.mode, kind) {
            (Some(mode), Kind::Directory { .. }) => owned.mode = directory_mode(mode),
            // A symbolic link has no mode of its own.
            (Some(mode), Kind::File { .. } | Kind::Fifo) => owned.mode = mode & 0o7777,
            _ => {}
        }
    }
}

impl Edit<'_, '_> {
    pub(crate) fn copy(&mut self, op: &CopyOp, from: Origin<'_>) -> Result<ContentDigest, EditError> {
        let owner = match &op.owner {
            Some(owner) => Some(self.owner(Some(owner))?),
            None => (!op.keep_owner).then_some((0, 0)),
        };
        let ownership = Ownership { owner, mode: op.mode };
        let selected = self.editor.store.select(from.tree, from.path)?;
        match (&op.source, selected) {
            (CopySource::File { name, into }, Selected::File(file)) => {
                let is_into = *into || self.is_directory(&op.dest)?;
                let name = file_name(name)?;
                let bad = || EditError::BadName { name: escape(name) };
                let dest = match is_into {
                    true => op.dest.join(std::str::from_utf8(name).map_err(|_| bad())?).map_err(|_| bad())?,
                    false => op.dest.clone(),
                };
                let mut owned = file.owned;
                ownership.apply(&mut owned, &file.kind);
                self.put_file(&dest, file.kind, owned, file.mtime)
            }
            (CopySource::Contents, Selected::Directory(source)) => self.copy_contents(op, source, &ownership),
            (CopySource::File { .. }, Selected::Directory(_)) => {
                Err(ReadError::NotAFile { path: from.path.to_absolute(), found: "a directory" }.into())
            }
            (CopySource::Contents, Selected::File(_)) => {
                Err(ReadError::NotADirectory { path: from.path.to_absolute(), found: "a file" }.into())
            }
        }
    }

    fn copy_contents(
        &mut self,
        op: &CopyOp,
        source: ContentDigest,
        ownership: &Ownership,
    ) -> Result<ContentDigest, EditError> {
        let selector = Selector::new(&op.include, &op.exclude)?;
        let store = self.editor.store;
        let gives_to_root = ownership.owner == Some((0, 0)) && ownership.mode.is_none();
        let is_as_it_is = selector.takes_all()
            && ((ownership.owner.is_none() && ownership.mode.is_none()) || (gives_to_root && store.is_of_root(source)));
        let mut root = self.editor.node(source)?.owned();
        let mut source = source;
        if !is_as_it_is {
            let change = |entry: &mut Entry| ownership.apply(&mut entry.owned, &entry.kind);
            source = rewrite(self.editor, source, &Rewrite::new(selector, Box::new(change)))?;
            ownership.apply(&mut root, &Kind::Directory { digest: source });
        }
        // The entry of the directory gets the mode and the owner that the node has as a root.
        let mut node = (*self.editor.node(source)?).clone();
        if node.root.take().is_some() {
            source = self.editor.add(node);
        }
        if gives_to_root {
            store.note_of_root(source);
        }
        let at = self.writable(&op.dest, true)?;
        if let Some(PathTarget::Entry(entry, None)) = &at.place {
            let found = if matches!(entry.kind, Kind::Fifo) { "a pipe" } else { "a file" };
            return Err(ReadError::NotADirectory { path: op.dest.to_absolute(), found }.into());
        }
        let is_new = at.place.is_none() || (at.real.is_empty() && self.base == empty_tree());
        let is_base_of_root = self.base == empty_tree() || store.is_of_root(self.base);
        let made = self.place(&at.real, source, is_new.then_some(root))?;
        // A directory that is put into another one again and again need not be looked through each time.
        if gives_to_root && is_base_of_root {
            store.note_of_root(made);
        }
        Ok(made)
    }

    /// Merges a directory into the directory at a path without links. A new directory gets `owned`.
    fn place(
        &mut self,
        path: &[Box<[u8]>],
        source: ContentDigest,
        owned: Option<Owned>,
    ) -> Result<ContentDigest, EditError> {
        let mut tree = self.base;
        if let Some(owned) = owned {
            tree = match path.split_last() {
                None => edit_at(self.editor, tree, &[], |_, node| {
                    node.set_owned(owned);
                    Ok(())
                })?,
                Some((name, parents)) => edit_at(self.editor, tree, parents, |editor, node| {
                    let digest = editor.add(Node::default());
                    node.put(Entry::new(name, Kind::Directory { digest }, owned));
                    Ok(())
                })?,
            };
        }
        let budget = Arc::new(self.editor.store.budget());
        let mut pending = vec![(path.to_vec(), source)];
        while let Some((path, source)) = pending.pop() {
            let mut onto = Onto { tree, budget: Arc::clone(&budget), path: path.clone(), elsewhere: Vec::new() };
            tree = edit_at(self.editor, tree, &path, |editor, node| {
                *node = onto.merge(editor, std::mem::take(node), source)?;
                Ok(())
            })?;
            pending.append(&mut onto.elsewhere);
        }
        Ok(tree)
    }
}

/// A directory that is copied onto another.
struct Onto {
    tree: ContentDigest,
    budget: Arc<Budget>,
    path: Vec<Box<[u8]>>,
    /// The directories that are copied to where links of the destination lead, such as from `/bin` to `/usr/bin`.
    elsewhere: Vec<(Vec<Box<[u8]>>, ContentDigest)>,
}

/// A directory of the source that is copied onto one of the destination.
struct Copying {
    node: Node,
    source: Arc<Node>,
    n_done: usize,
}

impl Onto {
    fn merge(&mut self, editor: &mut Editor<'_>, node: Node, source: ContentDigest) -> Result<Node, EditError> {
        let first = Copying { node, source: editor.node(source)?, n_done: 0 };
        descend(Next::Down(first), |level, below, depth| self.work(editor, level, below, depth))
    }

    fn work(
        &mut self,
        editor: &mut Editor<'_>,
        level: &mut Copying,
        mut below: Option<Node>,
        depth: usize,
    ) -> Result<Next<Copying, Node>, EditError> {
        if level.node.entries.is_empty() {
            level.node.entries.clone_from(&level.source.entries);
            level.n_done = level.source.entries.len();
        }
        while let Some(new) = level.source.entries.get(level.n_done) {
            let mut new = new.clone();
            // An entry that the work went down from is looked at again, with the result.
            if below.is_none() {
                self.budget.entry(depth).map_err(NodeError::from)?;
                self.path.push(new.name.clone());
            }
            let old = level.node.get(&new.name).map(|entry| entry.kind.clone());
            let mut is_elsewhere = false;
            match (old, &mut new.kind) {
                (Some(Kind::Machine { host_path, key }), kind)
                    if *kind != (Kind::Machine { host_path: host_path.clone(), key }) =>
                {
                    let path = self.path.iter().map(|name| format!("/{}", escape(name))).collect();
                    return Err(EditError::ReadOnly { path });
                }
                (Some(Kind::Directory { digest: old }), Kind::Directory { digest }) if old != *digest => {
                    let Some(node) = below.take() else {
                        let (node, source) = ((*editor.node(old)?).clone(), editor.node(*digest)?);
                        return Ok(Next::Down(Copying { node, source, n_done: 0 }));
                    };
                    *digest = editor.add(node);
                }
                (Some(Kind::Symlink { .. }), Kind::Directory { digest }) => {
                    if let Some(real) = self.follow(editor)? {
                        self.elsewhere.push((real, *digest));
                        is_elsewhere = true;
                    }
                }
                _ => {}
            }
            if !is_elsewhere {
                level.node.put(new);
            }
            self.path.pop();
            level.n_done += 1;
        }
        Ok(Next::Done(std::mem::take(&mut level.node)))
    }

    /// Returns the path of the directory that the link at the current path leads to; none if it leads to none.
    fn follow(&self, editor: &Editor<'_>) -> Result<Option<Vec<Box<[u8]>>>, EditError> {
        let text: Result<Vec<&str>, _> = self.path.iter().map(|name| std::str::from_utf8(name)).collect();
        let Ok(path) = graph::TreePath::parse(&text.unwrap_or_default().join("/")) else { return Ok(None) };
        match resolve(editor, self.tree, &path, true) {
            Ok(found) => match found.place {
                Some(PathTarget::Entry(_, Some(_)) | PathTarget::Root(_)) => Ok(Some(found.real)),
                Some(PathTarget::Host(_, metadata)) if metadata.is_dir() => {
                    Err(EditError::ReadOnly { path: path.to_absolute() })
                }
                _ => Ok(None),
            },
            Err(ReadError::LinkLoop { .. } | ReadError::NotADirectory { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
