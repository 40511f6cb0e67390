//! Stores and reads the nodes of trees.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use graph::{Blame, ContentDigest, Diagnostic};
use rusqlite::OptionalExtension;

use crate::budget::BudgetError;
use crate::db::DbError;
use crate::store::Store;
use crate::tree::node::Node;

/// The size of the nodes that are kept in memory, in bytes of their encoding.
const CACHE_BYTES: usize = 48 << 20;

/// Why a directory of a tree could not be read or stored.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The directory was collected, or was never stored.
    #[error("directory {digest} is not in the store")]
    Missing {
        /// The digest of its node.
        digest: ContentDigest,
    },
    /// The stored bytes do not have the digest. They were removed.
    #[error("directory {digest} is damaged in the store and was removed")]
    Corrupt {
        /// The digest of its node.
        digest: ContentDigest,
    },
    /// The database cannot be used.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The work on the tree exceeds a limit, or was cancelled.
    #[error(transparent)]
    Budget(#[from] BudgetError),
}

impl Diagnostic for NodeError {
    fn blame(&self) -> Blame {
        match self {
            Self::Budget(error) => error.blame(),
            _ => Blame::Environment,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { .. } | Self::Corrupt { .. } => Some("run again: the directory is made again".to_owned()),
            Self::Db(error) => error.hint(),
            Self::Budget(error) => error.hint(),
        }
    }
}

/// The nodes that were read or made lately.
#[derive(Default)]
pub(crate) struct NodeCache {
    nodes: RwLock<Cached>,
}

#[derive(Default)]
struct Cached {
    n_bytes: usize,
    by_digest: HashMap<ContentDigest, Arc<Node>>,
}

impl NodeCache {
    fn get(&self, digest: &ContentDigest) -> Option<Arc<Node>> {
        self.nodes.read().unwrap_or_else(PoisonError::into_inner).by_digest.get(digest).cloned()
    }

    fn put(&self, digest: ContentDigest, node: Arc<Node>, n_bytes: usize) {
        let mut cached = self.nodes.write().unwrap_or_else(PoisonError::into_inner);
        if cached.n_bytes + n_bytes > CACHE_BYTES {
            *cached = Cached::default();
        }
        cached.n_bytes += n_bytes;
        cached.by_digest.insert(digest, node);
    }

    fn forget<'a>(&self, digests: impl Iterator<Item = &'a ContentDigest>) {
        let mut cached = self.nodes.write().unwrap_or_else(PoisonError::into_inner);
        if !cached.by_digest.is_empty() {
            digests.for_each(|digest| drop(cached.by_digest.remove(digest)));
        }
    }

    pub(crate) fn clear(&self) {
        *self.nodes.write().unwrap_or_else(PoisonError::into_inner) = Cached::default();
    }
}

/// The nodes that a scan stores, children before the directories that name them.
pub(crate) trait SeenNodes: Iterator<Item = (ContentDigest, Vec<u8>)> {
    /// Returns the digest of the scanned directory; it is known once the iterator has ended.
    fn root(&self) -> ContentDigest;
}

impl Store {
    /// Returns the node with a digest.
    ///
    /// # Errors
    /// If the node is missing or damaged, or the database cannot be read.
    pub fn node(&self, digest: ContentDigest) -> Result<Arc<Node>, NodeError> {
        let found = self.find_node(digest);
        if let Err(NodeError::Missing { .. } | NodeError::Corrupt { .. }) = &found {
            // The next run makes the node again, because the results that need it are forgotten.
            self.forget_dependents(&digest)?;
        }
        found
    }

    /// Returns a node as [`Store::node`] does, and forgets no results if the node is missing.
    pub(crate) fn find_node(&self, digest: ContentDigest) -> Result<Arc<Node>, NodeError> {
        if let Some(node) = self.node_cache().get(&digest) {
            return Ok(node);
        }
        let data = self.db().with("read a directory", |db| {
            let mut query = db.prepare_cached("SELECT data FROM nodes WHERE digest = ?1")?;
            query.query_row([digest.as_bytes()], |row| row.get::<_, Vec<u8>>(0)).optional()
        })?;
        let Some(data) = data else {
            // The empty tree is known without being stored.
            return if digest == empty_tree() { Ok(Arc::default()) } else { Err(NodeError::Missing { digest }) };
        };
        match unsealed(&data).map(Node::decode) {
            Some(Ok((found, node))) if found == digest => {
                let node = Arc::new(node);
                self.node_cache().put(digest, node.clone(), data.len());
                Ok(node)
            }
            _ => {
                self.db().with("remove a directory", |db| {
                    db.execute("DELETE FROM nodes WHERE digest = ?1", [digest.as_bytes()])
                })?;
                Err(NodeError::Corrupt { digest })
            }
        }
    }

