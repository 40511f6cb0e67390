//! Waits for locks of other processes without holding a thread.

use std::time::Duration;

use engine::Failure;
use graph::CacheKey;
use store::{KeyLock, Store};
use tokio_util::sync::CancellationToken;

/// The first and the longest pause between two tries.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(20));

/// Waits for the right to evaluate a key, which is held as long as the lock lives.
pub(crate) async fn key(store: &Store, key: CacheKey, cancel: &CancellationToken) -> Result<KeyLock, Failure> {
    retry(cancel, || store.try_lock_key(key).map_err(Failure::of)).await
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
