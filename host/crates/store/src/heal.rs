//! Handles contents that are missing or damaged. Every result that needs them is removed, so that the next run makes
//! them again and does not find the same fault.
//!
//! This is rare and may be slow: it looks at all results and all layers.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use graph::{CacheKey, ContentDigest};

use crate::blob::BlobError;
use crate::db::DbError;
use crate::fs;
use crate::layer::record::LayerId;
use crate::layer::write::WriteError;
use crate::results::decode_refs;
use crate::store::Store;
use crate::tree::node::Kind;

impl Store {
    /// Removes the results that need these contents, and returns the error that reports them as missing.
    pub(crate) fn missing(&self, digest: &ContentDigest) -> BlobError {
        match self.forget_dependents(digest) {
            Ok(()) => BlobError::Missing { digest: *digest },
            Err(error) => error.into(),
        }
    }

    /// Removes contents that do not have their digest, and the results that need them, and returns the error that
    /// reports the contents as damaged.
    pub(crate) fn corrupt(&self, digest: &ContentDigest) -> BlobError {
        let path = self.blob_path(digest);
        let removed = self
            .forget_layers_with(&path)
            .and_then(|()| self.forget_dependents(digest))
            .map_err(BlobError::from)
            .and_then(|()| Ok(fs::remove_file(&path)?));
        match removed {
            Ok(()) => BlobError::Corrupt { digest: *digest, path },
            Err(error) => error,
        }
    }

    /// Removes the contents that an error reports as damaged, if it does, so that the next run makes them again.
    pub(crate) fn heal(&self, error: &WriteError) {
        if let WriteError::Corrupt { digest, .. } = error {
            // If they cannot be removed, the next run meets them again.
            let _ = self.corrupt(digest);
        }
    }

    /// Removes contents that were found to be damaged where there is no store, with the results that need them. Contents
    /// that have their digest stay.
    ///
    /// # Errors
    /// If they cannot be read or removed.
    pub fn remove_damaged(&self, digest: &ContentDigest) -> Result<(), BlobError> {
        match self.open_blob(digest) {
            Ok(_) | Err(BlobError::Corrupt { .. } | BlobError::Missing { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Removes the results that need a blob or a directory, directly or in one of their trees.
    pub(crate) fn forget_dependents(&self, digest: &ContentDigest) -> Result<(), DbError> {
        let results = self.db().with("read what results name", |db| {
            let mut query = db.prepare("SELECT key, refs FROM results")?;
            let rows = query.query_map([], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?)))?;
            rows.collect::<Result<Vec<([u8; 32], _)>, _>>()
        })?;
        let mut known = HashMap::from([(*digest, true)]);
        for (key, refs) in results {
            let (trees, blobs) = decode_refs(&refs);
            if blobs.contains(digest) || trees.iter().any(|tree| self.needs(*tree, &mut known)) {
                self.remove_result(CacheKey::from_bytes(key))?;
            }
        }
        // No result names the tree of the machine.
        self.db().with("forget what the machine is", |db| db.execute("DELETE FROM meta WHERE key = 'machine'", []))?;
        Ok(())
    }

    /// Returns whether a tree needs something that is `known` to be missing.
    fn needs(&self, tree: ContentDigest, known: &mut HashMap<ContentDigest, bool>) -> bool {
        let mut pending = vec![(tree, None)];
        // Each directory is visited twice: before its entries and after them.
        while let Some((digest, children)) = pending.pop() {
            if let Some(children) = children {
                let children: Vec<ContentDigest> = children;
                let is_hit = children.iter().any(|child| known.get(child) == Some(&true));
                known.insert(digest, is_hit);
                continue;
            }
            if known.contains_key(&digest) {
                continue;
            }
            // A result with a directory that cannot be read is removed, too.
            let Ok(node) = self.find_node(digest) else {
                known.insert(digest, true);
                continue;
            };
            let directories: Vec<ContentDigest> = node.entries.iter().filter_map(|entry| entry.directory()).collect();
            let files = node.entries.iter().filter_map(|entry| match &entry.kind {
                Kind::File { digest, .. } => Some(*digest),
                _ => None,
            });
            let children: Vec<ContentDigest> = files.filter(|file| known.get(file) == Some(&true)).collect();
            pending.push((digest, Some([children, directories.clone()].concat())));
            pending.extend(directories.into_iter().map(|directory| (directory, None)));
        }
        known.get(&tree) == Some(&true)
    }

    /// Removes the rows of the layers that share a damaged file. Their directories stay while a process uses them.
    fn forget_layers_with(&self, blob: &Path) -> Result<(), DbError> {
        let Ok(Some(metadata)) = fs::lstat_if_there(blob) else { return Ok(()) };
        if metadata.nlink() < 2 {
            return Ok(());
        }
        let names = fs::names(&self.layers_dir()).unwrap_or_default();
        let ids = names.iter().filter_map(|name| name.to_str()).filter_map(LayerId::parse);
        let damaged: Vec<LayerId> = ids.filter(|id| has_inode(&self.layer_path(id), metadata.ino())).collect();
        self.forget_layers(&damaged)
    }
}

/// Returns whether a file below a directory has this inode. What cannot be read is skipped.
fn has_inode(directory: &Path, inode: u64) -> bool {
    let mut pending = vec![directory.to_owned()];
    while let Some(path) = pending.pop() {
        match fs::lstat_if_there(&path) {
            Ok(Some(metadata)) if metadata.is_dir() => {
                pending.extend(fs::names(&path).unwrap_or_default().into_iter().map(|name| path.join(name)));
            }
            Ok(Some(metadata)) if metadata.ino() == inode => return true,
            _ => {}
        }
    }
    false
}
