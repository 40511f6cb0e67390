//! Writes the tar file of a layer, compressed, and computes its digests.

use std::io::{self, Read, Write};

use graph::{Blame, Diagnostic};
use sha2::{Digest as _, Sha256};

use super::name::{OPAQUE, WHITEOUT, escape};
use super::tar::Kind;
use super::tar::write::{NewEntry, data, end, header};
use crate::Digest;
use crate::compression::{Compression, Encoder};
use crate::image::Descriptor;

/// The reason why a layer cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// Reading the contents or writing the layer failed.
    #[error("cannot write `{name}` to a layer")]
    Io {
        /// The name of the entry, escaped.
        name: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A layer cannot have an entry with this name.
    #[error("`{0}` cannot be in a layer: names that start with `.wh.` mean removals there")]
    Name(String),
    /// The encoder cannot be created, or the end of the layer cannot be written.
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

/// The properties of an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    /// The permission bits.
    pub mode: u32,
    /// The id of the user.
    pub uid: u32,
    /// The id of the group.
    pub gid: u32,
    /// The modification time, in nanoseconds since 1970. The caller limits it.
    pub mtime_ns: i64,
    /// The names and values of extended attributes, in any order.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

/// An entry that is not a file, a directory or a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpecialFile {
    /// A named pipe.
    Fifo,
    /// A character device with its major and minor number.
    CharacterDevice(u32, u32),
    /// A block device with its major and minor number.
    BlockDevice(u32, u32),
}

/// The result of writing a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// The digest of the tar file.
    pub diff_id: Digest,
    /// The number of bytes of the tar file.
    pub n_uncompressed: u64,
    /// The media type, digest and size of the compressed layer.
    pub descriptor: Descriptor,
}

/// Writes a layer. The caller adds the entries in sorted order, with parents first. The same calls
/// give the same bytes on every machine. Names have no leading `/`, and the empty name is the root.
pub struct LayerWriter<W: Write> {
    encoder: Encoder<Hashed<W>>,
    tar: Sha256,
    n_uncompressed: u64,
    compression: Compression,
}

/// A writer that counts and hashes the bytes.
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

/// Writes the tar file, hashes it and compresses it.
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
    /// If the compression gets no memory or no thread.
    pub fn new(writer: W, compression: Compression) -> Result<Self, PackError> {
        let hashed = Hashed { inner: writer, hasher: Sha256::new(), n_bytes: 0 };
        let encoder = Encoder::new(hashed, compression).map_err(PackError::Encoder)?;
        Ok(Self { encoder, tar: Sha256::new(), n_uncompressed: 0, compression })
    }

    /// Writes a directory.
    ///
    /// # Errors
    /// If a layer cannot have the name, or writing fails. The other methods fail in the same way.
    pub fn directory(&mut self, path: &[u8], meta: &Meta) -> Result<(), PackError> {
        let name = if path.is_empty() { b"./".to_vec() } else { [path, b"/"].concat() };
        self.entry(path, &NewEntry { name: &name, ..new_entry(Kind::Directory, meta) })
    }

    /// Writes a file of `size` bytes.
    ///
    /// # Errors
    /// If `contents` has fewer or more bytes, and as [`LayerWriter::directory`].
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

    /// Writes another name for an earlier file, which is at `target` from the root.
    ///
    /// # Errors
    /// As [`LayerWriter::directory`].
    pub fn hard_link(&mut self, path: &[u8], meta: &Meta, target: &[u8]) -> Result<(), PackError> {
        self.entry(path, &NewEntry { name: path, link: target, ..new_entry(Kind::HardLink, meta) })
    }

    /// Writes a named pipe or a device file.
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

    /// Writes the removal of `path` from the layers below.
    ///
    /// # Errors
    /// As [`LayerWriter::directory`].
    pub fn whiteout(&mut self, path: &[u8], mtime_ns: i64) -> Result<(), PackError> {
        let (above, name) = super::name::split(path);
        self.mark(path, &super::name::join(above, &[WHITEOUT, name].concat()), mtime_ns)
    }

    /// Writes a mark that the directory `path` hides the layers below.
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

    /// Writes the end of the layer, and returns the writer and the result.
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
