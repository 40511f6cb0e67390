//! Writes the tar file of a layer, compressed, with its digests.

use std::io::{self, Read, Write};

use graph::{Blame, Diagnostic};
use sha2::{Digest as _, Sha256};

use super::name::{OPAQUE, WHITEOUT, escape};
use super::tar::Kind;
use super::tar::write::{NewEntry, data, end, header};
use crate::Digest;
use crate::compression::{Compression, Encoder};
use crate::image::Descriptor;

/// Why a layer could not be written.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// What is written to failed, or what is read from.
    #[error("cannot write `{name}` to a layer")]
    Io {
        /// The entry, escaped.
        name: String,
        /// What the system answered.
        source: io::Error,
    },
    /// A name that a layer cannot have.
    #[error("`{0}` cannot be in a layer: names that start with `.wh.` mean removals there")]
    Name(String),
    /// No encoder could be made, or the end could not be written.
    #[error("cannot write a layer")]
    Encoder(#[source] io::Error),
}

impl Diagnostic for PackError {
    fn blame(&self) -> Blame {
        match self {
            Self::Name(_) => Blame::User,
            Self::Io { .. } | Self::Encoder(_) => Blame::Environment,
        }
    }

    fn hint(&self) -> Option<String> {
        matches!(self, Self::Name(_)).then(|| "rename it, or remove it before the image is made".to_owned())
    }
}

/// What an entry has besides its kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    /// Permission bits.
    pub mode: u32,
    /// The user's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// Nanoseconds since 1970; the caller clamps it.
    pub mtime_ns: i64,
    /// Names and values of extended attributes, in any order.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What is neither a file, a directory nor a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpecialFile {
    /// A named pipe.
    Fifo,
    /// With its major and minor number.
    CharacterDevice(u32, u32),
    /// With its major and minor number.
    BlockDevice(u32, u32),
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// Of the tar file.
    pub diff_id: Digest,
    /// Bytes of the tar file.
    pub n_uncompressed: u64,
    /// The media type, digest and size of what was written.
    pub descriptor: Descriptor,
}

/// Writes a layer. Entries are written in the order in which they come: sorting them, parents first, is
/// the caller's task. The same calls give the same bytes on every machine. Names have no leading `/`;
/// the root is empty.
pub struct LayerWriter<W: Write> {
    encoder: Encoder<Hashed<W>>,
    tar: Sha256,
    n_uncompressed: u64,
    compression: Compression,
}

/// Counts and hashes what it passes on.
struct Hashed<W> {
    inner: W,
    hasher: Sha256,
    n_bytes: u64,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..n]);
        self.n_bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Writes the tar file itself: hashes and compresses.
struct Tar<'a, W: Write>(&'a mut LayerWriter<W>);

impl<W: Write> Write for Tar<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.0.encoder.write(bytes)?;
        self.0.tar.update(&bytes[..n]);
        self.0.n_uncompressed += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.encoder.flush()
    }
}

impl<W: Write> LayerWriter<W> {
    /// Starts a layer.
    ///
    /// # Errors
    /// If there is no memory or no thread for the compression.
    pub fn new(writer: W, compression: Compression) -> Result<Self, PackError> {
        let hashed = Hashed { inner: writer, hasher: Sha256::new(), n_bytes: 0 };
        let encoder = Encoder::new(hashed, compression).map_err(PackError::Encoder)?;
        Ok(Self { encoder, tar: Sha256::new(), n_uncompressed: 0, compression })
    }

    /// Writes a directory.
    ///
    /// # Errors
    /// If its name cannot be in a layer, or writing fails; so have all of these.
    pub fn directory(&mut self, path: &[u8], meta: &Meta) -> Result<(), PackError> {
        let name = if path.is_empty() { b"./".to_vec() } else { [path, b"/"].concat() };
        self.entry(path, &NewEntry { name: &name, ..new_entry(Kind::Directory, meta) })
    }

    /// Writes a file of `size` bytes.
    ///
    /// # Errors
    /// If `contents` has fewer or more bytes; as [`LayerWriter::directory`].
    pub fn file(&mut self, path: &[u8], meta: &Meta, size: u64, contents: &mut dyn Read) -> Result<(), PackError> {
        self.entry(path, &NewEntry { name: path, size, ..new_entry(Kind::File, meta) })?;
        data(&mut Tar(self), contents, size).map_err(|source| PackError::Io { name: escape(path), source })
    }

