//! The store itself: its directories, and how it is opened.

use std::collections::HashSet;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use graph::{Blame, ContentDigest, Diagnostic};
use rustix::fs::{Access, FlockOperation, Mode, OFlags};

use crate::blob::{ExternalBlobs, VerifiedBlobs};
use crate::budget::{Budget, Limits};
use crate::db::Db;
use crate::fs::{self, IoError};
use crate::layer::check::Checked;
use crate::lease::Leases;
use crate::nodes::NodeCache;
use crate::process;
use crate::results::Uses;

/// The version of the layout, which the marker file has. If the format of one directory changes, the directory
/// gets another number in its name. The version changes only when old and new programs must not share a store.
const LAYOUT_VERSION: u64 = 1;
pub(crate) const MARKER: &str = "store-version";
const DIRECTORIES: [&str; 8] =
    ["blobs-v1", "layers-v1", "stamps-v1", "caches-v1", "locks-v1", "stat-cache-v1", "tmp-v1", "trash-v1"];

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The path is not that of a directory.
    #[error("store `{}` is not a directory", path.display())]
    NotADirectory {
        /// The directory of the store.
        path: PathBuf,
    },
    /// This user may not write to the directory.
    #[error("store `{}` cannot be written", path.display())]
    NotWritable {
        /// The directory of the store.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// Something else is in the place of a directory of the store.
    #[error("store `{}` is damaged: `{}` is not a directory", root.display(), name)]
    Damaged {
        /// The directory of the store.
        root: PathBuf,
        /// The name of what is in the way.
        name: &'static str,
    },
    /// A newer version of this program made the store.
    #[error("store `{}` is of version `{found}`, newer than this program", path.display())]
    NewerVersion {
        /// The directory of the store.
        path: PathBuf,
        /// The version in the marker file.
        found: String,
    },
    /// The file system reports another error, such as a full disk.
    #[error(transparent)]
    Io(#[from] IoError),
}

impl Diagnostic for OpenError {
    fn blame(&self) -> Blame {
        Blame::Environment
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotADirectory { .. } | Self::NotWritable { .. } => Some(fs::STORE_HINT.to_owned()),
            Self::NewerVersion { .. } => Some(fs::NEWER_HINT.to_owned()),
            Self::Damaged { .. } => Some("empty it with `host cache clear`".to_owned()),
            Self::Io(error) => error.hint(),
        }
    }
}

/// A directory with trees, blobs, layers and results, which processes share. Cloning is cheap, and gives another
/// handle to the same store.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
    limits: Arc<Limits>,
}

struct Inner {
    root: PathBuf,
    db: Db,
    nodes: NodeCache,
    external: ExternalBlobs,
    uses: Uses,
    leases: Leases,
    checked: Checked,
    verified: VerifiedBlobs,
    /// The directory for temporary files, and the lock that marks it as being used.
    temporary: OnceLock<(PathBuf, std::os::fd::OwnedFd)>,
    in_use: std::fs::File,
    of_root: RwLock<HashSet<ContentDigest>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.inner.root.display())
    }
}

impl Store {
    /// Opens the store in a directory, and makes it if the directory is empty or missing.
    ///
    /// # Errors
    /// If the path is not that of a directory, the directory cannot be written, a newer version made the store, or
    /// the disk is full.
    pub fn open(root: &Path) -> Result<Self, OpenError> {
        // A user may have removed a directory by hand to free its space.
        if !check_marker(root)? || DIRECTORIES.iter().any(|name| !root.join(name).is_dir()) {
            make(root)?;
        }
        rustix::fs::access(root, Access::WRITE_OK | Access::EXEC_OK)
            .map_err(|e| OpenError::NotWritable { path: root.to_owned(), source: e.into() })?;
        // The lock tells the collector whether another process uses the store.
        let in_use = open_lock(&root.join("use.lock"))?;
        let operation = FlockOperation::NonBlockingLockShared;
        if rustix::fs::flock(&in_use, operation).is_err() {
            let waited = rustix::fs::flock(&in_use, FlockOperation::LockShared);
            waited.map_err(|e| IoError::new("lock", root.join("use.lock"), e))?;
        }
        let lock = in_use.try_clone().map_err(|e| IoError::new("open", root.join("use.lock"), e))?;
        Ok(Self {
            limits: Arc::default(),
            inner: Arc::new(Inner {
                root: root.to_owned(),
                db: Db::new(root.to_owned(), lock),
                nodes: NodeCache::default(),
                external: ExternalBlobs::default(),
                uses: Uses::default(),
                leases: Leases::default(),
                checked: Checked::default(),
                verified: VerifiedBlobs::default(),
                temporary: OnceLock::new(),
                in_use,
                of_root: RwLock::default(),
            }),
        })
    }

    /// Returns a handle to the same store whose operations have other limits.
    #[must_use]
    pub fn with_limits(&self, limits: Limits) -> Self {
        Self { inner: Arc::clone(&self.inner), limits: Arc::new(limits) }
    }

