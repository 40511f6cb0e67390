//! Unpacks a tar file into a directory in the format of overlayfs.

use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use super::error::{EntryError, LayerError};
use super::name::{Name, escape, join, split};
use super::owned::{FileMeta, Owner, make_opaque, open};
use super::remove::remove;
use super::root::{DirectoryMeta, OpenDirectory, Root, io, is_whiteout, stat};
use super::tar::{Entry, Kind, Source, TarReader};
use super::walk::{Target, Walk};
use super::{UnpackOptions, Unpacked, contents, pipeline};

/// Unpacks a layer, compressed or not, into an empty directory. Nothing outside of the directory is
/// read or written, except what `options.lower` names. After an error the directory contains a part
/// of the layer, and the caller removes it. Nothing is synced to the disk.
///
/// # Errors
/// If the layer cannot be read, is damaged, exceeds a limit, or has an entry that leads out of it;
/// if it does not have the digest `options.diff_id`; if the file system fails.
pub fn unpack(reader: impl Read + Send, dir: &Path, options: &UnpackOptions<'_>) -> Result<Unpacked, LayerError> {
    let ((walk, owner, is_opaque), totals) = pipeline::run(reader, &options.limits, |chunks| {
        let mut unpacker = Unpacker::new(dir, options)?;
        let mut walk = Walk::new(options.limits, options.is_device_allowed, true);
        walk.all(&mut TarReader::new(chunks), &mut unpacker)?;
        unpacker.owner.finish_directories(&unpacker.root)?;
        Ok::<_, LayerError>((walk, unpacker.owner, unpacker.is_opaque))
    })?;
    if let Some(expected) = options.diff_id.filter(|expected| *expected != totals.digest) {
        return Err(LayerError::DiffId { expected, found: totals.digest });
    }
    let Walk { n_entries, n_skipped, skipped, .. } = walk;
    Ok(Unpacked {
        diff_id: totals.digest,
        n_entries,
        n_compressed: totals.n_compressed,
        n_uncompressed: totals.n_uncompressed,
        is_opaque,
        n_not_owned: owner.counts.n_not_owned,
        n_xattrs_skipped: owner.counts.n_xattrs_skipped,
        n_skipped,
        skipped,
    })
}

pub(super) struct Unpacker<'a> {
    pub(super) root: Root<'a>,
    pub(super) owner: Owner,
    pub(super) options: &'a UnpackOptions<'a>,
    is_opaque: bool,
}

impl Target for Unpacker<'_> {
    type Error = LayerError;

    fn take<S: Source>(
        &mut self,
        reader: &mut TarReader<S>,
        entry: &Entry,
        name: Name,
        at: &str,
    ) -> Result<(), LayerError> {
        self.entry(reader, entry, name, at).map_err(|error| match error {
            // Named as the archive has it, not by the part of it that was looked at.
            LayerError::Entry { source, .. } => bad(entry, source),
            other => other,
        })
    }
}

impl<'a> Unpacker<'a> {
    fn new(dir: &Path, options: &'a UnpackOptions<'a>) -> Result<Self, LayerError> {
        Ok(Self {
            root: Root::open(dir, options.limits, options.lower)?,
            owner: Owner::new(),
            options,
            is_opaque: false,
        })
    }

    fn entry<S: Source>(
        &mut self,
        reader: &mut TarReader<S>,
        entry: &Entry,
        name: Name,
        at: &str,
    ) -> Result<(), LayerError> {
        match name {
            Name::Metadata => {}
            Name::Opaque(path) => {
                let directory = self.root.make(&path)?;
                self.is_opaque |= directory.path.is_empty();
                make_opaque(&directory)?;
            }
            Name::Whiteout(path) => self.whiteout(&path)?,
            Name::Plain(path) if path.is_empty() => self.note_directory(&self.root.top(), entry)?,
            Name::Plain(path) => self.plain(reader, entry, &path, at)?,
        }
        Ok(())
    }

    fn plain<S: Source>(
        &mut self,
        reader: &mut TarReader<S>,
        entry: &Entry,
        path: &[u8],
        at: &str,
    ) -> Result<(), LayerError> {
        let (above, name) = split(path);
        match entry.kind {
            Kind::File => {
                let parent = self.root.make(above)?;
                let file = self.create_file(&parent, name)?;
                contents::write(reader, entry, &file, at)?;
                self.owner.finish_file(&file, path, &meta(entry), &entry.xattrs)?;
            }
            Kind::Directory => self.directory(entry, above, name)?,
            Kind::Symlink => self.symlink(entry, above, name)?,
            Kind::HardLink => self.hard_link(entry, above, name)?,
            Kind::Fifo => self.node(entry, above, name, FileType::Fifo)?,
            Kind::CharacterDevice => self.node(entry, above, name, FileType::CharacterDevice)?,
            Kind::BlockDevice => self.node(entry, above, name, FileType::BlockDevice)?,
            Kind::Other(_) => {}
        }
        Ok(())
    }

