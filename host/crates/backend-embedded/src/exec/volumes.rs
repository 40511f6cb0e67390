//! Cache volumes: mutable directories that survive runs.

use std::path::PathBuf;
use std::sync::Arc;

use backend::Failure;
use graph::{CacheSharing, FileOp, TreePath};
use store::{FileLock, Volume, empty_tree};

use crate::engine::Engine;
use crate::value::Tree;
use crate::{layout, locks};
use trees::failure::{edit_failure, failure};

/// How many volumes of one key there may be for commands that want one of their own.
const MAX_PRIVATE: usize = 64;

/// A volume that a command uses.
pub(crate) struct VolumeGuard {
    volume: Volume,
    /// Held by a command that wants the volume for itself.
    _lock: Option<FileLock>,
}

impl VolumeGuard {
    /// Returns the directory that is mounted.
    pub(crate) fn path(&self) -> PathBuf {
        self.volume.data.clone()
    }
}

/// Opens a volume for a command.
pub(crate) async fn open(
    engine: &Arc<Engine>,
    key: &str,
    sharing: CacheSharing,
    owner: (u32, u32),
    seed: Option<&Tree>,
) -> Result<VolumeGuard, Failure> {
    let (volume, lock) = match sharing {
        CacheSharing::Private => private(engine, key)?,
        CacheSharing::Shared | CacheSharing::Locked => {
            let volume = engine.store.volume(key).map_err(|error| failure(&error))?;
            // Only one fills a new volume, whoever shares it later.
            let lock = locks::retry(&engine.io.cancel, || volume.try_lock().map_err(|error| failure(&error))).await?;
            (volume, lock)
        }
    };
    fill(engine, &volume, owner, seed).await?;
    let lock = (sharing != CacheSharing::Shared).then_some(lock);
    Ok(VolumeGuard { volume, _lock: lock })
}

/// Finds a volume of this key that nobody uses; makes one if all are used.
fn private(engine: &Engine, key: &str) -> Result<(Volume, FileLock), Failure> {
    for n in 0..MAX_PRIVATE {
        let name = if n == 0 { key.to_owned() } else { format!("{key}#{n}") };
        let volume = engine.store.volume(&name).map_err(|error| failure(&error))?;
        if let Some(lock) = volume.try_lock().map_err(|error| failure(&error))? {
            return Ok((volume, lock));
        }
    }
    let message = format!("cache volume `{key}` is used by {MAX_PRIVATE} commands that each want one of their own");
    Err(Failure::environment(message, Some("share it as `locked`, or lower `--jobs`")))
}

/// Gives a new volume its first contents and its owner.
async fn fill(engine: &Arc<Engine>, volume: &Volume, owner: (u32, u32), seed: Option<&Tree>) -> Result<(), Failure> {
    let is_plain = seed.is_none() && owner == (0, 0);
    if is_plain || !is_empty(&volume.data) {
        return Ok(());
    }
    let tree = seed.map_or_else(empty_tree, |seed| seed.digest);
    let op = FileOp::Chown { path: TreePath::root(), owner: format!("{}:{}", owner.0, owner.1) };
    let tree = engine.store.apply(&op, tree, None).map_err(|error| edit_failure(&error))?;
    let plan = engine.store.plan_layer(None, tree).map_err(|error| failure(&error))?;
    layout::write_in_zone(engine, plan, &volume.data).await?;
    Ok(())
}

fn is_empty(dir: &std::path::Path) -> bool {
    std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none())
}
