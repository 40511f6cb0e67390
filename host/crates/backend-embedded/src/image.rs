//! Images: found by [`trees`], unpacked in the zone.
//!
//! A layer is unpacked once for all images that have the same layers below it. Layers are fetched at the
//! same time and unpacked one after the other, each while it still comes: what a layer says of a directory
//! depends on those below.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use backend::{Event, Failure, FailureCode};
use graph::{Blame, ContentDigest, Diagnostic as _, ImageOp, KeyHasher};
use oci::layer::{UnpackOptions, Unpacked};
use serde::{Deserialize, Serialize};
use store::{IdMap, LayerContents, LayerId, NewResult, empty_tree, ingest_layer};
use tokio::net::unix::pipe;
use trees::Input;
use trees::failure::failure;
use trees::images::{Download, Layer};

use crate::engine::Engine;
use crate::value::Tree;

/// The name of [`unpack`] in the zone's table.
pub(crate) const NAME: &str = "unpack-layer";

/// What [`unpack`] reads.
#[derive(Serialize, Deserialize)]
struct UnpackRequest {
    /// The compressed tar file: a file, or a pipe that it comes through.
    source: PathBuf,
    diff_id: oci::Digest,
    /// The layers below, lowest first.
    lowers: Vec<PathBuf>,
    /// An empty directory.
    dir: PathBuf,
    blobs: PathBuf,
}

/// What [`unpack`] answers.
#[derive(Serialize, Deserialize)]
enum UnpackReply {
    /// The layer is unpacked.
    Done(Box<Layered>),
    /// The layer is not what it should be.
    Broken(String),
}

/// What was unpacked, and what is in it.
#[derive(Serialize, Deserialize)]
struct Layered {
    unpacked: Unpacked,
    contents: LayerContents,
}

/// Unpacks a layer and makes blobs of its files: called in the zone, where files can be given to other users.
pub(crate) fn unpack(payload: &[u8]) -> Result<Vec<u8>, String> {
    let request: UnpackRequest = postcard::from_bytes(payload).map_err(|error| error.to_string())?;
    let UnpackRequest { source, diff_id, lowers, dir, blobs } = request;
    let file = std::fs::File::open(&source).map_err(|error| format!("the layer cannot be read: {error}"))?;
    let lower = |path: &Path| find_lower(&lowers, path);
    let options = UnpackOptions { diff_id: Some(diff_id), lower: Some(&lower), ..UnpackOptions::default() };
    let reply = match oci::layer::unpack(file, &dir, &options) {
        Err(error) if error.blame() == Blame::Environment => return Err(trees::failure::chain(&error)),
        Err(error) => UnpackReply::Broken(trees::failure::chain(&error)),
        Ok(unpacked) => {
            let contents = ingest_layer(&dir, &blobs, &IdMap::default());
            let contents = contents.map_err(|error| trees::failure::chain(&error))?;
            UnpackReply::Done(Box::new(Layered { unpacked, contents }))
        }
    };
    postcard::to_stdvec(&reply).map_err(|error| error.to_string())
}

/// Finds what the layers below have at a path, without following any link.
fn find_lower(lowers: &[PathBuf], path: &Path) -> Option<PathBuf> {
    use std::os::unix::fs::FileTypeExt as _;
    for lower in lowers.iter().rev() {
        let mut at = lower.clone();
        let mut names = path.components().peekable();
        loop {
            let Some(name) = names.next() else { return Some(at) };
            at.push(name);
            let Ok(metadata) = at.symlink_metadata() else { break };
            // A removal hides what is further below; so does anything that is no directory.
            if metadata.file_type().is_char_device() || (names.peek().is_some() && !metadata.is_dir()) {
                return None;
            }
        }
    }
    None
}

/// A layer of an image over those below it, in the store.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Unpacking {
    /// The root file system up to here.
    tree: ContentDigest,
    layers: Vec<LayerId>,
}

