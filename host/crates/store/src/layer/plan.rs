//! Plans a layer: the difference between two trees.

use std::collections::HashMap;
use std::sync::Arc;

use graph::{Blame, ContentDigest, Diagnostic};

use crate::blob::BlobError;
use crate::budget::Budget;
use crate::fs;
use crate::layer::{LayerPlan, PlanEntry, PlanKind, seen};
use crate::nodes::{NodeError, empty_tree};
use crate::store::Store;
use crate::tree::deep::{Next, descend, enter};
use crate::tree::node::{Entry, Kind, Node, Owned};

/// Why a layer could not be planned.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A directory of a tree is missing from the store.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The contents of a file are missing from the store.
    #[error(transparent)]
    Blob(#[from] BlobError),
}

impl Diagnostic for PlanError {
    fn blame(&self) -> Blame {
        match self {
            Self::Node(error) => error.blame(),
            Self::Blob(error) => error.blame(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Node(error) => error.hint(),
            Self::Blob(error) => error.hint(),
        }
    }
}

impl Store {
    /// Plans the layer that shows `target` over layers that show `base`. Without a base, the layer has all of
    /// `target`. Only the directories that differ are visited. A view of a directory of this machine becomes an
    /// empty directory, over which the executor mounts it.
    ///
    /// # Errors
    /// If a directory, or the contents of a file, are missing from the store.
    pub fn plan_layer(&self, base: Option<ContentDigest>, target: ContentDigest) -> Result<LayerPlan, PlanError> {
        let mut planner = Planner {
            store: self,
            budget: self.budget(),
            sizes: HashMap::new(),
            path: Vec::new(),
            entries: Vec::new(),
        };
        if base != Some(target) {
            let first = planner.begin(base, target, 0)?;
            descend(Next::Down(first), |level, _, depth| planner.work(level, depth))?;
        }
        Ok(LayerPlan { root: self.node(target)?.owned(), entries: planner.entries })
    }

