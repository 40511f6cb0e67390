//! The cache of compiled components on disk.
//!
//! ```text
//! <cache_dir>/compiled-v1/<key>.cwasm     0600, in a directory 0700
//! <cache_dir>/compiled-v1/<key>.seal      what the compiled file was when it was written
//! <cache_dir>/compiled-v1/<key>.digest    the digest of a file that was read before, and a checksum
//! ```
//!
//! The key is made of the digest of the component and of everything that decides whether this engine can run the code:
//! wasmtime's version, its configuration, and the processor. To run compiled code is to trust it. Therefore the
//! directory and the file must belong to this user, and nobody else may write to them. A file is complete or absent:
//! it is written under another name, synced and renamed.
//!
//! wasmtime does not notice when compiled code is damaged. So a compiled file is only used with its seal: the digest of
//! its bytes, its stamp, and the boot of the machine. A file with the same stamp in the same boot was not touched; another
//! one is read and compared.
//!
//! The digest of a component file is found by the file's path, inode, size and times. A component that was not touched
//! is neither read nor hashed.

use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use graph::ContentDigest;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::setup::RuntimeError;

/// The name of the directory. It changes with the format.
const DIR_NAME: &str = "compiled-v1";

/// A directory of compiled components.
pub(crate) struct CompiledCache {
    dir: PathBuf,
    engine_key: [u8; 32],
}

impl CompiledCache {
    /// Opens the cache in a directory. The directory is made if it is missing.
    pub(crate) fn open(cache_dir: &Path, engine: &Engine) -> Result<Self, RuntimeError> {
        let dir = cache_dir.join(DIR_NAME);
        let failed = |source| RuntimeError::CacheDir { path: dir.clone(), source };
        let metadata = match fs::symlink_metadata(&dir) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir).map_err(failed)?;
                fs::symlink_metadata(&dir).map_err(failed)?
            }
            Err(error) => return Err(failed(error)),
        };
        if !metadata.is_dir() {
            let reason = "it is not a directory".to_owned();
            return Err(RuntimeError::UnsafeCacheDir { path: dir, reason });
        }
        if let Err(reason) = check_owner(&metadata) {
            return Err(RuntimeError::UnsafeCacheDir { path: dir, reason });
        }
        Ok(Self { dir, engine_key: engine_key(engine) })
    }

    fn path(&self, digest: &ContentDigest) -> PathBuf {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.engine_key);
        hasher.update(digest.as_bytes());
        self.dir.join(format!("{}.cwasm", hasher.finalize().to_hex()))
    }

    /// Finds a compiled component. Returns none if there is none that can be used, whatever the reason: then the
    /// component is compiled again.
    pub(crate) fn find(&self, engine: &Engine, digest: &ContentDigest) -> Option<Component> {
        let path = self.path(digest);
        (is_own(&path) && self.is_whole(&path)).then(|| deserialize(engine, &path))?
    }

    /// Keeps a compiled component.
    pub(crate) fn put(&self, digest: &ContentDigest, compiled: &[u8]) {
        let path = self.path(digest);
        self.write(path.clone(), compiled);
        self.write_seal(&path, *blake3::hash(compiled).as_bytes());
    }

    /// Returns whether a compiled file is what was written, and seals it again if its stamp is another one.
    fn is_whole(&self, path: &Path) -> bool {
        let Some(contents) = sealed(path) else { return false };
        if Seal::of(path, contents)
            .is_ok_and(|seal| fs::read(seal_path(path)).is_ok_and(|bytes| bytes == seal.encode()))
        {
            return true;
        }
        let is_whole = digest_of_file(path).is_ok_and(|found| found == contents);
        if is_whole {
            self.write_seal(path, contents);
        }
        is_whole
    }

    fn write_seal(&self, path: &Path, contents: [u8; 32]) {
        if let Ok(seal) = Seal::of(path, contents) {
            self.write(seal_path(path), &seal.encode());
        }
    }

    /// Finds the digest of a component file. Returns none if the file was touched since its digest was taken.
    pub(crate) fn find_digest(&self, stamp: &FileStamp) -> Option<ContentDigest> {
        let path = self.digest_path(stamp);
        let bytes = is_own(&path).then(|| fs::read(&path))?.ok()?;
        Some(ContentDigest::from_bytes(*without_checksum(&bytes)?.first_chunk()?))
    }

    /// Keeps the digest of a component file.
    pub(crate) fn put_digest(&self, stamp: &FileStamp, digest: &ContentDigest) {
        if stamp.is_settled {
            self.write(self.digest_path(stamp), &with_checksum(digest.as_bytes()));
        }
    }

    fn digest_path(&self, stamp: &FileStamp) -> PathBuf {
        self.dir.join(format!("{}.digest", blake3::Hash::from(stamp.key).to_hex()))
    }

    /// Writes a file. If that fails, the next load only takes longer.
    fn write(&self, path: PathBuf, bytes: &[u8]) {
        static N_WRITES: AtomicU64 = AtomicU64::new(0);
        let unique = format!("{}-{}", std::process::id(), N_WRITES.fetch_add(1, Ordering::Relaxed));
        let temporary = path.with_extension(format!("{unique}.tmp"));
        let written = write_new(&temporary, bytes).and_then(|()| fs::rename(&temporary, &path));
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
    }
}

