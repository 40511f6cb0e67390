//! Exports a tree to a directory of the user.
//!
//! The tree is merged with what exists in the directory. Nothing is written through a symbolic link below the
//! target, and a file that is replaced is complete at any time. Files belong to the user who runs the program,
//! and get no set-user-id and set-group-id bits.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use graph::{Blame, ContentDigest, Diagnostic, TreePath};
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::fs::{self, IoError};
use crate::layer::plan::PlanError;
use crate::layer::write::{Source, WriteError, timestamps};
use crate::layer::{PlanEntry, PlanKind};
use crate::nodes::NodeError;
use crate::store::Store;
use crate::tree::node::{Kind, Node};
use crate::tree::read::Selected;
use crate::tree::resolve::ReadError;

/// Why a tree could not be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The tree cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The entries of the tree cannot be listed.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The target cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl From<IoError> for ExportError {
    fn from(error: IoError) -> Self {
        Self::Write(error.into())
    }
}

impl From<NodeError> for ExportError {
    fn from(error: NodeError) -> Self {
        Self::Plan(error.into())
    }
}

impl Diagnostic for ExportError {
    fn blame(&self) -> Blame {
        match self {
            Self::Read(error) => error.blame(),
            Self::Plan(error) => error.blame(),
            Self::Write(error) => error.blame(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Read(error) => error.hint(),
            Self::Plan(error) => error.hint(),
            Self::Write(error) => error.hint(),
        }
    }
}

/// How much was exported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exported {
    /// How many files were written.
    pub n_files: usize,
    /// How many entries were removed because the tree does not have them.
    pub n_removed: usize,
}

impl Store {
    /// Writes the contents of a directory of a tree into a directory of this machine, which is made with its parents
    /// if it is missing. With `wipe`, entries that the tree does not have are removed from it.
    ///
    /// # Errors
    /// If the tree has no directory at the path, something of another kind exists in the target, or the target cannot
    /// be written.
    pub fn export(
        &self,
        tree: ContentDigest,
        path: &TreePath,
        target: &Path,
        wipe: bool,
    ) -> Result<Exported, ExportError> {
        let tree = self.subtree(tree, path)?;
        let plan = self.plan_layer(None, tree)?;
        match fs::make_dirs(target, 0o755) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                return Err(WriteError::InTheWay { path: target.to_owned(), wanted: "a directory" }.into());
            }
            made => made?,
        }
        let mut exporter = Exporter::open(target, self.blobs_dir())?;
        if wipe {
            let node = self.node(tree)?;
            exporter.wipe(self, &node, &mut Vec::new())?;
        }
        for entry in &plan.entries {
            exporter.entry(entry)?;
        }
        for entry in plan.entries.iter().rev().filter(|entry| matches!(entry.what, PlanKind::Directory { .. })) {
            exporter.finish_directory(entry)?;
        }
        Ok(exporter.exported)
    }

    /// Writes a file of a tree to a path of this machine, and makes the parents of the path. A link at the path is
    /// replaced and not followed.
    ///
    /// # Errors
    /// If the tree has no file at the path, a directory exists at the target, or the target cannot be written.
    pub fn export_file(&self, tree: ContentDigest, path: &TreePath, target: &Path) -> Result<Exported, ExportError> {
        let Selected::File(mut file) = self.select(tree, path)? else {
            return Err(ReadError::NotAFile { path: path.to_absolute(), found: "a directory" }.into());
        };
        let Some(name) = target.file_name() else {
            return Err(WriteError::InTheWay { path: target.to_owned(), wanted: "a file" }.into());
        };
        file.name = name.as_encoded_bytes().into();
        let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::make_dirs(parent, 0o755)?;
        let tree = self.put_node(Node::of(vec![file]))?;
        let plan = self.plan_layer(None, tree)?;
        let mut exporter = Exporter::open(parent, self.blobs_dir())?;
        plan.entries.iter().try_for_each(|entry| exporter.entry(entry))?;
        Ok(exporter.exported)
    }
}

struct Exporter<'a> {
    target: &'a Path,
    blobs_dir: PathBuf,
    root: OwnedFd,
    exported: Exported,
}

impl<'a> Exporter<'a> {
    fn open(target: &'a Path, blobs_dir: PathBuf) -> Result<Self, IoError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(target, flags, Mode::empty());
        let root = root.map_err(|e| IoError::new("open directory", target, e))?;
        Ok(Self { target, blobs_dir, root, exported: Exported::default() })
    }

    fn path(&self, path: &[u8]) -> PathBuf {
        self.target.join(fs::path_of(path))
    }

    fn error(&self, action: &'static str, path: &[u8], errno: impl Into<std::io::Error>) -> WriteError {
        IoError::new(action, self.path(path), errno).into()
    }

    fn parent(&self, path: &[u8]) -> Result<OwnedFd, WriteError> {
        let parent = path.iter().rposition(|&b| b == b'/').map_or(&b""[..], |i| &path[..i]);
        let fd = fs::open_beneath(&self.root, parent, OFlags::PATH | OFlags::DIRECTORY, Mode::empty());
        fd.map_err(|e| self.error("open directory", parent, e))
    }

