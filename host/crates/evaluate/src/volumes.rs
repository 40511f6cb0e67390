//! Cache volumes: who may use one, and which one.

use engine::Failure;
use graph::CacheSharing;
use store::{FileLock, Store, Volume};
use tokio_util::sync::CancellationToken;

use crate::command::{CacheMount, Mount, Mounted};
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

/// Returns the cache volumes of a command, each with the numbers of the mounts that show it, in the order in which they
/// have to be opened.
///
/// All commands that wait for volumes open them in the same order, so that no two commands wait for each other. Volumes
/// of the command's own come last: no command waits for them while it opens others. A volume that is mounted at several
/// paths is opened once, because a command would wait for itself.
#[must_use]
pub fn in_lock_order<'a, F>(mounts: &'a [Mount<'a, F>]) -> Vec<(Vec<usize>, &'a CacheMount<'a>)> {
    let caches = mounts.iter().enumerate().filter_map(|(n, mount)| match &mount.what {
        Mounted::Cache(cache) => Some((vec![n], cache)),
        _ => None,
    });
    let (mut own, mut common): (Vec<_>, Vec<_>) = caches.partition(|(_, cache)| cache.sharing == CacheSharing::Private);
    common.sort_by_key(|(_, cache)| (cache.key, cache.sharing != CacheSharing::Locked));
    common.dedup_by(|(next, cache), (kept, first)| {
        let is_same = cache.key == first.key;
        if is_same {
            kept.append(next);
        }
        is_same
    });
    common.append(&mut own);
    common
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use graph::TreePath;

    use super::*;

    fn mounts<'a>(path: &'a TreePath, volumes: &[(&'a str, CacheSharing)]) -> Vec<Mount<'a, ()>> {
        let mount = |(key, sharing): &(&'a str, CacheSharing)| {
            let cache = CacheMount { key, sharing: *sharing, owner: (0, 0), seed: None };
            Mount { path, what: Mounted::Cache(cache) }
        };
        volumes.iter().map(mount).collect()
    }

    #[test]
    fn volumes_are_opened_in_one_order_whatever_the_order_of_the_mounts() {
        use CacheSharing::{Locked, Private, Shared};
        let path = TreePath::root();
        let order = |volumes: &[(&str, CacheSharing)]| {
            let mounts = mounts(&path, volumes);
            let found = in_lock_order(&mounts).into_iter().map(|(numbers, cache)| format!("{}{numbers:?}", cache.key));
            found.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(order(&[("b", Locked), ("a", Locked)]), "a[1] b[0]");
        assert_eq!(order(&[("a", Locked), ("b", Shared)]), "a[0] b[1]");
        assert_eq!(order(&[("a", Private), ("c", Locked), ("b", Shared)]), "b[2] c[1] a[0]");
        assert_eq!(order(&[("b", Locked), ("a", Locked), ("b", Locked)]), "a[1] b[0, 2]");
        assert_eq!(order(&[("b", Shared), ("b", Locked)]), "b[1, 0]");
        assert_eq!(order(&[("a", Private), ("a", Private)]), "a[0] a[1]");
    }

    /// Opens the volumes of a command, and lets the others open theirs after each.
    async fn open_all(store: &Store, volumes: &[(&str, CacheSharing)]) -> Result<usize, Failure> {
        let path = TreePath::root();
        let mounts = mounts(&path, volumes);
        let mut opened = Vec::new();
        for (_, cache) in in_lock_order(&mounts) {
            opened.push(open_volume(store, cache, &CancellationToken::new()).await?);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Ok(opened.len())
    }

    #[tokio::test(start_paused = true)]
    async fn commands_that_lock_the_same_volumes_in_opposite_order_do_not_wait_for_each_other() {
        use CacheSharing::Locked;
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store")).unwrap();
        let (one, other) = ([("a", Locked), ("b", Locked)], [("b", Locked), ("a", Locked)]);
        // The clock moves only when both wait.
        let both = async { tokio::join!(open_all(&store, &one), open_all(&store, &other)) };
        let both = tokio::time::timeout(Duration::from_secs(60), both).await;
        let (one, other) = both.expect("no command waits for the other for ever");
        assert_eq!((one.unwrap(), other.unwrap()), (2, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_command_that_mounts_a_volume_twice_does_not_wait_for_itself() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store")).unwrap();
        let twice = [("a", CacheSharing::Locked), ("a", CacheSharing::Locked)];
        let opened = tokio::time::timeout(Duration::from_secs(60), open_all(&store, &twice)).await;
        assert_eq!(opened.expect("the volume is opened once").unwrap(), 1);
    }
}
