//! What keeps a store in order beside a run.

use std::thread;

use store::Store;

/// Removes what dead processes left and syncs what earlier runs wrote, on a thread that the end of the
/// run does not wait for.
///
/// Begun with the first step of a run: a run that finds everything in the cache has no time for it.
pub(crate) fn begin(store: &Store) {
    let store = store.clone();
    // Without the thread, or where it fails, the next run does it.
    let _ = thread::Builder::new().name("maintenance".to_owned()).spawn(move || {
        let _ = store.sweep();
        if store.is_sync_due().unwrap_or(false) {
            let _ = store.sync_older_rows();
        }
    });
}