    fn entry(&mut self, entry: &PlanEntry) -> Result<(), WriteError> {
        let path = &entry.path;
        let name = path.rsplit(|&b| b == b'/').next().unwrap_or(path);
        let parent = self.parent(path)?;
        let there = rustix::fs::statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW).ok();
        let is_directory = there.is_some_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory);
        if let PlanKind::Directory { .. } = entry.what {
            if is_directory {
                return Ok(());
            }
            if there.is_some() {
                rustix::fs::unlinkat(&parent, name, AtFlags::empty()).map_err(|e| self.error("replace", path, e))?;
            }
            let made = rustix::fs::mkdirat(&parent, name, Mode::from_raw_mode(0o700));
            return made.map_err(|e| self.error("make directory", path, e));
        }
        if is_directory {
            return Err(WriteError::InTheWay { path: self.path(path), wanted: "a file" });
        }
        // The temporary file is in the same directory, so that it can be moved into place.
        let temporary = format!(".host-{}", fs::unique_name());
        let made = self.make(&parent, &temporary, entry).and_then(|()| {
            let moved = rustix::fs::renameat(&parent, temporary.as_str(), &parent, name);
            moved.map_err(|e| self.error("move into place", path, e))
        });
        if made.is_err() {
            // The error above is the one that is returned.
            let _ = rustix::fs::unlinkat(&parent, temporary.as_str(), AtFlags::empty());
        }
        self.exported.n_files += 1;
        made
    }

    fn make(&self, parent: &OwnedFd, name: &str, entry: &PlanEntry) -> Result<(), WriteError> {
        let path = &entry.path;
        match &entry.what {
            PlanKind::File { digest, external, .. } => {
                let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
                let to = rustix::fs::openat(parent, name, flags, Mode::from_raw_mode(0o600));
                let mut to = File::from(to.map_err(|e| self.error("create", path, e))?);
                let (from, stamp) = external.clone().map_or((None, None), |(path, stamp)| (Some(path), Some(stamp)));
                let from = from.unwrap_or_else(|| crate::blob::blob_path(&self.blobs_dir, digest));
                Source { path: from, stamp, digest }.copy_to(&mut to, &self.path(path))?;
                let mode = std::fs::Permissions::from_mode(entry.owned.mode & 0o777);
                to.set_permissions(mode).map_err(|e| self.error("set mode of", path, e))?;
            }
            PlanKind::Symlink { target } => {
                rustix::fs::symlinkat(&**target, parent, name).map_err(|e| self.error("make link", path, e))?;
            }
            _ => {
                let mode = Mode::from_raw_mode(entry.owned.mode & 0o777);
                let made = rustix::fs::mknodat(parent, name, FileType::Fifo, mode, 0);
                made.map_err(|e| self.error("make pipe", path, e))?;
            }
        }
        let Some(time) = entry.mtime_ns else { return Ok(()) };
        let done = rustix::fs::utimensat(parent, name, &timestamps(time), AtFlags::SYMLINK_NOFOLLOW);
        done.map_err(|e| self.error("set time of", path, e))
    }

    /// Removes the entries of a directory that the tree does not have.
    fn wipe(&mut self, store: &Store, node: &Node, at: &mut Vec<u8>) -> Result<(), ExportError> {
        for name in fs::names(&self.path(at))? {
            let n = at.len();
            if n > 0 {
                at.push(b'/');
            }
            at.extend_from_slice(name.as_encoded_bytes());
            let path = self.path(at);
            let is_directory = fs::lstat(&path)?.is_dir();
            match node.get(name.as_encoded_bytes()).map(|entry| &entry.kind) {
                Some(Kind::Directory { digest }) if is_directory => self.wipe(store, &*store.node(*digest)?, at)?,
                Some(_) if !is_directory => {}
                _ => {
                    if is_directory {
                        fs::remove_all(&path)?
                    } else {
                        fs::remove_file(&path)?
                    }
                    self.exported.n_removed += 1;
                }
            }
            at.truncate(n);
        }
        Ok(())
    }

    fn finish_directory(&self, entry: &PlanEntry) -> Result<(), WriteError> {
        let path = &entry.path;
        let fd = fs::open_beneath(&self.root, path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty());
        let fd = fd.map_err(|e| self.error("open directory", path, e))?;
        let mode = Mode::from_raw_mode(entry.owned.mode & 0o777);
        match rustix::fs::fchmod(&fd, mode) {
            // The directory existed before and belongs to another user.
            Err(Errno::PERM) => return Ok(()),
            done => done.map_err(|e| self.error("set mode of", path, e))?,
        }
        let Some(time) = entry.mtime_ns else { return Ok(()) };
        rustix::fs::futimens(&fd, &timestamps(time)).map_err(|e| self.error("set time of", path, e))
    }
}
