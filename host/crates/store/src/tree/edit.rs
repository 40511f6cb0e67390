//! Applies an operation on files to a tree.

use graph::{Blame, ContentDigest, Diagnostic, FileOp, RemoveKind, TreePath};

use crate::blob::BlobError;
use crate::budget::Budget;
use crate::nodes::{Editor, NodeError, empty_tree};
use crate::store::Store;
use crate::tree::copy::{Rewrite, rewrite, with_x_for_r};
use crate::tree::node::{Entry, Kind, Mtime, Node, Owned};
use crate::tree::pattern::{Glob, PatternError, Selector};
use crate::tree::read::{Selected, is_directory};
use crate::tree::resolve::{PathTarget, ReadError, Resolved, escape, resolve};

/// Why an operation on files failed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// A tree cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An entry exists at the path of a new link.
    #[error("something is already at `{path}`")]
    Exists {
        /// The path, as the caller wrote it.
        path: String,
    },
    /// A directory exists at the path of a new file.
    #[error("`{path}` is a directory")]
    IsADirectory {
        /// The path, as the caller wrote it.
        path: String,
    },
    /// The operation removes files, and its pattern matches a directory.
    #[error("`{path}` is a directory, not a file")]
    MatchedDirectory {
        /// The path of the directory.
        path: String,
    },
    /// The path leads into a view of a directory of this machine.
    #[error("`{path}` is read-only: it is a directory of this machine")]
    ReadOnly {
        /// The path, as the caller wrote it.
        path: String,
    },
    /// The tree has no user or group of this name.
    #[error("nobody is called `{owner}` in `{file}` of the tree")]
    UnknownOwner {
        /// The name, as the caller wrote it.
        owner: String,
        /// The file in which the name was searched.
        file: &'static str,
    },
    /// The text does not name an owner.
    #[error("`{owner}` is not an owner")]
    BadOwner {
        /// The text, as the caller wrote it.
        owner: String,
    },
    /// No file can have this name.
    #[error("`{name}` is not the name of a file")]
    BadName {
        /// The name, as the caller wrote it.
        name: String,
    },
    /// The file does not have the text that is to be replaced.
    #[error("`{search}` is not in file `{name}`")]
    NoMatch {
        /// The text that was searched.
        search: String,
        /// The name of the file.
        name: String,
    },
    /// The file has the text that is to be replaced more than once.
    #[error("`{search}` is {n_matches} times in file `{name}`, on lines {lines}")]
    ManyMatches {
        /// The text that was searched.
        search: String,
        /// The name of the file.
        name: String,
        /// The number of matches.
        n_matches: usize,
        /// The numbers of the first lines that match, as text.
        lines: String,
    },
    /// The text that is to be replaced is empty.
    #[error("the text to replace in file `{name}` is empty")]
    EmptySearch {
        /// The name of the file.
        name: String,
    },
    /// The caller gave no tree to copy from.
    #[error("operation `{op}` has nothing to copy from")]
    NoSource {
        /// What the operation does, in one line.
        op: &'static str,
    },
}

impl From<NodeError> for EditError {
    fn from(error: NodeError) -> Self {
        Self::Read(error.into())
    }
}

impl From<BlobError> for EditError {
    fn from(error: BlobError) -> Self {
        Self::Read(error.into())
    }
}

impl From<PatternError> for EditError {
    fn from(error: PatternError) -> Self {
        Self::Read(error.into())
    }
}

impl Diagnostic for EditError {
    fn blame(&self) -> Blame {
        match self {
            Self::Read(error) => error.blame(),
            Self::NoSource { .. } => Blame::Bug,
            _ => Blame::User,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Read(error) => return error.hint(),
            Self::Exists { .. } => "remove it first".to_owned(),
            Self::MatchedDirectory { .. } => "use `without-directory` to remove it".to_owned(),
            Self::ReadOnly { .. } => "put files elsewhere, or start from an image".to_owned(),
            Self::UnknownOwner { .. } => "give numbers, as in `1000:1000`".to_owned(),
            Self::BadOwner { .. } => "an owner is `user`, `user:group`, `uid` or `uid:gid`".to_owned(),
            Self::ManyMatches { .. } => "give more of the text around it, or replace all".to_owned(),
            _ => return None,
        })
    }
}

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

