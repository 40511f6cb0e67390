//! Resolves paths in a tree. Links are followed inside the tree, and never lead out of it.

use std::collections::VecDeque;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;

use graph::{Blame, ContentDigest, Diagnostic, TreePath};

use crate::blob::BlobError;
use crate::budget::BudgetError;
use crate::fs::{self, IoError};
use crate::nodes::{Editor, NodeError};
use crate::scan::ScanError;
use crate::store::Store;
use crate::tree::node::{Entry, Kind, Node};
use crate::tree::pattern::PatternError;

/// The largest number of links on the way to one file. Linux has the same limit.
const MAX_LINKS: u32 = 40;

/// Why a tree could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no entry at the path.
    #[error("nothing is at `{path}`")]
    NotFound {
        /// The path, as the caller wrote it.
        path: String,
    },
    /// The entry at the path is not a file.
    #[error("`{path}` is {found}, not a file")]
    NotAFile {
        /// The path, as the caller wrote it.
        path: String,
        /// What the entry is, such as "a directory".
        found: &'static str,
    },
    /// The entry at the path is not a directory.
    #[error("`{path}` is {found}, not a directory")]
    NotADirectory {
        /// The path, as the caller wrote it.
        path: String,
        /// What the entry is, such as "a file".
        found: &'static str,
    },
    /// The path goes through a circle of links.
    #[error("`{path}` goes through more than 40 symbolic links")]
    LinkLoop {
        /// The path, as the caller wrote it.
        path: String,
    },
    /// A name on the path is not UTF-8.
    #[error("`{path}` has a name that is not UTF-8")]
    NotUtf8 {
        /// The path, in which other bytes are escaped.
        path: String,
    },
    /// A pattern is not valid.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// A regular expression is not valid.
    #[error("`{pattern}` is not a regular expression: {reason}")]
    Regex {
        /// The expression, as the caller wrote it.
        pattern: String,
        /// What is wrong with the expression.
        reason: String,
    },
    /// A directory of the tree cannot be read.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// Contents cannot be read.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// A view of a directory of this machine cannot be read.
    #[error(transparent)]
    Host(#[from] IoError),
    /// A view of a directory of this machine cannot be scanned.
    #[error(transparent)]
    Scan(#[from] Box<ScanError>),
}

impl From<BudgetError> for ReadError {
    fn from(error: BudgetError) -> Self {
        Self::Node(error.into())
    }
}

impl Diagnostic for ReadError {
    fn blame(&self) -> Blame {
        match self {
            Self::Node(error) => error.blame(),
            Self::Blob(error) => error.blame(),
            Self::Host(error) => error.blame(),
            Self::Scan(error) => error.blame(),
            _ => Blame::User,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Pattern(error) => error.hint(),
            Self::Node(error) => error.hint(),
            Self::Blob(error) => error.hint(),
            Self::Host(error) => error.hint(),
            Self::Scan(error) => error.hint(),
            Self::LinkLoop { .. } => Some("its links lead in a circle, or there are too many of them".to_owned()),
            _ => None,
        }
    }
}

/// A source of nodes.
pub(crate) trait Nodes {
    fn node(&self, digest: ContentDigest) -> Result<Arc<Node>, NodeError>;
}

impl Nodes for Store {
    fn node(&self, digest: ContentDigest) -> Result<Arc<Node>, NodeError> {
        Self::node(self, digest)
    }
}

impl Nodes for Editor<'_> {
    fn node(&self, digest: ContentDigest) -> Result<Arc<Node>, NodeError> {
        Self::node(self, digest)
    }
}

/// An entry that a path leads to.
#[derive(Debug, Clone)]
pub(crate) enum PathTarget {
    /// The root of the tree.
    Root(Arc<Node>),
    /// An entry of the tree, and its node if it is a directory.
    Entry(Entry, Option<Arc<Node>>),
    /// A directory of this machine that the tree shows, or an entry in it.
    Host(PathBuf, Box<Metadata>),
}

/// The result of following a path.
pub(crate) struct Resolved {
    /// The path without links. Only the last component can be a link, if it was not to be followed.
    pub(crate) real: Vec<Box<[u8]>>,
    /// The entry at the path, if there is one.
    pub(crate) place: Option<PathTarget>,
    /// Whether the path leads into a view of a directory of this machine, which cannot be written to.
    pub(crate) is_read_only: bool,
}

enum Dir {
    Node(Arc<Node>),
    Host(PathBuf),
    Missing,
}

struct Step {
    name: Box<[u8]>,
    dir: Dir,
    place: Option<PathTarget>,
}

