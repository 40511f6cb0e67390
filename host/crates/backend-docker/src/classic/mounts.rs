//! What a command needs besides its root: mounts, secrets, and what the shim is told.

use std::collections::HashMap;

use backend::Failure;
use graph::{ContentDigest, ExecOp, FileOp, Mount, MountKind, Selection, TreePath, Vertex};
use store::{Entry, Kind, Owned, Selected, Store, empty_tree};
use trees::failure::{edit_failure, failure, read_failure};

use super::cache::{self, Cache};
use super::engine::{Engine, TreeImage};
use super::files;
use super::value::Value;
use super::volume::entry_name;
use crate::step::{Told, environment, mounts_below};

/// What was gathered for a command.
pub(crate) struct Gathered {
    /// The files of its root.
    pub(crate) root: ContentDigest,
    /// An image with them.
    pub(crate) image: TreeImage,
    /// What is mounted of its own volume: the entries of the directory `mounts`.
    pub(crate) entries: Vec<Entry>,
    /// Where each of them is mounted, and whether it can be written to.
    pub(crate) binds: Vec<(String, bool)>,
    /// The outputs besides the root.
    pub(crate) outputs: Vec<Writable>,
    pub(crate) caches: Vec<(Cache, String)>,
    /// Directories in memory with their options.
    pub(crate) tmpfs: HashMap<String, String>,
    pub(crate) secrets: Vec<Secret>,
    /// All variables of the command.
    pub(crate) env: Vec<(String, Vec<u8>)>,
    /// The values of all secrets that the command can see.
    pub(crate) values: Vec<Vec<u8>>,
    pub(crate) told: Told,
}

/// A mount whose contents are an output.
pub(crate) struct Writable {
    /// The number of the output.
    pub(crate) output: u32,
    /// Which of the entries.
    pub(crate) entry: usize,
    /// What it was before.
    pub(crate) before: ContentDigest,
    /// What is mounted in it.
    pub(crate) below: Vec<String>,
}

/// A secret that is a file.
pub(crate) struct Secret {
    pub(crate) dest: String,
    pub(crate) value: Vec<u8>,
    pub(crate) owned: Owned,
}

/// Gathers what a command needs.
pub(crate) async fn gather(
    engine: &Engine,
    vertex: &Vertex,
    op: &ExecOp,
    inputs: &[Value],
) -> Result<Gathered, Failure> {
    let root = tree(engine, vertex, inputs, 0)?;
    let owned = engine.store().node(root).map_err(|error| failure(&error))?.owned();
    let gathered = Gathered {
        root,
        image: engine.image_of(root).await?,
        entries: Vec::new(),
        binds: Vec::new(),
        outputs: Vec::new(),
        caches: Vec::new(),
        tmpfs: HashMap::new(),
        secrets: Vec::new(),
        env: Vec::new(),
        values: Vec::new(),
        // Docker gives the root of an image the usual mode and owner.
        told: Told { owned: vec![("/".to_owned(), owned)], ..Told::default() },
    };
    let mut gatherer = Gatherer { engine, vertex, op, inputs, gathered };
    for mount in &op.mounts {
        gatherer.mount(mount).await?;
    }
    gatherer.environment()?;
    Ok(gatherer.gathered)
}

/// Returns the directory that an input selects, as a tree.
fn tree(engine: &Engine, vertex: &Vertex, inputs: &[Value], index: usize) -> Result<ContentDigest, Failure> {
    let (selection, tree) = input(vertex, inputs, index)?;
    engine.store().subtree(tree, &selection.path).map_err(|error| read_failure(&error))
}

fn input<'a>(vertex: &'a Vertex, inputs: &[Value], index: usize) -> Result<(&'a Selection, ContentDigest), Failure> {
    let input = vertex.inputs().get(index).zip(inputs.get(index));
    let (selection, value) = input.ok_or_else(|| Failure::bug("a mount names an input that is not there"))?;
    Ok((selection, value.output(selection.edge.output)))
}

struct Gatherer<'a> {
    engine: &'a Engine,
    vertex: &'a Vertex,
    op: &'a ExecOp,
    inputs: &'a [Value],
    gathered: Gathered,
}

