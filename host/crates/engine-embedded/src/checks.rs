//! Compares layers with what they were when they were finished, before a command uses them.

use engine::Failure;
use store::{CheckedLayer, LayerCheck, LayerId, Store, check_layer};
use zone::{Zone, ZoneConfig};

use crate::zones::Zones;

/// The name of [`check`] in the zone's table.
pub(crate) const NAME: &str = "check-layers";

/// Compares layers. Called in the zone, where all files can be read.
pub(crate) fn check(payload: &[u8]) -> Result<Vec<u8>, String> {
    let checks: Vec<LayerCheck> = postcard::from_bytes(payload).map_err(|error| error.to_string())?;
    let outcomes: Vec<CheckedLayer> = checks.iter().map(check_layer).collect();
    postcard::to_stdvec(&outcomes).map_err(|error| error.to_string())
}

/// Returns whether layers are what they were when they were finished. Those that are not are forgotten, and have to be
/// written again. Each layer is compared once in a run.
pub(crate) async fn are_whole(store: &Store, zones: &Zones, layers: &[LayerId]) -> Result<bool, Failure> {
    let checks = store.layers_to_check(layers).map_err(Failure::of)?;
    if checks.is_empty() {
        return Ok(true);
    }
    let outcomes = call(&*zones.get().await?, &checks).await?;
    Ok(store.note_checked(&checks, outcomes).map_err(Failure::of)?.is_empty())
}

/// Compares layers in a zone of its own.
///
/// # Errors
/// If no zone can be started.
pub async fn check_layers(zone: ZoneConfig, checks: &[LayerCheck]) -> Result<Vec<CheckedLayer>, Failure> {
    call(&Zone::start(zone).await.map_err(Failure::of)?, checks).await
}

async fn call(zone: &Zone, checks: &[LayerCheck]) -> Result<Vec<CheckedLayer>, Failure> {
    let payload = postcard::to_stdvec(checks).map_err(|error| Failure::bug(format!("checks of layers: {error}")))?;
    let reply = zone.call(NAME, &payload).await.map_err(Failure::of)?;
    postcard::from_bytes(&reply).map_err(|error| Failure::bug(format!("the zone's answer: {error}")))
}
