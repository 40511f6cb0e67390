//! The trait `Backend`, and what it is given.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use graph::{Edge, Platform, SecretName, TreePath};
use tokio_util::sync::CancellationToken;

use crate::event::EventSink;
use crate::failure::Failure;
use crate::image::{ImageAccess, ImageSource, ImageTarget, ResolvedImage};
use crate::snapshot::{FileStat, OutputRef, SearchMatch, SearchQuery, Snapshot, Solved};

/// Evaluates graphs and reads what they make.
///
/// One value serves one session. Every method may be called at the same time as every other;
/// two evaluations of the same vertex become one.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Returns what it can do. What it cannot ends with a clear failure, never a wrong result.
    fn caps(&self) -> Caps;

    /// Evaluates edges, concurrently where the graph allows, and returns one result each, in order.
    ///
    /// # Errors
    /// The first failure of a vertex that an edge needs.
    ///
    /// # Cancel safety
    /// Dropping the future gives up interest: work that nobody else waits for is stopped.
    async fn solve(&self, outputs: &[Edge]) -> Result<Vec<Solved>, Failure>;

    /// Forgets what failed in this session, so that it is tried again when it is asked for again.
    fn forget_failures(&self);

    /// Waits until nothing is under way: what nobody waits for any more has been stopped, its events were sent.
    async fn settle(&self);

    /// Reads at most `max` bytes from byte `offset` of a file, following links inside the tree.
    ///
    /// # Errors
    /// `NotFound`, `NotAFile`, `InvalidPath` for a link that leaves the root.
    async fn read(&self, snapshot: &Snapshot, path: &TreePath, offset: u64, max: u64) -> Result<Vec<u8>, Failure>;

    /// Returns what is at a path; the last component is not followed if it is a link.
    ///
    /// # Errors
    /// `NotFound`.
    async fn stat(&self, snapshot: &Snapshot, path: &TreePath) -> Result<FileStat, Failure>;

    /// Returns the sorted names in a directory, with a `/` behind those of directories.
    ///
    /// # Errors
    /// `NotFound`, `NotADirectory`.
    async fn entries(&self, snapshot: &Snapshot, path: &TreePath) -> Result<Vec<String>, Failure>;

    /// Returns the sorted paths below a directory that match a glob, with a `/` behind those of directories.
    ///
    /// # Errors
    /// `NotFound`, `NotADirectory`, `InvalidArgument` for a malformed glob.
    async fn glob(&self, snapshot: &Snapshot, path: &TreePath, pattern: &str) -> Result<Vec<String>, Failure>;

    /// Returns the matches of a pattern in the files below a directory, by path and line.
    ///
    /// # Errors
    /// As `glob`, and `InvalidArgument` for a malformed pattern.
    async fn search(
        &self,
        snapshot: &Snapshot,
        path: &TreePath,
        query: &SearchQuery,
    ) -> Result<Vec<SearchMatch>, Failure>;

    /// Returns the digest of the file or the tree at a path.
    ///
    /// # Errors
    /// `NotFound`.
    async fn digest(&self, snapshot: &Snapshot, path: &TreePath) -> Result<graph::ContentDigest, Failure>;

    /// Returns what a command printed.
    ///
    /// # Errors
    /// `Environment` if the store has lost it.
    async fn output(&self, output: &OutputRef) -> Result<Vec<u8>, Failure>;

    /// Writes the file or the tree at `path` to `target` on this machine: a tree into the
    /// directory, over what is there; a file as the file, replaced at once. Parents are made.
    ///
    /// # Errors
    /// `NotFound`; `Environment` if the target cannot be written.
    async fn export(&self, snapshot: &Snapshot, path: &TreePath, target: &Path) -> Result<(), Failure>;

    /// Finds an image and reads its configuration; its layers are not fetched. A name is looked up once a
    /// session, so that it means one image however often it moves.
    ///
    /// # Errors
    /// `NotFound` for an image or a platform of it, `InvalidArgument` for a malformed name or image, `Environment` for a
    /// registry that cannot be reached or refuses.
    async fn resolve_image(&self, source: &ImageSource, platform: &Platform) -> Result<ResolvedImage, Failure>;

    /// Evaluates `image`, a vertex that packs a layout or an archive, and puts it where it belongs. Returns
    /// the reference that it has there, pinned by its digest.
    ///
    /// # Errors
    /// As `solve`; `InvalidArgument` for a malformed name, `Environment` for a registry that cannot be
    /// reached or refuses.
    async fn publish(&self, image: &Edge, target: &ImageTarget) -> Result<String, Failure>;
}

/// What a backend can do.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Caps {
    /// Its name, as `--engine` takes it.
    pub name: String,
    /// Whether commands can reach the network.
    pub network: bool,
    /// Whether `chown` to any user works.
    pub owners: bool,
    /// Whether limits on memory, processes and processors can be set.
    pub limits: bool,
    /// Whether it can pull images.
    pub images: bool,
    /// Whether it can run services.
    pub services: bool,
    /// Whether `machine.rootfs` is there.
    pub machine: bool,
    /// Whether a directory in memory can have a limit.
    pub sized_temp: bool,
    /// Whether a command is found again wherever its inputs are equal, however they were made.
    pub content_keys: bool,
    /// Whether layers are compared with the configuration of their image, and by `sync` already.
    pub checked_layers: bool,
    /// What a person should know, a sentence each.
    pub notes: Vec<String>,
}

/// Looks up the values of secrets.
pub trait SecretProvider: Send + Sync {
    /// Returns the value of a secret, which must not be kept, logged or hashed.
    ///
    /// # Errors
    /// If there is none of that name, or its source cannot be read.
    fn value(&self, name: &SecretName) -> Result<Vec<u8>, Failure>;
}

/// What one session gives to its backend.
#[derive(Clone)]
pub struct SessionIo {
    /// Where the events of vertices go.
    pub events: EventSink,
    /// Where the values of secrets come from.
    pub secrets: Arc<dyn SecretProvider>,
    /// Cancels the session and all its commands.
    pub cancel: CancellationToken,
    /// How many commands run at the same time, at least 1.
    pub n_jobs: usize,
    /// Whether results of other runs may be used.
    pub is_cache_used: bool,
    /// Kills every command that has no shorter time-out of its own.
    pub timeout: Option<std::time::Duration>,
    /// Takes the network away from all commands.
    pub is_network_allowed: bool,
    /// How images are reached.
    pub images: ImageAccess,
    /// The directory of the store.
    pub store: PathBuf,
    /// Whether nothing expensive and nothing outward is done: no command is run, no image is fetched, nothing is
    /// written or published. Directories of the caller are hashed, results of other runs are found and operations on
    /// files are done. What else would be evaluated ends with [`Failure::Planned`], and with
    /// [`Outcome::Planned`](crate::Outcome::Planned) among the events; so does everything that needs it.
    pub is_dry: bool,
}