/// What a compiled file was when it was written or compared.
struct Seal {
    contents: [u8; 32],
    stamp: [u8; 32],
}

impl Seal {
    /// Takes the seal of a file with these contents.
    fn of(path: &Path, contents: [u8; 32]) -> io::Result<Self> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&FileStamp::of(path)?.key);
        hasher.update(boot_id().as_bytes());
        Ok(Self { contents, stamp: *hasher.finalize().as_bytes() })
    }

    fn encode(&self) -> Vec<u8> {
        with_checksum(&[self.contents, self.stamp].concat())
    }
}

fn seal_path(path: &Path) -> PathBuf {
    path.with_extension("seal")
}

/// Returns the digest that a compiled file had; none without a seal that can be read.
fn sealed(path: &Path) -> Option<[u8; 32]> {
    let path = seal_path(path);
    let bytes = is_own(&path).then(|| fs::read(&path))?.ok()?;
    without_checksum(&bytes)?.first_chunk().copied()
}

fn with_checksum(bytes: &[u8]) -> Vec<u8> {
    [bytes, blake3::hash(bytes).as_bytes()].concat()
}

fn without_checksum(bytes: &[u8]) -> Option<&[u8]> {
    let (bytes, checksum) = bytes.split_last_chunk::<32>()?;
    (blake3::hash(bytes).as_bytes() == checksum).then_some(bytes)
}

fn digest_of_file(path: &Path) -> io::Result<[u8; 32]> {
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(*hasher.finalize().as_bytes())
}

/// Returns the name of this boot of the machine; empty where there is none.
fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default()
}

/// Compares the compiled components in a cache with their seals, and removes those that are damaged. Returns how many
/// there were, and the names of those.
#[must_use]
pub fn verify_compiled(cache_dir: &Path) -> (usize, Vec<String>) {
    let entries = fs::read_dir(cache_dir.join(DIR_NAME)).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "cwasm"));
    paths.sort();
    let is_whole =
        |path: &PathBuf| sealed(path).is_some_and(|contents| digest_of_file(path).is_ok_and(|d| d == contents));
    let damaged: Vec<&PathBuf> = paths.iter().filter(|path| !is_whole(path)).collect();
    for path in &damaged {
        let _ = fs::remove_file(path);
        let _ = fs::remove_file(seal_path(path));
    }
    let name = |path: &&PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    (paths.len(), damaged.iter().map(name).collect())
}

/// The facts about a file that change when it is written.
pub(crate) struct FileStamp {
    key: [u8; 32],
    /// Whether a later change would show. A clock with coarse ticks may give two changes the same time.
    is_settled: bool,
}

/// The age of the last change of a file, from which on the next change is sure to have another time.
const SETTLED: Duration = Duration::from_secs(2);

impl FileStamp {
    /// Takes the stamp of a file.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(std::path::absolute(path)?.as_os_str().as_encoded_bytes());
        let (seconds, nanos) = (metadata.ctime(), metadata.ctime_nsec());
        let times = [metadata.mtime(), metadata.mtime_nsec(), seconds, nanos];
        let numbers = [metadata.dev(), metadata.ino(), metadata.size()];
        for number in times.into_iter().map(i64::cast_unsigned).chain(numbers) {
            hasher.update(&number.to_le_bytes());
        }
        let changed_at = UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
        let is_settled = SystemTime::now().duration_since(changed_at).is_ok_and(|age| age > SETTLED);
        Ok(Self { key: *hasher.finalize().as_bytes(), is_settled })
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    // After a power failure a renamed file without its contents would be run as code.
    file.sync_data()
}

/// Returns whether nobody but this user can have written a file.
fn is_own(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file() && check_owner(&metadata).is_ok())
}

fn check_owner(metadata: &fs::Metadata) -> Result<(), String> {
    let user = rustix::process::geteuid().as_raw();
    if metadata.uid() != user {
        return Err(format!("it belongs to user {}, not to you ({user})", metadata.uid()));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(format!("others may write it (mode {:04o})", metadata.mode() & 0o7777));
    }
    Ok(())
}

#[expect(unsafe_code, reason = "wasmtime cannot check that compiled code is what a compiler made")]
fn deserialize(engine: &Engine, path: &Path) -> Option<Component> {
    // SAFETY: the file is not a link, belongs to this user, and nobody else may write to it or replace it. This
    // program writes only complete files that wasmtime serialized, and never changes them.
    unsafe { Component::deserialize_file(engine, path) }.ok()
}

/// Hashes everything that decides whether code of one engine runs on another.
fn engine_key(engine: &Engine) -> [u8; 32] {
    struct Blake(blake3::Hasher);
    impl Hasher for Blake {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        fn finish(&self) -> u64 {
            0
        }
    }
    let mut hasher = Blake(blake3::Hasher::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    *hasher.0.finalize().as_bytes()
}
