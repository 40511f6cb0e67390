//! Files and directories of a container, in its root file system or in a mount.

use std::sync::Arc;

use engine::FailureCode;
use graph::{Contents, RemoveKind, Selection, TreePath};

use super::{Container, MountSource};
use crate::directory::Directory;
use crate::file::File;
use crate::options::{CopyOptions, NewOptions};

/// The part of a container that a path leads to.
enum PathTarget {
    Rootfs(TreePath),
    Mount(usize, TreePath),
}

impl Container {
    fn target_of(&self, path: &str) -> Result<PathTarget, String> {
        let path = self.config.workdir.join(path).map_err(|error| error.to_string())?;
        Ok(match self.mount_of(&path) {
            Some((index, inner)) => PathTarget::Mount(index, inner),
            None => PathTarget::Rootfs(path),
        })
    }

    fn select(&self, path: &str) -> Result<Selection, (FailureCode, String)> {
        match self.target_of(path).map_err(|message| (FailureCode::InvalidPath, message))? {
            PathTarget::Rootfs(inner) => Ok(join(&self.rootfs, &inner)),
            PathTarget::Mount(index, inner) => match &self.mounts[index].source {
                MountSource::Directory { selection, .. } | MountSource::File { selection, .. } => {
                    Ok(join(selection, &inner))
                }
                MountSource::Cache { .. } => {
                    Err((FailureCode::InvalidPath, format!("{path}: cannot retrieve path from cache")))
                }
                MountSource::Temp { .. } => {
                    Err((FailureCode::InvalidPath, format!("{path}: cannot retrieve path from tmpfs")))
                }
                MountSource::Secret { .. } => {
                    Err((FailureCode::NotFound, format!("{path}: no such file or directory")))
                }
            },
        }
    }

    /// Returns the directory at `path`.
    #[must_use]
    pub fn directory(&self, path: &str) -> Directory {
        match self.select(path) {
            Ok(selection) => Directory::at(selection),
            Err((code, message)) => Directory::failing(code, message),
        }
    }

    /// Returns the file at `path`.
    #[must_use]
    pub fn file(&self, path: &str) -> File {
        match self.select(path) {
            Ok(selection) => {
                let name = path.rsplit('/').next().unwrap_or_default().to_owned();
                File { name, ..File::at(selection) }
            }
            Err((code, message)) => File::failing(code, message),
        }
    }

    /// Returns the root file system without the mounts.
    #[must_use]
    pub fn rootfs(&self) -> Directory {
        Directory::at(self.rootfs.clone())
    }

    /// Changes the tree that `path` leads to. `change` gets the tree, and the path in it.
    fn with_tree(&self, path: &str, change: impl FnOnce(Directory, &str) -> Directory) -> Self {
        if self.failure().is_some() {
            return self.clone();
        }
        // A slash at the end says that a directory is meant. Normalisation must not remove it.
        let slash = if path.is_empty() || path == "." || path.ends_with('/') { "/" } else { "" };
        let mut container = self.clone();
        match self.target_of(path) {
            Err(message) => return self.with_error(FailureCode::InvalidPath, message),
            Ok(PathTarget::Rootfs(inner)) => {
                let changed = change(self.rootfs(), &format!("{}{slash}", inner.as_str()));
                container.rootfs = changed.selection;
            }
            Ok(PathTarget::Mount(index, inner)) => {
                let MountSource::Directory { selection, .. } = &mut Arc::make_mut(&mut container.mounts)[index].source
                else {
                    let message =
                        format!("path `{path}` is in a mount that is no directory: only commands can write there");
                    return self.with_error(FailureCode::InvalidPath, message);
                };
                let tree = Directory::at(selection.clone());
                *selection = change(tree, &format!("{}{slash}", inner.as_str())).selection;
            }
        }
        container
    }

    /// Returns the owner that is given, or else the user of the container if that is asked for.
    fn owner(&self, given: &Option<String>, inherit: bool) -> Option<String> {
        given.clone().or_else(|| self.config.user.clone().filter(|_| inherit))
    }

    fn owned(&self, options: &CopyOptions) -> CopyOptions {
        CopyOptions { owner: self.owner(&options.owner, options.inherit_owner), ..options.clone() }
    }

    /// Returns the container with a file of these contents.
    #[must_use]
    pub fn with_new_file(&self, path: &str, contents: impl Into<Contents>, options: &NewOptions) -> Self {
        let options = NewOptions { owner: self.owner(&options.owner, options.inherit_owner), ..options.clone() };
        self.with_tree(path, |tree, path| tree.with_new_file(path, contents, &options))
    }

    /// Returns the container with an empty directory.
    #[must_use]
    pub fn with_new_directory(&self, path: &str) -> Self {
        self.with_tree(path, |tree, path| tree.with_new_directory(path, &NewOptions::default()))
    }

    /// Returns the container with a copy of a file.
    #[must_use]
    pub fn with_file(&self, path: &str, source: &File, options: &CopyOptions) -> Self {
        let options = self.owned(options);
        self.with_tree(path, |tree, path| tree.with_file(path, source, &options))
    }

    /// Returns the container with a copy of each file, in the directory `path`.
    #[must_use]
    pub fn with_files<'a>(&self, path: &str, sources: impl IntoIterator<Item = &'a File>) -> Self {
        self.with_tree(path, |tree, path| tree.with_files(path, sources))
    }

    /// Returns the container with the contents of a directory.
    #[must_use]
    pub fn with_directory(&self, path: &str, source: &Directory, options: &CopyOptions) -> Self {
        let options = self.owned(options);
        self.with_tree(path, |tree, path| tree.with_directory(path, source, &options))
    }

    /// Returns the container with a symbolic link.
    #[must_use]
    pub fn with_symlink(&self, target: &str, link_name: &str) -> Self {
        self.with_tree(link_name, |tree, path| tree.with_symlink(target, path))
    }

    /// Returns the container without the entries that match `path`.
    #[must_use]
    pub fn without(&self, path: &str, kind: RemoveKind) -> Self {
        self.with_tree(path, |tree, path| tree.without(path, kind))
    }
}

fn join(selection: &Selection, inner: &TreePath) -> Selection {
    // `inner` is normalised: joining it cannot leave the selection.
    let path = selection.path.join(inner.as_str()).unwrap_or_default();
    selection.edge.clone().at(path)
}
