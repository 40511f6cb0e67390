//! Images: found and fetched by [`trees`], unpacked by the runner, layer by layer.
//!
//! A layer is unpacked once for all images that have the same layers below it. Layers are fetched at the same time and
//! unpacked one after the other: what a layer says of a directory depends on those below.

use engine::{Event, Failure};
use graph::{CacheKey, ContentDigest, ImageOp, KeyHasher, Op};
use serde::{Deserialize, Serialize};
use store::{NewResult, Store, empty_tree};
use trees::images::Layer;
use trees::{Input, Trees};

use crate::runner::{NewLayer, Runner};
use crate::value::Tree;

/// What is recorded of a layer over those below it.
#[derive(Serialize, Deserialize)]
struct Recorded<F> {
    tree: ContentDigest,
    form: F,
}

/// Returns the root file system of an image; fetches and unpacks what is not here.
pub(crate) async fn evaluate<R: Runner>(
    runner: &R,
    trees: &Trees,
    events: &engine::EventSink,
    op: &ImageOp,
    input: Option<Input<'_>>,
) -> Result<Tree<R::Form>, Failure> {
    let images = trees.images();
    let image = images.image(op, input).await?;
    let layers = image.layers();
    let (n_known, mut tree) = known(runner, trees.store(), &layers)?;
    let downloads = images.fetch(op, &image, input, n_known).await?;
    for (index, download) in (n_known..).zip(&downloads) {
        let layer = &layers[index];
        let unpacked = runner.unpack(NewLayer { layer, download }, tree).await;
        let unpacked = unpacked.map_err(|fault| fault.failure(&layer.descriptor.digest, op))?;
        for warning in unpacked.warnings {
            events(Event::Warning { message: format!("{}: {warning}", describe(op)) });
        }
        tree = unpacked.tree;
        record::<R>(trees.store(), &layers[..=index], &tree)?;
    }
    Ok(tree)
}

fn describe(op: &ImageOp) -> String {
    Op::Image(Box::new(op.clone())).describe()
}

/// Returns how many layers are unpacked, from the lowest on, and what they make.
fn known<R: Runner>(runner: &R, store: &Store, layers: &[Layer]) -> Result<(usize, Tree<R::Form>), Failure> {
    for n_layers in (1..=layers.len()).rev() {
        let found = store.result(key::<R>(&layers[..n_layers])).map_err(Failure::of)?;
        let found: Option<Recorded<R::Form>> = found.and_then(|bytes| postcard::from_bytes(&bytes).ok());
        let found = found.map(|Recorded { tree, form }| Tree { form, ..Tree::of(tree) });
        if let Some(tree) = found.filter(|tree| runner.is_there(tree)) {
            return Ok((n_layers, tree));
        }
    }
    Ok((0, Tree::of(empty_tree())))
}

/// Returns what the uppermost of some layers is found by.
fn key<R: Runner>(layers: &[Layer]) -> CacheKey {
    let mut hasher = KeyHasher::new("unpacked/2");
    hasher.text(R::DOMAIN);
    hasher.list(layers.iter(), |h, layer| h.text(&layer.diff_id.to_string()));
    hasher.cache_key()
}

fn record<R: Runner>(store: &Store, layers: &[Layer], tree: &Tree<R::Form>) -> Result<(), Failure> {
    let recorded = Recorded { tree: tree.digest, form: tree.form.clone() };
    let value =
        postcard::to_stdvec(&recorded).map_err(|error| Failure::bug(format!("a record of a layer: {error}")))?;
    let result = NewResult { key: key::<R>(layers), value: &value, trees: &[tree.digest], blobs: &[] };
    store.put_result(&result).map_err(Failure::of)
}
