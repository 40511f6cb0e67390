//! From trees to layers: what a command needs as directories.
//!
//! A tree that a command made has its layers already. For another one the nearest tree that has
//! layers is found, and one layer with the difference is put on top: a directory of 50,000 files of
//! which ten changed costs ten files.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::{Event, EventSink, Failure};
use evaluate::Tree;
use graph::{ContentDigest, Diagnostic as _};
use serde::{Deserialize, Serialize};
use store::{IdMap, LayerId, LayerPlan, Owned, Stamps, Store, WriteError, Written, empty_tree, write_layer};
use tokio::sync::Mutex;

use crate::checks;
use crate::zones::Zones;

/// How many layers a root may have. Beyond it a new one is made from the tree alone.
/// The kernel takes 500; mounting slows down from about 64 on.
const MAX_LAYERS: usize = 64;

/// A difference of at most this many entries is taken without looking for a smaller one.
const SMALL_PLAN: usize = 1000;

/// The name of [`write`] in the zone's table.
pub(crate) const NAME: &str = "write-layer";

/// The request to [`write`].
#[derive(Serialize, Deserialize)]
struct WriteRequest {
    plan: LayerPlan,
    dir: PathBuf,
    blobs: PathBuf,
}

/// The answer of [`write`].
#[derive(Serialize, Deserialize)]
enum WriteReply {
    Written(Written, Stamps),
    /// The layer could not be written, with the way out. The machine is to blame.
    Refused {
        message: String,
        hint: Option<String>,
        /// The contents that are damaged in the store, if that is the reason.
        damaged: Option<ContentDigest>,
    },
}

/// Writes a layer. Called in the zone, where files can be given to other users.
pub(crate) fn write(payload: &[u8]) -> Result<Vec<u8>, String> {
    let WriteRequest { plan, dir, blobs } = postcard::from_bytes(payload).map_err(|error| error.to_string())?;
    let written = write_layer(&plan, &dir, &blobs, &IdMap::default())
        .and_then(|written| Ok((written, Stamps::of_plan(&dir, &plan)?)));
    let reply = match written {
        Ok((written, stamps)) => WriteReply::Written(written, stamps),
        Err(error) => {
            let damaged = if let WriteError::Corrupt { digest, .. } = &error { Some(*digest) } else { None };
            WriteReply::Refused { message: engine::chain(&error), hint: error.hint(), damaged }
        }
    };
    postcard::to_stdvec(&reply).map_err(|error| error.to_string())
}

/// The name of [`rename`] in the zone's table.
pub(crate) const RENAME: &str = "rename";

/// Renames a directory. Called in the zone.
pub(crate) fn rename(payload: &[u8]) -> Result<Vec<u8>, String> {
    let (from, to): (PathBuf, PathBuf) = postcard::from_bytes(payload).map_err(|error| error.to_string())?;
    std::fs::rename(&from, &to).map_err(|error| format!("`{}` cannot be moved: {error}", from.display()))?;
    Ok(Vec::new())
}

/// Lays out trees as layers.
pub(crate) struct Layouts {
    store: Store,
    zones: Arc<Zones>,
    events: EventSink,
    /// Held while a tree is laid out: two commands that need the same tree lay it out once.
    turn: Mutex<()>,
}

impl Layouts {
    /// Makes the layouts of a session.
    pub(crate) fn new(store: Store, zones: Arc<Zones>, events: EventSink) -> Self {
        Self { store, zones, events, turn: Mutex::new(()) }
    }

    /// Returns the store that has the layers.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the zones in which layers are written.
    pub(crate) fn zones(&self) -> &Zones {
        &self.zones
    }

    /// Returns where the directory of a layer is when the store is to add it. A directory of another user is moved into
    /// its place by the zone, because only its owner may give it another parent.
    pub(crate) async fn adopt(&self, id: &LayerId, dir: &Path) -> Result<PathBuf, Failure> {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = std::fs::symlink_metadata(dir)
            .map_err(|error| Failure::environment(format!("`{}` cannot be looked at: {error}", dir.display()), None))?;
        let own = rustix::process::geteuid();
        if own.is_root() || metadata.uid() == own.as_raw() {
            return Ok(dir.to_owned());
        }
        let target = self.store.layer_path(id);
        let payload =
            postcard::to_stdvec(&(dir, &target)).map_err(|error| Failure::bug(format!("two paths: {error}")))?;
        self.zones.get().await?.call(RENAME, &payload).await.map_err(Failure::of)?;
        Ok(target)
    }

    /// Returns layers that show a tree, the lowest first. Makes one if there are none.
    pub(crate) async fn lay_out(&self, tree: &Tree<Vec<LayerId>>) -> Result<Vec<LayerId>, Failure> {
        let layers = known(&self.store, tree)?;
        let is_too_deep = layers.as_ref().is_some_and(|layers| layers.len() >= MAX_LAYERS);
        if let Some(layers) = layers.filter(|_| !is_too_deep)
            && checks::are_whole(&self.store, &self.zones, &layers).await?
        {
            return Ok(layers);
        }
        let _turn = self.turn.lock().await;
        if !is_too_deep
            && let Some(layers) = materialised(&self.store, tree.digest)?
            && checks::are_whole(&self.store, &self.zones, &layers).await?
        {
            return Ok(layers);
        }
        let (base, plan) = loop {
            let (store, wanted) = (self.store.clone(), tree.clone());
            let task = tokio::task::spawn_blocking(move || plan(&store, &wanted));
            let (base, plan) =
                task.await.unwrap_or_else(|error| Err(Failure::bug(format!("a plan panicked: {error}"))))?;
            // Layers that are damaged are forgotten, so that the next plan has another base.
            if checks::are_whole(&self.store, &self.zones, &base).await? {
                break (base, plan);
            }
        };
        let layer = self.make_layer(plan).await?;
        let layers: Vec<LayerId> = base.into_iter().chain([layer]).collect();
        self.store.note_materialised(tree.digest, &layers).map_err(Failure::of)?;
        Ok(layers)
    }

