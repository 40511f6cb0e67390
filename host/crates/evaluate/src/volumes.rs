//! Cache volumes: who may use one, and which one.

use engine::Failure;
use graph::CacheSharing;
use store::{FileLock, Store, Volume};
use tokio_util::sync::CancellationToken;

use crate::command::CacheMount;
use crate::locks;

/// How many volumes of one key there may be for commands that want one of their own.
const MAX_PRIVATE: usize = 64;

/// A volume that a command may use for as long as this lives.
pub struct OpenVolume {
    /// The key of the volume; one of several volumes of a key has a number behind it.
    pub key: String,
    /// The directory of the volume in the store, for a runner that keeps the contents there.
    pub volume: Volume,
    sharing: CacheSharing,
    lock: Option<FileLock>,
}

/// Opens a volume. Nobody else has it until [`OpenVolume::share`] is called, so that one command fills a new volume.
///
/// # Errors
/// `Cancelled`; `Environment` if the volume cannot be made or locked, or if all private ones are in use.
pub async fn open_volume(
    store: &Store,
    mount: &CacheMount<'_>,
    cancel: &CancellationToken,
) -> Result<OpenVolume, Failure> {
    let CacheMount { key, sharing, .. } = *mount;
    if sharing == CacheSharing::Private {
        return private(store, key);
    }
    let volume = store.volume(key).map_err(Failure::of)?;
    let lock = locks::retry(cancel, || volume.try_lock().map_err(Failure::of)).await?;
    Ok(OpenVolume { key: key.to_owned(), volume, sharing, lock: Some(lock) })
}

impl OpenVolume {
    /// Says that the volume has its first contents: from now on others may use it, if it is a shared one.
    pub fn share(&mut self) {
        if self.sharing == CacheSharing::Shared {
            self.lock = None;
        }
    }
}

/// Finds a volume of this key that nobody uses; makes one if all are in use.
fn private(store: &Store, key: &str) -> Result<OpenVolume, Failure> {
    for n in 0..MAX_PRIVATE {
        let key = if n == 0 { key.to_owned() } else { format!("{key}#{n}") };
        let volume = store.volume(&key).map_err(Failure::of)?;
        if let Some(lock) = volume.try_lock().map_err(Failure::of)? {
            return Ok(OpenVolume { key, volume, sharing: CacheSharing::Private, lock: Some(lock) });
        }
    }
    let message = format!("cache volume `{key}` is used by {MAX_PRIVATE} commands that each want one of their own");
    Err(Failure::environment(message, Some("share it as `locked`, or lower `--jobs`")))
}
