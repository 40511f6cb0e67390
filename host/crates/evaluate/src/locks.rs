//! Waits for locks of other processes without holding a thread.

use std::time::Duration;

use engine::Failure;
use graph::CacheKey;
use store::{KeyLock, Store};
use tokio_util::sync::CancellationToken;

/// The first and the longest pause between two tries.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(20));

/// The right to evaluate a key, for as long as it lives.
pub(crate) struct HeldKey {
    _lock: KeyLock,
    /// Another process had it before, so that the result may be there now.
    pub(crate) has_waited: bool,
}

/// Waits for the right to evaluate a key.
pub(crate) async fn key(store: &Store, key: CacheKey, cancel: &CancellationToken) -> Result<HeldKey, Failure> {
    let mut has_waited = false;
    let lock = retry(cancel, || {
        let lock = store.try_lock_key(key).map_err(Failure::of)?;
        has_waited |= lock.is_none();
        Ok(lock)
    })
    .await?;
    Ok(HeldKey { _lock: lock, has_waited })
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
