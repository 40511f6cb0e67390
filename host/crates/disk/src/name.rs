//! Names of temporary files.

use std::sync::atomic::{AtomicU64, Ordering};

/// Returns a name that no other process and no other call uses.
#[must_use]
pub fn unique_name() -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed))
}
