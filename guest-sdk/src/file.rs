//! Single files.

use crate::bindings::api::file as raw;
use crate::handle::{duplicate, handle};
use crate::{Lazy, Result};

pub use raw::Stat;

handle! {
    /// A file that need not exist yet.
    ///
    /// ```no_run
    /// use guest_sdk::prelude::*;
    ///
    /// fn version(src: &Directory) -> Result<String> {
    ///     Ok(src.file("VERSION").contents()?.trim().to_owned())
    /// }
    /// ```
    File = raw::File
}

duplicate!(File: file => match file.name() {
    // A file that cannot be had has no name. In a tree it keeps its error.
    name if name.is_empty() => crate::Directory::new().with_file("/file", file).file("/file"),
    name => file.with_name(name),
});

impl File {
    /// A file with this name and these contents, mode 0644.
    ///
    /// The name is one path component: one with a `/` in it is reported, as
    /// `invalid-path`, when the file is evaluated.
    pub fn new(name: impl AsRef<str>, contents: impl AsRef<str>) -> Self {
        Self(raw::File::new(name.as_ref(), contents.as_ref()))
    }

    /// Returns the digest of the definition: of what was asked for, not of the
    /// contents.
    pub fn id(&self) -> String {
        self.0.id()
    }

    /// Returns the last component of its path.
    pub fn name(&self) -> String {
        self.0.name()
    }

    /// The same file under another name.
    pub fn with_name(&self, name: impl AsRef<str>) -> Self {
        Self(self.0.with_name(name.as_ref()))
    }

    /// The file with the one place that has `search` replaced. None, or more than one,
    /// is reported when the file is evaluated: `not-found` or `invalid-argument`.
    pub fn with_replaced(&self, search: impl AsRef<str>, replacement: impl AsRef<str>) -> Self {
        Self(self.0.with_replaced(search.as_ref(), replacement.as_ref(), false))
    }

    /// The file with `search` replaced everywhere. No place is reported, as
    /// `not-found`, when the file is evaluated.
    pub fn with_replaced_all(&self, search: impl AsRef<str>, replacement: impl AsRef<str>) -> Self {
        Self(self.0.with_replaced(search.as_ref(), replacement.as_ref(), true))
    }

    /// Returns the contents.
    ///
    /// # Errors
    ///
    /// `not-found`, `not-a-file`, and `invalid-argument` if they are not UTF-8 or over
    /// 128 MiB: use [`read`](Self::read).
    pub fn contents(&self) -> Result<String> {
        Ok(self.0.contents()?)
    }

    /// Returns at most `max_bytes` from byte `offset`; none past the end.
    pub fn read(&self, offset: u64, max_bytes: u32) -> Result<Vec<u8>> {
        Ok(self.0.read(offset, max_bytes)?)
    }

    /// Returns the number of bytes.
    pub fn size(&self) -> Result<u64> {
        Ok(self.0.size()?)
    }

    /// Returns the digest of the contents, `blake3:` and 64 hex digits.
    pub fn digest(&self) -> Result<String> {
        Ok(self.0.digest()?)
    }

    /// Returns what is known without reading it.
    pub fn stat(&self) -> Result<Stat> {
        Ok(self.0.stat()?)
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

impl Lazy for File {
    fn start(&self) {
        self.0.start();
    }

    fn sync(&self) -> Result<()> {
        Ok(self.0.sync()?)
    }
}
