//! Hard links to files of the layer, and to files of the layers below.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::Rc;

use rustix::fs::FileType;

use super::contents;
use super::error::{EntryError, LayerError};
use super::name::{clean, escape, join, split};
use super::owned::FileMeta;
use super::root::{is_whiteout, stat};
use super::tar::Entry;
use super::unpack::{Unpacker, bad};

impl Unpacker<'_> {
    /// Creates another name for a file of this layer. The properties in the header are ignored, as
    /// GNU tar does, because the entry of the file has them.
    pub(super) fn hard_link(&mut self, entry: &Entry, above: &[u8], name: &[u8]) -> Result<(), LayerError> {
        let shown = || escape(&entry.link);
        let target = clean(&entry.link, &self.options.limits).map_err(|error| match error {
            EntryError::Outside => bad(entry, EntryError::LinkOutside(shown())),
            error => bad(entry, error),
        })?;
        let (target_above, target_name) = split(&target);
        if target_name.is_empty() {
            return Err(bad(entry, EntryError::LinkDirectory(shown())));
        }
        let source = self.root.find(target_above)?;
        let found = source.as_ref().map(|place| stat(place, target_name)).transpose()?.flatten();
        let (Some(source), Some(found)) = (source, found) else {
            return self.copy_from_below(entry, &target, above, name);
        };
        if FileType::from_raw_mode(found.st_mode) == FileType::Directory {
            return Err(bad(entry, EntryError::LinkDirectory(shown())));
        }
        if is_whiteout(&source, target_name, &found) {
            return Err(bad(entry, EntryError::LinkMissing(shown())));
        }
        let parent = self.root.make(above)?;
        if stat(&parent, name)?.is_some_and(|there| (there.st_dev, there.st_ino) == (found.st_dev, found.st_ino)) {
            return Ok(());
        }
        let from = Rc::clone(&source.fd);
        let link = |fd: &OwnedFd| rustix::fs::linkat(&*from, target_name, fd, name, rustix::fs::AtFlags::empty());
        self.put("make hard link", &parent, name, link).map_err(|error| match error {
            // The file was in the directory that the link replaces.
            LayerError::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                bad(entry, EntryError::LinkMissing(shown()))
            }
            error => error,
        })
    }

    /// Copies a file of a layer below for a hard link to it. An overlay does the same before it
    /// links such a file.
    fn copy_from_below(&mut self, entry: &Entry, target: &[u8], above: &[u8], name: &[u8]) -> Result<(), LayerError> {
        use std::os::unix::ffi::OsStrExt as _;
        let below = self.options.lower.and_then(|lower| lower(Path::new(std::ffi::OsStr::from_bytes(target))));
        let missing = || bad(entry, EntryError::LinkMissing(escape(&entry.link)));
        let below = below.ok_or_else(missing)?;
        let parent = self.root.make(above)?;
        let copied = contents::copy_from_below(&below, target, || self.create_file(&parent, name))?;
        let (file, copied) = copied.ok_or_else(missing)?;
        let contents::Copied { mode, owner, mtime_ns } = copied;
        self.owner.finish_file(&file, &join(above, name), &FileMeta { mode, owner, mtime_ns }, &[])
    }
}
