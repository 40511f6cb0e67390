//! A command with everything that it needs, as a runner gets it.

use std::time::Duration;

use engine::Failure;
use graph::{CacheSharing, ContentDigest, ExecOp, FileOp, TreePath, Vertex};
use store::{Entry, Owned, Store, empty_tree};
use trees::failure::edit_failure;

use crate::user::User;
use crate::value::Tree;

/// Where commands are looked for in a container that does not say.
/// Source: Docker's default, `oci/defaults.go`.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A command that is about to run. Its inputs are trees of the store, its users are numbers, and the values of its
/// secrets are there: nothing more has to be looked up.
pub struct Command<'a, F> {
    /// The vertex that is evaluated.
    pub vertex: &'a Vertex,
    /// The operation of the vertex.
    pub op: &'a ExecOp,
    /// The root file system.
    pub root: Tree<F>,
    /// The mounts, in the order of the operation.
    pub mounts: Vec<Mount<'a, F>>,
    /// The user that the command runs as.
    pub user: User,
    /// The values of secret variables, by the names of the variables.
    pub secret_env: Vec<(String, Vec<u8>)>,
    /// The values of all secrets that the command can see. They are replaced in what it prints.
    pub secrets: Vec<Vec<u8>>,
    /// The time after which the command is stopped: the shorter of its own time-out and the session's.
    pub timeout: Option<Duration>,
    /// The most bytes of each stream that are kept. A command that prints more is stopped.
    pub max_output_bytes: usize,
    /// Whether it can reach the network: neither the operation nor the session denies it.
    pub has_network: bool,
    /// Whether it can gain privileges: neither the operation nor the session denies it.
    pub gains_privileges: bool,
}

/// Something that is mounted into the root of a command.
pub struct Mount<'a, F> {
    /// The path in the root.
    pub path: &'a TreePath,
    /// What is mounted.
    pub what: Mounted<'a, F>,
}

/// What is mounted.
pub enum Mounted<'a, F> {
    /// A directory. What is written to it is an output of the command if `output` gives a number, and is refused if not.
    Directory {
        /// The contents of the directory.
        tree: Tree<F>,
        /// The number of the output.
        output: Option<u32>,
    },
    /// A single file, which cannot be written to.
    File(Entry),
    /// A cache volume.
    Cache(CacheMount<'a>),
    /// A file with the value of a secret. It must not be written to a disk.
    Secret {
        /// The value of the secret.
        value: Vec<u8>,
        /// The mode and the owner of the file.
        owned: Owned,
    },
    /// An empty directory in memory.
    Tmpfs {
        /// The most bytes that it may hold.
        size_bytes: Option<u64>,
        /// Its permission bits.
        mode: u32,
    },
}

/// A cache volume that a command wants.
pub struct CacheMount<'a> {
    /// The key of the volume.
    pub key: &'a str,
    /// Who may use it at the same time.
    pub sharing: CacheSharing,
    /// The user and the group that own a new volume.
    pub owner: (u32, u32),
    /// The tree that a new volume starts with.
    pub seed: Option<ContentDigest>,
}

impl<F: Clone> Command<'_, F> {
    /// Returns the trees that are written to, in the order in which a runner returns what became of them: the root, then
    /// the writable mounts.
    pub fn writable(&self) -> impl Iterator<Item = &Tree<F>> {
        let mounts = self.mounts.iter().filter_map(|mount| match &mount.what {
            Mounted::Directory { tree, output: Some(_) } => Some(tree),
            _ => None,
        });
        std::iter::once(&self.root).chain(mounts)
    }

    /// Returns which outputs they are.
    pub(crate) fn outputs(&self) -> impl Iterator<Item = u32> {
        let mounts = self.mounts.iter().filter_map(|mount| match &mount.what {
            Mounted::Directory { output, .. } => *output,
            _ => None,
        });
        std::iter::once(0).chain(mounts)
    }

    /// Returns the variables that are no secrets, with the `PATH` and the `HOME` that every command can rely on.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        let home = (!is_set(self.op, "HOME")).then(|| ("HOME".to_owned(), self.user.home.clone()));
        with_path(self.op)
            .into_iter()
            .chain(home)
            .chain(self.op.env.to_vec())
            .chain(self.op.volatile_env.to_vec())
            .collect()
    }
}

/// Returns the `PATH` of a command that does not set one.
#[must_use]
pub fn with_path(op: &ExecOp) -> Option<(String, String)> {
    (!is_set(op, "PATH")).then(|| ("PATH".to_owned(), DEFAULT_PATH.to_owned()))
}

/// Returns whether an operation sets a variable, be it to a plain value, a volatile one or that of a secret.
#[must_use]
pub fn is_set(op: &ExecOp, name: &str) -> bool {
    op.env.get(name).is_some()
        || op.volatile_env.get(name).is_some()
        || op.secret_env.iter().any(|(other, _)| other == name)
}

impl CacheMount<'_> {
    /// Returns the tree that a new volume has to start with; none if that is an empty directory of root's.
    ///
    /// # Errors
    /// If the owner cannot be given to the seed.
    pub fn first_contents(&self, store: &Store) -> Result<Option<ContentDigest>, Failure> {
        if self.seed.is_none() && self.owner == (0, 0) {
            return Ok(None);
        }
        let (uid, gid) = self.owner;
        let op = FileOp::Chown { path: TreePath::root(), owner: format!("{uid}:{gid}") };
        let tree = self.seed.unwrap_or_else(empty_tree);
        store.apply(&op, tree, None).map(Some).map_err(edit_failure)
    }
}
