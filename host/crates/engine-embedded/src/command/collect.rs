//! From what a command wrote to trees and layers.

use std::path::{Path, PathBuf};

use engine::{Failure, FailureCode};
use evaluate::Tree;
use graph::{Blame, Diagnostic as _};
use serde::{Deserialize, Serialize};
use store::{IdMap, IngestError, IngestLimits, LayerContents, LayerId, Stamps, Store, ingest_layer};
use zone::ExecReply;

use crate::layout::Layouts;

/// The name of [`ingest`] in the zone's table.
pub(crate) const NAME: &str = "ingest";

/// The request to [`ingest`].
#[derive(Serialize, Deserialize)]
struct Uppers {
    uppers: Vec<PathBuf>,
    blobs: PathBuf,
    limits: IngestLimits,
}

/// What a command wrote to one directory.
type Written = (LayerContents, Stamps);

/// Returns the request to read what was written to these directories.
pub(crate) fn request(uppers: &[PathBuf], store: &Store) -> Vec<u8> {
    let uppers = Uppers { uppers: uppers.to_vec(), blobs: store.blobs_dir(), limits: store.ingest_limits() };
    // Postcard fails only on paths that are not UTF-8, and the zone has refused such a store.
    postcard::to_stdvec(&uppers).unwrap_or_default()
}

/// The answer of [`ingest`].
#[derive(Serialize, Deserialize)]
enum IngestReply {
    /// What is in each of the directories.
    Contents(Vec<Written>),
    /// What the command wrote exceeds a limit, or cannot be read.
    Refused { message: String, hint: Option<String>, is_of_command: bool },
}

/// Reads what a command wrote and makes blobs of its files. Called in the zone, where all files can be read.
pub(crate) fn ingest(payload: &[u8]) -> Result<Vec<u8>, String> {
    let Uppers { uppers, blobs, limits } = postcard::from_bytes(payload).map_err(|error| error.to_string())?;
    let contents = uppers.iter().map(|upper| {
        let contents = ingest_layer(upper, &blobs, &IdMap::default(), &limits)?;
        let stamps = Stamps::of_contents(upper, &contents)?;
        Ok((contents, stamps))
    });
    let contents: Result<Vec<Written>, IngestError> = contents.collect();
    let reply = match contents {
        Ok(contents) => IngestReply::Contents(contents),
        Err(error) => IngestReply::Refused {
            message: engine::chain(&error),
            hint: error.hint(),
            is_of_command: error.blame() == Blame::User,
        },
    };
    postcard::to_stdvec(&reply).map_err(|error| error.to_string())
}

/// Makes trees of what a command wrote over `bases`, and layers of the directories `uppers` themselves.
pub(crate) async fn collect(
    layouts: &Layouts,
    bases: Vec<Tree<Vec<LayerId>>>,
    uppers: &[PathBuf],
    reply: &ExecReply,
) -> Result<Vec<Tree<Vec<LayerId>>>, Failure> {
    let contents = contents_of(reply)?;
    if contents.len() != uppers.len() || bases.len() != uppers.len() {
        return Err(Failure::bug("the zone read other directories than it was asked to"));
    }
    let mut layers = Vec::with_capacity(uppers.len());
    for upper in uppers {
        let id = LayerId::new();
        let dir = layouts.adopt(&id, upper).await?;
        layers.push((id, dir));
    }
    let store = layouts.store().clone();
    let task = tokio::task::spawn_blocking(move || {
        let parts = bases.into_iter().zip(layers).zip(contents);
        parts.map(|((base, (id, dir)), written)| output(&store, base, id, &dir, written)).collect()
    });
    task.await.unwrap_or_else(|error| Err(Failure::bug(format!("collecting a result panicked: {error}"))))
}

fn contents_of(reply: &ExecReply) -> Result<Vec<Written>, Failure> {
    let reply = match &reply.after {
        Some(Ok(bytes)) => {
            postcard::from_bytes(bytes).map_err(|error| Failure::bug(format!("the zone's answer: {error}")))?
        }
        Some(Err(message)) => {
            return Err(Failure::environment(format!("what the command wrote cannot be read: {message}"), None));
        }
        None => return Err(Failure::bug("what the command wrote was not read")),
    };
    match reply {
        IngestReply::Contents(contents) => Ok(contents),
        IngestReply::Refused { message, hint, is_of_command: true } => {
            Err(Failure::Invalid { code: FailureCode::InvalidArgument, message, hint })
        }
        IngestReply::Refused { message, hint, .. } => {
            Err(Failure::Environment { message: format!("what the command wrote cannot be read: {message}"), hint })
        }
    }
}

/// Makes a tree of what was written over `base`, and a layer of the directory itself.
fn output(
    store: &Store,
    base: Tree<Vec<LayerId>>,
    layer: LayerId,
    dir: &Path,
    (contents, stamps): Written,
) -> Result<Tree<Vec<LayerId>>, Failure> {
    if contents.changes.is_empty() {
        // Nothing refers to it, wherever it is.
        let _ = store::remove_stubborn(dir);
        return Ok(base);
    }
    let digest = store.apply_changes(base.digest, &contents).map_err(Failure::of)?;
    let Some(lowers) = crate::layout::known(store, &base)? else {
        // The store was cleared while the command ran. What it wrote is in the tree; the layer alone would show a root
        // without what lay below.
        let _ = store::remove_stubborn(dir);
        return Ok(Tree { near: vec![base.digest], ..Tree::of(digest) });
    };
    store.add_layer(&layer, dir, contents.size_bytes, stamps).map_err(Failure::of)?;
    let layers: Vec<LayerId> = lowers.into_iter().chain([layer]).collect();
    store.note_materialised(digest, &layers).map_err(Failure::of)?;
    Ok(Tree { form: layers, near: vec![base.digest], ..Tree::of(digest) })
}

#[cfg(test)]
mod tests {
    use store::{Item, empty_tree};

    use super::*;

    /// Returns what a command leaves that makes a link called `name` over `base`.
    fn left(store: &Store, base: Tree<Vec<LayerId>>, name: &str) -> Tree<Vec<LayerId>> {
        let (id, dir) = store.new_layer_dir().unwrap();
        std::os::unix::fs::symlink("target", dir.join(name)).unwrap();
        let contents = ingest_layer(&dir, &store.blobs_dir(), &IdMap::default(), &IngestLimits::default()).unwrap();
        let stamps = Stamps::of_contents(&dir, &contents).unwrap();
        output(store, base, id, &dir, (contents, stamps)).unwrap()
    }

    #[test]
    fn a_command_whose_base_is_removed_meanwhile_leaves_its_tree_and_no_layers() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store")).unwrap();
        let base = left(&store, Tree::of(empty_tree()), "below");
        assert_eq!(base.form.len(), 1);
        let kept = left(&store, base.clone(), "above");
        assert_eq!(kept.form.len(), 2);

        store.remove(&base.form.iter().cloned().map(Item::Layer).collect::<Vec<_>>()).unwrap();

        let alone = left(&store, base, "above");
        assert_eq!((alone.digest, alone.form.len()), (kept.digest, 0));
        assert_eq!(crate::layout::known(&store, &alone).unwrap(), None);
    }
}
