//! `host cache` over the real store.

use std::path::Path;

use engine_embedded::zone::ZoneConfig;
use store::{CheckedLayer, Item, LayerCheck, OpenError, Store};

use super::engines::Engines;
use super::tokio;
use crate::platform::{CacheEntry, CacheReport, Cleared, DamagedEntry, VerifiedCache};
use crate::report::{Report, Result};

/// The directory of compiled components in the store.
const COMPILED: &str = "compiled-v1";

/// Returns the contents of a store and their sizes.
pub(super) fn report(store: &Path) -> Result<CacheReport> {
    let usage = Store::open(store)?.usage()?;
    let compiled = directory_bytes(&store.join(COMPILED));
    let mut entries: Vec<CacheEntry> = usage
        .records
        .into_iter()
        .map(|record| CacheEntry {
            kind: kind_of(&record.item).to_owned(),
            name: record.name,
            size_bytes: record.size_bytes,
            used_at: Some(record.last_used_at),
        })
        .collect();
    let whole = [
        ("blobs", usage.blobs_bytes),
        ("database", usage.database_bytes),
        ("stat-cache", usage.stat_cache_bytes),
        ("components", compiled),
    ];
    entries.extend(whole.into_iter().map(|(kind, size_bytes)| CacheEntry {
        kind: kind.to_owned(),
        name: "all".to_owned(),
        size_bytes,
        used_at: None,
    }));
    Ok(CacheReport { size_bytes: entries.iter().map(|entry| entry.size_bytes).sum(), entries })
}

/// Empties a store. One that cannot be opened or read is made anew.
pub(super) fn clear(root: &Path) -> Result<Cleared> {
    let compiled = root.join(COMPILED);
    let compiled_bytes = directory_bytes(&compiled);
    // Components are compiled again when they are needed, and a running call keeps its own mapping of the file.
    // They are removed first because on a full disk the database can only be changed once there is some space.
    let _ = std::fs::remove_dir_all(&compiled);
    let failed = match Store::open(root) {
        Err(error @ (OpenError::NotADirectory { .. } | OpenError::NotWritable { .. })) => return Err(error.into()),
        Err(error) => Report::from(error),
        Ok(store) => match store.clear() {
            Ok(collected) => {
                return Ok(Cleared {
                    n_entries: u64::try_from(collected.items.len()).unwrap_or(u64::MAX),
                    size_bytes: collected.size_bytes + compiled_bytes,
                    n_kept: u64::try_from(collected.kept.len()).unwrap_or(u64::MAX),
                    kept_bytes: collected.kept_bytes,
                    is_deferred: collected.is_deferred,
                });
            }
            Err(error) => Report::from(error),
        },
    };
    // Whatever is wrong with it: it is to be emptied. If it cannot be, the first failure says why.
    let emptied = store::empty(root).map_err(|_| failed)?;
    let size_bytes = emptied.size_bytes + compiled_bytes;
    Ok(Cleared { size_bytes, is_deferred: emptied.is_deferred, ..Cleared::default() })
}

/// Compares everything in a store.
pub(super) fn verify(root: &Path, engines: &Engines) -> Result<VerifiedCache> {
    let store = Store::open(root)?;
    let verified = store.verify(|checks| check_layers(root, engines, checks))?;
    let (n_compiled, compiled) = runtime::verify_compiled(root);
    let counts = [
        ("results", verified.n_results),
        ("directories", verified.n_directories),
        ("blobs", verified.n_blobs),
        ("layers", verified.n_layers),
        ("components", n_compiled),
    ];
    let count = |(kind, n)| (kind, u64::try_from(n).unwrap_or(u64::MAX));
    let damage = verified.damaged.into_iter().map(|damage| DamagedEntry {
        kind: damage.kind.to_owned(),
        name: damage.name,
        what: damage.what,
    });
    let compiled =
        compiled.into_iter().map(|name| DamagedEntry { kind: "component".to_owned(), name, what: String::new() });
    Ok(VerifiedCache { counts: counts.map(count).to_vec(), damaged: damage.chain(compiled).collect() })
}

/// Compares layers: as root here, otherwise in a zone, where the files of all users can be read.
fn check_layers(root: &Path, engines: &Engines, checks: &[LayerCheck]) -> Result<Vec<CheckedLayer>> {
    if rustix::process::geteuid().is_root() {
        return Ok(checks.iter().map(store::check_layer).collect());
    }
    let zone = ZoneConfig::new(root).with_path(engines.path());
    Ok(tokio()?.block_on(engine_embedded::check_layers(zone, checks))?)
}

fn kind_of(item: &Item) -> &'static str {
    match item {
        Item::Result(_) => "result",
        Item::Layer(_) => "layer",
        Item::Volume(_) => "cache-volume",
    }
}

fn directory_bytes(path: &Path) -> u64 {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}
