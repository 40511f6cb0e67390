//! The zone of a session: started by the first command, kept for the others, started again if it died.

use std::sync::{Arc, Mutex, PoisonError};

use engine::Failure;
use store::Store;
use tokio::sync::Mutex as AsyncMutex;
use tokio::task::JoinSet;

use crate::maintenance;
use zone::{Zone, ZoneCaps, ZoneConfig};

/// The zone of a session.
pub(crate) struct Zones {
    config: ZoneConfig,
    store: Store,
    current: AsyncMutex<Option<Current>>,
    caps: Mutex<Option<ZoneCaps>>,
}

/// A running zone.
struct Current {
    zone: Arc<Zone>,
    /// What it does beside the steps; ends with it.
    _beside: JoinSet<()>,
}

impl Zones {
    /// Makes the holder; starts nothing.
    pub(crate) fn new(config: ZoneConfig, store: Store) -> Self {
        Self { config, store, current: AsyncMutex::new(None), caps: Mutex::new(None) }
    }

    /// Returns the running zone; starts one if there is none.
    pub(crate) async fn get(&self) -> Result<Arc<Zone>, Failure> {
        let mut current = self.current.lock().await;
        if let Some(current) = current.as_ref().filter(|current| current.zone.is_alive()) {
            return Ok(Arc::clone(&current.zone));
        }
        if current.is_none() {
            maintenance::begin(&self.store);
        }
        let zone = Arc::new(Zone::start(self.config.clone()).await.map_err(Failure::of)?);
        let mut beside = JoinSet::new();
        beside.spawn(maintenance::empty_trash_in(Arc::clone(&zone), &self.store));
        *self.caps.lock().unwrap_or_else(PoisonError::into_inner) = Some(zone.caps().clone());
        *current = Some(Current { zone: Arc::clone(&zone), _beside: beside });
        Ok(zone)
    }

    /// Returns what the zone can do, if one was started.
    pub(crate) fn caps(&self) -> Option<ZoneCaps> {
        self.caps.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
