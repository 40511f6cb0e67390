//! How files are taken over, made and searched.

use super::raw;
use crate::handle::{handle, strings};

handle! {
    /// How files are taken over by the `_options` methods of
    /// [`Directory`](crate::Directory) and [`Container`](crate::Container).
    ///
    /// ```no_run
    /// # use guest_sdk::prelude::*;
    /// # fn sources(src: Directory) -> Directory {
    /// Directory::new().with_directory_options("src", src, CopyOptions::new().include(["**/*.c", "**/*.h"]))
    /// # }
    /// ```
    CopyOptions = raw::CopyOptions
}

impl Default for CopyOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl CopyOptions {
    /// Everything, owned by root, modes as they are.
    pub fn new() -> Self {
        Self(raw::CopyOptions::new())
    }

    /// Takes only what matches one of the patterns, in the syntax of `.dockerignore`:
    /// anchored at the source, `**` for any depth, `!` to take back.
    pub fn include(self, patterns: impl IntoIterator<Item: AsRef<str>>) -> Self {
        Self(self.0.with_include(&strings(patterns)))
    }

    /// Leaves out what matches one of the patterns. Beats [`include`](Self::include).
    pub fn exclude(self, patterns: impl IntoIterator<Item: AsRef<str>>) -> Self {
        Self(self.0.with_exclude(&strings(patterns)))
    }

    /// Gives all of it to `user`, `user:group`, `uid` or `uid:gid`. Names are looked up
    /// in the target's `/etc/passwd` and `/etc/group`.
    pub fn owner(self, owner: impl AsRef<str>) -> Self {
        Self(self.0.with_owner(owner.as_ref()))
    }

    /// Sets the permission bits of all files taken, and of all directories taken with
    /// an `x` wherever there is an `r`.
    pub fn mode(self, mode: u32) -> Self {
        Self(self.0.with_mode(mode))
    }
}

handle! {
    /// How a file or a directory is made by the `with_new_*_options` methods.
    NewOptions = raw::NewOptions
}

impl Default for NewOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl NewOptions {
    /// Owned by root; mode 0644 for a file, 0755 for a directory.
    pub fn new() -> Self {
        Self(raw::NewOptions::new())
    }

    /// The permission bits.
    pub fn mode(self, mode: u32) -> Self {
        Self(self.0.with_mode(mode))
    }

    /// The owner, as in [`CopyOptions::owner`].
    pub fn owner(self, owner: impl AsRef<str>) -> Self {
        Self(self.0.with_owner(owner.as_ref()))
    }
}

handle! {
    /// What [`Directory::search_options`](crate::Directory::search_options) looks for
    /// and where.
    ///
    /// ```no_run
    /// # use guest_sdk::prelude::*;
    /// # fn todos(src: Directory) -> Result<usize> {
    /// let found = src.search_options("TODO(", SearchOptions::new().literal().globs(["**/*.rs"]))?;
    /// # Ok(found.len())
    /// # }
    /// ```
    SearchOptions = raw::SearchOptions
}

impl Default for SearchOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl SearchOptions {
    /// A regular expression, in all files that are text.
    pub fn new() -> Self {
        Self(raw::SearchOptions::new())
    }

    /// Takes the pattern as plain text.
    pub fn literal(self) -> Self {
        Self(self.0.literal())
    }

    /// Ignores case.
    pub fn insensitive(self) -> Self {
        Self(self.0.insensitive())
    }

    /// Looks only in files whose path matches one of these globs.
    pub fn globs(self, globs: impl IntoIterator<Item: AsRef<str>>) -> Self {
        Self(self.0.with_globs(&strings(globs)))
    }

    /// Stops after this many matches.
    pub fn limit(self, limit: u32) -> Self {
        Self(self.0.with_limit(limit))
    }

    /// Reports each file once, with its first match.
    pub fn files_only(self) -> Self {
        Self(self.0.files_only())
    }
}
