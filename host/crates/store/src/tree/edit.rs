//! Applies an operation on files to a tree.

use graph::{ContentDigest, Contents, FileOp, TreePath};

use crate::nodes::{Editor, empty_tree};
use crate::store::Store;
use crate::tree::node::{Entry, Kind, Mtime, Node, Owned};
use crate::tree::pattern::Selector;
use crate::tree::read::is_directory;
use crate::tree::resolve::{PathTarget, ReadError, Resolved, escape, resolve};
use crate::tree::rewrite::{Rewrite, rewrite};

mod error;
mod remove;
mod replace;

pub use error::EditError;
use replace::Replacement;

/// A place in a tree that an operation copies from.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The tree that is copied from.
    pub tree: ContentDigest,
    /// The path of what is copied.
    pub path: &'a TreePath,
}

impl Store {
    /// Applies an operation to `base` and returns the new tree. `from` is the place that copies and replacements take
    /// their files from.
    ///
    /// # Errors
    /// If the operation is not possible on this tree.
    pub fn apply(
        &self,
        op: &FileOp,
        base: ContentDigest,
        from: Option<Origin<'_>>,
    ) -> Result<ContentDigest, EditError> {
        let mut editor = Editor::new(self);
        let edit = &mut Edit { editor: &mut editor, base };
        let tree = match op {
            FileOp::MakeFile { path, contents, mode, owner } => edit.make_file(path, contents, *mode, owner.as_deref()),
            FileOp::MakeDirectory { path, mode, owner } => edit.make_directory(path, *mode, owner.as_deref()),
            FileOp::Copy(op) => edit.copy(op, from.ok_or(EditError::NoSource { op: "copy" })?),
            FileOp::Symlink { target, path } => edit.symlink(target, path),
            FileOp::Remove { pattern, base, kind } => edit.remove(pattern, base, *kind),
            FileOp::Filter { include, exclude } => edit.filter(include, exclude),
            FileOp::Chown { path, owner } => edit.chown(path, owner),
            FileOp::Timestamps { seconds } => edit.timestamps(*seconds),
            FileOp::Replace { name, search, replacement, all } => {
                let from = from.ok_or(EditError::NoSource { op: "replace" })?;
                edit.replace(name, from, &Replacement { search, replacement, all: *all })
            }
        }?;
        Ok(editor.finish(tree)?)
    }
}

/// An operation that is being applied.
pub(crate) struct Edit<'a, 'b> {
    pub(crate) editor: &'a mut Editor<'b>,
    pub(crate) base: ContentDigest,
}

impl Edit<'_, '_> {
    fn make_file(
        &mut self,
        path: &TreePath,
        contents: &Contents,
        mode: u32,
        owner: Option<&str>,
    ) -> Result<ContentDigest, EditError> {
        let (uid, gid) = self.owner(owner)?;
        let kind = match contents {
            Contents::Bytes(bytes) => {
                Kind::File { digest: self.editor.store.put_blob(bytes)?, size: bytes.len() as u64 }
            }
            Contents::Stored { digest, size_bytes } => Kind::File { digest: *digest, size: *size_bytes },
        };
        self.put_file(path, kind, Owned { mode: mode & 0o7777, uid, gid }, Mtime::Unset)
    }

    /// Puts a file at a path. The path must not be that of a directory, or of a link to one.
    pub(crate) fn put_file(
        &mut self,
        path: &TreePath,
        kind: Kind,
        owned: Owned,
        mtime: Mtime,
    ) -> Result<ContentDigest, EditError> {
        if self.is_directory(path)? {
            return Err(EditError::IsADirectory { path: path.to_absolute() });
        }
        let at = self.writable(path, false)?;
        let Some((name, parents)) = at.real.split_last() else {
            return Err(EditError::IsADirectory { path: path.to_absolute() });
        };
        let entry = Entry { name: name.clone(), kind, owned, mtime };
        edit_at(self.editor, self.base, parents, |_, node| {
            node.put(entry);
            Ok(())
        })
    }

    fn make_directory(&mut self, path: &TreePath, mode: u32, owner: Option<&str>) -> Result<ContentDigest, EditError> {
        let at = resolve(self.editor, self.base, path, true)?;
        match &at.place {
            Some(PathTarget::Root(_) | PathTarget::Entry(_, Some(_))) => return Ok(self.base),
            Some(PathTarget::Host(_, metadata)) if metadata.is_dir() => return Ok(self.base),
            Some(_) => {
                return Err(ReadError::NotADirectory { path: path.to_absolute(), found: "a file" }.into());
            }
            None if at.is_read_only => return Err(EditError::ReadOnly { path: path.to_absolute() }),
            None => {}
        }
        let (uid, gid) = self.owner(owner)?;
        let Some((name, parents)) = at.real.split_last() else { return Ok(self.base) };
        let owned = Owned { mode: mode & 0o7777, uid, gid };
        edit_at(self.editor, self.base, parents, |editor, node| {
            let digest = editor.add(Node::default());
            node.put(Entry::new(name, Kind::Directory { digest }, owned));
            Ok(())
        })
    }

    fn symlink(&mut self, target: &str, path: &TreePath) -> Result<ContentDigest, EditError> {
        let at = self.writable(path, false)?;
        let (Some((name, parents)), None) = (at.real.split_last(), &at.place) else {
            return Err(EditError::Exists { path: path.to_absolute() });
        };
        let entry = Entry::new(name, Kind::Symlink { target: target.as_bytes().into() }, Owned::SYMLINK);
        edit_at(self.editor, self.base, parents, |_, node| {
            node.put(entry);
            Ok(())
        })
    }