    /// Returns whether a node is stored.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn has_node(&self, digest: ContentDigest) -> Result<bool, DbError> {
        if self.node_cache().get(&digest).is_some() || digest == empty_tree() {
            return Ok(true);
        }
        self.db().with("look for a directory", |db| {
            db.prepare_cached("SELECT 1 FROM nodes WHERE digest = ?1")?.exists([digest.as_bytes()])
        })
    }

    /// Stores encoded nodes in one transaction. A node that is stored already is left as it is.
    pub(crate) fn put_encoded<'a>(
        &self,
        nodes: impl IntoIterator<Item = (&'a ContentDigest, &'a [u8])>,
    ) -> Result<(), DbError> {
        self.db().transaction("store directories", |db| {
            let mut insert = db.prepare_cached("INSERT OR IGNORE INTO nodes(digest, data) VALUES (?1, ?2)")?;
            for (digest, data) in nodes {
                insert.execute((digest.as_bytes(), sealed(data)))?;
            }
            Ok(())
        })
    }

    /// Stores the nodes of a scan in one transaction. A node that is stored already gets the times of this scan,
    /// because a file that was changed back to earlier contents is newer than what was built of its later contents.
    ///
    /// If times changed, the layers that are recorded for the root are forgotten, because they have the old times.
    pub(crate) fn put_seen(&self, first: (ContentDigest, Vec<u8>), others: &mut impl SeenNodes) -> Result<(), DbError> {
        let mut stored = Vec::new();
        self.db().transaction("store directories", |db| {
            let mut insert = db.prepare_cached("INSERT OR IGNORE INTO nodes(digest, data) VALUES (?1, ?2)")?;
            let mut retime = db.prepare_cached("UPDATE nodes SET data = ?2 WHERE digest = ?1 AND data <> ?2")?;
            let mut n_retimed = 0;
            for (digest, data) in std::iter::once(first).chain(&mut *others) {
                let data = sealed(&data);
                if insert.execute((digest.as_bytes(), &data))? == 0 {
                    n_retimed += retime.execute((digest.as_bytes(), &data))?;
                }
                stored.push(digest);
            }
            if n_retimed > 0 {
                db.execute("DELETE FROM materialised WHERE tree = ?1", [others.root().as_bytes()])?;
            }
            Ok(())
        })?;
        self.node_cache().forget(stored.iter());
        Ok(())
    }

    /// Stores a node and returns its digest.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub fn put_node(&self, node: Node) -> Result<ContentDigest, NodeError> {
        let mut editor = Editor::new(self);
        let digest = editor.add(node);
        editor.finish(digest)
    }
}

/// The number of bytes of the checksum behind a stored node. The digest of a node says nothing of the times in it.
const SEAL_BYTES: usize = 8;

fn sealed(data: &[u8]) -> Vec<u8> {
    [data, &ContentDigest::of(data).as_bytes()[..SEAL_BYTES]].concat()
}

/// Returns the encoding of a node from its row; none if it is damaged.
pub(crate) fn unsealed(row: &[u8]) -> Option<&[u8]> {
    let (data, seal) = row.split_at_checked(row.len().checked_sub(SEAL_BYTES)?)?;
    (ContentDigest::of(data).as_bytes()[..SEAL_BYTES] == *seal).then_some(data)
}

/// Returns the digest of the tree with nothing in it.
#[must_use]
pub fn empty_tree() -> ContentDigest {
    static EMPTY: std::sync::OnceLock<ContentDigest> = std::sync::OnceLock::new();
    *EMPTY.get_or_init(|| Node::default().encode().0)
}

/// The nodes that an operation makes. At the end of the operation, those that its result needs are stored
/// together; the others are dropped.
pub(crate) struct Editor<'a> {
    pub(crate) store: &'a Store,
    fresh: HashMap<ContentDigest, (Arc<Node>, Vec<u8>)>,
}

impl<'a> Editor<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store, fresh: HashMap::new() }
    }

    pub(crate) fn node(&self, digest: ContentDigest) -> Result<Arc<Node>, NodeError> {
        match self.fresh.get(&digest) {
            Some((node, _)) => Ok(node.clone()),
            None => self.store.node(digest),
        }
    }

    pub(crate) fn add(&mut self, node: Node) -> ContentDigest {
        let (digest, data) = node.encode();
        if self.store.node_cache().get(&digest).is_none() {
            self.fresh.entry(digest).or_insert_with(|| (Arc::new(node), data));
        }
        digest
    }

    /// Stores the nodes that `root` needs, and returns `root`.
    pub(crate) fn finish(mut self, root: ContentDigest) -> Result<ContentDigest, NodeError> {
        let mut needed = Vec::new();
        let mut pending = vec![root];
        while let Some(digest) = pending.pop() {
            if let Some((node, data)) = self.fresh.remove(&digest) {
                pending.extend(node.entries.iter().filter_map(|entry| entry.directory()));
                needed.push((digest, node, data));
            }
        }
        if !needed.is_empty() {
            // Children are stored first, so that a stored directory has everything below it.
            self.store.put_encoded(needed.iter().rev().map(|(digest, _, data)| (digest, data.as_slice())))?;
            for (digest, node, data) in needed {
                // Another process may have stored the node before with other times, which are then the valid ones. So
                // a node with times is not kept in memory before it was read from the database.
                if node.entries.iter().all(|entry| !matches!(entry.mtime, crate::tree::node::Mtime::Seen(_))) {
                    self.store.node_cache().put(digest, node, data.len());
                }
            }
        }
        Ok(root)
    }
}
