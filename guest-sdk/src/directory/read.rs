//! Values that are read from a directory. Reading one evaluates the directory.

use std::borrow::Borrow;

use super::{Directory, SearchMatch, SearchOptions, SearchResult};
use crate::{Lazy, Result, Stat};

impl Directory {
    /// Returns the sorted names of the entries of the directory. Names of directories end with `/`.
    pub fn entries(&self) -> Result<Vec<String>> {
        Ok(self.0.entries(None)?)
    }

    /// Returns the sorted names of the entries of the directory at `path`. Names of directories end
    /// with `/`.
    pub fn entries_in(&self, path: impl AsRef<str>) -> Result<Vec<String>> {
        Ok(self.0.entries(Some(path.as_ref()))?)
    }

    /// Returns the sorted paths that match the pattern. `*` matches within one directory, `**`
    /// matches any number of directories, and `?`, `[a-z]` and `{a,b}` work as in a shell. Paths of
    /// directories end with `/`.
    pub fn glob(&self, pattern: impl AsRef<str>) -> Result<Vec<String>> {
        Ok(self.0.glob(pattern.as_ref())?)
    }

    /// Returns the lines that match a regular expression, ordered by path and line.
    pub fn search(&self, pattern: impl AsRef<str>) -> Result<Vec<SearchResult>> {
        self.search_options(pattern, SearchOptions::new())
    }

    /// Does the same as [`search`](Self::search), with options.
    pub fn search_options(
        &self,
        pattern: impl AsRef<str>,
        options: impl Borrow<SearchOptions>,
    ) -> Result<Vec<SearchResult>> {
        Ok(self.0.search(pattern.as_ref(), &options.borrow().0)?)
    }

    /// Returns the same lines as [`search_options`](Self::search_options), with their places in the
    /// file and the parts that match.
    pub fn search_matches(
        &self,
        pattern: impl AsRef<str>,
        options: impl Borrow<SearchOptions>,
    ) -> Result<Vec<SearchMatch>> {
        Ok(self.0.search_matches(pattern.as_ref(), &options.borrow().0)?)
    }

    /// Returns whether something exists at `path`. A symbolic link is not followed.
    pub fn exists(&self, path: impl AsRef<str>) -> Result<bool> {
        Ok(self.0.exists(path.as_ref())?)
    }

    /// Looks for an entry of this name in the directory `start`, and then in each directory above it
    /// up to this one. Returns the path of the first, or nothing.
    pub fn find_up(&self, name: impl AsRef<str>, start: impl AsRef<str>) -> Result<Option<String>> {
        Ok(self.0.find_up(name.as_ref(), Some(start.as_ref()))?)
    }

    /// Returns the properties of the entry at `path`. A symbolic link is not followed.
    ///
    /// # Errors
    ///
    /// The code is `not-found` if nothing exists there.
    pub fn stat(&self, path: impl AsRef<str>) -> Result<Stat> {
        Ok(self.0.stat(path.as_ref())?)
    }

    /// Returns the digest of the tree. It covers names, contents, modes, owners and link targets,
    /// and those times that [`with_timestamps`](Self::with_timestamps) set.
    pub fn digest(&self) -> Result<String> {
        Ok(self.0.digest()?)
    }

    /// Evaluates the directory, and fails if that fails.
    pub fn sync(&self) -> Result<()> {
        Ok(self.0.sync()?)
    }

    /// Starts to evaluate the directory in the background and returns at once.
    /// [`sync_all`](crate::sync_all) evaluates several objects at the same time.
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
