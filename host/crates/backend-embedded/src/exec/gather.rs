//! What a command needs before it can run: layers, directories to write in, users, secrets.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use backend::{Failure, FailureCode};
use graph::{ContentDigest, Edge, ExecOp, FileOp, Mount, MountKind, Selection, TreePath, Vertex};
use store::{Entry, Node, Selected, StatKind};

use super::collect::Uppers;
use super::prepare::{Gathered, Writable};
use super::user::{self, User};
use super::volumes::{self, VolumeGuard};
use crate::engine::Engine;
use crate::layout;
use crate::value::{Tree, Value};
use trees::failure::{edit_failure, failure, read_failure};
use zone::{After, MountSpec, RootSpec, SecretBytes};

/// The name under which a file that is mounted alone stands in its tree.
const SINGLE: &str = "file";

/// A command that is about to run, and what is to be done with what it writes.
pub(crate) struct Work {
    gathered: Option<Gathered>,
    /// The trees that are written to: the root, then the writable mounts by their outputs.
    pub(crate) bases: Vec<Tree>,
    /// Where each of them is written.
    pub(crate) uppers: Vec<PathBuf>,
    /// The values of all secrets that the command can see.
    pub(crate) secrets: Vec<Vec<u8>>,
    /// Cache volumes that are held until the command has ended.
    pub(crate) volumes: Vec<VolumeGuard>,
    /// What is removed at the end, whatever happens.
    scratch: PathBuf,
}

impl Work {
    /// Takes what was gathered for `prepare`.
    pub(crate) fn take_gathered(&mut self) -> Result<Gathered, Failure> {
        self.gathered.take().ok_or_else(|| Failure::bug("a command was prepared twice"))
    }

    /// Removes what is left of the scratch directory.
    pub(crate) fn remove(&mut self) {
        // The kernel's own directories in it have no permissions at all. What other users of a user namespace left
        // there goes with the next sweep of the store.
        let _ = store::remove_stubborn(&self.scratch);
    }
}

/// Gathers what a command needs.
pub(crate) async fn gather(
    engine: &Arc<Engine>,
    vertex: &Vertex,
    op: &ExecOp,
    inputs: &[Value],
) -> Result<Work, Failure> {
    let scratch = new_scratch(engine)?;
    let mut work = Work {
        gathered: None,
        bases: Vec::new(),
        uppers: Vec::new(),
        secrets: Vec::new(),
        volumes: Vec::new(),
        scratch,
    };
    let gatherer = Gatherer { engine, vertex, inputs };
    let root_tree = gatherer.tree(0)?;
    let user = gatherer.user(&root_tree, op.user.as_deref())?;
    gatherer.check_workdir(&root_tree, op)?;
    let root = gatherer.root(&root_tree, &mut work).await?;
    let mut mounts = Vec::with_capacity(op.mounts.len());
    for mount in &op.mounts {
        mounts.push(gatherer.mount(mount, &root_tree, &mut work).await?);
    }
    let mut secret_env = Vec::with_capacity(op.secret_env.len());
    for (name, secret) in &op.secret_env {
        let value = engine.io.secrets.value(secret)?;
        work.secrets.push(value.clone());
        secret_env.push((name.clone(), SecretBytes(value)));
    }
    let uppers = Uppers { uppers: work.uppers.clone(), blobs: engine.store.blobs_dir() };
    let codes = match &op.expect {
        graph::Expect::Codes(codes) => Some(codes.clone()),
        graph::Expect::Any => None,
    };
    let after = After { name: super::collect::NAME.to_owned(), payload: uppers.encode(), codes };
    work.gathered = Some(Gathered { root, mounts, user, secret_env, after, timeout: engine.io.timeout });
    Ok(work)
}

