//! Removes entries of a tree, by their paths or by a pattern.

use graph::{ContentDigest, RemoveKind, TreePath};

use super::{Edit, EditError, edit_at};
use crate::tree::node::{Entry, Kind};
use crate::tree::pattern::Glob;
use crate::tree::read::is_directory;
use crate::tree::resolve::{PathTarget, ReadError, Resolved, escape, resolve};

impl Edit<'_, '_> {
    pub(super) fn remove(
        &mut self,
        pattern: &str,
        base: &TreePath,
        kind: RemoveKind,
    ) -> Result<ContentDigest, EditError> {
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
            (RemoveKind::Directory, false) => return Err(EditError::MatchedFile { path: path.to_absolute() }),
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
        self.editor.store.walk(node, &budget, &mut |path, entry| {
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
}
