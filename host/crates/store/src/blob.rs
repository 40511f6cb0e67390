//! Blobs: the contents of files, named by their digests.
//!
//! ```text
//! blobs-v1/ab/cdef…    the digest in hex: two digits for the directory, 62 for the file
//! ```
//! The mode, the owner and the time of the file of a blob have no meaning. A layer shares the inode of a blob if
//! they are those that it needs. Nobody ever writes to a blob in place.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use graph::{Blame, ContentDigest, Diagnostic};
use rustix::fs::CWD;

use crate::db::DbError;
use crate::fs::{self, IoError};
use crate::process;
use crate::store::Store;

mod external;

pub(crate) use external::{BlobTable, nanoseconds};
pub use external::{ExternalBlobs, ExternalFile, Stamp};

/// The size in bytes up to which all of a blob is read and verified, even if only a part of it is needed.
const VERIFY_WHOLE_BYTES: u64 = 4 << 20;

/// Why a blob could not be read or stored.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The contents were collected, or were never stored.
    #[error("contents {digest} are not in the store")]
    Missing {
        /// The digest of the contents.
        digest: ContentDigest,
    },
    /// The stored bytes do not have the digest. They were removed together with the results that need them, so that
    /// the next run makes them again.
    #[error("contents {digest} were damaged in the store, in `{}`, and are removed", path.display())]
    Corrupt {
        /// The digest of the contents.
        digest: ContentDigest,
        /// The file that had the contents.
        path: PathBuf,
    },
    /// A file of this machine was changed after it was scanned.
    #[error("`{}` changed while it was read", path.display())]
    Changed {
        /// The path of the file.
        path: PathBuf,
    },
    /// The file system reports an error.
    #[error(transparent)]
    Io(#[from] IoError),
    /// The database cannot be used.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Diagnostic for BlobError {
    fn blame(&self) -> Blame {
        Blame::Environment
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { .. } | Self::Corrupt { .. } => Some("run again: they are made again".to_owned()),
            Self::Changed { .. } => Some("run again".to_owned()),
            Self::Io(error) => error.hint(),
            Self::Db(error) => error.hint(),
        }
    }
}

/// The blobs that one handle of a store has compared with their digests, with the stamps that they had then.
#[derive(Default)]
pub(crate) struct VerifiedBlobs {
    stamps: Mutex<HashMap<ContentDigest, Stamp>>,
}

impl VerifiedBlobs {
    fn has(&self, digest: &ContentDigest, stamp: &Stamp) -> bool {
        self.stamps.lock().unwrap_or_else(PoisonError::into_inner).get(digest) == Some(stamp)
    }

    fn add(&self, digest: ContentDigest, stamp: Stamp) {
        self.stamps.lock().unwrap_or_else(PoisonError::into_inner).insert(digest, stamp);
    }
}

/// Returns the path of a blob in a directory of blobs, whether or not the blob exists.
#[must_use]
pub fn blob_path(blobs_dir: &Path, digest: &ContentDigest) -> PathBuf {
    let hex = digest.to_hex();
    blobs_dir.join(&hex[..2]).join(&hex[2..])
}

/// Hashes an open file from its begin to its end; returns the digest and the number of bytes. The position has to be the
/// begin. Holes are hashed and not read.
pub(crate) fn hash_file(file: &mut File) -> io::Result<(ContentDigest, u64)> {
    fs::with_buffer(|buffer| {
        let mut n = fs::read_up_to(file, buffer)?;
        if n < buffer.len() {
            return Ok((ContentDigest::of(&buffer[..n]), n as u64));
        }
        let mut hasher = blake3::Hasher::new();
        let mut size = 0;
        while n > 0 {
            hasher.update(&buffer[..n]);
            size += n as u64;
            if size == buffer.len() as u64 {
                size = hash_around_holes(file, &mut hasher, size, buffer)?;
            }
            n = fs::read_up_to(file, buffer)?;
        }
        Ok((ContentDigest::from_bytes(*hasher.finalize().as_bytes()), size))
    })
}