struct Replacement<'a> {
    search: &'a str,
    replacement: &'a str,
    all: bool,
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
        contents: &[u8],
        mode: u32,
        owner: Option<&str>,
    ) -> Result<ContentDigest, EditError> {
        let (uid, gid) = self.owner(owner)?;
        let digest = self.editor.store.put_blob(contents)?;
        let kind = Kind::File { digest, size: contents.len() as u64 };
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

    fn remove(&mut self, pattern: &str, base: &TreePath, kind: RemoveKind) -> Result<ContentDigest, EditError> {
        let literal = base.join(pattern.trim_start_matches('/')).map_err(|_| Glob::new(pattern).err());
        let path = match literal {
            Ok(path) => path,
            Err(Some(error)) => return Err(error.into()),
            // A pattern that is not a valid path can still match paths.
            Err(None) => base.clone(),
        };
        if path == *base && Glob::new(pattern).is_ok_and(|glob| glob.matches(b"")) {
            return self.clear(base, kind);
        }
        let found = match resolve(self.editor, self.base, &path, false) {
            Err(ReadError::NotADirectory { .. }) => return Ok(self.base),
            found => found?,
        };
        if found.place.is_some() {
            return self.remove_one(&path, &found, kind);
        }
        if !Glob::has_meta(pattern) {
            return Ok(self.base);
        }
        self.remove_matches(pattern, base, kind)
    }

    /// Removes all entries of a directory, and keeps the directory.
    fn clear(&mut self, base: &TreePath, kind: RemoveKind) -> Result<ContentDigest, EditError> {
        if kind == RemoveKind::File {
            return Err(EditError::MatchedDirectory { path: base.to_absolute() });
        }
        let at = self.writable(base, true)?;
        if at.place.is_none() {
            return Ok(self.base);
        }
        edit_at(self.editor, self.base, &at.real, |_, node| {
            node.entries.clear();
            Ok(())
        })
    }

    fn remove_one(&mut self, path: &TreePath, at: &Resolved, kind: RemoveKind) -> Result<ContentDigest, EditError> {
        let is_directory = match &at.place {
            Some(PathTarget::Entry(entry, _)) => is_directory(&entry.kind),
            Some(PathTarget::Host(_, metadata)) => metadata.is_dir(),
            _ => true,
        };
        match (kind, is_directory) {
            (RemoveKind::File, true) => return Err(EditError::MatchedDirectory { path: path.to_absolute() }),
            (RemoveKind::Directory, false) => return Ok(self.base),
            _ => {}
        }
        // The view of a directory of this machine can be removed; the entries in it cannot.
        let in_view =
            match self.editor.node(self.base).map(|root| at.real.first().and_then(|n| root.get(n).cloned()))? {
                Some(Entry { kind: Kind::Machine { .. }, .. }) => at.real.len() > 1,
                _ => at.is_read_only && !self.is_view(at)?,
            };
        if in_view {
            return Err(EditError::ReadOnly { path: path.to_absolute() });
        }
        let Some((name, parents)) = at.real.split_last() else { return Ok(self.base) };
        edit_at(self.editor, self.base, parents, |_, node| {
            node.take(name);
            Ok(())
        })
    }

    /// Returns whether a place is a view of a directory of this machine, and not an entry in one.
    fn is_view(&self, at: &Resolved) -> Result<bool, EditError> {
        let mut digest = self.base;
        for name in &at.real {
            let node = self.editor.node(digest)?;
            match node.get(name).map(|entry| &entry.kind) {
                Some(Kind::Directory { digest: below }) => digest = *below,
                Some(Kind::Machine { .. }) => return Ok(at.real.last() == Some(name)),
                _ => return Ok(false),
            }
        }
        Ok(false)
    }

    fn remove_matches(&mut self, pattern: &str, base: &TreePath, kind: RemoveKind) -> Result<ContentDigest, EditError> {
        let glob = Glob::new(pattern)?;
        let at = self.writable(base, true)?;
        let Some(PathTarget::Root(node) | PathTarget::Entry(_, Some(node))) = &at.place else { return Ok(self.base) };
        let mut matches: Vec<(Vec<u8>, bool)> = Vec::new();
        let budget = self.editor.store.budget();
        self.editor.store.walk(node, &mut Vec::new(), 0, &budget, &mut |path, entry| {
            let is_match = glob.matches(path);
            let is_directory = is_directory(&entry.kind);
            if is_match && (kind == RemoveKind::File || is_directory) {
                budget.result(path.len() as u64)?;
                matches.push((path.to_vec(), is_directory));
            }
            // The entries of a directory that is removed need not be matched.
            let is_removed = is_match && kind == RemoveKind::Directory;
            Ok(!is_removed && !matches!(entry.kind, Kind::Machine { .. }) && glob.may_match_below(path))
        })?;
        if let Some((path, _)) = matches.iter().find(|(_, is_directory)| kind == RemoveKind::File && *is_directory) {
            return Err(EditError::MatchedDirectory { path: format!("{}/{}", base.to_absolute(), escape(path)) });
        }
        let mut tree = self.base;
        for (path, _) in matches {
            let mut real = at.real.clone();
            real.extend(path.split(|&b| b == b'/').map(Box::from));
            if let Some((name, parents)) = real.split_last() {
                tree = edit_at(self.editor, tree, parents, |_, node| {
                    node.take(name);
                    Ok(())
                })?;
            }
        }
        Ok(tree)
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

    fn replace(&mut self, name: &str, from: Origin<'_>, what: &Replacement<'_>) -> Result<ContentDigest, EditError> {
        let store = self.editor.store;
        let name_bytes = file_name(name)?;
        let Selected::File(file) = store.select(from.tree, from.path)? else {
            return Err(ReadError::NotAFile { path: from.path.to_absolute(), found: "a directory" }.into());
        };
        let Kind::File { digest, .. } = &file.kind else { return Err(EditError::BadName { name: name.to_owned() }) };
        let contents = replace_in(name, &store.read_blob(digest)?, what, &store.budget())?;
        let digest = store.put_blob(&contents)?;
        let kind = Kind::File { digest, size: contents.len() as u64 };
        Ok(self.editor.add(Node::of(vec![Entry::new(name_bytes, kind, file.owned)])))
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

fn replace_in(name: &str, contents: &[u8], what: &Replacement<'_>, budget: &Budget) -> Result<Vec<u8>, EditError> {
    let search = what.search.as_bytes();
    if search.is_empty() {
        return Err(EditError::EmptySearch { name: name.to_owned() });
    }
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(i) = contents[from..].windows(search.len()).position(|window| window == search) {
        found.push(from + i);
        from += i + search.len();
    }
    let names = || (what.search.to_owned(), name.to_owned());
    if found.is_empty() {
        let (search, name) = names();
        return Err(EditError::NoMatch { search, name });
    }
    if !what.all && found.len() > 1 {
        let (search, name) = names();
        let line = |at: &usize| (contents[..*at].iter().filter(|&&b| b == b'\n').count() + 1).to_string();
        let lines = found.iter().take(5).map(line).collect::<Vec<_>>().join(", ");
        return Err(EditError::ManyMatches { search, name, n_matches: found.len(), lines });
    }
    let kept = contents.len() - found.len() * search.len();
    let n_bytes = found.len().saturating_mul(what.replacement.len()).saturating_add(kept);
    budget.result_bytes(n_bytes as u64).map_err(ReadError::from)?;
    let mut out = Vec::with_capacity(n_bytes);
    let mut from = 0;
    for at in found {
        out.extend_from_slice(&contents[from..at]);
        out.extend_from_slice(what.replacement.as_bytes());
        from = at + search.len();
    }
    out.extend_from_slice(&contents[from..]);
    Ok(out)
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
    with_x_for_r(mode & 0o7777)
}
