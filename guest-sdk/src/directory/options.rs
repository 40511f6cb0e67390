//! Options for copying, creating and searching files.

use super::raw;
use crate::handle::{handle, strings};

handle! {
    /// Options for the methods of [`Directory`](crate::Directory) and
    /// [`Container`](crate::Container) that copy files and whose names end in `_options`.
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
    /// Copies everything, gives it to root, and keeps permission bits.
    pub fn new() -> Self {
        Self(raw::CopyOptions::new())
    }

    /// Copies only what matches one of the patterns. The syntax is that of `.dockerignore`: a
    /// pattern is relative to the source directory, `**` matches any number of directories, and a
    /// leading `!` excludes again.
    pub fn include(self, patterns: impl IntoIterator<Item: AsRef<str>>) -> Self {
        Self(self.0.with_include(&strings(patterns)))
    }

    /// Leaves out what matches one of the patterns, in the same syntax. It takes precedence over
    /// [`include`](Self::include).
    pub fn exclude(self, patterns: impl IntoIterator<Item: AsRef<str>>) -> Self {
        Self(self.0.with_exclude(&strings(patterns)))
    }

    /// Gives everything to `user`, `user:group`, `uid` or `uid:gid`. Names are looked up in
    /// `/etc/passwd` and `/etc/group` of the target.
    pub fn owner(self, owner: impl AsRef<str>) -> Self {
        Self(self.0.with_owner(owner.as_ref()))
    }

    /// Gives everything that is copied into a container to the user of its commands, if no other
    /// owner is set. Without a container it changes nothing.
    pub fn inherit_owner(self) -> Self {
        Self(self.0.inherit_owner())
    }

    /// Sets the permission bits of all copied files. Directories get the same bits, with execute
    /// permission wherever they have read permission.
    pub fn mode(self, mode: u32) -> Self {
        Self(self.0.with_mode(mode))
    }
}

handle! {
    /// Options for `with_new_file_options` and `with_new_directory_options`.
    NewOptions = raw::NewOptions
}

impl Default for NewOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl NewOptions {
    /// Creates a file with mode 0644 or a directory with mode 0755, owned by root.
    pub fn new() -> Self {
        Self(raw::NewOptions::new())
    }

    /// Sets the permission bits. A file gets the nine bits `0o777` of them, and a directory also the
    /// others, such as `0o1777`.
    pub fn mode(self, mode: u32) -> Self {
        Self(self.0.with_mode(mode))
    }

    /// Gives a file the set-user-ID, set-group-ID and sticky bits of the mode, too, as in `0o4755`.
    pub fn special_bits(self) -> Self {
        Self(self.0.with_special_bits())
    }

    /// Sets the owner as [`CopyOptions::inherit_owner`] does.
    pub fn inherit_owner(self) -> Self {
        Self(self.0.inherit_owner())
    }

    /// Sets the owner, in the form of [`CopyOptions::owner`].
    pub fn owner(self, owner: impl AsRef<str>) -> Self {
        Self(self.0.with_owner(owner.as_ref()))
    }
}

handle! {
    /// Options for [`Directory::search_options`](crate::Directory::search_options).
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
    /// Takes the pattern as a regular expression, and searches all files that contain text.
    pub fn new() -> Self {
        Self(raw::SearchOptions::new())
    }

    /// Takes the pattern as plain text.
    pub fn literal(self) -> Self {
        Self(self.0.literal())
    }

    /// Ignores the difference between upper and lower case.
    pub fn insensitive(self) -> Self {
        Self(self.0.insensitive())
    }

    /// Searches only the files whose path matches one of these globs.
    pub fn globs(self, globs: impl IntoIterator<Item: AsRef<str>>) -> Self {
        Self(self.0.with_globs(&strings(globs)))
    }

    /// Stops after this many matches.
    pub fn limit(self, limit: u32) -> Self {
        Self(self.0.with_limit(limit))
    }

    /// Leaves out files whose name begins with a dot, and everything in directories whose name does.
    pub fn skip_hidden(self) -> Self {
        Self(self.0.skip_hidden())
    }

    /// Returns each file once, with its first match.
    pub fn files_only(self) -> Self {
        Self(self.0.files_only())
    }
}
