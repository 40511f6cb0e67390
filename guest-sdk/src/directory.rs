//! Trees of files.

mod options;
mod read;

use std::borrow::Borrow;

use crate::File;
use crate::bindings::api::directory as raw;
use crate::handle::{duplicate, handle, strings};

pub use options::{CopyOptions, NewOptions, SearchOptions};
pub use raw::SearchResult;

handle! {
    /// A tree of files that need not exist yet.
    ///
    /// Paths are relative to it; a leading `/` means its root. A path with `..` that
    /// leaves the root is reported, as `invalid-path`, when it is evaluated.
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
    /// An empty directory.
    pub fn new() -> Self {
        Self(raw::Directory::new())
    }

    /// Returns the digest of the definition: of what was asked for.
    pub fn id(&self) -> String {
        self.0.id()
    }

    /// Returns the last component of its path with a `/` behind it; `/` for the root of
    /// a tree.
    pub fn name(&self) -> String {
        self.0.name()
    }

    /// Hands it to `change` and returns what comes back, for a step of a chain that
    /// depends on something.
    pub fn with(self, change: impl FnOnce(Self) -> Self) -> Self {
        change(self)
    }

    /// The file at `path`.
    pub fn file(&self, path: impl AsRef<str>) -> File {
        File(self.0.file(path.as_ref()))
    }

    /// The directory at `path`.
    pub fn subdirectory(&self, path: impl AsRef<str>) -> Self {
        Self(self.0.subdirectory(path.as_ref()))
    }

    /// With a file of these contents at `path`, mode 0644; parents are made.
    pub fn with_new_file(&self, path: impl AsRef<str>, contents: impl AsRef<str>) -> Self {
        Self(self.0.with_new_file(path.as_ref(), contents.as_ref()))
    }

    /// Like [`with_new_file`](Self::with_new_file), with any bytes, a mode and an
    /// owner.
    pub fn with_new_file_options(
        &self,
        path: impl AsRef<str>,
        contents: impl AsRef<[u8]>,
        options: impl Borrow<NewOptions>,
    ) -> Self {
        Self(self.0.with_new_file_options(path.as_ref(), contents.as_ref(), &options.borrow().0))
    }

    /// With an empty directory at `path`, mode 0755; parents are made, what is there
    /// stays.
    pub fn with_new_directory(&self, path: impl AsRef<str>) -> Self {
        Self(self.0.with_new_directory(path.as_ref()))
    }

    /// Like [`with_new_directory`](Self::with_new_directory), with a mode and an owner.
    pub fn with_new_directory_options(&self, path: impl AsRef<str>, options: impl Borrow<NewOptions>) -> Self {
        Self(self.0.with_new_directory_options(path.as_ref(), &options.borrow().0))
    }

    /// With a copy of the file at `path`. With a `/` at the end, or where a directory
    /// is, the file goes into it under its own name.
    pub fn with_file(&self, path: impl AsRef<str>, source: impl Borrow<File>) -> Self {
        Self(self.0.with_file(path.as_ref(), &source.borrow().0))
    }

    /// Like [`with_file`](Self::with_file), with an owner and a mode.
    pub fn with_file_options(
        &self,
        path: impl AsRef<str>,
        source: impl Borrow<File>,
        options: impl Borrow<CopyOptions>,
    ) -> Self {
        Self(self.0.with_file_options(path.as_ref(), &source.borrow().0, &options.borrow().0))
    }

    /// With a copy of each file in the directory `path`.
    pub fn with_files(&self, path: impl AsRef<str>, sources: impl IntoIterator<Item: Borrow<File>>) -> Self {
        let sources: Vec<_> = sources.into_iter().collect();
        let sources: Vec<_> = sources.iter().map(|source| &source.borrow().0).collect();
        Self(self.0.with_files(path.as_ref(), &sources))
    }

    /// With the contents of a directory at `path`, merged into what is there; the later
    /// wins.
    pub fn with_directory(&self, path: impl AsRef<str>, source: impl Borrow<Directory>) -> Self {
        Self(self.0.with_directory(path.as_ref(), &source.borrow().0))
    }

    /// Like [`with_directory`](Self::with_directory), with patterns, an owner and a
    /// mode.
    pub fn with_directory_options(
        &self,
        path: impl AsRef<str>,
        source: impl Borrow<Directory>,
        options: impl Borrow<CopyOptions>,
    ) -> Self {
        Self(self.0.with_directory_options(path.as_ref(), &source.borrow().0, &options.borrow().0))
    }

    /// With a symbolic link at `link_name` that points to `target`, which is not looked
    /// at. Something that is there already is reported when it is evaluated.
    pub fn with_symlink(&self, target: impl AsRef<str>, link_name: impl AsRef<str>) -> Self {
        Self(self.0.with_symlink(target.as_ref(), link_name.as_ref()))
    }

    /// Without the file at `path`, or the files that match it as a glob; nothing happens
    /// where there is none.
    pub fn without_file(&self, path: impl AsRef<str>) -> Self {
        Self(self.0.without_file(path.as_ref()))
    }

    /// Without these files, each as in [`without_file`](Self::without_file).
    pub fn without_files(&self, paths: impl IntoIterator<Item: AsRef<str>>) -> Self {
        Self(self.0.without_files(&strings(paths)))
    }

    /// Without the directory at `path`, or the ones that match it as a glob.
    pub fn without_directory(&self, path: impl AsRef<str>) -> Self {
        Self(self.0.without_directory(path.as_ref()))
    }

    /// Only what matches one of the patterns, in the syntax of
    /// [`CopyOptions::include`].
    pub fn include(&self, patterns: impl IntoIterator<Item: AsRef<str>>) -> Self {
        Self(self.0.filter(&strings(patterns), &[]))
    }

    /// Without what matches one of the patterns, in the syntax of
    /// [`CopyOptions::include`].
    pub fn exclude(&self, patterns: impl IntoIterator<Item: AsRef<str>>) -> Self {
        Self(self.0.filter(&[], &strings(patterns)))
    }

    /// Only what matches one of `include` (everything if there is none) and none of
    /// `exclude`.
    pub fn filter(
        &self,
        include: impl IntoIterator<Item: AsRef<str>>,
        exclude: impl IntoIterator<Item: AsRef<str>>,
    ) -> Self {
        Self(self.0.filter(&strings(include), &strings(exclude)))
    }

    /// What is in `other` and not, or not the same, in this one.
    pub fn diff(&self, other: impl Borrow<Directory>) -> Self {
        Self(self.0.diff(&other.borrow().0))
    }

    /// This one with the contents of all of `others` over it, in their order.
    pub fn merge(&self, others: impl IntoIterator<Item: Borrow<Directory>>) -> Self {
        let others: Vec<_> = others.into_iter().collect();
        let others: Vec<_> = others.iter().map(|other| &other.borrow().0).collect();
        Self(self.0.merge(&others))
    }

    /// All at and under `path` given to `owner`, a `uid` or `uid:gid`.
    pub fn with_owner(&self, path: impl AsRef<str>, owner: impl AsRef<str>) -> Self {
        Self(self.0.with_owner(path.as_ref(), owner.as_ref()))
    }

    /// All modification times set to this many seconds after 1970.
    pub fn with_timestamps(&self, seconds: u64) -> Self {
        Self(self.0.with_timestamps(seconds))
    }
}