/// Hashes a file from byte `at` on if it has holes; returns where it stopped. What has come to the file meanwhile is left.
fn hash_around_holes(file: &mut File, hasher: &mut blake3::Hasher, mut at: u64, buffer: &mut [u8]) -> io::Result<u64> {
    static ZEROS: [u8; 128 << 10] = [0; 128 << 10];
    let metadata = file.metadata()?;
    if !disk::has_holes(&metadata) {
        return Ok(at);
    }
    let size = metadata.len();
    while at < size {
        let (start, end) = disk::next_data(&*file, at)?.unwrap_or((size, size));
        let (start, end) = (start.min(size), end.min(size));
        while at < start {
            let n = (start - at).min(ZEROS.len() as u64);
            hasher.update(&ZEROS[..n as usize]);
            at += n;
        }
        file.seek(SeekFrom::Start(start))?;
        while at < end {
            let n = usize::try_from(end - at).map_or(buffer.len(), |left| left.min(buffer.len()));
            let n = fs::read_up_to(file, &mut buffer[..n])?;
            if n == 0 {
                // The file has become shorter.
                return Ok(at);
            }
            hasher.update(&buffer[..n]);
            at += n as u64;
        }
    }
    file.seek(SeekFrom::Start(at))?;
    Ok(at)
}

/// Moves a finished temporary file to the path of a blob, and makes the directory if it is missing.
pub(crate) fn settle(temporary: &Path, target: &Path) -> Result<(), IoError> {
    match fs::rename(temporary, target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::make_dirs(target.parent().unwrap_or(target), 0o700)?;
            fs::rename(temporary, target)
        }
        done => done,
    }
}

impl Store {
    /// Stores bytes, and returns their digest.
    ///
    /// # Errors
    /// If the blob cannot be written.
    pub fn put_blob(&self, bytes: &[u8]) -> Result<ContentDigest, BlobError> {
        let digest = ContentDigest::of(bytes);
        self.put_named(bytes, digest)?;
        Ok(digest)
    }

    /// Stores bytes whose digest is known.
    ///
    /// # Errors
    /// If the bytes have another digest, or the blob cannot be written.
    pub fn put_blob_as(&self, bytes: &[u8], digest: ContentDigest) -> Result<(), BlobError> {
        if ContentDigest::of(bytes) != digest {
            return Err(BlobError::Corrupt { digest, path: self.blob_path(&digest) });
        }
        self.put_named(bytes, digest)
    }

    fn put_named(&self, bytes: &[u8], digest: ContentDigest) -> Result<(), BlobError> {
        let target = self.blob_path(&digest);
        if self.is_whole(&target, &digest, bytes.len() as u64)? {
            return Ok(());
        }
        let temporary = self.temporary_dir()?.join(fs::unique_name());
        let mut file = fs::create_new(&temporary, 0o644)?;
        let written = fs::write_all(&mut file, bytes, &temporary)
            .and_then(|()| set_mode(&file, &temporary))
            .and_then(|()| settle(&temporary, &target));
        if written.is_err() {
            // The error of the write is the one that is returned.
            let _ = fs::remove_file(&temporary);
        }
        Ok(written?)
    }

    /// Stores a copy of a file, and returns its digest and its size. The copy shares blocks with the file if the file
    /// system can do that.
    ///
    /// # Errors
    /// If the file cannot be read, or the blob cannot be written.
    pub fn put_file(&self, path: &Path) -> Result<(ContentDigest, u64), BlobError> {
        let from = fs::open(path)?;
        let temporary = self.temporary_dir()?.join(fs::unique_name());
        let mut to = fs::create_new(&temporary, 0o644)?;
        let put = (|| {
            fs::copy_contents(&from, &to).map_err(|e| IoError::new("copy", &temporary, e))?;
            to.seek(SeekFrom::Start(0)).map_err(|e| IoError::new("read", &temporary, e))?;
            let (digest, size) = hash_file(&mut to).map_err(|e| IoError::new("read", &temporary, e))?;
            set_mode(&to, &temporary)?;
            let target = self.blob_path(&digest);
            if self.is_whole(&target, &digest, size)? {
                fs::remove_file(&temporary)?;
            } else {
                settle(&temporary, &target)?;
            }
            Ok((digest, size))
        })();
        if put.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        put
    }

