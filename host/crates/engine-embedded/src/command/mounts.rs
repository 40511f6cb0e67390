//! The place where a command runs: its trees as directories, and directories for what it writes.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use engine::Failure;
use evaluate::{Command, Mount, Mounted, OpenVolume, Tree, in_lock_order};
use graph::ContentDigest;
use store::{Entry, LayerId, Node, Store};
use tokio_util::sync::CancellationToken;
use zone::{After, MountSpec, RootSpec, SecretBytes};

use super::{collect, volumes};
use crate::layout::Layouts;

/// The name under which a file that is mounted alone stands in its tree.
const SINGLE: &str = "file";

/// The directories of one command. They are removed with this, and cache volumes are given back.
pub(crate) struct Workplace {
    /// The directory that has all others.
    dir: PathBuf,
    /// The directories that get what the command writes: to its root, then to its writable mounts.
    uppers: Vec<PathBuf>,
    volumes: Vec<OpenVolume>,
}

/// The trees of a command as directories of this machine.
#[derive(Debug)]
pub(crate) struct LaidOut {
    /// The root of the container.
    pub(crate) root: RootSpec,
    /// The mounts, in the order of the operation.
    pub(crate) mounts: Vec<MountSpec>,
    /// Reads what was written when the command has exited.
    pub(crate) after: After,
}

/// The directories of a writable overlay.
struct Writable {
    /// Gets what is written.
    upper: PathBuf,
    /// For the overlay's own use.
    work: PathBuf,
}