    /// Writes a symbolic link.
    ///
    /// # Errors
    /// As [`LayerWriter::directory`].
    pub fn symlink(&mut self, path: &[u8], meta: &Meta, target: &[u8]) -> Result<(), PackError> {
        self.entry(path, &NewEntry { name: path, link: target, ..new_entry(Kind::Symlink, meta) })
    }

    /// Writes another name for a file that came before, at `target` from the root.
    ///
    /// # Errors
    /// As [`LayerWriter::directory`].
    pub fn hard_link(&mut self, path: &[u8], meta: &Meta, target: &[u8]) -> Result<(), PackError> {
        self.entry(path, &NewEntry { name: path, link: target, ..new_entry(Kind::HardLink, meta) })
    }

    /// Writes a pipe or a device.
    ///
    /// # Errors
    /// As [`LayerWriter::directory`].
    pub fn special(&mut self, path: &[u8], meta: &Meta, what: SpecialFile) -> Result<(), PackError> {
        let (kind, device) = match what {
            SpecialFile::Fifo => (Kind::Fifo, (0, 0)),
            SpecialFile::CharacterDevice(major, minor) => (Kind::CharacterDevice, (major, minor)),
            SpecialFile::BlockDevice(major, minor) => (Kind::BlockDevice, (major, minor)),
        };
        self.entry(path, &NewEntry { name: path, device, ..new_entry(kind, meta) })
    }

    /// Writes the removal of what layers below have at `path`.
    ///
    /// # Errors
    /// As [`LayerWriter::directory`].
    pub fn whiteout(&mut self, path: &[u8], mtime_ns: i64) -> Result<(), PackError> {
        let (above, name) = super::name::split(path);
        self.mark(path, &super::name::join(above, &[WHITEOUT, name].concat()), mtime_ns)
    }

    /// Writes that layers below have nothing in the directory `path`.
    ///
    /// # Errors
    /// As [`LayerWriter::directory`].
    pub fn opaque(&mut self, path: &[u8], mtime_ns: i64) -> Result<(), PackError> {
        self.mark(path, &super::name::join(path, OPAQUE), mtime_ns)
    }

    fn mark(&mut self, path: &[u8], name: &[u8], mtime_ns: i64) -> Result<(), PackError> {
        let meta = Meta { mtime_ns, ..Meta::default() };
        self.entry(path, &NewEntry { name, ..new_entry(Kind::File, &meta) })
    }

    fn entry(&mut self, path: &[u8], entry: &NewEntry<'_>) -> Result<(), PackError> {
        if path.split(|&b| b == b'/').any(|name| name.starts_with(WHITEOUT)) {
            return Err(PackError::Name(escape(path)));
        }
        header(&mut Tar(self), entry).map_err(|source| PackError::Io { name: escape(path), source })
    }

    /// Writes the end; returns what was written to and what the layer is.
    ///
    /// # Errors
    /// If writing fails.
    pub fn finish(mut self) -> Result<(W, Packed), PackError> {
        end(&mut Tar(&mut self)).map_err(PackError::Encoder)?;
        let Self { encoder, tar, n_uncompressed, compression } = self;
        let Hashed { mut inner, hasher, n_bytes } = encoder.finish().map_err(PackError::Encoder)?;
        inner.flush().map_err(PackError::Encoder)?;
        let descriptor = Descriptor {
            media_type: compression.media_type().to_owned(),
            digest: Digest::from_bytes(hasher.finalize().into()),
            size: n_bytes,
            platform: None,
            annotations: Default::default(),
        };
        let diff_id = Digest::from_bytes(tar.finalize().into());
        Ok((inner, Packed { diff_id, n_uncompressed, descriptor }))
    }
}

fn new_entry(kind: Kind, meta: &Meta) -> NewEntry<'_> {
    NewEntry {
        name: b"",
        link: b"",
        kind,
        mode: meta.mode & 0o7777,
        uid: meta.uid,
        gid: meta.gid,
        mtime_ns: meta.mtime_ns,
        size: 0,
        device: (0, 0),
        xattrs: &meta.xattrs,
    }
}
