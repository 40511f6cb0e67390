//! Cache volumes: directories of the store that survive runs.

use engine::Failure;
use evaluate::{CacheMount, OpenVolume, open_volume};
use tokio_util::sync::CancellationToken;

use crate::layout::Layouts;

/// Opens a volume for a command, and gives a new one its first contents.
pub(crate) async fn open(
    layouts: &Layouts,
    mount: &CacheMount<'_>,
    cancel: &CancellationToken,
) -> Result<OpenVolume, Failure> {
    let store = layouts.store();
    let mut opened = open_volume(store, mount, cancel).await?;
    let dir = &opened.volume.data;
    if is_empty(dir)
        && let Some(tree) = mount.first_contents(store)?
    {
        let plan = store.plan_layer(None, tree).map_err(Failure::of)?;
        layouts.write(plan, dir).await?;
    }
    opened.share();
    Ok(opened)
}

fn is_empty(dir: &std::path::Path) -> bool {
    std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none())
}
