//! Reading out of snapshots.

use std::path::Path;
use std::sync::Arc;

use backend::{EntryKind, Failure, FileStat, SearchMatch, SearchQuery, Snapshot};
use graph::{ContentDigest, TreePath};
use store::{Query, Selected, Stat, StatKind, Store};

use crate::failure::{failure, read_failure};
use crate::value::Tree;

/// Returns the tree that a snapshot stands for.
pub(crate) fn tree_of(snapshot: &Snapshot) -> Result<Arc<Tree>, Failure> {
    Arc::clone(&snapshot.handle)
        .downcast()
        .map_err(|_| Failure::bug("a snapshot of another backend was handed to the embedded one"))
}

/// Returns what is at a path; the last component is not followed.
pub(crate) fn stat(store: &Store, tree: &Tree, path: &TreePath) -> Result<FileStat, Failure> {
    let found = store.stat(tree.digest, path, false).map_err(|error| read_failure(&error))?;
    let Some(Stat { name, kind, size, owned, .. }) = found else {
        return Err(read_failure(&store::ReadError::NotFound { path: path.to_absolute() }));
    };
    let kind = match kind {
        StatKind::File => EntryKind::File,
        StatKind::Directory => EntryKind::Directory,
        StatKind::Symlink => EntryKind::Symlink,
        StatKind::Other => EntryKind::Other,
    };
    Ok(FileStat { name, kind, size_bytes: size, mode: owned.mode })
}

/// Returns the matches of a query.
pub(crate) fn search(
    store: &Store,
    tree: &Tree,
    path: &TreePath,
    query: SearchQuery,
) -> Result<Vec<SearchMatch>, Failure> {
    let SearchQuery { pattern, is_literal, is_insensitive, globs, limit, files_only } = query;
    let query = Query { pattern, is_literal, is_insensitive, globs, limit, files_only };
    let found = store.search(tree.digest, path, &query).map_err(|error| read_failure(&error))?;
    Ok(found.into_iter().map(|found| SearchMatch { path: found.path, line: found.line, text: found.text }).collect())
}

/// Returns the digest of a file's contents, or of a directory as a tree.
pub(crate) fn digest(store: &Store, tree: &Tree, path: &TreePath) -> Result<ContentDigest, Failure> {
    let selected = store.select(tree.digest, path).map_err(|error| read_failure(&error))?;
    match selected {
        Selected::Directory(digest) => Ok(digest),
        Selected::File(_) => store.contents_digest(tree.digest, path).map_err(|error| read_failure(&error)),
    }
}

/// Writes a file or a tree to a path of this machine.
pub(crate) fn export(store: &Store, tree: &Tree, path: &TreePath, target: &Path) -> Result<(), Failure> {
    let exported = match store.select(tree.digest, path).map_err(|error| read_failure(&error))? {
        Selected::File(_) => store.export_file(tree.digest, path, target),
        Selected::Directory(_) => store.export(tree.digest, path, target, false),
    };
    exported.map(|_| ()).map_err(|error| failure(&error))
}
