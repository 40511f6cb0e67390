//! Plans a layer: the difference between two trees.

use std::collections::HashMap;

use graph::{Blame, ContentDigest, Diagnostic};

use crate::blob::BlobError;
use crate::budget::Budget;
use crate::fs;
use crate::layer::{LayerPlan, PlanEntry, PlanKind, seen};
use crate::nodes::{NodeError, empty_tree};
use crate::store::Store;
use crate::tree::deep::descend;
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
        match base {
            Some(base) => planner.difference(base, target, 0)?,
            None => planner.all(target, 0)?,
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

impl Planner<'_> {
    /// Runs `work` with the path of an entry of the current directory.
    fn at<T>(&mut self, name: &[u8], work: impl FnOnce(&mut Self) -> T) -> T {
        let n = self.path.len();
        if n > 0 {
            self.path.push(b'/');
        }
        self.path.extend_from_slice(name);
        let value = work(self);
        self.path.truncate(n);
        value
    }

    /// Counts everything below a directory, with each directory that is there several times counted once. So what is
    /// too much is refused before it is listed.
    fn size(&mut self, tree: ContentDigest, depth: usize) -> Result<(u64, u64), NodeError> {
        if let Some(size) = self.sizes.get(&tree) {
            return Ok(*size);
        }
        let node = self.store.node(tree)?;
        let (mut n_entries, mut n_bytes) = (0_u64, 0_u64);
        for entry in &node.entries {
            self.budget.check_depth(depth)?;
            let below = match &entry.kind {
                Kind::Directory { digest } => descend(depth, || self.size(*digest, depth + 1))?,
                Kind::File { size, .. } => (0, *size),
                _ => (0, 0),
            };
            n_entries = n_entries.saturating_add(1).saturating_add(below.0);
            n_bytes = n_bytes.saturating_add(below.1);
        }
        self.sizes.insert(tree, (n_entries, n_bytes));
        Ok((n_entries, n_bytes))
    }

    fn all(&mut self, tree: ContentDigest, depth: usize) -> Result<(), PlanError> {
        let (n_entries, n_bytes) = self.size(tree, depth)?;
        self.budget.check_more(n_entries, n_bytes).map_err(NodeError::from)?;
        let node = self.store.node(tree)?;
        for entry in &node.entries {
            self.at(&entry.name, |planner| planner.add(entry, false, depth))?;
        }
        Ok(())
    }

    /// Adds an entry and everything in it.
    fn add(&mut self, entry: &Entry, is_opaque: bool, depth: usize) -> Result<(), PlanError> {
        self.budget.entry(depth).map_err(NodeError::from)?;
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
        match entry.directory() {
            Some(digest) => descend(depth, || self.all(digest, depth + 1)),
            None => Ok(()),
        }
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

    fn difference(&mut self, base: ContentDigest, target: ContentDigest, depth: usize) -> Result<(), PlanError> {
        if base == target {
            return Ok(());
        }
        let (base, target) = (self.store.node(base)?, self.store.node(target)?);
        for old in base.entries.iter().filter(|old| target.get(&old.name).is_none()) {
            self.at(&old.name, |planner| planner.push(PlanKind::Whiteout, Owned { mode: 0, uid: 0, gid: 0 }, None));
        }
        for new in &target.entries {
            self.budget.entry(depth).map_err(NodeError::from)?;
            match base.get(&new.name) {
                Some(old) if old.is_same(new) => {}
                Some(old) => self.at(&new.name, |planner| planner.change(old, new, depth))?,
                None => self.at(&new.name, |planner| planner.add(new, false, depth))?,
            }
        }
        Ok(())
    }

    fn change(&mut self, old: &Entry, new: &Entry, depth: usize) -> Result<(), PlanError> {
        let (from, to) = match (&old.kind, &new.kind) {
            (Kind::Directory { digest: from }, Kind::Directory { digest: to }) => (*from, *to),
            // A directory that replaces a view must hide the entries that the view had.
            (Kind::Directory { digest }, Kind::Machine { .. }) => return self.add(new, *digest != empty_tree(), depth),
            _ => return self.add(new, false, depth),
        };
        if from != to && have_nothing_in_common(&*self.store.node(from)?, &*self.store.node(to)?) {
            return self.add(new, true, depth);
        }
        self.push(PlanKind::Directory { is_opaque: false }, new.owned, seen(new.mtime));
        descend(depth, || self.difference(from, to, depth + 1))
    }
}

/// Returns whether an opaque directory with all entries is smaller than one whiteout for each old entry.
fn have_nothing_in_common(base: &Node, target: &Node) -> bool {
    !base.entries.is_empty()
        && target.entries.iter().all(|new| {
            base.get(&new.name)
                .is_none_or(|old| !(old.is_same(new) || (old.directory().is_some() && new.directory().is_some())))
        })
        && base.entries.iter().any(|old| target.get(&old.name).is_none())
}
