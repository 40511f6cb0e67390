//! What can be read from a directory: each of these evaluates it.

use std::borrow::Borrow;

use super::{Directory, SearchOptions, SearchResult};
use crate::{Lazy, Result, Stat};

impl Directory {
    /// Returns the sorted names in it; those of directories end with `/`.
    pub fn entries(&self) -> Result<Vec<String>> {
        Ok(self.0.entries(None)?)
    }

    /// Returns the sorted names in the directory `path` below it; those of directories
    /// end with `/`.
    pub fn entries_in(&self, path: impl AsRef<str>) -> Result<Vec<String>> {
        Ok(self.0.entries(Some(path.as_ref()))?)
    }

    /// Returns the sorted paths that match: `*` within one level, `**` any depth, `?`,
    /// `[a-z]`, `{a,b}`; those of directories end with `/`.
    pub fn glob(&self, pattern: impl AsRef<str>) -> Result<Vec<String>> {
        Ok(self.0.glob(pattern.as_ref())?)
    }

    /// Returns the matches of a regular expression in its files, by path and line.
    pub fn search(&self, pattern: impl AsRef<str>) -> Result<Vec<SearchResult>> {
        self.search_options(pattern, SearchOptions::new())
    }

    /// Like [`search`](Self::search), with options.
    pub fn search_options(
        &self,
        pattern: impl AsRef<str>,
        options: impl Borrow<SearchOptions>,
    ) -> Result<Vec<SearchResult>> {
        Ok(self.0.search(pattern.as_ref(), &options.borrow().0)?)
    }

    /// Returns whether something is at `path`, links not followed.
    pub fn exists(&self, path: impl AsRef<str>) -> Result<bool> {
        Ok(self.0.exists(path.as_ref())?)
    }

    /// Returns what is at `path`, links not followed.
    ///
    /// # Errors
    ///
    /// `not-found` if nothing is there.
    pub fn stat(&self, path: impl AsRef<str>) -> Result<Stat> {
        Ok(self.0.stat(path.as_ref())?)
    }

    /// Returns the digest of the tree: names, contents, modes, owners and links,
    /// without times but those that `with_timestamps` has set.
    pub fn digest(&self) -> Result<String> {
        Ok(self.0.digest()?)
    }

    /// Evaluates it, to see whether it can be had.
    pub fn sync(&self) -> Result<()> {
        Ok(self.0.sync()?)
    }

    /// Begins its evaluation in the background and returns at once; see
    /// [`sync_all`](crate::sync_all).
    pub fn start(&self) {
        self.0.start();
    }
}

impl Lazy for Directory {
    fn start(&self) {
        self.0.start();
    }

    fn sync(&self) -> Result<()> {
        Ok(self.0.sync()?)
    }
}