impl Gatherer<'_> {
    fn store(&self) -> &Store {
        self.engine.store()
    }

    async fn mount(&mut self, mount: &Mount) -> Result<(), Failure> {
        let dest = mount.path.to_absolute();
        match &mount.kind {
            MountKind::Bind { input, output, owner } => {
                let owner = owner.as_deref().map(|owner| self.owner(Some(owner))).transpose()?;
                match (self.selected(*input)?, output) {
                    (Selected::File(entry), _) => self.file(entry, owner, dest),
                    (Selected::Directory(tree), None) => self.read_only(tree, owner, mount),
                    (Selected::Directory(tree), Some(output)) => self.writable(tree, owner, mount, *output),
                }
            }
            MountKind::Cache { key, sharing, owner, seed } => {
                let owner = self.owner(owner.as_deref())?;
                let seed = seed.map(|seed| tree(self.engine, self.vertex, self.inputs, seed)).transpose()?;
                let is_plain = seed.is_none() && owner == (0, 0);
                let seed = self.chown(seed.unwrap_or_else(empty_tree), Some(owner))?;
                let seed = (!is_plain).then_some(seed);
                let image = &self.gathered.image.reference;
                let cache = cache::open(self.engine, key, *sharing, seed, image).await?;
                self.gathered.caches.push((cache, dest));
                Ok(())
            }
            MountKind::Secret { name, owner, mode } => {
                let (uid, gid) = self.owner(owner.as_deref())?;
                let value = self.engine.io.secrets.value(name)?;
                self.gathered.values.push(value.clone());
                self.gathered.secrets.push(Secret { dest, value, owned: Owned { mode: *mode, uid, gid } });
                Ok(())
            }
            MountKind::Tmpfs { size_bytes, mode } => {
                let size = size_bytes.map(|size| format!(",size={size}")).unwrap_or_default();
                self.gathered.told.owned.push((dest.clone(), Owned { mode: *mode, uid: 0, gid: 0 }));
                self.gathered.tmpfs.insert(dest, format!("rw,exec,nosuid,nodev,mode={mode:o}{size}"));
                Ok(())
            }
        }
    }

    fn selected(&self, index: usize) -> Result<Selected, Failure> {
        let (selection, tree) = input(self.vertex, self.inputs, index)?;
        self.store().select(tree, &selection.path).map_err(|error| read_failure(&error))
    }

    /// Adds something to the directory of what is mounted.
    fn entry(&mut self, kind: Kind, owned: Owned, dest: String, is_writable: bool) {
        let name = entry_name(self.gathered.entries.len());
        self.gathered.entries.push(Entry::new(name.as_bytes(), kind, owned));
        self.gathered.binds.push((dest, is_writable));
    }

    /// A file that is mounted alone cannot be written to.
    fn file(&mut self, entry: Entry, owner: Option<(u32, u32)>, dest: String) -> Result<(), Failure> {
        let owned = owner.map_or(entry.owned, |(uid, gid)| Owned { uid, gid, ..entry.owned });
        self.entry(entry.kind, owned, dest, false);
        Ok(())
    }

    fn directory(&mut self, tree: ContentDigest, dest: String, is_writable: bool) -> Result<(), Failure> {
        let (kind, owned) = files::directory(self.store(), tree)?;
        self.entry(kind, owned, dest, is_writable);
        Ok(())
    }

    fn read_only(&mut self, tree: ContentDigest, owner: Option<(u32, u32)>, mount: &Mount) -> Result<(), Failure> {
        let tree = self.chown(tree, owner)?;
        // No runtime can make a mountpoint there.
        let tree = self.with_mountpoints(tree, &mount.path)?;
        self.directory(tree, mount.path.to_absolute(), false)
    }

    fn writable(
        &mut self,
        tree: ContentDigest,
        owner: Option<(u32, u32)>,
        mount: &Mount,
        output: u32,
    ) -> Result<(), Failure> {
        let before = self.chown(tree, owner)?;
        let below = super::stubs::with_parents(mounts_below(self.op, &mount.path).map(str::to_owned).collect());
        let entry = self.gathered.entries.len();
        self.gathered.outputs.push(Writable { output, entry, before, below });
        self.directory(before, mount.path.to_absolute(), true)
    }

    /// Returns a tree that has everything that something is mounted on.
    fn with_mountpoints(&self, tree: ContentDigest, outer: &TreePath) -> Result<ContentDigest, Failure> {
        let mut tree = tree;
        for mount in &self.op.mounts {
            let inside = mount.path.as_str().strip_prefix(outer.as_str()).and_then(|rest| rest.strip_prefix('/'));
            let Some(path) = inside.and_then(|inside| TreePath::parse(inside).ok()) else { continue };
            if self.store().stat(tree, &path, false).is_ok_and(|found| found.is_some()) {
                continue;
            }
            let op = if self.is_file(mount)? {
                FileOp::MakeFile { path, contents: b""[..].into(), mode: 0o644, owner: None }
            } else {
                FileOp::MakeDirectory { path, mode: 0o755, owner: None }
            };
            tree = self.store().apply(&op, tree, None).map_err(|error| edit_failure(&error))?;
        }
        Ok(tree)
    }

    fn is_file(&self, mount: &Mount) -> Result<bool, Failure> {
        Ok(match &mount.kind {
            MountKind::Secret { .. } => true,
            MountKind::Bind { input, .. } => matches!(self.selected(*input)?, Selected::File(_)),
            MountKind::Cache { .. } | MountKind::Tmpfs { .. } => false,
        })
    }

    fn chown(&self, tree: ContentDigest, owner: Option<(u32, u32)>) -> Result<ContentDigest, Failure> {
        let Some((uid, gid)) = owner else { return Ok(tree) };
        let op = FileOp::Chown { path: TreePath::root(), owner: format!("{uid}:{gid}") };
        self.store().apply(&op, tree, None).map_err(|error| edit_failure(&error))
    }

    /// Returns the numbers of an owner; names are those of the root's own files.
    fn owner(&self, owner: Option<&str>) -> Result<(u32, u32), Failure> {
        let Some(owner) = owner else { return Ok((0, 0)) };
        self.store().resolve_owner(self.gathered.root, owner).map_err(|error| edit_failure(&error))
    }

    fn environment(&mut self) -> Result<(), Failure> {
        let plain = environment(self.op).into_iter().filter_map(|text| {
            let (name, value) = text.split_once('=')?;
            Some((name.to_owned(), value.as_bytes().to_vec()))
        });
        self.gathered.env.extend(plain);
        for (variable, name) in &self.op.secret_env {
            let value = self.engine.io.secrets.value(name)?;
            self.gathered.values.push(value.clone());
            self.gathered.env.push((variable.clone(), value));
        }
        Ok(())
    }
}