/// Returns the root file system of an image; fetches and unpacks what is not here.
pub(crate) async fn evaluate(engine: &Arc<Engine>, op: &ImageOp, input: Option<Input<'_>>) -> Result<Tree, Failure> {
    let images = engine.trees.images();
    let image = images.image(op, input).await?;
    let layers = image.layers();
    let (n_known, mut below) = known(engine, &layers)?;
    let downloads = images.fetch(op, &image, input, n_known).await?;
    for (index, download) in (n_known..).zip(downloads) {
        below = add(engine, op, &layers, index, &download, below).await?;
    }
    Ok(Tree { layers: below.layers, ..Tree::of(below.tree) })
}

/// Returns how many layers are unpacked, from the lowest on, and what they make.
fn known(engine: &Engine, layers: &[Layer]) -> Result<(usize, Unpacking), Failure> {
    for n_layers in (1..=layers.len()).rev() {
        let found = engine.store.result(key(&layers[..n_layers])).map_err(|error| failure(&error))?;
        let found: Option<Unpacking> = found.and_then(|bytes| postcard::from_bytes(&bytes).ok());
        let is_there = |found: &Unpacking| found.layers.iter().all(|layer| engine.store.layer_path(layer).is_dir());
        if let Some(found) = found.filter(is_there) {
            return Ok((n_layers, found));
        }
    }
    Ok((0, Unpacking { tree: empty_tree(), layers: Vec::new() }))
}

/// Returns what the uppermost of some layers is found by.
fn key(layers: &[Layer]) -> graph::CacheKey {
    let mut hasher = KeyHasher::new("unpacked/1");
    hasher.list(layers.iter(), |h, layer| h.text(&layer.diff_id.to_string()));
    hasher.cache_key()
}

/// Unpacks the layer of number `index` over those below it.
async fn add(
    engine: &Arc<Engine>,
    op: &ImageOp,
    layers: &[Layer],
    index: usize,
    download: &Download,
    below: Unpacking,
) -> Result<Unpacking, Failure> {
    let (id, dir) = engine.store.new_layer_dir().map_err(|error| failure(&error))?;
    let request = UnpackRequest {
        source: dir.with_extension("pipe"),
        diff_id: layers[index].diff_id,
        lowers: below.layers.iter().map(|layer| engine.store.layer_path(layer)).collect(),
        dir: dir.clone(),
        blobs: engine.store.blobs_dir(),
    };
    let received = receive(engine, request, download).await;
    let _ = std::fs::remove_file(dir.with_extension("pipe"));
    let reply = match received {
        Ok(UnpackReply::Done(reply)) => reply,
        Ok(UnpackReply::Broken(why)) => {
            discard(&dir);
            let image = graph::Op::Image(Box::new(op.clone())).describe();
            let message = format!("layer {} of {image}: {why}", layers[index].descriptor.digest);
            return Err(Failure::invalid(FailureCode::InvalidArgument, message));
        }
        Err(failure) => {
            discard(&dir);
            return Err(failure);
        }
    };
    warn(engine, op, &reply.unpacked);
    let dir = crate::layout::adopt(engine, &id, &dir).await?;
    let (engine, key) = (Arc::clone(engine), key(&layers[..=index]));
    let task = tokio::task::spawn_blocking(move || record(&engine, key, id, &dir, &reply, below));
    task.await.unwrap_or_else(|error| Err(Failure::bug(format!("recording a layer panicked: {error}"))))
}

