//! From the layers of an image to a tree, without Docker: what a container shows has files of Docker's own in it.
//!
//! Source: OCI image specification, "Image Layer Filesystem Changeset".

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use backend::{Failure, FailureCode};
use graph::{ContentDigest, ImageOp, Op};
use oci::compression::Decoder;
use sha2::{Digest as _, Sha256};
use store::{Entry, Kind, Mtime, Node, Store, empty_tree};
use trees::failure::failure;
use trees::{Input, Trees};

use crate::connection::context::hex;
use crate::images::ingest;

/// What a layer calls the removal of a name.
const WHITEOUT: &[u8] = b".wh.";
/// What a layer has in a directory that hides all below it.
const OPAQUE: &[u8] = b".wh..wh..opq";

/// Returns the root file system of an image.
pub(crate) async fn evaluate(trees: &Trees, op: &ImageOp, input: Option<Input<'_>>) -> Result<ContentDigest, Failure> {
    let image = trees.images().image(op, input).await?;
    let downloads = trees.images().fetch(op, &image, input, 0).await?;
    let mut tree = empty_tree();
    for (layer, download) in image.layers().iter().zip(&downloads) {
        let (path, store, diff_id) = (download.finished().await?, trees.store().clone(), layer.diff_id.to_string());
        let task = tokio::task::spawn_blocking(move || add(&store, tree, &path, &diff_id));
        let added = task.await.unwrap_or_else(|error| Err(Failure::bug(format!("a layer panicked: {error}"))));
        tree = added.map_err(|error| {
            let image = Op::Image(Box::new(op.clone())).describe();
            Failure::invalid(
                FailureCode::InvalidArgument,
                format!("layer {} of {image}: {error}", layer.descriptor.digest),
            )
        })?;
    }
    Ok(tree)
}

/// Lays the layer in a file over a tree; blocks. `diff_id` is what the configuration calls it.
fn add(store: &Store, below: ContentDigest, path: &Path, diff_id: &str) -> Result<ContentDigest, Failure> {
    let unreadable = |error: &dyn std::fmt::Display| Failure::environment(format!("it cannot be read: {error}"), None);
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    let decoder = Decoder::new(BufReader::new(file)).map_err(|error| unreadable(&error))?;
    let mut hashed = Hashed { inner: decoder, hasher: Sha256::new() };
    let layer = ingest::read(&mut hashed, store)?.put(store)?;
    // What is behind the end of the archive counts, too.
    io::copy(&mut hashed, &mut io::sink()).map_err(|error| unreadable(&error))?;
    let found = format!("sha256:{}", hex(&hashed.hasher.finalize()));
    if found != diff_id {
        let message = format!("uncompressed it is {found}, and the configuration says {diff_id}");
        return Err(Failure::invalid(FailureCode::InvalidArgument, message));
    }
    overlay(store, below, layer)
}

/// Hashes what is read.
struct Hashed<R> {
    inner: R,
    hasher: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..n]);
        Ok(n)
    }
}

/// Lays a tree over another as layers are: names that begin with `.wh.` remove.
fn overlay(store: &Store, below: ContentDigest, layer: ContentDigest) -> Result<ContentDigest, Failure> {
    let lower = store.node(below).map_err(|error| failure(&error))?;
    let upper = store.node(layer).map_err(|error| failure(&error))?;
    let mut node =
        if upper.get(OPAQUE).is_some() { Node { root: lower.root, entries: Vec::new() } } else { (*lower).clone() };
    node.root = upper.root.or(node.root);
    for removed in upper.entries.iter().filter_map(|entry| entry.name.strip_prefix(WHITEOUT)) {
        node.take(removed);
    }
    for entry in upper.entries.iter().filter(|entry| !entry.name.starts_with(WHITEOUT)) {
        let found = node.get(&entry.name).filter(|found| found.directory().is_some());
        let merged = match entry.directory() {
            None => entry.clone(),
            Some(layer) => {
                let from = found.and_then(Entry::directory).unwrap_or_else(empty_tree);
                let kind = Kind::Directory { digest: overlay(store, from, layer)? };
                // A directory that stands only in the paths of others says nothing of itself.
                let about = found.filter(|_| entry.mtime == Mtime::Unset).unwrap_or(entry);
                Entry { kind, ..about.clone() }
            }
        };
        node.put(merged);
    }
    store.put_node(node).map_err(|error| failure(&error))
}

#[cfg(test)]
mod tests {
    use graph::{FileOp, TreePath};

    use super::*;

    fn tree(store: &Store, files: &[&str]) -> ContentDigest {
        files.iter().fold(empty_tree(), |tree, path| {
            let path = TreePath::parse(path).unwrap();
            let op = FileOp::MakeFile { path, contents: b"x"[..].into(), mode: 0o644, owner: None };
            store.apply(&op, tree, None).unwrap()
        })
    }

    fn check(below: &[&str], layer: &[&str], expect: &[&str]) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let both = overlay(&store, tree(&store, below), tree(&store, layer)).unwrap();
        assert_eq!(store.glob(both, &TreePath::root(), "**").unwrap(), expect, "{layer:?}");
    }

    #[test]
    fn a_layer_adds_replaces_and_removes() {
        check(&["a", "d/b"], &["d/c"], &["a", "d/", "d/b", "d/c"]);
        check(&["a", "d/b"], &[".wh.a", "d/.wh.b"], &["d/"]);
        check(&["a", "d/b"], &["d/.wh..wh..opq", "d/c"], &["a", "d/", "d/c"]);
        check(&["a", "d/b"], &["d", "a/x"], &["a/", "a/x", "d"]);
    }
}
