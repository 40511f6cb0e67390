//! Layers of images, unpacked in the zone while they are being fetched.

use std::path::{Path, PathBuf};

use engine::Failure;
use evaluate::{LayerFault, NewLayer, Tree, UnpackedLayer, unpack_warnings};
use graph::{Blame, Diagnostic as _};
use oci::layer::{UnpackOptions, Unpacked};
use rustix::fs::{CWD, FileType, Mode};
use serde::{Deserialize, Serialize};
use store::{IdMap, IngestLimits, LayerContents, LayerId, Stamps, Store, empty_tree, ingest_layer};
use tokio::net::unix::pipe;
use trees::images::Download;

use crate::checks;
use crate::layout::Layouts;
use crate::zones::Zones;

/// The name of [`unpack`] in the zone's table.
pub(crate) const NAME: &str = "unpack-layer";

/// The request to [`unpack`].
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
    limits: IngestLimits,
}

/// The answer of [`unpack`].
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
    stamps: Stamps,
}

/// Unpacks a layer and makes blobs of its files. Called in the zone, where files can be given to other users.
pub(crate) fn unpack(payload: &[u8]) -> Result<Vec<u8>, String> {
    let request: UnpackRequest = postcard::from_bytes(payload).map_err(|error| error.to_string())?;
    let UnpackRequest { source, diff_id, lowers, dir, blobs, limits } = request;
    let file = std::fs::File::open(&source).map_err(|error| format!("the layer cannot be read: {error}"))?;
    let lower = |path: &Path| find_lower(&lowers, path);
    let options = UnpackOptions { diff_id: Some(diff_id), lower: Some(&lower), ..UnpackOptions::default() };
    let reply = match oci::layer::unpack(file, &dir, &options) {
        Err(error) if error.blame() == Blame::Environment => return Err(engine::chain(&error)),
        Err(error) => UnpackReply::Broken(engine::chain(&error)),
        Ok(unpacked) => {
            let contents = ingest_layer(&dir, &blobs, &IdMap::default(), &limits);
            let contents = contents.map_err(|error| engine::chain(&error))?;
            let stamps = Stamps::of_contents(&dir, &contents).map_err(|error| engine::chain(&error))?;
            UnpackReply::Done(Box::new(Layered { unpacked, contents, stamps }))
        }
    };
    postcard::to_stdvec(&reply).map_err(|error| error.to_string())
}

/// Finds what the layers below have at a path, without following any link.
fn find_lower(lowers: &[PathBuf], path: &Path) -> Option<PathBuf> {
    for lower in lowers.iter().rev() {
        let mut at = lower.clone();
        let mut names = path.components().peekable();
        loop {
            let Some(name) = names.next() else { return Some(at) };
            at.push(name);
            let Ok(stat) = rustix::fs::lstat(&at) else { break };
            // A removal hides what is further below; so does anything that is no directory.
            let is_dir = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
            if disk::is_whiteout(CWD, &at, &stat) || (names.peek().is_some() && !is_dir) {
                return None;
            }
        }
    }
    None
}

/// Unpacks a layer over those below it.
pub(crate) async fn add(
    layouts: &Layouts,
    layer: NewLayer<'_>,
    below: Tree<Vec<LayerId>>,
) -> Result<UnpackedLayer<Vec<LayerId>>, LayerFault> {
    let store = layouts.store();
    let below = whole(layouts, below).await?;
    let (id, dir) = store.new_layer_dir().map_err(Failure::of)?;
    let request = UnpackRequest {
        source: dir.with_extension("pipe"),
        diff_id: layer.layer.diff_id,
        lowers: below.form.iter().map(|layer| store.layer_path(layer)).collect(),
        dir: dir.clone(),
        blobs: store.blobs_dir(),
        limits: store.ingest_limits(),
    };
    let received = receive(layouts.zones(), request, layer.download).await;
    let _ = std::fs::remove_file(dir.with_extension("pipe"));
    let layered = match received {
        Ok(UnpackReply::Done(layered)) => layered,
        Ok(UnpackReply::Broken(why)) => {
            discard(&dir);
            return Err(LayerFault::Broken(why));
        }
        Err(failure) => {
            discard(&dir);
            return Err(failure.into());
        }
    };
    let Layered { unpacked, contents, stamps } = *layered;
    let mut warnings = unpack_warnings(&unpacked.skipped, unpacked.n_skipped);
    if unpacked.n_not_owned > 0 {
        warnings.push(format!(
            "{} files keep your own user: this user namespace has too few. Install `newuidmap` and a range in `/etc/subuid` for more",
            unpacked.n_not_owned
        ));
    }
    let dir = layouts.adopt(&id, &dir).await?;
    let below = if unpacked.is_opaque { Tree::of(empty_tree()) } else { below };
    let store = store.clone();
    let task = tokio::task::spawn_blocking(move || keep(&store, id, &dir, (contents, stamps), below));
    let tree = task.await.unwrap_or_else(|error| Err(Failure::bug(format!("keeping a layer panicked: {error}"))))?;
    Ok(UnpackedLayer { tree, warnings })
}

/// Returns a tree with layers that are whole: links in an archive can name files of the layers below.
async fn whole(layouts: &Layouts, tree: Tree<Vec<LayerId>>) -> Result<Tree<Vec<LayerId>>, Failure> {
    if checks::are_whole(layouts.store(), layouts.zones(), &tree.form).await? {
        return Ok(tree);
    }
    Ok(Tree { form: layouts.lay_out(&tree).await?, ..tree })
}

/// Has the zone unpack a layer while it is being fetched.
async fn receive(zones: &Zones, mut request: UnpackRequest, download: &Download) -> Result<UnpackReply, Failure> {
    let zone = zones.get().await?;
    let pipe_path = request.source.clone();
    rustix::fs::mknodat(CWD, &pipe_path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)
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

/// Gives the directory of a layer to the store, and returns the tree that it makes of the one below.
fn keep(
    store: &Store,
    id: LayerId,
    dir: &Path,
    (contents, stamps): (LayerContents, Stamps),
    below: Tree<Vec<LayerId>>,
) -> Result<Tree<Vec<LayerId>>, Failure> {
    let digest = store.apply_changes(below.digest, &contents).map_err(Failure::of)?;
    store.add_layer(&id, dir, contents.size_bytes, stamps).map_err(Failure::of)?;
    let layers: Vec<LayerId> = below.form.into_iter().chain([id]).collect();
    store.note_materialised(digest, &layers).map_err(Failure::of)?;
    Ok(Tree { form: layers, ..Tree::of(digest) })
}