    fn filter(&mut self, include: &[String], exclude: &[String]) -> Result<ContentDigest, EditError> {
        let rules = Rewrite::new(Selector::new(include, exclude)?, Box::new(|_| {}));
        rewrite(self.editor, self.base, &rules)
    }

    fn chown(&mut self, path: &TreePath, owner: &str) -> Result<ContentDigest, EditError> {
        let (uid, gid) = self.owner(Some(owner))?;
        let at = self.writable(path, true)?;
        let rules = Rewrite::new(
            Selector::default(),
            Box::new(move |entry: &mut Entry| {
                entry.owned = Owned { uid, gid, ..entry.owned };
            }),
        );
        match at.place {
            None => Err(ReadError::NotFound { path: path.to_absolute() }.into()),
            Some(PathTarget::Root(node)) => {
                let owned = Owned { uid, gid, ..node.owned() };
                let tree = rewrite(self.editor, self.base, &rules)?;
                edit_at(self.editor, tree, &[], |_, node| {
                    node.set_owned(owned);
                    Ok(())
                })
            }
            Some(_) => {
                let Some((name, parents)) = at.real.split_last() else { return Ok(self.base) };
                edit_at(self.editor, self.base, parents, |editor, node| {
                    if let Ok(i) = node.position(name) {
                        let entry = &mut node.entries[i];
                        entry.owned = Owned { uid, gid, ..entry.owned };
                        if let Kind::Directory { digest } = &mut entry.kind {
                            *digest = rewrite(editor, *digest, &rules)?;
                        }
                    }
                    Ok(())
                })
            }
        }
    }

    fn timestamps(&mut self, seconds: u64) -> Result<ContentDigest, EditError> {
        let time = i64::try_from(seconds).ok().and_then(|s| s.checked_mul(1_000_000_000)).unwrap_or(i64::MAX);
        let rules = Rewrite::new(
            Selector::default(),
            Box::new(move |entry: &mut Entry| {
                entry.mtime = Mtime::Pinned(time);
            }),
        );
        rewrite(self.editor, self.base, &rules)
    }

    pub(crate) fn owner(&self, owner: Option<&str>) -> Result<(u32, u32), EditError> {
        owner.map_or(Ok((0, 0)), |owner| self.editor.store.resolve_owner(self.base, owner))
    }

    /// Returns whether a path leads to a directory.
    pub(crate) fn is_directory(&self, path: &TreePath) -> Result<bool, EditError> {
        Ok(match resolve(self.editor, self.base, path, true)?.place {
            Some(PathTarget::Root(_)) => true,
            Some(PathTarget::Entry(entry, _)) => is_directory(&entry.kind),
            Some(PathTarget::Host(_, metadata)) => metadata.is_dir(),
            None => false,
        })
    }

    /// Resolves a path that will be written to.
    pub(crate) fn writable(&self, path: &TreePath, follow: bool) -> Result<Resolved, EditError> {
        let at = resolve(self.editor, self.base, path, follow)?;
        if at.is_read_only { Err(EditError::ReadOnly { path: path.to_absolute() }) } else { Ok(at) }
    }
}

/// Checks that a text can be the name of a file.
pub(crate) fn file_name(name: &str) -> Result<&[u8], EditError> {
    let is_bad = name.is_empty() || name.contains(['/', '\0']) || matches!(name, "." | "..") || name.len() > 255;
    if is_bad { Err(EditError::BadName { name: name.to_owned() }) } else { Ok(name.as_bytes()) }
}

/// Changes the directory at a path without links. A directory that is missing is made, with its parents.
pub(crate) fn edit_at(
    editor: &mut Editor<'_>,
    tree: ContentDigest,
    path: &[Box<[u8]>],
    change: impl FnOnce(&mut Editor<'_>, &mut Node) -> Result<(), EditError>,
) -> Result<ContentDigest, EditError> {
    let mut above = Vec::with_capacity(path.len());
    let mut digest = tree;
    for (i, name) in path.iter().enumerate() {
        let node = editor.node(digest)?;
        digest = match node.get(name).map(|entry| &entry.kind) {
            Some(Kind::Directory { digest }) => *digest,
            None => empty_tree(),
            Some(kind) => {
                let path: String = path[..=i].iter().map(|name| format!("/{}", escape(name))).collect();
                return Err(match kind {
                    Kind::Machine { .. } => EditError::ReadOnly { path },
                    _ => ReadError::NotADirectory { path, found: "a file" }.into(),
                });
            }
        };
        above.push(node);
    }
    let mut node = (*editor.node(digest)?).clone();
    change(editor, &mut node)?;
    let mut digest = editor.add(node);
    for (node, name) in above.into_iter().zip(path).rev() {
        let mut node = (*node).clone();
        match node.position(name) {
            Ok(i) => node.entries[i].kind = Kind::Directory { digest },
            Err(i) => {
                let entry = Entry::new(name, Kind::Directory { digest }, Owned::DIRECTORY);
                node.entries.insert(i, entry);
            }
        }
        digest = editor.add(node);
    }
    Ok(digest)
}

/// Returns the permission bits for a directory, given those for files.
pub(crate) fn directory_mode(mode: u32) -> u32 {
    // Who may read a directory may enter it.
    (mode | ((mode & 0o444) >> 2)) & 0o7777
}