    /// Returns the views of directories of this machine in a tree: the path in the tree, and the path on the machine.
    ///
    /// # Errors
    /// If a directory of the tree is missing from the store.
    pub fn machine_views(&self, tree: ContentDigest) -> Result<Vec<(Vec<u8>, std::path::PathBuf)>, NodeError> {
        // Views are made only in the root, and move only when a whole tree is copied, so that two levels are enough.
        let mut views = Vec::new();
        for entry in &self.node(tree)?.entries {
            match &entry.kind {
                Kind::Machine { host_path, .. } => views.push((entry.name.to_vec(), fs::path_of(host_path).to_owned())),
                Kind::Directory { digest } => {
                    for below in &self.node(*digest)?.entries {
                        if let Kind::Machine { host_path, .. } = &below.kind {
                            let path = [&*entry.name, &*below.name].join(&b'/');
                            views.push((path, fs::path_of(host_path).to_owned()));
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(views)
    }
}

struct Planner<'a> {
    store: &'a Store,
    budget: Budget,
    /// The number of entries below a directory, and the size of their files in bytes.
    sizes: HashMap<ContentDigest, (u64, u64)>,
    path: Vec<u8>,
    entries: Vec<PlanEntry>,
}

/// A directory that is being planned.
struct Level {
    /// What the layers below have there; none if the directory is written whole.
    base: Option<Arc<Node>>,
    target: Arc<Node>,
    n_done: usize,
    /// The length of its path in bytes.
    n_path: usize,
}

/// A directory that is being counted.
struct Counting {
    tree: ContentDigest,
    node: Arc<Node>,
    n_done: usize,
    n_entries: u64,
    n_bytes: u64,
}

impl Planner<'_> {
    /// Counts everything below a directory that is `depth` deep, with each directory that is there several times counted
    /// once. So what is too much is refused before it is listed.
    fn size(&mut self, tree: ContentDigest, depth: usize) -> Result<(u64, u64), NodeError> {
        let first = self.begin_size(tree)?;
        descend(first, |level, below, inner| self.add_sizes(level, below, depth + inner))
    }

    fn begin_size(&self, tree: ContentDigest) -> Result<Next<Counting, (u64, u64)>, NodeError> {
        Ok(match self.sizes.get(&tree) {
            Some(size) => Next::Done(*size),
            None => {
                let node = self.store.node(tree)?;
                Next::Down(Counting { tree, node, n_done: 0, n_entries: 0, n_bytes: 0 })
            }
        })
    }

    fn add_sizes(
        &mut self,
        level: &mut Counting,
        mut below: Option<(u64, u64)>,
        depth: usize,
    ) -> Result<Next<Counting, (u64, u64)>, NodeError> {
        while let Some(entry) = level.node.entries.get(level.n_done) {
            self.budget.check_depth(depth)?;
            let (n_entries, n_bytes) = match &entry.kind {
                // It is looked at again with the result.
                Kind::Directory { digest } => {
                    match below.take().map_or_else(|| self.begin_size(*digest), |size| Ok(Next::Done(size)))? {
                        Next::Done(size) => size,
                        down => return Ok(down),
                    }
                }
                Kind::File { size, .. } => (0, *size),
                _ => (0, 0),
            };
            level.n_entries = level.n_entries.saturating_add(1).saturating_add(n_entries);
            level.n_bytes = level.n_bytes.saturating_add(n_bytes);
            level.n_done += 1;
        }
        let size = (level.n_entries, level.n_bytes);
        self.sizes.insert(level.tree, size);
        Ok(Next::Done(size))
    }

    /// Begins with the directory at the current path.
    fn begin(&mut self, base: Option<ContentDigest>, target: ContentDigest, depth: usize) -> Result<Level, PlanError> {
        let base = base.map(|base| self.store.node(base)).transpose()?;
        let (n_path, node) = (self.path.len(), self.store.node(target)?);
        match &base {
            None => {
                let (n_entries, n_bytes) = self.size(target, depth)?;
                self.budget.check_more(n_entries, n_bytes).map_err(NodeError::from)?;
            }
            Some(base) => {
                for old in base.entries.iter().filter(|old| node.get(&old.name).is_none()) {
                    enter(&mut self.path, n_path, &old.name);
                    self.push(PlanKind::Whiteout, Owned { mode: 0, uid: 0, gid: 0 }, None);
                }
            }
        }
        Ok(Level { base, target: node, n_done: 0, n_path })
    }

    fn work(&mut self, level: &mut Level, depth: usize) -> Result<Next<Level, ()>, PlanError> {
        while let Some(new) = level.target.entries.get(level.n_done) {
            level.n_done += 1;
            enter(&mut self.path, level.n_path, &new.name);
            self.budget.entry(depth).map_err(NodeError::from)?;
            let below = match level.base.as_ref().and_then(|base| base.get(&new.name)) {
                Some(old) if old.is_same(new) => None,
                Some(old) => self.change(old, new)?,
                None => self.add(new, false)?,
            };
            if let Some((base, target)) = below {
                return Ok(Next::Down(self.begin(base, target, depth + 1)?));
            }
        }
        Ok(Next::Done(()))
    }

    /// Adds an entry. Returns the directory that has to be written whole.
    fn add(&mut self, entry: &Entry, is_opaque: bool) -> Result<Option<Below>, PlanError> {
        let what = match &entry.kind {
            Kind::Directory { .. } | Kind::Machine { .. } => PlanKind::Directory { is_opaque },
            Kind::File { digest, size } => {
                self.budget.bytes(*size).map_err(NodeError::from)?;
                self.file(digest, *size)?
            }
            Kind::Symlink { target } => PlanKind::Symlink { target: target.to_vec() },
            Kind::Fifo => PlanKind::Fifo,
        };
        self.push(what, entry.owned, seen(entry.mtime));
        Ok(entry.directory().map(|digest| (None, digest)))
    }

    /// Adds an entry that the base has in another form. Returns the directories that have to be compared.
    fn change(&mut self, old: &Entry, new: &Entry) -> Result<Option<Below>, PlanError> {
        let (from, to) = match (&old.kind, &new.kind) {
            (Kind::Directory { digest: from }, Kind::Directory { digest: to }) => (*from, *to),
            // A directory that replaces a view must hide the entries that the view had.
            (Kind::Directory { digest }, Kind::Machine { .. }) => return self.add(new, *digest != empty_tree()),
            _ => return self.add(new, false),
        };
        if from != to && have_nothing_in_common(&*self.store.node(from)?, &*self.store.node(to)?) {
            return self.add(new, true);
        }
        self.push(PlanKind::Directory { is_opaque: false }, new.owned, seen(new.mtime));
        Ok((from != to).then_some((Some(from), to)))
    }

    fn file(&self, digest: &ContentDigest, size: u64) -> Result<PlanKind, PlanError> {
        let is_stored = fs::lstat_if_there(&self.store.blob_path(digest)).map_err(BlobError::from)?;
        let external = match is_stored.is_some_and(|metadata| metadata.len() == size) {
            true => None,
            false => match self.store.external().find(digest) {
                Some(file) => Some((file.path, file.stamp)),
                None => return Err(self.store.missing(digest).into()),
            },
        };
        Ok(PlanKind::File { digest: *digest, size, external })
    }

    fn push(&mut self, what: PlanKind, owned: Owned, mtime_ns: Option<i64>) {
        self.entries.push(PlanEntry { path: self.path.clone(), what, owned, mtime_ns });
    }
}

/// A directory that the work goes down to: what the layers below have there, and what is wanted.
type Below = (Option<ContentDigest>, ContentDigest);

/// Returns whether an opaque directory with all entries is smaller than one whiteout for each old entry.
fn have_nothing_in_common(base: &Node, target: &Node) -> bool {
    !base.entries.is_empty()
        && target.entries.iter().all(|new| {
            base.get(&new.name)
                .is_none_or(|old| !(old.is_same(new) || (old.directory().is_some() && new.directory().is_some())))
        })
        && base.entries.iter().any(|old| target.get(&old.name).is_none())
}