enum Found {
    Nothing,
    Link(Vec<u8>),
    Dir(Dir, PathTarget),
    Leaf(PathTarget, &'static str),
}

/// Follows a path from the root of a tree.
pub(crate) fn resolve(
    nodes: &impl Nodes,
    tree: ContentDigest,
    path: &TreePath,
    follow_last: bool,
) -> Result<Resolved, ReadError> {
    let mut walk = Walk { nodes, root: nodes.node(tree)?, steps: Vec::new(), path };
    let mut pending: VecDeque<Box<[u8]>> = path.components().map(|part| part.as_bytes().into()).collect();
    let mut n_links = 0;
    while let Some(name) = pending.pop_front() {
        if &*name == b".." {
            walk.steps.pop();
            continue;
        }
        match walk.look(&name)? {
            Found::Link(target) if follow_last || !pending.is_empty() => {
                n_links += 1;
                if n_links > MAX_LINKS {
                    return Err(ReadError::LinkLoop { path: path.to_absolute() });
                }
                if target.starts_with(b"/") {
                    walk.steps.clear();
                }
                let parts = target.split(|&b| b == b'/').filter(|part| !part.is_empty() && *part != b".");
                parts.rev().for_each(|part| pending.push_front(part.into()));
            }
            Found::Link(_) => {
                let place = walk.link_itself(&name)?;
                walk.steps.push(Step { name, dir: Dir::Missing, place });
            }
            Found::Nothing => walk.steps.push(Step { name, dir: Dir::Missing, place: None }),
            Found::Dir(dir, place) => walk.steps.push(Step { name, dir, place: Some(place) }),
            Found::Leaf(place, found) => {
                walk.steps.push(Step { name, dir: Dir::Missing, place: Some(place) });
                if !pending.is_empty() {
                    return Err(ReadError::NotADirectory { path: walk.real_path(), found });
                }
            }
        }
    }
    Ok(walk.finish())
}

struct Walk<'a, N> {
    nodes: &'a N,
    root: Arc<Node>,
    steps: Vec<Step>,
    path: &'a TreePath,
}

impl<N: Nodes> Walk<'_, N> {
    fn look(&self, name: &[u8]) -> Result<Found, ReadError> {
        let node = match self.steps.last().map(|step| &step.dir) {
            None => &self.root,
            Some(Dir::Node(node)) => node,
            Some(Dir::Missing) => return Ok(Found::Nothing),
            Some(Dir::Host(path)) => return look_on_host(path.join(fs::path_of(name))),
        };
        let Some(entry) = node.get(name) else { return Ok(Found::Nothing) };
        Ok(match &entry.kind {
            Kind::Symlink { target } => Found::Link(target.to_vec()),
            Kind::Directory { digest } => {
                let node = self.nodes.node(*digest)?;
                Found::Dir(Dir::Node(node.clone()), PathTarget::Entry(entry.clone(), Some(node)))
            }
            Kind::Machine { host_path, .. } => {
                let path = fs::path_of(host_path).to_owned();
                let metadata = fs::lstat(&path)?;
                Found::Dir(Dir::Host(path.clone()), PathTarget::Host(path, Box::new(metadata)))
            }
            Kind::File { .. } => Found::Leaf(PathTarget::Entry(entry.clone(), None), "a file"),
            Kind::Fifo => Found::Leaf(PathTarget::Entry(entry.clone(), None), "a pipe"),
        })
    }

    fn link_itself(&self, name: &[u8]) -> Result<Option<PathTarget>, ReadError> {
        Ok(match self.steps.last().map(|step| &step.dir) {
            None => self.root.get(name).map(|entry| PathTarget::Entry(entry.clone(), None)),
            Some(Dir::Node(node)) => node.get(name).map(|entry| PathTarget::Entry(entry.clone(), None)),
            Some(Dir::Host(path)) => {
                let path = path.join(fs::path_of(name));
                let metadata = fs::lstat(&path)?;
                Some(PathTarget::Host(path, Box::new(metadata)))
            }
            Some(Dir::Missing) => None,
        })
    }

    fn real_path(&self) -> String {
        if self.steps.is_empty() {
            return self.path.to_absolute();
        }
        let names = self.steps.iter().map(|step| format!("/{}", escape(&step.name)));
        names.collect()
    }

    fn finish(self) -> Resolved {
        let is_read_only = self
            .steps
            .iter()
            .any(|step| matches!(step.dir, Dir::Host(_)) || matches!(step.place, Some(PathTarget::Host(..))));
        let mut steps = self.steps;
        let place = match steps.last_mut() {
            None => Some(PathTarget::Root(self.root)),
            Some(step) => step.place.take(),
        };
        Resolved { real: steps.into_iter().map(|step| step.name).collect(), place, is_read_only }
    }
}

fn look_on_host(path: PathBuf) -> Result<Found, ReadError> {
    let Some(metadata) = fs::lstat_if_there(&path)? else { return Ok(Found::Nothing) };
    if metadata.is_symlink() {
        return Ok(Found::Link(fs::read_link(&path)?));
    }
    let is_dir = metadata.is_dir();
    let is_file = metadata.is_file();
    let place = PathTarget::Host(path.clone(), Box::new(metadata));
    Ok(match (is_dir, is_file) {
        (true, _) => Found::Dir(Dir::Host(path), place),
        (_, true) => Found::Leaf(place, "a file"),
        _ => Found::Leaf(place, "neither a file nor a directory"),
    })
}

/// Returns a name as text, in which bytes that are not UTF-8 are escaped.
pub(crate) fn escape(name: &[u8]) -> String {
    let mut out = String::new();
    for chunk in name.utf8_chunks() {
        out.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| out.push_str(&format!("\\x{byte:02x}")));
    }
    out
}

/// Returns the permission bits, with the set-user-id, set-group-id and sticky bits.
pub(crate) fn mode_of(metadata: &Metadata) -> u32 {
    metadata.mode() & 0o7777
}