    /// Stores a file that nobody will ever write to again, such as one of a layer. The blob is a hard link if the
    /// file belongs to this user and is readable, and a copy otherwise.
    ///
    /// # Errors
    /// If the file cannot be read or stored.
    pub fn put_hardlink(&self, path: &Path) -> Result<(ContentDigest, u64), BlobError> {
        let mut file = fs::open(path)?;
        let (digest, size) = hash_file(&mut file).map_err(|e| IoError::new("read", path, e))?;
        if self.is_whole(&self.blob_path(&digest), &digest, size)? {
            return Ok((digest, size));
        }
        match crate::layer::link_blob(CWD, path, &file, path, &self.blobs_dir(), &digest)? {
            true => Ok((digest, size)),
            false => self.put_file(path),
        }
    }

    /// Returns the path of a blob, whether or not the blob exists.
    #[must_use]
    pub fn blob_path(&self, digest: &ContentDigest) -> PathBuf {
        blob_path(&self.blobs_dir(), digest)
    }

    /// Returns whether contents are in the store, or in a registered file of this machine. They are not verified.
    #[must_use]
    pub fn has_blob(&self, digest: &ContentDigest) -> bool {
        matches!(fs::lstat_if_there(&self.blob_path(digest)), Ok(Some(_))) || self.external().find(digest).is_some()
    }

    /// Reads contents into memory and verifies them.
    ///
    /// # Errors
    /// If the contents are missing, or do not have the digest.
    pub fn read_blob(&self, digest: &ContentDigest) -> Result<Vec<u8>, BlobError> {
        let path = self.blob_path(digest);
        if let Some(bytes) = fs::read_if_there(&path)? {
            if ContentDigest::of(&bytes) == *digest {
                return Ok(bytes);
            }
            let corrupt = self.corrupt(digest);
            if self.external().find(digest).is_none() {
                return Err(corrupt);
            }
        }
        let Some(file) = self.external().find(digest) else { return Err(self.missing(digest)) };
        let bytes = match fs::read_if_there(&file.path)? {
            Some(bytes) if ContentDigest::of(&bytes) == *digest => bytes,
            _ => return Err(BlobError::Changed { path: file.path }),
        };
        Ok(bytes)
    }