/// Makes a directory of its own for one command.
fn new_scratch(engine: &Engine) -> Result<PathBuf, Failure> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let parent = engine.store.temporary_dir().map_err(|error| failure(&error))?;
    let path = parent.join(format!("exec-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
    make_dir(&path)?;
    Ok(path)
}

pub(super) fn make_dir(path: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(path)
        .map_err(|error| Failure::environment(format!("directory `{}` cannot be made: {error}", path.display()), None))
}

struct Gatherer<'a> {
    engine: &'a Arc<Engine>,
    vertex: &'a Vertex,
    inputs: &'a [Value],
}

impl Gatherer<'_> {
    fn input(&self, index: usize) -> Result<(&Selection, Tree), Failure> {
        let input = self.vertex.inputs().get(index).zip(self.inputs.get(index));
        let (selection, value) = input.ok_or_else(|| Failure::bug("a mount names an input that is not there"))?;
        let Selection { edge: Edge { output, .. }, .. } = selection;
        Ok((selection, value.output(*output)))
    }

    /// Returns the directory that an input selects, as a tree.
    fn tree(&self, index: usize) -> Result<Tree, Failure> {
        let (selection, tree) = self.input(index)?;
        if selection.path.is_root() {
            return Ok(tree);
        }
        let digest = self.engine.store.subtree(tree.digest, &selection.path).map_err(|error| read_failure(&error))?;
        Ok(Tree::of(digest))
    }

    fn user(&self, root: &Tree, user: Option<&str>) -> Result<User, Failure> {
        let text = |path: &str| {
            let path = TreePath::parse(path).unwrap_or_default();
            let bytes = self.engine.store.read_file(root.digest, &path, 0, None).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        user::resolve(user, &text("etc/passwd"), &text("etc/group"))
            .map_err(|unknown| Failure::invalid(FailureCode::InvalidArgument, unknown.to_string()))
    }

    /// Refuses a working directory that is something else. One in a mount is looked at when it is entered.
    fn check_workdir(&self, root: &Tree, op: &ExecOp) -> Result<(), Failure> {
        if op.mounts.iter().any(|mount| op.cwd.below(&mount.path).is_some()) {
            return Ok(());
        }
        let found = self.engine.store.stat(root.digest, &op.cwd, true).map_err(|error| read_failure(&error))?;
        match found {
            Some(stat) if stat.kind != StatKind::Directory => {
                let message = format!("working directory `{}` is not a directory", op.cwd.to_absolute());
                Err(Failure::invalid(FailureCode::NotADirectory, message))
            }
            _ => Ok(()),
        }
    }

    fn owner(&self, root: &Tree, owner: Option<&str>) -> Result<(u32, u32), Failure> {
        let Some(owner) = owner else { return Ok((0, 0)) };
        self.engine.store.resolve_owner(root.digest, owner).map_err(|error| edit_failure(&error))
    }

    /// Makes the directories of a writable overlay, whose own mode and owner are those of the tree.
    async fn writable(&self, tree: &Tree, work: &mut Work) -> Result<Writable, Failure> {
        let at = work.scratch.join(work.uppers.len().to_string());
        let writable = Writable { upper: at.join("upper"), work: at.join("work") };
        make_dir(&writable.upper)?;
        make_dir(&writable.work)?;
        let node = self.engine.store.node(tree.digest).map_err(|error| failure(&error))?;
        layout::set_owned(self.engine, &writable.upper, node.owned()).await?;
        work.bases.push(tree.clone());
        work.uppers.push(writable.upper.clone());
        Ok(writable)
    }

    async fn lowers(&self, tree: &Tree) -> Result<Vec<PathBuf>, Failure> {
        let layers = layout::lay_out(self.engine, tree).await?;
        Ok(layers.iter().map(|layer| self.engine.store.layer_path(layer)).collect())
    }

    async fn root(&self, tree: &Tree, work: &mut Work) -> Result<RootSpec, Failure> {
        let lowers = self.lowers(tree).await?;
        let Writable { upper, work: workdir } = self.writable(tree, work).await?;
        let views = self.engine.store.machine_views(tree.digest).map_err(|error| failure(&error))?;
        let bind = |(path, host): (Vec<u8>, PathBuf)| (host, format!("/{}", String::from_utf8_lossy(&path)));
        let read_only_binds = views.into_iter().map(bind).collect();
        Ok(RootSpec { lowers, upper, work: workdir, read_only_binds })
    }

    async fn mount(&self, mount: &Mount, root: &Tree, work: &mut Work) -> Result<MountSpec, Failure> {
        let path = mount.path.to_absolute();
        match &mount.kind {
            MountKind::Bind { input, output, owner } => {
                self.bind(*input, output.is_some(), owner.as_deref(), path, root, work).await
            }
            MountKind::Cache { key, sharing, owner, seed } => {
                let owner = self.owner(root, owner.as_deref())?;
                let seed = seed.map(|seed| self.tree(seed)).transpose()?;
                let guard = volumes::open(self.engine, key, *sharing, owner, seed.as_ref()).await?;
                let source = guard.path();
                work.volumes.push(guard);
                Ok(MountSpec::Bind { source, path, is_read_only: false })
            }
            MountKind::Secret { name, owner, mode } => {
                let (uid, gid) = self.owner(root, owner.as_deref())?;
                let value = self.engine.io.secrets.value(name)?;
                work.secrets.push(value.clone());
                Ok(MountSpec::SecretFile { path, contents: SecretBytes(value), mode: *mode, uid, gid })
            }
            MountKind::Tmpfs { size_bytes, mode } => {
                Ok(MountSpec::Tmpfs { path, size_bytes: *size_bytes, mode: *mode })
            }
        }
    }

    async fn bind(
        &self,
        input: usize,
        is_writable: bool,
        owner: Option<&str>,
        path: String,
        root: &Tree,
        work: &mut Work,
    ) -> Result<MountSpec, Failure> {
        let (selection, tree) = self.input(input)?;
        let store = &self.engine.store;
        let selected = store.select(tree.digest, &selection.path).map_err(|error| read_failure(&error))?;
        let (tree, is_file) = match selected {
            Selected::Directory(digest) if digest == tree.digest => (tree, false),
            Selected::Directory(digest) => (Tree::of(digest), false),
            Selected::File(entry) => (Tree::of(self.single(entry)?), true),
        };
        let tree = self.chown(tree, root, owner)?;
        if is_file {
            let mut lowers = self.lowers(&tree).await?;
            let layer = lowers.pop().ok_or_else(|| Failure::bug("a file was laid out without a layer"))?;
            return Ok(MountSpec::BindFile { source: layer.join(SINGLE), path, is_read_only: true });
        }
        let mut lowers = self.lowers(&tree).await?;
        if lowers.is_empty() {
            // An overlay takes no fewer than one.
            let empty = work.scratch.join("empty");
            make_dir(&empty)?;
            lowers.push(empty);
        }
        if !is_writable {
            return Ok(MountSpec::Overlay { lowers, upper: None, work: None, path });
        }
        let Writable { upper, work: workdir } = self.writable(&tree, work).await?;
        Ok(MountSpec::Overlay { lowers, upper: Some(upper), work: Some(workdir), path })
    }

    /// Makes a tree of one file.
    fn single(&self, entry: Entry) -> Result<ContentDigest, Failure> {
        let entry = Entry { name: SINGLE.as_bytes().into(), ..entry };
        self.engine.store.put_node(Node::of(vec![entry])).map_err(|error| failure(&error))
    }

    fn chown(&self, tree: Tree, root: &Tree, owner: Option<&str>) -> Result<Tree, Failure> {
        if owner.is_none() {
            return Ok(tree);
        }
        let (uid, gid) = self.owner(root, owner)?;
        let op = FileOp::Chown { path: TreePath::root(), owner: format!("{uid}:{gid}") };
        let digest = self.engine.store.apply(&op, tree.digest, None).map_err(|error| edit_failure(&error))?;
        Ok(Tree { near: vec![tree.digest], ..Tree::of(digest) })
    }
}
