//! Reading out of trees, in the words of the contract.

use std::path::Path;

use engine::{EntryKind, Failure, FileStat, OutputRef, SearchMatch, SearchQuery};
use graph::{ContentDigest, TreePath};
use store::{Query, ReadError, Selected, Stat, StatKind, Store};

use crate::Trees;
use crate::failure::read_failure;

impl Trees {
    /// Reads at most `max` bytes from byte `offset` of a file, as `engine::Engine::read` does.
    ///
    /// # Errors
    /// As there.
    pub async fn read(&self, tree: ContentDigest, path: &TreePath, offset: u64, max: u64) -> Result<Vec<u8>, Failure> {
        self.of(path, move |store, path| store.read_file(tree, path, offset, Some(max))).await
    }

    /// Returns what is at a path, as `engine::Engine::stat` does.
    ///
    /// # Errors
    /// As there.
    pub async fn stat(&self, tree: ContentDigest, path: &TreePath, follow: bool) -> Result<FileStat, Failure> {
        self.of(path, move |store, path| {
            let found = store.stat(tree, path, follow)?;
            found.map(file_stat).ok_or_else(|| ReadError::NotFound { path: path.to_absolute() })
        })
        .await
    }

    /// Returns the sorted names in a directory, with a `/` behind those of directories.
    ///
    /// # Errors
    /// `NotFound`, `NotADirectory`.
    pub async fn entries(&self, tree: ContentDigest, path: &TreePath) -> Result<Vec<String>, Failure> {
        self.of(path, move |store, path| store.entries(tree, path)).await
    }

    /// Returns the sorted paths below a directory that match a glob.
    ///
    /// # Errors
    /// As `engine::Engine::glob`.
    pub async fn glob(&self, tree: ContentDigest, path: &TreePath, pattern: &str) -> Result<Vec<String>, Failure> {
        let pattern = pattern.to_owned();
        self.of(path, move |store, path| store.glob(tree, path, &pattern)).await
    }

    /// Returns the matches of a pattern in the files below a directory.
    ///
    /// # Errors
    /// As `engine::Engine::search`.
    pub async fn search(
        &self,
        tree: ContentDigest,
        path: &TreePath,
        query: &SearchQuery,
    ) -> Result<Vec<SearchMatch>, Failure> {
        let SearchQuery { pattern, is_literal, is_insensitive, globs, limit, files_only, skip_hidden } = query.clone();
        let query = Query { pattern, is_literal, is_insensitive, globs, limit, files_only, skip_hidden };
        let found = self.of(path, move |store, path| store.search(tree, path, &query)).await?;
        Ok(found
            .into_iter()
            .map(|store::Match { path, line, text, offset, parts }| SearchMatch { path, line, text, offset, parts })
            .collect())
    }

    /// Returns the digest of a file's contents, or of a directory as a tree.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn digest(&self, tree: ContentDigest, path: &TreePath) -> Result<ContentDigest, Failure> {
        self.of(path, move |store, path| match store.select(tree, path)? {
            Selected::Directory(digest) => Ok(digest),
            Selected::File(_) => store.contents_digest(tree, path),
        })
        .await
    }

    /// Returns what a command printed.
    ///
    /// # Errors
    /// `Environment` if the store has lost it.
    pub async fn output(&self, output: &OutputRef) -> Result<Vec<u8>, Failure> {
        self.store.read_blob(&output.digest).map_err(Failure::of)
    }

    /// Writes a file or a tree to a path of this machine, as `engine::Engine::export` does.
    ///
    /// # Errors
    /// As there.
    pub async fn export(&self, tree: ContentDigest, path: &TreePath, target: &Path) -> Result<(), Failure> {
        self.check_outward(|| format!("export to {}", target.display()))?;
        let (path, target) = (path.clone(), target.to_owned());
        self.blocking(move |store| {
            let exported = match store.select(tree, &path).map_err(read_failure)? {
                Selected::File(_) => store.export_file(tree, &path, &target),
                Selected::Directory(_) => store.export(tree, &path, &target, false),
            };
            exported.map(|_| ()).map_err(Failure::of)
        })
        .await
    }

    /// Reads something at a path on a thread of its own.
    async fn of<T: Send + 'static>(
        &self,
        path: &TreePath,
        read: impl FnOnce(&Store, &TreePath) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, Failure> {
        let path = path.clone();
        self.blocking(move |store| read(store, &path).map_err(read_failure)).await
    }
}

fn file_stat(Stat { name, kind, size, owned, .. }: Stat) -> FileStat {
    let kind = match kind {
        StatKind::File => EntryKind::File,
        StatKind::Directory => EntryKind::Directory,
        StatKind::Symlink => EntryKind::Symlink,
        StatKind::Other => EntryKind::Other,
    };
    FileStat { name, kind, size_bytes: size, mode: owned.mode }
}