    /// Reads at most `limit` bytes from byte `offset` on. The contents are verified as [`Store::open_blob`] does.
    ///
    /// # Errors
    /// As [`Store::read_blob`].
    pub fn read_blob_range(&self, digest: &ContentDigest, offset: u64, limit: u64) -> Result<Vec<u8>, BlobError> {
        let (file, size, path) = self.open_unverified(digest)?;
        if size <= VERIFY_WHOLE_BYTES {
            let bytes = self.read_blob(digest)?;
            let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
            let end = start.saturating_add(usize::try_from(limit).unwrap_or(usize::MAX)).min(bytes.len());
            return Ok(bytes[start..end].to_vec());
        }
        let mut file = self.verified_file(file, digest, &path)?;
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(offset)).map_err(|e| IoError::new("read", &path, e))?;
        file.take(limit).read_to_end(&mut bytes).map_err(|e| IoError::new("read", &path, e))?;
        Ok(bytes)
    }

    /// Opens contents; returns the open file, its size in bytes and its path. They are verified, once for each handle of
    /// the store as long as the file keeps its stamp. A file of this machine must have the stamp with which it was
    /// registered.
    ///
    /// # Errors
    /// If the contents are missing or damaged, or the file of this machine was changed.
    pub fn open_blob(&self, digest: &ContentDigest) -> Result<(File, u64, PathBuf), BlobError> {
        let (file, size, path) = self.open_unverified(digest)?;
        Ok((self.verified_file(file, digest, &path)?, size, path))
    }

    /// Compares the contents of an open blob with its digest, unless that was done already.
    fn verified_file(&self, mut file: File, digest: &ContentDigest, path: &Path) -> Result<File, BlobError> {
        if path != self.blob_path(digest) {
            // It is a file of this machine, whose stamp was compared.
            return Ok(file);
        }
        let stamp = Stamp::of(&file.metadata().map_err(|e| IoError::new("stat", path, e))?);
        if self.verified().has(digest, &stamp) {
            return Ok(file);
        }
        let (found, _) = hash_file(&mut file).map_err(|e| IoError::new("read", path, e))?;
        if found != *digest {
            return Err(self.corrupt(digest));
        }
        self.verified().add(*digest, stamp);
        file.seek(SeekFrom::Start(0)).map_err(|e| IoError::new("read", path, e))?;
        Ok(file)
    }

    fn open_unverified(&self, digest: &ContentDigest) -> Result<(File, u64, PathBuf), BlobError> {
        let path = self.blob_path(digest);
        match File::open(&path) {
            Ok(file) => {
                let size = file.metadata().map_err(|e| IoError::new("stat", &path, e))?.len();
                return Ok((file, size, path));
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(IoError::new("open", &path, error).into());
            }
            Err(_) => {}
        }
        let Some(found) = self.external().find(digest) else { return Err(self.missing(digest)) };
        let file = fs::open(&found.path)?;
        let metadata = file.metadata().map_err(|e| IoError::new("stat", &found.path, e))?;
        if Stamp::of(&metadata) != found.stamp {
            return Err(BlobError::Changed { path: found.path });
        }
        Ok((file, metadata.len(), found.path))
    }

    /// Copies contents that are only in a file of this machine into the store.
    ///
    /// # Errors
    /// If the contents are missing, or the file was changed.
    pub fn keep_blob(&self, digest: &ContentDigest) -> Result<(), BlobError> {
        if fs::lstat_if_there(&self.blob_path(digest))?.is_some() {
            return Ok(());
        }
        let Some(found) = self.external().find(digest) else { return Err(self.missing(digest)) };
        let (stored, _) = self.put_file(&found.path)?;
        if stored == *digest { Ok(()) } else { Err(BlobError::Changed { path: found.path }) }
    }

    /// Returns whether the blob exists and can be trusted. A blob that was written since the machine was started, or
    /// that was synced to the disk, is trusted. Any other is read and compared, because a power cut can leave a file
    /// without its contents.
    fn is_whole(&self, path: &Path, digest: &ContentDigest, size: u64) -> Result<bool, BlobError> {
        let Some(metadata) = fs::lstat_if_there(path)? else { return Ok(false) };
        if metadata.len() != size {
            return Ok(false);
        }
        let changed_at_ns = metadata.ctime().saturating_mul(1_000_000_000).saturating_add(metadata.ctime_nsec());
        if changed_at_ns >= process::booted_at_ns() || changed_at_ns <= self.synced_at_ns()? {
            return Ok(true);
        }
        let found = hash_file(&mut fs::open(path)?).map_err(|e| IoError::new("read", path, e))?;
        Ok(found.0 == *digest)
    }
}

/// Gives a blob the mode of an ordinary file, independent of the umask, so that layers can share it.
fn set_mode(file: &File, path: &Path) -> Result<(), IoError> {
    file.set_permissions(std::fs::Permissions::from_mode(0o644)).map_err(|e| IoError::new("set mode of", path, e))
}

#[cfg(test)]
mod tests;
