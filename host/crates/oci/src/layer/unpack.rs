//! Unpacks a tar file into a directory in the format of overlayfs.

use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use super::error::{EntryError, LayerError};
use super::name::{Name, classify, escape, join, split};
use super::owned::{FileMeta, Owner, make_opaque, open};
use super::remove::remove;
use super::root::{DirectoryMeta, OpenDirectory, Root, io, is_whiteout, stat};
use super::tar::{Entry, Kind, Source, TarReader};
use super::{MAX_SKIPPED, SkipReason, Skipped, UnpackOptions, Unpacked, contents, pipeline};

/// Unpacks a layer, compressed or not, into an empty directory. Nothing outside of the directory is
/// read or written, except what `options.lower` names. After an error the directory contains a part
/// of the layer, and the caller removes it. Nothing is synced to the disk.
///
/// # Errors
/// If the layer cannot be read, is damaged, exceeds a limit, or has an entry that leads out of it;
/// if it does not have the digest `options.diff_id`; if the file system fails.
pub fn unpack(reader: impl Read + Send, dir: &Path, options: &UnpackOptions<'_>) -> Result<Unpacked, LayerError> {
    let (done, totals) = pipeline::run(reader, &options.limits, |chunks| {
        let mut unpacker = Unpacker::new(dir, options)?;
        unpacker.all(TarReader::new(Borrowed(chunks)))?;
        Ok(unpacker)
    })?;
    if let Some(expected) = options.diff_id.filter(|expected| *expected != totals.digest) {
        return Err(LayerError::DiffId { expected, found: totals.digest });
    }
    let Unpacker { owner, n_entries, is_opaque, n_skipped, skipped, .. } = done;
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

/// The chunks of the pipeline, which continue after the end of the tar file.
struct Borrowed<'a>(&'a mut pipeline::Chunks);

impl Source for Borrowed<'_> {
    fn fill(&mut self) -> Result<&[u8], super::error::StreamError> {
        self.0.fill()
    }

    fn consume(&mut self, n: usize) {
        self.0.consume(n);
    }
}

pub(super) struct Unpacker<'a> {
    pub(super) root: Root<'a>,
    pub(super) owner: Owner,
    pub(super) options: &'a UnpackOptions<'a>,
    n_entries: u64,
    /// The bytes of all files, holes included.
    n_bytes: u64,
    is_opaque: bool,
    n_skipped: u64,
    skipped: Vec<Skipped>,
}

impl<'a> Unpacker<'a> {
    fn new(dir: &Path, options: &'a UnpackOptions<'a>) -> Result<Self, LayerError> {
        Ok(Self {
            root: Root::open(dir, options.limits, options.lower)?,
            owner: Owner::new(),
            options,
            n_entries: 0,
            n_bytes: 0,
            is_opaque: false,
            n_skipped: 0,
            skipped: Vec::new(),
        })
    }

    fn all<S: Source>(&mut self, mut reader: TarReader<S>) -> Result<(), LayerError> {
        let mut at = "at its start".to_owned();
        loop {
            let entry = match reader.next() {
                Ok(Some(entry)) => entry,
                Ok(None) => break,
                Err(error) => {
                    let at = reader.name().map_or(at, |name| format!("in `{}`", escape(name)));
                    return Err(LayerError::stopped(&at, error));
                }
            };
            let name = escape(&entry.name);
            self.check_limits(&entry, &name)?;
            at = format!("in `{name}`");
            self.entry(&mut reader, &entry, &at).map_err(|error| match error {
                // The message names the whole path of the entry, and not the component that failed.
                LayerError::Entry { source, .. } => LayerError::Entry { name: name.clone(), source },
                other => other,
            })?;
            at = format!("after `{name}`");
        }
        self.owner.finish_directories(&self.root)
    }

    fn check_limits(&mut self, entry: &Entry, name: &str) -> Result<(), LayerError> {
        let limits = &self.options.limits;
        let refuse = |what| Err(LayerError::Limit { at: format!("at `{name}`"), what });
        self.n_entries += 1;
        if self.n_entries > limits.max_entries {
            return refuse(format!("it has more than {} entries", limits.max_entries));
        }
        if entry.kind == Kind::File {
            self.n_bytes = self.n_bytes.saturating_add(entry.size);
        }
        if self.n_bytes > limits.max_bytes {
            return refuse(format!("its files have more than {} bytes", limits.max_bytes));
        }
        Ok(())
    }

    fn entry<S: Source>(&mut self, reader: &mut TarReader<S>, entry: &Entry, at: &str) -> Result<(), LayerError> {
        match classify(&entry.name, &self.options.limits).map_err(|source| bad(entry, source))? {
            Name::Metadata => self.skip(entry, SkipReason::Metadata),
            Name::Opaque(path) => {
                let directory = self.root.make(&path)?;
                self.is_opaque |= directory.path.is_empty();
                make_opaque(&directory)?;
            }
            Name::Whiteout(path) => self.whiteout(&path)?,
            Name::Plain(path) if path.is_empty() => {
                if entry.kind != Kind::Directory {
                    return Err(bad(entry, EntryError::Root));
                }
                self.note_directory(&self.root.top(), entry)?;
            }
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
        if is_socket(entry) {
            self.skip(entry, SkipReason::Socket);
            return Ok(());
        }
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
            Kind::CharacterDevice if entry.device == (0, 0) => self.skip(entry, SkipReason::WhiteoutDevice),
            Kind::CharacterDevice | Kind::BlockDevice if !self.options.is_device_allowed => {
                self.skip(entry, SkipReason::Device);
            }
            Kind::CharacterDevice => self.node(entry, above, name, FileType::CharacterDevice)?,
            Kind::BlockDevice => self.node(entry, above, name, FileType::BlockDevice)?,
            Kind::Other(type_) => self.skip(entry, SkipReason::UnknownType(type_)),
        }
        Ok(())
    }

    fn skip(&mut self, entry: &Entry, why: SkipReason) {
        self.n_skipped += 1;
        if self.skipped.len() < MAX_SKIPPED {
            self.skipped.push(Skipped { name: escape(&entry.name), why });
        }
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
                let made = rustix::fs::mknodat(&parent.fd, name, FileType::CharacterDevice, Mode::empty(), 0);
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
                    hides_below = is_whiteout(&found);
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
        let max = self.options.limits.max_path_bytes;
        match entry.link.len() {
            0 => return Err(bad(entry, EntryError::NoTarget)),
            n if n > max => return Err(bad(entry, EntryError::LongPath(max))),
            _ => {}
        }
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

/// Returns whether the entry is a socket. The format has no type for sockets, but the mode bits may
/// say so.
fn is_socket(entry: &Entry) -> bool {
    let has_bits = FileType::from_raw_mode(entry.mode) == FileType::Socket;
    has_bits && entry.size == 0 && matches!(entry.kind, Kind::File | Kind::Other(_))
}