impl Workplace {
    /// Makes an empty place.
    pub(crate) fn new(store: &Store) -> Result<Self, Failure> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let parent = store.temporary_dir().map_err(Failure::of)?;
        let dir = parent.join(format!("exec-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        make_dir(&dir)?;
        Ok(Self { dir, uppers: Vec::new(), volumes: Vec::new() })
    }

    /// Returns where the command writes: to its root, then to its writable mounts.
    pub(crate) fn uppers(&self) -> &[PathBuf] {
        &self.uppers
    }

    /// Lays out everything that a command needs.
    pub(crate) async fn lay_out(
        &mut self,
        layouts: &Layouts,
        command: &Command<'_, Vec<LayerId>>,
        cancel: &CancellationToken,
    ) -> Result<LaidOut, Failure> {
        let root = self.root(layouts, &command.root).await?;
        let volumes = self.open_volumes(layouts, command, cancel).await?;
        let mut mounts = Vec::with_capacity(command.mounts.len());
        for (mount, volume) in command.mounts.iter().zip(volumes) {
            mounts.push(self.mount(layouts, mount, volume).await?);
        }
        let codes = match &command.op.expect {
            graph::Expect::Codes(codes) => Some(codes.clone()),
            graph::Expect::Any => None,
        };
        let payload = collect::request(&self.uppers, layouts.store());
        let after = After { name: collect::NAME.to_owned(), payload, codes };
        Ok(LaidOut { root, mounts, after })
    }

    /// Makes the directories of a writable overlay, whose own mode and owner are those of the tree.
    async fn writable(&mut self, layouts: &Layouts, tree: ContentDigest) -> Result<Writable, Failure> {
        let at = self.dir.join(self.uppers.len().to_string());
        let writable = Writable { upper: at.join("upper"), work: at.join("work") };
        make_dir(&writable.upper)?;
        make_dir(&writable.work)?;
        let node = layouts.store().node(tree).map_err(Failure::of)?;
        layouts.set_owned(&writable.upper, node.owned()).await?;
        self.uppers.push(writable.upper.clone());
        Ok(writable)
    }

    async fn root(&mut self, layouts: &Layouts, tree: &Tree<Vec<LayerId>>) -> Result<RootSpec, Failure> {
        let lowers = lowers(layouts, tree).await?;
        let Writable { upper, work } = self.writable(layouts, tree.digest).await?;
        let views = layouts.store().machine_views(tree.digest).map_err(Failure::of)?;
        let bind = |(path, host): (Vec<u8>, PathBuf)| (host, format!("/{}", String::from_utf8_lossy(&path)));
        Ok(RootSpec { lowers, upper, work, read_only_binds: views.into_iter().map(bind).collect() })
    }

    /// Opens the cache volumes of a command. Returns the directory of each mount that shows one.
    async fn open_volumes(
        &mut self,
        layouts: &Layouts,
        command: &Command<'_, Vec<LayerId>>,
        cancel: &CancellationToken,
    ) -> Result<Vec<Option<PathBuf>>, Failure> {
        let mut found = vec![None; command.mounts.len()];
        for (numbers, cache) in in_lock_order(&command.mounts) {
            let volume = volumes::open(layouts, cache, cancel).await?;
            numbers.into_iter().for_each(|n| found[n] = Some(volume.volume.data.clone()));
            self.volumes.push(volume);
        }
        Ok(found)
    }

    /// Makes a mount. `volume` is the directory of the cache volume that it shows.
    async fn mount(
        &mut self,
        layouts: &Layouts,
        mount: &Mount<'_, Vec<LayerId>>,
        volume: Option<PathBuf>,
    ) -> Result<MountSpec, Failure> {
        let path = mount.path.to_absolute();
        match &mount.what {
            Mounted::Directory { tree, output } => self.directory(layouts, tree, output.is_some(), path).await,
            Mounted::File(entry) => file(layouts, entry, path).await,
            Mounted::Cache(_) => {
                let source = volume.ok_or_else(|| Failure::bug("a cache volume was not opened"))?;
                Ok(MountSpec::Bind { source, path, is_read_only: false })
            }
            Mounted::Secret { value, owned } => {
                let (contents, mode) = (SecretBytes(value.clone()), owned.mode);
                Ok(MountSpec::SecretFile { path, contents, mode, uid: owned.uid, gid: owned.gid })
            }
            Mounted::Tmpfs { size_bytes, mode } => Ok(MountSpec::Tmpfs { path, size_bytes: *size_bytes, mode: *mode }),
        }
    }

    async fn directory(
        &mut self,
        layouts: &Layouts,
        tree: &Tree<Vec<LayerId>>,
        is_writable: bool,
        path: String,
    ) -> Result<MountSpec, Failure> {
        let mut lowers = lowers(layouts, tree).await?;
        if lowers.is_empty() {
            // An overlay needs at least one.
            let empty = self.dir.join("empty");
            make_dir(&empty)?;
            lowers.push(empty);
        }
        if !is_writable {
            return Ok(MountSpec::Overlay { lowers, upper: None, work: None, path });
        }
        let Writable { upper, work } = self.writable(layouts, tree.digest).await?;
        Ok(MountSpec::Overlay { lowers, upper: Some(upper), work: Some(work), path })
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        // The kernel's own directories in it have no permissions at all. What other users of a user namespace left
        // there goes with the next sweep of the store.
        let _ = store::remove_stubborn(&self.dir);
    }
}

/// Mounts a file, which is laid out in a tree of its own.
async fn file(layouts: &Layouts, entry: &Entry, path: String) -> Result<MountSpec, Failure> {
    let entry = Entry { name: SINGLE.as_bytes().into(), ..entry.clone() };
    let tree = layouts.store().put_node(Node::of(vec![entry])).map_err(Failure::of)?;
    let mut lowers = lowers(layouts, &Tree::of(tree)).await?;
    let layer = lowers.pop().ok_or_else(|| Failure::bug("a file was laid out without a layer"))?;
    Ok(MountSpec::BindFile { source: layer.join(SINGLE), path, is_read_only: true })
}

async fn lowers(layouts: &Layouts, tree: &Tree<Vec<LayerId>>) -> Result<Vec<PathBuf>, Failure> {
    let layers = layouts.lay_out(tree).await?;
    Ok(layers.iter().map(|layer| layouts.store().layer_path(layer)).collect())
}

fn make_dir(path: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(path)
        .map_err(|error| Failure::environment(format!("directory `{}` cannot be made: {error}", path.display()), None))
}
