//! Files: their contents, names and properties.

use crate::bindings::api::file as raw;
use crate::handle::{duplicate, handle};
use crate::{Lazy, Result};

pub use raw::Stat;

handle! {
    /// A file that may not exist yet. Where the path is that of a symbolic link, each method reads
    /// the file that the link leads to. Each method returns another file and leaves this one as it
    /// is.
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
// A file whose evaluation fails may have no name. Inside a directory it keeps its error.
    name if name.is_empty() => crate::Directory::new().with_file("/file", file).file("/file"),
    name => file.with_name(name),
});

impl File {
    /// Returns a file with this name and these contents, with mode 0644.
    ///
    /// The name is a single path component. If it contains a `/`, evaluating the result fails with
    /// `invalid-path`.
    pub fn new(name: impl AsRef<str>, contents: impl AsRef<str>) -> Self {
        Self(raw::File::new(name.as_ref(), contents.as_ref()))
    }

    /// Returns the digest of the definition, which identifies what was asked for and not the
    /// contents.
    pub fn id(&self) -> String {
        self.0.id()
    }

    /// Returns the last component of the path.
    pub fn name(&self) -> String {
        self.0.name()
    }

    /// Returns the file under another name.
    pub fn with_name(&self, name: impl AsRef<str>) -> Self {
        Self(self.0.with_name(name.as_ref()))
    }

    /// Returns the file with the only occurrence of `search` replaced by `replacement`. Evaluating
    /// the result fails with `not-found` if the text does not occur, and with `invalid-argument` if
    /// it occurs more than once.
    pub fn with_replaced(&self, search: impl AsRef<str>, replacement: impl AsRef<str>) -> Self {
        Self(self.0.with_replaced(search.as_ref(), replacement.as_ref(), false))
    }

    /// Returns the file with every occurrence of `search` replaced by `replacement`. Evaluating the
    /// result fails with `not-found` if the text does not occur.
    pub fn with_replaced_all(&self, search: impl AsRef<str>, replacement: impl AsRef<str>) -> Self {
        Self(self.0.with_replaced(search.as_ref(), replacement.as_ref(), true))
    }

    /// Returns the contents as text.
    ///
    /// # Errors
    ///
    /// The code is `not-found` if the file does not exist, `not-a-file` if it is something else,
    /// and `invalid-argument` if the contents are not UTF-8 or exceed 128 MiB. Use
    /// [`read`](Self::read) for such files.
    pub fn contents(&self) -> Result<String> {
        Ok(self.0.contents()?)
    }

    /// Returns at most `max_bytes` bytes, starting at the byte `offset`. The list is empty if
    /// `offset` is at or after the end.
    pub fn read(&self, offset: u64, max_bytes: u32) -> Result<Vec<u8>> {
        Ok(self.0.read(offset, max_bytes)?)
    }

    /// Returns the size in bytes.
    pub fn size(&self) -> Result<u64> {
        Ok(self.0.size()?)
    }

    /// Returns the digest of the contents: `blake3:` and 64 hex digits.
    pub fn digest(&self) -> Result<String> {
        Ok(self.0.digest()?)
    }

    /// Returns the properties of the file without reading it.
    pub fn stat(&self) -> Result<Stat> {
        Ok(self.0.stat()?)
    }

    /// Evaluates the file, and fails if that fails.
    pub fn sync(&self) -> Result<()> {
        Ok(self.0.sync()?)
    }

    /// Starts to evaluate the file in the background and returns at once.
    /// [`sync_all`](crate::sync_all) evaluates several objects at the same time.
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
