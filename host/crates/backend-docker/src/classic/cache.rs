//! Cache volumes: volumes of Docker, which are locked by files of the store.

use std::time::Duration;

use backend::Failure;
use bollard::errors::Error;
use graph::{CacheSharing, ContentDigest, KeyHasher};
use store::{FileLock, Volume};
use tokio_util::sync::CancellationToken;
use trees::failure::failure;

use super::engine::Engine;
use super::{files, reap};
use crate::buildkit::random;

/// The label of cache volumes; its value is their key.
const LABEL: &str = "host.cache";
/// How many volumes of one key there may be for commands that want one of their own.
const MAX_PRIVATE: usize = 64;
/// The first and the longest pause between two tries to lock something.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(20));

/// A volume that a command uses.
pub(crate) struct Cache {
    /// As Docker has it.
    pub(crate) name: String,
    /// Held by a command that wants the volume for itself.
    _lock: Option<FileLock>,
}

/// Finds a volume for a command; makes it, with what it starts with, if it is not there. `image` is any.
pub(crate) async fn open(
    engine: &Engine,
    key: &str,
    sharing: CacheSharing,
    seed: Option<ContentDigest>,
    image: &str,
) -> Result<Cache, Failure> {
    let (key, lock) = match sharing {
        CacheSharing::Private => private(engine, key)?,
        CacheSharing::Shared | CacheSharing::Locked => {
            let volume = engine.store().volume(key).map_err(|error| failure(&error))?;
            // Only one fills a new volume, whoever shares it later.
            let lock = retry(&engine.io.cancel, || try_lock(&volume)).await?;
            (key.to_owned(), lock)
        }
    };
    let name = name(engine, &key);
    match engine.api.docker.inspect_volume(&name).await {
        Ok(_) => {}
        Err(Error::DockerResponseServerError { status_code: 404, .. }) => {
            make(engine, &name, &key, seed, image).await?
        }
        Err(error) => return Err(engine.api.failed("find a volume", &error)),
    }
    Ok(Cache { name, _lock: (sharing != CacheSharing::Shared).then_some(lock) })
}

/// Finds a volume of this key that nobody uses.
fn private(engine: &Engine, key: &str) -> Result<(String, FileLock), Failure> {
    for n in 0..MAX_PRIVATE {
        let name = if n == 0 { key.to_owned() } else { format!("{key}#{n}") };
        let volume = engine.store().volume(&name).map_err(|error| failure(&error))?;
        if let Some(lock) = try_lock(&volume)? {
            return Ok((name, lock));
        }
    }
    let message = format!("cache volume `{key}` is used by {MAX_PRIVATE} commands that each want one of their own");
    Err(Failure::environment(message, Some("share it as `locked`, or lower `--jobs`")))
}

fn try_lock(volume: &Volume) -> Result<Option<FileLock>, Failure> {
    volume.try_lock().map_err(|error| failure(&error))
}

/// Returns the name of a volume: those of different stores are different, although one Docker has them.
fn name(engine: &Engine, key: &str) -> String {
    let mut hasher = KeyHasher::new("docker-classic-volumes/1");
    hasher.bytes(engine.store().root().as_os_str().as_encoded_bytes());
    hasher.text(key);
    format!("host-cache-{}", &hasher.cache_key().to_hex()[..32])
}

async fn make(engine: &Engine, name: &str, key: &str, seed: Option<ContentDigest>, image: &str) -> Result<(), Failure> {
    files::volume(engine, name, [(LABEL, key)]).await?;
    let Some(seed) = seed else { return Ok(()) };
    let holder = format!("host-seed-{}", random());
    let filled = async {
        files::holder(engine, &holder, image, name).await?;
        files::upload(engine, &holder, seed).await
    };
    let filled = filled.await;
    reap::remove_container(&engine.api, &holder).await;
    if filled.is_err() {
        // Half of what it starts with would stay for ever.
        reap::remove_volume(&engine.api, name).await;
    }
    filled
}

/// Tries until there is a value.
pub(crate) async fn retry<T>(
    cancel: &CancellationToken,
    mut try_once: impl FnMut() -> Result<Option<T>, Failure>,
) -> Result<T, Failure> {
    let (mut pause, longest) = PAUSES;
    loop {
        if let Some(value) = try_once()? {
            return Ok(value);
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(longest),
            () = cancel.cancelled() => return Err(Failure::Cancelled),
        }
    }
}