/// Has the zone unpack a layer while it comes.
async fn receive(engine: &Engine, mut request: UnpackRequest, download: &Download) -> Result<UnpackReply, Failure> {
    let zone = engine.zones.get().await?;
    let pipe_path = request.source.clone();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe_path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .map_err(|error| Failure::environment(format!("`{}` cannot be made: {error}", pipe_path.display()), None))?;
    let payload = encode(&request)?;
    let unpacked = {
        let call = zone.call(NAME, &payload);
        let copy = async { download.copy_to(open_sender(&pipe_path).await?).await };
        tokio::pin!(call, copy);
        tokio::select! {
            // The download failed: that the unpacker sees its end too early would be a consequence.
            copied = &mut copy => if copied? { Some(call.await) } else { None },
            // It stops early at what is wrong. Nobody reads the pipe then.
            unpacked = &mut call => Some(unpacked),
        }
    };
    let reply = match unpacked {
        Some(unpacked) => unpacked,
        None => {
            // It began anew: from here on the file is used that it becomes.
            request.source = download.finished().await?;
            discard(&request.dir);
            std::fs::create_dir(&request.dir).map_err(|error| {
                Failure::environment(format!("`{}` cannot be emptied: {error}", request.dir.display()), None)
            })?;
            zone.call(NAME, &encode(&request)?).await
        }
    };
    let reply = reply.map_err(|error| Failure::environment(format!("a layer cannot be unpacked: {error}"), None))?;
    let reply = postcard::from_bytes(&reply).map_err(|error| Failure::bug(format!("the zone's answer: {error}")))?;
    if matches!(reply, UnpackReply::Done(_)) {
        // Verified as a whole only at its end.
        download.finished().await?;
    }
    Ok(reply)
}

/// Removes what was unpacked. What other users own of it goes with the next sweep of the store.
fn discard(dir: &Path) {
    let _ = store::remove_stubborn(dir);
}

/// Opens a pipe for writing once its reader has: what is written before that is lost when the writer is done first.
async fn open_sender(path: &Path) -> Result<pipe::Sender, Failure> {
    loop {
        match pipe::OpenOptions::new().open_sender(path) {
            Ok(sender) => return Ok(sender),
            Err(error) if error.raw_os_error() == Some(libc::ENXIO) => tokio::time::sleep(READER_PAUSE).await,
            Err(error) => {
                let message = format!("`{}` cannot be opened: {error}", path.display());
                return Err(Failure::environment(message, None));
            }
        }
    }
}

/// How long it is waited until a pipe is looked at again that nobody reads yet.
const READER_PAUSE: std::time::Duration = std::time::Duration::from_micros(500);

fn encode(request: &UnpackRequest) -> Result<Vec<u8>, Failure> {
    postcard::to_stdvec(request).map_err(|error| Failure::bug(format!("a request to unpack: {error}")))
}

/// Writes a layer down.
fn record(
    engine: &Engine,
    key: graph::CacheKey,
    id: LayerId,
    dir: &Path,
    reply: &Layered,
    below: Unpacking,
) -> Result<Unpacking, Failure> {
    let store = &engine.store;
    let Layered { unpacked, contents } = reply;
    let below = if unpacked.is_opaque { Unpacking { tree: empty_tree(), layers: Vec::new() } } else { below };
    let tree = store.apply_changes(below.tree, contents).map_err(|error| failure(&error))?;
    store.add_layer(&id, dir, contents.size_bytes).map_err(|error| failure(&error))?;
    let layers: Vec<LayerId> = below.layers.into_iter().chain([id]).collect();
    store.note_materialised(tree, &layers).map_err(|error| failure(&error))?;
    let unpacking = Unpacking { tree, layers };
    let value =
        postcard::to_stdvec(&unpacking).map_err(|error| Failure::bug(format!("a record of a layer: {error}")))?;
    store.put_result(&NewResult { key, value: &value, trees: &[tree], blobs: &[] }).map_err(|error| failure(&error))?;
    Ok(unpacking)
}

/// Tells what of a layer is not as the image has it.
fn warn(engine: &Engine, op: &ImageOp, unpacked: &Unpacked) {
    let image = graph::Op::Image(Box::new(op.clone())).describe();
    let say = |message: String| (engine.io.events)(Event::Warning { message: format!("{image}: {message}") });
    if let Some(first) = unpacked.skipped.first() {
        let others = unpacked.n_skipped.saturating_sub(1);
        let others = if others > 0 { format!(", and {others} others") } else { String::new() };
        say(format!("`{}` was left out: {}{others}", first.name, first.why));
    }
    if unpacked.n_not_owned > 0 {
        say(format!(
            "{} files keep your own user: this user namespace has too few. Install `newuidmap` and a range in `/etc/subuid` for more",
            unpacked.n_not_owned
        ));
    }
}