    /// Creates an entry after removing what an earlier entry created there.
    pub(super) fn put<T>(
        &mut self,
        action: &'static str,
        parent: &OpenDirectory,
        name: &[u8],
        make: impl Fn(&OwnedFd) -> Result<T, Errno>,
    ) -> Result<T, LayerError> {
        let failed = |errno| io(action, &join(&parent.path, name), errno);
        match make(&parent.fd) {
            Err(Errno::EXIST) => {
                if let Some(found) = stat(parent, name)? {
                    remove(&mut self.root, parent, name, &found)?;
                }
                make(&parent.fd).map_err(failed)
            }
            made => made.map_err(failed),
        }
    }

    pub(super) fn create_file(&mut self, parent: &OpenDirectory, name: &[u8]) -> Result<OwnedFd, LayerError> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        self.put("create", parent, name, |fd| rustix::fs::openat(fd, name, flags, Mode::RUSR | Mode::WUSR))
    }

    /// Removes a name from the layers below. Entries of this layer at the same path stay, in
    /// whatever order they come; a directory of this layer hides the layers below.
    fn whiteout(&mut self, path: &[u8]) -> Result<(), LayerError> {
        let (above, name) = split(path);
        let parent = self.root.make(above)?;
        match stat(&parent, name)? {
            None => {
                let made = disk::make_whiteout(&*self.root.top().fd, &*parent.fd, name);
                made.map_err(|errno| io("make whiteout", path, errno))
            }
            Some(found) if FileType::from_raw_mode(found.st_mode) == FileType::Directory => {
                make_opaque(&self.root.make(path)?)
            }
            Some(_) => Ok(()),
        }
    }

    fn directory(&mut self, entry: &Entry, above: &[u8], name: &[u8]) -> Result<(), LayerError> {
        let parent = self.root.make(above)?;
        let path = join(&parent.path, name);
        // The final mode may forbid writing in the directory, so it is set last.
        let make = |parent: &OpenDirectory| rustix::fs::mkdirat(&parent.fd, name, Mode::RWXU);
        let mut hides_below = false;
        match make(&parent) {
            Err(Errno::EXIST) => {
                if let Some(found) = stat(&parent, name)?
                    && FileType::from_raw_mode(found.st_mode) != FileType::Directory
                {
                    hides_below = is_whiteout(&parent, name, &found);
                    remove(&mut self.root, &parent, name, &found)?;
                    make(&parent).map_err(|errno| io("make directory", &path, errno))?;
                }
            }
            made => made.map_err(|errno| io("make directory", &path, errno))?,
        }
        let directory = self.root.reopen(&path)?;
        if hides_below {
            make_opaque(&directory)?;
        }
        self.note_directory(&directory, entry)
    }

    fn note_directory(&mut self, directory: &OpenDirectory, entry: &Entry) -> Result<(), LayerError> {
        if !entry.xattrs.is_empty() {
            let fd = open(directory, &directory.path)?;
            self.owner.set_xattrs(&fd, &directory.path, &entry.xattrs)?;
        }
        let FileMeta { mode, owner, mtime_ns } = meta(entry);
        let meta = DirectoryMeta { mode: mode & 0o7777, owner: Some(owner), mtime_ns: Some(mtime_ns) };
        self.root.note(directory.path.clone(), meta)
    }

    fn symlink(&mut self, entry: &Entry, above: &[u8], name: &[u8]) -> Result<(), LayerError> {
        let parent = self.root.make(above)?;
        self.put("make link", &parent, name, |fd| rustix::fs::symlinkat(&*entry.link, fd, name))?;
        self.finish_special(&parent, name, entry, false)
    }

    fn node(&mut self, entry: &Entry, above: &[u8], name: &[u8], type_: FileType) -> Result<(), LayerError> {
        let device = rustix::fs::makedev(entry.device.0, entry.device.1);
        let mode = Mode::RUSR | Mode::WUSR;
        let parent = self.root.make(above)?;
        self.put("make device or pipe", &parent, name, |fd| rustix::fs::mknodat(fd, name, type_, mode, device))?;
        self.finish_special(&parent, name, entry, true)
    }

    fn finish_special(
        &mut self,
        parent: &OpenDirectory,
        name: &[u8],
        entry: &Entry,
        has_mode: bool,
    ) -> Result<(), LayerError> {
        self.owner.counts.n_xattrs_skipped += entry.xattrs.len() as u64;
        self.owner.finish_special(parent, name, &meta(entry), has_mode)
    }
}

pub(super) fn bad(entry: &Entry, source: EntryError) -> LayerError {
    LayerError::Entry { name: escape(&entry.name), source }
}

fn meta(entry: &Entry) -> FileMeta {
    FileMeta { mode: entry.mode, owner: (entry.uid, entry.gid), mtime_ns: entry.mtime_ns }
}
