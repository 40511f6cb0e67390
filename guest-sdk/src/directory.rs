//! Directories and everything below them.

mod options;
mod read;

use std::borrow::Borrow;

use crate::File;
use crate::bindings::api::directory as raw;
use crate::handle::{duplicate, handle, strings};

pub use options::{CopyOptions, NewOptions, SearchOptions};
pub use raw::{MatchPart, SearchMatch, SearchResult};

handle! {
    /// A directory that may not exist yet. Each method returns another directory and leaves this
    /// one as it is.
    ///
    /// Paths are relative to the directory, and a leading `/` means the directory itself. If a path
    /// leaves the directory through `..`, evaluating it fails with `invalid-path`.
    ///
    /// ```no_run
    /// use guest_sdk::prelude::*;
    ///
    /// fn bundle(app: &File, docs: &Directory) -> Result<Directory> {
    ///     let bundle = Directory::new()
    ///         .with_file("bin/app", app)
    ///         .with_directory("share/doc", docs)
    ///         .with_new_file("VERSION", "1.3\n");
    ///     ensure!(bundle.exists("share/doc/README.md")?, "the documentation has no README.md");
    ///     Ok(bundle)
    /// }
    /// ```
    Directory = raw::Directory
}

impl Default for Directory {
    fn default() -> Self {
        Self::new()
    }
}

duplicate!(Directory: directory => directory.subdirectory(""));

impl Directory {
    /// Returns an empty directory.
    pub fn new() -> Self {
        Self(raw::Directory::new())
    }

    /// Returns the digest of the definition, which identifies what was asked for and not the
    /// contents.
    pub fn id(&self) -> String {
        self.0.id()
    }

    /// Returns the last component of the path, followed by `/`; `/` for the root of a tree.
    pub fn name(&self) -> String {
        self.0.name()
    }

    /// Passes the directory to `change` and returns its result, for a step of a chain that depends
    /// on a condition.
    pub fn with(self, change: impl FnOnce(Self) -> Self) -> Self {
        change(self)
    }

    /// Returns the file at `path`.
    pub fn file(&self, path: impl AsRef<str>) -> File {
        File(self.0.file(path.as_ref()))
    }

    /// Returns the directory at `path`.
    pub fn subdirectory(&self, path: impl AsRef<str>) -> Self {
        Self(self.0.subdirectory(path.as_ref()))
    }

    /// Adds a file with these contents at `path`, with mode 0644. Missing parent directories are
    /// created.
    pub fn with_new_file(&self, path: impl AsRef<str>, contents: impl AsRef<str>) -> Self {
        Self(self.0.with_new_file(path.as_ref(), contents.as_ref()))
    }

    /// Adds a file with any bytes, a mode and an owner.
    pub fn with_new_file_options(
        &self,
        path: impl AsRef<str>,
        contents: impl AsRef<[u8]>,
        options: impl Borrow<NewOptions>,
    ) -> Self {
        Self(self.0.with_new_file_options(path.as_ref(), contents.as_ref(), &options.borrow().0))
    }

    /// Adds an empty directory at `path`, with mode 0755. Missing parent directories are created. A
    /// directory that exists stays as it is.
    pub fn with_new_directory(&self, path: impl AsRef<str>) -> Self {
        Self(self.0.with_new_directory(path.as_ref()))
    }

    /// Adds an empty directory with a mode and an owner.
    pub fn with_new_directory_options(&self, path: impl AsRef<str>, options: impl Borrow<NewOptions>) -> Self {
        Self(self.0.with_new_directory_options(path.as_ref(), &options.borrow().0))
    }

    /// Adds a copy of the file at `path`. If `path` ends with `/`, or if a directory exists there,
    /// the file goes into that directory under its own name.
    pub fn with_file(&self, path: impl AsRef<str>, source: impl Borrow<File>) -> Self {
        Self(self.0.with_file(path.as_ref(), &source.borrow().0))
    }

    /// Adds a copy of the file, with an owner and a mode.
    pub fn with_file_options(
        &self,
        path: impl AsRef<str>,
        source: impl Borrow<File>,
        options: impl Borrow<CopyOptions>,
    ) -> Self {
        Self(self.0.with_file_options(path.as_ref(), &source.borrow().0, &options.borrow().0))
    }

