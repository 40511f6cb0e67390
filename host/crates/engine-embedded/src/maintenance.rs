//! What keeps a store in order beside a run.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use store::Store;

use zone::Zone;

/// The name of [`empty_trash`] in the zone's table.
pub(crate) const NAME: &str = "empty-trash";

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

/// Removes, beside the steps of a run, what this user could not: files that a container's other users left.
/// What is not done before the run ends, the next one does.
pub(crate) fn empty_trash_in(zone: Arc<Zone>, store: &Store) -> impl Future<Output = ()> + Send + 'static {
    let trash = store.root().join("trash-v1");
    async move {
        let is_empty = std::fs::read_dir(&trash).map_or(true, |mut entries| entries.next().is_none());
        if let (false, Ok(payload)) = (is_empty, postcard::to_stdvec(&trash)) {
            let _ = zone.call(NAME, &payload).await;
        }
    }
}

/// Empties a directory: called in the zone, where all users of containers can be overruled.
pub(crate) fn empty_trash(payload: &[u8]) -> Result<Vec<u8>, String> {
    let trash: PathBuf = postcard::from_bytes(payload).map_err(|error| error.to_string())?;
    for entry in std::fs::read_dir(trash).map_err(|error| error.to_string())?.filter_map(Result::ok) {
        // Another process may be at it, too.
        let _ = store::remove_stubborn(&entry.path());
    }
    Ok(Vec::new())
}
