//! From a command to what its container needs: entries of its volume, mounts, secrets, and flags of the shim.

use std::collections::HashMap;

use engine::Failure;
use evaluate::{Command, Mount, Mounted, in_lock_order};
use graph::{ContentDigest, FileOp, TreePath};
use store::{Entry, Kind, Owned, Store};
use tokio_util::sync::CancellationToken;
use trees::failure::edit_failure;

use super::cache::{self, Cache};
use super::labelled::{self, LabelledDocker};
use super::root_images::RootImage;
use super::stubs;
use super::volume::entry_name;
use crate::step::{StartOptions, mounts_below};

/// What the container of a command needs.
pub(crate) struct Prepared {
    /// The image with the files of its root.
    pub(crate) image: RootImage,
    /// The entries of the directory `mounts` in its own volume.
    pub(crate) entries: Vec<Entry>,
    /// Where each of them is mounted, and whether it can be written to.
    pub(crate) binds: Vec<(String, bool)>,
    /// The outputs besides the root, in their order.
    pub(crate) outputs: Vec<Writable>,
    /// Cache volumes, and the places where they are mounted.
    pub(crate) caches: Vec<(Cache, Vec<String>)>,
    /// Directories in memory with their options.
    pub(crate) tmpfs: HashMap<String, String>,
    /// Secrets that are files.
    pub(crate) secrets: Vec<Secret>,
    /// What decides about the start of the shim.
    pub(crate) options: StartOptions,
}

/// A mount whose contents are an output.
pub(crate) struct Writable {
    /// The number of its entry; none for a single file, which cannot be written to.
    pub(crate) entry: usize,
    /// The tree that was there before.
    pub(crate) before: ContentDigest,
    /// The paths of what is mounted in it.
    pub(crate) below: Vec<String>,
}

/// A secret that is a file.
pub(crate) struct Secret {
    pub(crate) dest: String,
    pub(crate) value: Vec<u8>,
    pub(crate) owned: Owned,
}

/// Prepares a command whose root is in an image.
pub(crate) async fn prepare(
    store: &Store,
    docker: &LabelledDocker,
    command: &Command<'_, ()>,
    image: RootImage,
    cancel: &CancellationToken,
) -> Result<Prepared, Failure> {
    let owned = store.node(command.root.digest).map_err(Failure::of)?.owned();
    let prepared = Prepared {
        options: StartOptions {
            has_previous: !image.stubs.is_empty(),
            // Docker gives the root of an image the usual mode and owner.
            owned: vec![("/".to_owned(), owned)],
            has_fixed_privileges: !command.gains_privileges,
            ..StartOptions::default()
        },
        image,
        entries: Vec::new(),
        binds: Vec::new(),
        outputs: Vec::new(),
        caches: Vec::new(),
        tmpfs: HashMap::new(),
        secrets: Vec::new(),
    };
    let mut preparer = Preparer { store, command, prepared };
    for (numbers, cache) in in_lock_order(&command.mounts) {
        let image = &preparer.prepared.image.reference;
        let cache = cache::open(docker, store, cache, image, cancel).await?;
        let places = numbers.into_iter().map(|n| command.mounts[n].path.to_absolute()).collect();
        preparer.prepared.caches.push((cache, places));
    }
    command.mounts.iter().try_for_each(|mount| preparer.mount(mount))?;
    Ok(preparer.prepared)
}

struct Preparer<'a, 'b> {
    store: &'a Store,
    command: &'a Command<'b, ()>,
    prepared: Prepared,
}

impl Preparer<'_, '_> {
    fn mount(&mut self, mount: &Mount<'_, ()>) -> Result<(), Failure> {
        let dest = mount.path.to_absolute();
        match &mount.what {
            Mounted::File(entry) => self.entry(entry.kind.clone(), entry.owned, dest, false),
            // No runtime can make a mountpoint in it.
            Mounted::Directory { tree, output: None } => {
                let tree = self.with_mountpoints(tree.digest, mount.path)?;
                self.directory(tree, dest, false)?;
            }
            Mounted::Directory { tree, output: Some(_) } => self.writable(tree.digest, mount)?,
            Mounted::Secret { value, owned } => {
                self.prepared.secrets.push(Secret { dest, value: value.clone(), owned: *owned });
            }
            Mounted::Tmpfs { size_bytes, mode } => {
                let size = size_bytes.map(|size| format!(",size={size}")).unwrap_or_default();
                self.prepared.options.owned.push((dest.clone(), Owned { mode: *mode, uid: 0, gid: 0 }));
                self.prepared.tmpfs.insert(dest, format!("rw,exec,nosuid,nodev,mode={mode:o}{size}"));
            }
            Mounted::Cache(_) => {}
        }
        Ok(())
    }

    /// Adds something to the directory of what is mounted.
    fn entry(&mut self, kind: Kind, owned: Owned, dest: String, is_writable: bool) {
        let name = entry_name(self.prepared.entries.len());
        self.prepared.entries.push(Entry::new(name.as_bytes(), kind, owned));
        self.prepared.binds.push((dest, is_writable));
    }

    fn directory(&mut self, tree: ContentDigest, dest: String, is_writable: bool) -> Result<(), Failure> {
        let (kind, owned) = labelled::directory(self.store, tree)?;
        self.entry(kind, owned, dest, is_writable);
        Ok(())
    }

    fn writable(&mut self, before: ContentDigest, mount: &Mount<'_, ()>) -> Result<(), Failure> {
        let below = mounts_below(self.command.op, mount.path).map(str::to_owned).collect();
        let writable = Writable { entry: self.prepared.entries.len(), before, below: stubs::with_parents(below) };
        self.prepared.outputs.push(writable);
        self.directory(before, mount.path.to_absolute(), true)
    }

    /// Returns a tree that has everything that something is mounted on.
    fn with_mountpoints(&self, tree: ContentDigest, outer: &TreePath) -> Result<ContentDigest, Failure> {
        let mut tree = tree;
        for mount in &self.command.mounts {
            let inside = mount.path.as_str().strip_prefix(outer.as_str()).and_then(|rest| rest.strip_prefix('/'));
            let Some(path) = inside.and_then(|inside| TreePath::parse(inside).ok()) else { continue };
            if self.store.stat(tree, &path, false).is_ok_and(|found| found.is_some()) {
                continue;
            }
            let op = match mount.what {
                Mounted::File(_) | Mounted::Secret { .. } => {
                    FileOp::MakeFile { path, contents: b""[..].into(), mode: 0o644, owner: None }
                }
                Mounted::Directory { .. } | Mounted::Cache(_) | Mounted::Tmpfs { .. } => {
                    FileOp::MakeDirectory { path, mode: 0o755, owner: None }
                }
            };
            tree = self.store.apply(&op, tree, None).map_err(edit_failure)?;
        }
        Ok(tree)
    }
}
