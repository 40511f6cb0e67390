//! The layer between two trees, as a blob of the store.

use std::fs::File;
use std::io::BufReader;

use engine::Failure;
use graph::{CacheKey, ContentDigest, KeyHasher};
use oci::compression::Compression;
use oci::image::Descriptor;
use oci::layer::{LayerWriter, Meta, PackError, Packed, SpecialFile};
use serde::{Deserialize, Serialize};
use store::{LayerPlan, Owned, PlanEntry, PlanKind, Store};

use crate::images::{known, scratch_file};

/// The time of everything that is packed: equal trees make equal layers, whenever their files were written.
const MTIME_NS: i64 = 0;

/// A layer that is a blob of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PackedLayer {
    pub(super) descriptor: Descriptor,
    pub(super) diff_id: oci::Digest,
    pub(super) blob: ContentDigest,
}

/// Returns the layer that makes `tree` out of `base`; without a base, the layer is all of it. It is made once.
///
/// # Errors
/// If files of the tree cannot be read, or if it shows directories of this machine.
pub(super) fn layer(store: &Store, base: Option<ContentDigest>, tree: ContentDigest) -> Result<PackedLayer, Failure> {
    let key = key(base, tree);
    if let Some(layer) = known::get::<PackedLayer>(store, key)?.filter(|layer| store.has_blob(&layer.blob)) {
        return Ok(layer);
    }
    let plan = store.plan_layer(base, tree).map_err(Failure::of)?;
    let path = scratch_file(store, "pack")?;
    let unwritable = |error| Failure::environment(format!("`{}` cannot be written: {error}", path.display()), None);
    let file = File::create(&path).map_err(unwritable)?;
    let packed = write(store, &plan, file);
    let kept = packed.and_then(|packed| {
        let (blob, _) = store.put_hardlink(&path).map_err(Failure::of)?;
        Ok(PackedLayer { descriptor: packed.descriptor, diff_id: packed.diff_id, blob })
    });
    // The blob is another name of the file.
    let _ = std::fs::remove_file(&path);
    let layer = kept?;
    known::remember_blob(store, layer.descriptor.digest, layer.blob)?;
    known::put(store, key, &layer, &[layer.blob])?;
    Ok(layer)
}

fn key(base: Option<ContentDigest>, tree: ContentDigest) -> CacheKey {
    let mut hasher = KeyHasher::new("oci-layer/1");
    hasher.option(base, |h, base| h.bytes(base.as_bytes()));
    hasher.bytes(tree.as_bytes());
    hasher.cache_key()
}

fn write(store: &Store, plan: &LayerPlan, file: File) -> Result<Packed, Failure> {
    let mut writer = LayerWriter::new(file, Compression::Gzip).map_err(Failure::of)?;
    if plan.root != Owned::DIRECTORY {
        writer.directory(b"", &meta(plan.root)).map_err(Failure::of)?;
    }
    for entry in &plan.entries {
        if store.is_cancelled() {
            return Err(Failure::Cancelled);
        }
        write_entry(store, &mut writer, entry)?;
    }
    writer.finish().map(|(_, packed)| packed).map_err(Failure::of)
}

fn write_entry(store: &Store, writer: &mut LayerWriter<File>, entry: &PlanEntry) -> Result<(), Failure> {
    let PlanEntry { path, what, owned, mtime_ns: _ } = entry;
    let meta = meta(*owned);
    let written: Result<(), PackError> = match what {
        PlanKind::Directory { is_opaque } => writer.directory(path, &meta).and_then(|()| match is_opaque {
            true => writer.opaque(path, MTIME_NS),
            false => Ok(()),
        }),
        PlanKind::File { digest, size, .. } => {
            let (file, _, _) = store.open_blob(digest).map_err(Failure::of)?;
            writer.file(path, &meta, *size, &mut BufReader::with_capacity(READ_BYTES, file))
        }
        PlanKind::Symlink { target } => writer.symlink(path, &meta, target),
        PlanKind::Fifo => writer.special(path, &meta, SpecialFile::Fifo),
        PlanKind::Whiteout => writer.whiteout(path, MTIME_NS),
    };
    written.map_err(Failure::of)
}

/// How much of a file is read at once.
const READ_BYTES: usize = 128 << 10;

fn meta(owned: Owned) -> Meta {
    Meta { mode: owned.mode, uid: owned.uid, gid: owned.gid, mtime_ns: MTIME_NS, xattrs: Vec::new() }
}