    /// Returns the limits of the operations of this handle.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns whether the run was cancelled that the handle belongs to.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.budget().check().is_err()
    }

    /// Returns the budget of one operation.
    pub(crate) fn budget(&self) -> Budget {
        Budget::new(&self.limits)
    }

    /// Returns the directory of the store.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.inner.root
    }

    /// Returns the directory of the blobs, for the functions that take paths and no store.
    #[must_use]
    pub fn blobs_dir(&self) -> PathBuf {
        self.inner.root.join("blobs-v1")
    }

    /// Returns the directory of the layers.
    #[must_use]
    pub fn layers_dir(&self) -> PathBuf {
        self.inner.root.join("layers-v1")
    }

    /// Returns the registry of the files of this machine whose contents are blobs.
    #[must_use]
    pub fn external(&self) -> &ExternalBlobs {
        &self.inner.external
    }

    /// Returns the directory for temporary files of this process. Other processes do not touch it while this one
    /// lives; afterwards [`Store::sweep`] removes it.
    ///
    /// # Errors
    /// If the directory cannot be made.
    pub fn temporary_dir(&self) -> Result<PathBuf, IoError> {
        if let Some((path, _)) = self.inner.temporary.get() {
            return Ok(path.clone());
        }
        let (pid, start) = process::this();
        let path = self.inner.root.join("tmp-v1").join(format!("{pid}-{start}"));
        fs::make_dirs(&path, 0o700)?;
        let fd = rustix::fs::open(&path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        let fd = fd.map_err(|e| IoError::new("open directory", &path, e))?;
        rustix::fs::flock(&fd, FlockOperation::LockShared).map_err(|e| IoError::new("lock", &path, e))?;
        Ok(self.inner.temporary.get_or_init(|| (path, fd)).0.clone())
    }

    pub(crate) fn db(&self) -> &Db {
        &self.inner.db
    }

    pub(crate) fn node_cache(&self) -> &NodeCache {
        &self.inner.nodes
    }

    pub(crate) fn uses(&self) -> &Uses {
        &self.inner.uses
    }

    pub(crate) fn checked(&self) -> &Checked {
        &self.inner.checked
    }

    pub(crate) fn verified(&self) -> &VerifiedBlobs {
        &self.inner.verified
    }

    pub(crate) fn leases(&self) -> &Leases {
        &self.inner.leases
    }

    /// Ends this handle, the last one, as a signal does that cannot be caught.
    #[cfg(test)]
    pub(crate) fn kill(mut self) {
        Arc::get_mut(&mut self.inner).expect("the test has one handle").leases.kill();
    }

    /// Returns whether everything in a tree is known to belong to root. Then the entries need not be checked.
    pub(crate) fn is_of_root(&self, tree: ContentDigest) -> bool {
        self.inner.of_root.read().unwrap_or_else(PoisonError::into_inner).contains(&tree)
    }

    pub(crate) fn note_of_root(&self, tree: ContentDigest) {
        self.inner.of_root.write().unwrap_or_else(PoisonError::into_inner).insert(tree);
    }

    pub(crate) fn in_use(&self) -> impl AsFd + '_ {
        self.inner.in_use.as_fd()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Only the collector uses these times, and a lost one does no harm.
        let _ = self.uses.flush(&self.db);
        self.leases.end(&self.db);
    }
}

/// Returns whether the marker file has this version.
fn check_marker(root: &Path) -> Result<bool, OpenError> {
    let found = match fs::read_if_there(&root.join(MARKER)) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(OpenError::NotADirectory { path: root.to_owned() });
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let source = io::Error::from(io::ErrorKind::PermissionDenied);
            return Err(OpenError::NotWritable { path: root.to_owned(), source });
        }
        Err(error) => return Err(error.into()),
    };
    let Some(found) = found else { return Ok(false) };
    let text = String::from_utf8_lossy(&found).trim().to_owned();
    match text.parse::<u64>() {
        Ok(version) if version <= LAYOUT_VERSION => Ok(true),
        Ok(_) => Err(OpenError::NewerVersion { path: root.to_owned(), found: text }),
        // A power cut can leave the file empty, and what is no number is no version. The file is written again.
        Err(_) => Ok(false),
    }
}

fn make(root: &Path) -> Result<(), OpenError> {
    let refused = |error: IoError| match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            OpenError::NotWritable { path: root.to_owned(), source: error.kind().into() }
        }
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            OpenError::NotADirectory { path: root.to_owned() }
        }
        _ => OpenError::Io(error),
    };
    fs::make_dirs(root, 0o700).map_err(refused)?;
    for name in DIRECTORIES {
        fs::make_dirs(&root.join(name), 0o700).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => OpenError::Damaged { root: root.to_owned(), name },
            _ => refused(error),
        })?;
    }
    let marker = format!("{LAYOUT_VERSION}\n");
    fs::write_atomic(&root.join(MARKER), marker.as_bytes(), &root.join("tmp-v1")).map_err(refused)
}

/// Opens a file that exists only to be locked.
pub(crate) fn open_lock(path: &Path) -> Result<std::fs::File, IoError> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let fd = rustix::fs::open(path, flags, Mode::from_raw_mode(0o600)).map_err(|e| IoError::new("open", path, e))?;
    Ok(fd.into())
}

#[cfg(test)]
mod tests;