    /// Adds a copy of each file to the directory at `path`.
    pub fn with_files(&self, path: impl AsRef<str>, sources: impl IntoIterator<Item: Borrow<File>>) -> Self {
        let sources: Vec<_> = sources.into_iter().collect();
        let sources: Vec<_> = sources.iter().map(|source| &source.borrow().0).collect();
        Self(self.0.with_files(path.as_ref(), &sources))
    }

    /// Adds the contents of a directory at `path`, and merges them with what exists there. Where
    /// both have an entry, the added one replaces the other.
    pub fn with_directory(&self, path: impl AsRef<str>, source: impl Borrow<Directory>) -> Self {
        Self(self.0.with_directory(path.as_ref(), &source.borrow().0))
    }

    /// Adds the contents of a directory, with patterns, an owner and a mode.
    pub fn with_directory_options(
        &self,
        path: impl AsRef<str>,
        source: impl Borrow<Directory>,
        options: impl Borrow<CopyOptions>,
    ) -> Self {
        Self(self.0.with_directory_options(path.as_ref(), &source.borrow().0, &options.borrow().0))
    }

    /// Adds a symbolic link at `link_name` that points to `target`. The target does not have to
    /// exist. If something exists at `link_name`, evaluating the result fails with
    /// `invalid-argument`.
    pub fn with_symlink(&self, target: impl AsRef<str>, link_name: impl AsRef<str>) -> Self {
        Self(self.0.with_symlink(target.as_ref(), link_name.as_ref()))
    }

    /// Removes the file at `path`, or all files that match `path` as a glob. If there is none,
    /// nothing happens.
    pub fn without_file(&self, path: impl AsRef<str>) -> Self {
        Self(self.0.without_file(path.as_ref()))
    }

    /// Removes each of these files, as [`without_file`](Self::without_file) does.
    pub fn without_files(&self, paths: impl IntoIterator<Item: AsRef<str>>) -> Self {
        Self(self.0.without_files(&strings(paths)))
    }

    /// Removes the directory at `path`, or all directories that match `path` as a glob. If there is
    /// none, nothing happens. If something else is at `path`, evaluating the result fails with
    /// `invalid-argument`.
    pub fn without_directory(&self, path: impl AsRef<str>) -> Self {
        Self(self.0.without_directory(path.as_ref()))
    }

    /// Keeps only what matches one of the patterns, in the syntax of [`CopyOptions::include`].
    pub fn include(&self, patterns: impl IntoIterator<Item: AsRef<str>>) -> Self {
        Self(self.0.filter(&strings(patterns), &[]))
    }

    /// Leaves out what matches one of the patterns, in the syntax of [`CopyOptions::include`].
    pub fn exclude(&self, patterns: impl IntoIterator<Item: AsRef<str>>) -> Self {
        Self(self.0.filter(&[], &strings(patterns)))
    }

    /// Keeps only what matches one of `include` (everything if it is empty) and none of `exclude`,
    /// in the syntax of [`CopyOptions::include`].
    pub fn filter(
        &self,
        include: impl IntoIterator<Item: AsRef<str>>,
        exclude: impl IntoIterator<Item: AsRef<str>>,
    ) -> Self {
        Self(self.0.filter(&strings(include), &strings(exclude)))
    }

    /// Returns the entries of `other` that this directory does not have, or has with other contents
    /// or properties.
    pub fn diff(&self, other: impl Borrow<Directory>) -> Self {
        Self(self.0.diff(&other.borrow().0))
    }

    /// Adds the contents of each directory in `others`, in their order. Where both have an entry,
    /// the later one replaces the earlier one.
    pub fn merge(&self, others: impl IntoIterator<Item: Borrow<Directory>>) -> Self {
        let others: Vec<_> = others.into_iter().collect();
        let others: Vec<_> = others.iter().map(|other| &other.borrow().0).collect();
        Self(self.0.merge(&others))
    }

    /// Gives everything at and below `path` to `owner`, a `uid` or `uid:gid`.
    pub fn with_owner(&self, path: impl AsRef<str>, owner: impl AsRef<str>) -> Self {
        Self(self.0.with_owner(path.as_ref(), owner.as_ref()))
    }

    /// Sets all modification times to this number of seconds after 1970-01-01 00:00:00 UTC.
    pub fn with_timestamps(&self, seconds: u64) -> Self {
        Self(self.0.with_timestamps(seconds))
    }
}