    /// Makes a layer of a plan.
    async fn make_layer(&self, plan: LayerPlan) -> Result<LayerId, Failure> {
        let (id, dir) = self.store.new_layer_dir().map_err(Failure::of)?;
        let (written, stamps) = self.write(plan, &dir).await?;
        let dir = self.adopt(&id, &dir).await?;
        self.store.add_layer(&id, &dir, written.size_bytes, stamps).map_err(Failure::of)?;
        Ok(id)
    }

    /// Writes a plan into an empty directory, as the root of the zone.
    pub(crate) async fn write(&self, plan: LayerPlan, dir: &Path) -> Result<(Written, Stamps), Failure> {
        let request = WriteRequest { plan, dir: dir.to_owned(), blobs: self.store.blobs_dir() };
        let payload =
            postcard::to_stdvec(&request).map_err(|error| Failure::bug(format!("a plan of a layer: {error}")))?;
        let zone = self.zones.get().await?;
        let reply = zone.call(NAME, &payload).await.map_err(Failure::of)?;
        let reply =
            postcard::from_bytes(&reply).map_err(|error| Failure::bug(format!("the zone's answer: {error}")))?;
        let (written, stamps) = match reply {
            WriteReply::Written(written, stamps) => (written, stamps),
            WriteReply::Refused { message, hint, damaged } => {
                self.heal(damaged).await;
                return Err(Failure::Environment { message, hint });
            }
        };
        if written.n_not_owned > 0 {
            let message = format!(
                "{} files keep your own user: this user namespace has only one. Install `newuidmap` and a range in `/etc/subuid` for more",
                written.n_not_owned
            );
            (self.events)(Event::Warning { message });
        }
        Ok((written, stamps))
    }

    /// Removes contents that the zone found to be damaged, so that the next run makes them again.
    async fn heal(&self, damaged: Option<ContentDigest>) {
        if let Some(digest) = damaged {
            let store = self.store.clone();
            // If they cannot be removed, the next run meets them again, and tells.
            let _ = tokio::task::spawn_blocking(move || store.remove_damaged(&digest)).await;
        }
    }

    /// Gives the empty directory at the top of an overlay its mode and its owner.
    pub(crate) async fn set_owned(&self, dir: &Path, owned: Owned) -> Result<(), Failure> {
        if owned == Owned::DIRECTORY {
            let mode = std::fs::Permissions::from_mode(owned.mode);
            return std::fs::set_permissions(dir, mode).map_err(|error| {
                Failure::environment(format!("`{}` cannot be prepared: {error}", dir.display()), None)
            });
        }
        self.write(LayerPlan { root: owned, entries: Vec::new() }, dir).await?;
        Ok(())
    }
}

/// Returns the layers that show a tree, without making any, and leases them: they stay until the run ends. None if the
/// store has none, or no longer has all of them; the empty tree needs no layer.
pub(crate) fn known(store: &Store, tree: &Tree<Vec<LayerId>>) -> Result<Option<Vec<LayerId>>, Failure> {
    if !tree.form.is_empty() && are_there(store, &tree.form)? {
        return Ok(Some(tree.form.clone()));
    }
    materialised(store, tree.digest)
}

/// Leases layers; returns false if the store does not have all of them.
pub(crate) fn are_there(store: &Store, layers: &[LayerId]) -> Result<bool, Failure> {
    let is_there = |layer: &LayerId| store.layer_path(layer).is_dir();
    Ok(layers.iter().all(is_there) && (layers.is_empty() || store.lease_layers(layers).map_err(Failure::of)?))
}

fn materialised(store: &Store, tree: ContentDigest) -> Result<Option<Vec<LayerId>>, Failure> {
    if tree == empty_tree() {
        return Ok(Some(Vec::new()));
    }
    store.materialised(tree).map_err(Failure::of)
}

/// Chooses what to build on: the candidate with the smallest difference, or nothing.
fn plan(store: &Store, tree: &Tree<Vec<LayerId>>) -> Result<(Vec<LayerId>, LayerPlan), Failure> {
    let mut best: Option<(Vec<LayerId>, LayerPlan)> = None;
    for candidate in &tree.near {
        let Some(layers) = materialised(store, *candidate)?.filter(|layers| layers.len() + 1 < MAX_LAYERS) else {
            continue;
        };
        let plan = store.plan_layer(Some(*candidate), tree.digest).map_err(Failure::of)?;
        if best.as_ref().is_none_or(|(_, best)| plan.entries.len() < best.entries.len()) {
            best = Some((layers, plan));
        }
        if best.as_ref().is_some_and(|(_, plan)| plan.entries.len() <= SMALL_PLAN) {
            break;
        }
    }
    match best {
        Some(best) => Ok(best),
        None => Ok((Vec::new(), store.plan_layer(None, tree.digest).map_err(Failure::of)?)),
    }
}
