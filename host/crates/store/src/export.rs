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

use crate::budget::Budget;
use crate::fs::{self, Directories, IoError};
use crate::layer::plan::PlanError;
use crate::layer::write::{Source, WriteError, open_machine, timestamps};
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
    /// Removes contents that an export found to be damaged.
    fn heal_export(&self, error: &ExportError) {
        if let ExportError::Write(error) = error {
            self.heal(error);
        }
    }

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
        let (root, machine) = (open(target)?, open_machine()?);
        let mut exporter = Exporter::new(self, target, &root, &machine);
        if wipe {
            exporter.wipe(tree)?;
        }
        for entry in &plan.entries {
            exporter.entry(entry).inspect_err(|error| self.heal_export(error))?;
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
        let (root, machine) = (open(parent)?, open_machine()?);
        let mut exporter = Exporter::new(self, parent, &root, &machine);
        plan.entries.iter().try_for_each(|entry| exporter.entry(entry)).inspect_err(|error| self.heal_export(error))?;
        Ok(exporter.exported)
    }
}

fn open(target: &Path) -> Result<OwnedFd, IoError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(target, flags, Mode::empty()).map_err(|e| IoError::new("open directory", target, e))
}

struct Exporter<'a> {
    store: &'a Store,
    budget: Budget,
    target: &'a Path,
    directories: Directories<'a>,
    /// The directories of this machine that files are copied from.
    sources: Directories<'a>,
    exported: Exported,
}

impl<'a> Exporter<'a> {
    fn new(store: &'a Store, target: &'a Path, root: &'a OwnedFd, machine: &'a OwnedFd) -> Self {
        let (directories, sources) = (Directories::new(root), Directories::new(machine));
        Self { store, budget: store.budget(), target, directories, sources, exported: Exported::default() }
    }

    fn path(&self, path: &[u8]) -> PathBuf {
        self.target.join(fs::path_of(path))
    }

    fn error(&self, action: &'static str, path: &[u8], errno: impl Into<std::io::Error>) -> WriteError {
        IoError::new(action, self.path(path), errno).into()
    }

    /// Opens a directory of the target. The descriptor is one of its own, so that more can be opened meanwhile.
    fn directory(&mut self, path: &[u8], flags: OFlags) -> Result<OwnedFd, WriteError> {
        let opened = self.directories.open(path).and_then(|fd| {
            let flags = flags | OFlags::DIRECTORY | OFlags::CLOEXEC;
            rustix::fs::openat(fd, ".", flags, Mode::empty())
        });
        opened.map_err(|e| self.error("open directory", path, e))
    }

    fn entry(&mut self, entry: &PlanEntry) -> Result<(), ExportError> {
        // The plan is made at once; writing it can take long.
        self.budget.check().map_err(NodeError::from)?;
        let path = &entry.path;
        let (above, name) = split(path);
        let parent = self.directory(above, OFlags::PATH)?;
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
            return Ok(made.map_err(|e| self.error("make directory", path, e))?);
        }
        if is_directory {
            return Err(WriteError::InTheWay { path: self.path(path), wanted: "a file" }.into());
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
        Ok(made?)
    }

    fn make(&mut self, parent: &OwnedFd, name: &str, entry: &PlanEntry) -> Result<(), WriteError> {
        let path = &entry.path;
        match &entry.what {
            PlanKind::File { digest, external, .. } => {
                let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
                let to = rustix::fs::openat(parent, name, flags, Mode::from_raw_mode(0o600));
                let mut to = File::from(to.map_err(|e| self.error("create", path, e))?);
                let (from, stamp) = external.clone().map_or((None, None), |(path, stamp)| (Some(path), Some(stamp)));
                let from = from.unwrap_or_else(|| self.store.blob_path(digest));
                let target = self.path(path);
                Source { path: from, stamp, digest }.copy_to(&mut to, &target, &mut self.sources)?;
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

    /// Removes the entries of the target that the tree does not have.
    fn wipe(&mut self, tree: ContentDigest) -> Result<(), ExportError> {
        let mut pending = vec![(Vec::new(), tree)];
        while let Some((at, digest)) = pending.pop() {
            self.budget.check().map_err(NodeError::from)?;
            let node = self.store.node(digest)?;
            let directory = self.directory(&at, OFlags::RDONLY)?;
            let entries = rustix::fs::Dir::read_from(&directory).map_err(|e| self.error("list", &at, e))?;
            for entry in entries {
                let entry = entry.map_err(|e| self.error("list", &at, e))?;
                let name = entry.file_name();
                if matches!(name.to_bytes(), b"." | b"..") {
                    continue;
                }
                let path = if at.is_empty() { name.to_bytes().to_vec() } else { [&at, name.to_bytes()].join(&b'/') };
                let stat = rustix::fs::statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW);
                let stat = stat.map_err(|e| self.error("stat", &path, e))?;
                let is_directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
                match node.get(name.to_bytes()).map(|entry| &entry.kind) {
                    Some(Kind::Directory { digest }) if is_directory => pending.push((path, *digest)),
                    Some(_) if !is_directory => {}
                    _ => {
                        let removed = disk::remove_at(&directory, fs::path_of(name.to_bytes()));
                        removed.map_err(|e| self.error("remove", &path, e))?;
                        self.exported.n_removed += 1;
                    }
                }
            }
        }
        Ok(())
    }

    fn finish_directory(&mut self, entry: &PlanEntry) -> Result<(), WriteError> {
        let path = &entry.path;
        let (above, name) = split(path);
        let parent = self.directory(above, OFlags::PATH)?;
        let fd = fs::open_beneath(&parent, name, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty());
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

/// Splits a path into that of the directory and the name in it.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    path.iter().rposition(|&b| b == b'/').map_or((b"", path), |cut| (&path[..cut], &path[cut + 1..]))
}
