//! Mounts, and finding the mount that a path leads into.

use std::sync::Arc;

use graph::TreePath;

use super::{Container, ContainerMount, MountSource};
use engine::FailureCode;

impl Container {
    /// Returns the container with a mount. A mount at that path is replaced, and mounts below it are dropped.
    #[must_use]
    pub fn with_mount(&self, path: &str, source: MountSource) -> Self {
        let path = match self.config.workdir.join(path) {
            Ok(path) if path.is_root() => {
                let message = "path `/` cannot be mounted over: use `with-rootfs`";
                return self.with_error(FailureCode::InvalidArgument, message);
            }
            Ok(path) => path,
            Err(error) => return self.with_error(FailureCode::InvalidPath, error.to_string()),
        };
        let mut container = self.clone();
        let mounts = Arc::make_mut(&mut container.mounts);
        mounts.retain(|mount| mount.path.below(&path).is_none());
        mounts.push(ContainerMount { path, source });
        container
    }

    /// Returns the container without the mount at a path.
    #[must_use]
    pub fn without_mount(&self, path: &str) -> Self {
        match self.config.workdir.join(path) {
            Ok(path) => {
                let mut container = self.clone();
                Arc::make_mut(&mut container.mounts).retain(|mount| mount.path != path);
                container
            }
            Err(error) => self.with_error(FailureCode::InvalidPath, error.to_string()),
        }
    }

    /// Returns the innermost mount that a path leads into, and the path in that mount.
    pub(super) fn mount_of(&self, path: &TreePath) -> Option<(usize, TreePath)> {
        self.mounts
            .iter()
            .enumerate()
            .filter_map(|(index, mount)| path.below(&mount.path).map(|inner| (index, inner)))
            .min_by_key(|(_, inner)| inner.components().count())
    }
}
