//! Layers of images, read into the store without Docker.

use std::fs::File;

use engine::Failure;
use evaluate::{LayerFault, Tree, UnpackedLayer, unpack_warnings};
use oci::Digest;
use store::Store;
use trees::UnpackError;

/// Lays the layer in a file over a tree. Blocks.
pub(crate) fn read_layer(
    store: &Store,
    below: Tree<()>,
    path: &std::path::Path,
    diff_id: Digest,
) -> Result<UnpackedLayer<()>, LayerFault> {
    let unreadable =
        |error: std::io::Error| Failure::environment(format!("`{}` cannot be read: {error}", path.display()), None);
    let file = File::open(path).map_err(unreadable)?;
    let (tree, read) = trees::read_layer(store, below.digest, file, diff_id).map_err(layer_fault)?;
    Ok(UnpackedLayer { tree: Tree::of(tree), warnings: unpack_warnings(&read.skipped, read.n_skipped) })
}

fn layer_fault(error: UnpackError) -> LayerFault {
    match error {
        UnpackError::Layer(error) if graph::Diagnostic::blame(&error) == graph::Blame::Environment => {
            LayerFault::Failed(Failure::of(error))
        }
        UnpackError::Layer(error) => LayerFault::Broken(engine::chain(&error)),
        UnpackError::Store(failure) => LayerFault::Failed(failure),
    }
}
