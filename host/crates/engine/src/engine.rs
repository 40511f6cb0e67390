//! The trait `Engine`, and the settings of the session that an engine serves.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use graph::{Contents, Edge, KeyHasher, Platform, SecretName, TreePath};
use tokio_util::sync::CancellationToken;

use crate::event::EventSink;
use crate::failure::Failure;
use crate::image::{ImageAccess, ImageSource, ImageTarget, ResolvedImage};
use crate::snapshot::{FileStat, OutputRef, SearchMatch, SearchQuery, Snapshot, Solved};

/// An engine: it evaluates graphs and reads the trees that they make.
///
/// One value serves one session. Every method may be called at the same time as every other one. If a vertex is asked
/// for while it is being evaluated, it is evaluated once.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Returns what the engine can do. An operation that it cannot do ends with a failure, never with a wrong result.
    fn caps(&self) -> Caps;

    /// Evaluates edges, concurrently where the graph allows, and returns one result each, in order.
    ///
    /// # Errors
    /// The first failure of a vertex that an edge needs.
    ///
    /// # Cancel safety
    /// After the future is dropped, work that nobody else waits for is stopped.
    async fn solve(&self, outputs: &[Edge]) -> Result<Vec<Solved>, Failure>;

    /// Keeps the contents of a file that an operation makes: in the store, if the engine has one.
    ///
    /// # Errors
    /// `Environment` if the store cannot be written.
    fn keep(&self, contents: &[u8]) -> Result<Contents, Failure> {
        Ok(contents.into())
    }

    /// Forgets the vertices that failed in this session. They are tried again when they are asked for again.
    fn forget_failures(&self);

    /// Waits until no evaluation is under way. Evaluations that nobody waits for are stopped by then, and their events
    /// are sent.
    async fn settle(&self);

    /// Reads at most `max` bytes from byte `offset` of a file, following links inside the tree.
    ///
    /// # Errors
    /// `NotFound`, `NotAFile`, `InvalidPath` for a link that leaves the root.
    async fn read(&self, snapshot: &Snapshot, path: &TreePath, offset: u64, max: u64) -> Result<Vec<u8>, Failure>;

    /// Returns what is at a path. If the last component is a link, the link itself is described, or with `follow` what
    /// it leads to.
    ///
    /// # Errors
    /// `NotFound`.
    async fn stat(&self, snapshot: &Snapshot, path: &TreePath, follow: bool) -> Result<FileStat, Failure>;

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

    /// Returns the bytes that a command printed.
    ///
    /// # Errors
    /// `Environment` if the store has lost it.
    async fn output(&self, output: &OutputRef) -> Result<Vec<u8>, Failure>;

    /// Writes the file or the tree at `path` to `target` on this machine. A tree is written into the directory, over the
    /// files that are there. A file replaces the file at once. Missing parents are made.
    ///
    /// # Errors
    /// `NotFound`; `Environment` if the target cannot be written.
    async fn export(&self, snapshot: &Snapshot, path: &TreePath, target: &Path) -> Result<(), Failure>;

    /// Finds an image and reads its configuration. Its layers are not fetched. A name is looked up once in a session, so
    /// that it means the same image until the session ends.
    ///
    /// # Errors
    /// `NotFound` for an image or a platform of it, `InvalidArgument` for a malformed name or image, `Environment` for a
    /// registry that cannot be reached or refuses.
    async fn resolve_image(&self, source: &ImageSource, platform: &Platform) -> Result<ResolvedImage, Failure>;

    /// Evaluates `image`, a vertex that packs a layout or an archive, and puts the image into a registry or into Docker.
    /// Returns the reference that it has there, pinned by its digest.
    ///
    /// # Errors
    /// As `solve`; `InvalidArgument` for a malformed name, `Environment` for a registry that cannot be
    /// reached or refuses.
    async fn publish(&self, image: &Edge, target: &ImageTarget) -> Result<String, Failure>;
}

/// What an engine can do.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Caps {
    /// The name of the engine, as `--engine` takes it.
    pub name: String,
    /// Whether commands can reach the network.
    pub network: bool,
    /// Whether `chown` to any user works.
    pub owners: bool,
    /// Whether limits on memory, processes and processors can be set.
    pub limits: bool,
    /// Whether images can be pulled.
    pub images: bool,
    /// Whether services can be run.
    pub services: bool,
    /// Whether `machine.rootfs`, the root file system of this machine, can be used.
    pub machine: bool,
    /// Whether a directory in memory can have a size limit.
    pub sized_temp: bool,
    /// Whether the result of a command is used again for all inputs with equal contents, however they were made.
    pub content_keys: bool,
    /// Whether layers are compared with the configuration of their image when the image is evaluated.
    pub checked_layers: bool,
    /// Sentences for people about what is particular here.
    pub notes: Vec<String>,
}

/// Knows the values of secrets.
pub trait SecretProvider: Send + Sync {
    /// Returns the value of a secret. The caller must not keep or log it, nor hash it but with the key of a store.
    ///
    /// # Errors
    /// If there is no secret of this name, or its source cannot be read.
    fn value(&self, name: &SecretName) -> Result<Vec<u8>, Failure>;

    /// Returns whether keys have only the name of a secret. They have a keyed hash of its value unless the caller asked
    /// for this, as for a token that is another one in every run.
    fn is_known_by_name(&self, name: &SecretName) -> bool {
        let _ = name;
        false
    }
}

/// The most bytes of each stream of a command that are kept, unless a session says otherwise. Gigabytes belong into a
/// file, to which a redirect leads.
pub const MAX_OUTPUT_BYTES: usize = 256 << 20;

/// What a session allows commands. A command can observe it, so that it is part of every key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Whether commands may use the network.
    pub network: bool,
    /// Whether commands may gain privileges, as by a set-user-ID program.
    pub new_privileges: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self { network: true, new_privileges: true }
    }
}

impl Rules {
    /// Adds them to a key.
    pub fn hash_into(&self, hasher: &mut KeyHasher) {
        let Self { network, new_privileges } = self;
        hasher.flag(*network);
        hasher.flag(*new_privileges);
    }
}

/// The settings and connections of one session, which its engine gets.
#[derive(Clone)]
pub struct SessionIo {
    /// Takes the events of vertices.
    pub events: EventSink,
    /// Knows the values of secrets.
    pub secrets: Arc<dyn SecretProvider>,
    /// Stops all evaluations when it is triggered.
    pub cancel: CancellationToken,
    /// The number of commands that may run at the same time, at least 1.
    pub n_jobs: usize,
    /// Whether results of other runs may be used.
    pub is_cache_used: bool,
    /// The time after which every command is killed that has no shorter time-out of its own.
    pub timeout: Option<std::time::Duration>,
    /// The most bytes of each stream of a command that are kept. A command that prints more is stopped. The default is
    /// [`MAX_OUTPUT_BYTES`].
    pub max_output_bytes: usize,
    /// What the session allows commands.
    pub rules: Rules,
    /// The settings for registries and the images of the local Docker.
    pub images: ImageAccess,
    /// The directory of the store.
    pub store: PathBuf,
    /// Whether the session is a dry one, which runs no command, fetches no image, and writes and publishes nothing.
    /// Directories of the caller are hashed, results of other runs are found, and operations on files are done. Every
    /// other evaluation ends with [`Failure::Planned`] and the event
    /// [`Outcome::Planned`](crate::Outcome::Planned), and so does everything that needs it.
    pub is_dry: bool,
}
