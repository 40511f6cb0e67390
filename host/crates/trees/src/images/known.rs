//! What the store knows of images: manifests and configurations by digest, and blobs by their SHA-256.

use engine::Failure;
use graph::{CacheKey, ContentDigest, KeyHasher, Platform};
use oci::reference::Reference;
use serde::{Deserialize, Serialize};
use store::{NewResult, Store};

use super::{Image, Images};

/// A manifest and a configuration as they are stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bytes {
    pub(crate) manifest: Vec<u8>,
    pub(crate) config: Vec<u8>,
}

impl Images {
    /// Keeps a manifest and a configuration under the digest of the image.
    pub(super) fn remember(&self, digest: oci::Digest, image: &Image) -> Result<(), Failure> {
        put(&self.store, image_key(digest), &image.bytes, &[])
    }

    /// Returns the image of a digest, if its manifest is known.
    pub(crate) fn recall(&self, digest: oci::Digest) -> Result<Option<Image>, Failure> {
        let bytes: Option<Bytes> = get(&self.store, image_key(digest))?;
        Ok(bytes.and_then(|bytes| {
            let manifest = serde_json::from_slice(&bytes.manifest).ok()?;
            let config = serde_json::from_slice(&bytes.config).ok()?;
            Some(Image { manifest, config, bytes })
        }))
    }

    /// Notes which manifest an index has for a platform.
    pub(super) fn remember_index(
        &self,
        index: oci::Digest,
        platform: &Platform,
        manifest: oci::Digest,
    ) -> Result<(), Failure> {
        put(&self.store, index_key(index, platform), &manifest.to_string(), &[])
    }

    pub(super) fn recall_index(&self, index: oci::Digest, platform: &Platform) -> Result<Option<oci::Digest>, Failure> {
        let manifest: Option<String> = get(&self.store, index_key(index, platform))?;
        Ok(manifest.and_then(|manifest| manifest.parse().ok()))
    }
}

impl Images {
    /// Notes where a tag was.
    pub(super) fn remember_name(&self, reference: &Reference, digest: oci::Digest) -> Result<(), Failure> {
        put(&self.store, name_key(reference), &digest.to_string(), &[])
    }

    /// Returns where a tag was the last time that it was looked up.
    pub(super) fn recall_name(&self, reference: &Reference) -> Result<Option<oci::Digest>, Failure> {
        let digest: Option<String> = get(&self.store, name_key(reference))?;
        Ok(digest.and_then(|digest| digest.parse().ok()))
    }
}

/// Notes that the store has the bytes of a SHA-256 digest.
pub(super) fn remember_blob(store: &Store, digest: oci::Digest, blob: ContentDigest) -> Result<(), Failure> {
    put(store, blob_key(digest), &blob, &[blob])
}

/// Returns the blob that has the bytes of a SHA-256 digest, if it is there.
pub(super) fn recall_blob(store: &Store, digest: oci::Digest) -> Result<Option<ContentDigest>, Failure> {
    let blob: Option<ContentDigest> = get(store, blob_key(digest))?;
    Ok(blob.filter(|blob| store.has_blob(blob)))
}

/// Stores a value that is found by its key alone.
pub(super) fn put<T: Serialize>(
    store: &Store,
    key: CacheKey,
    value: &T,
    blobs: &[ContentDigest],
) -> Result<(), Failure> {
    let value = postcard::to_stdvec(value).map_err(|error| Failure::bug(format!("a record of an image: {error}")))?;
    store.put_result(&NewResult { key, value: &value, trees: &[], blobs }).map_err(Failure::of)
}

/// Returns a value that was stored.
pub(super) fn get<T: for<'de> Deserialize<'de>>(store: &Store, key: CacheKey) -> Result<Option<T>, Failure> {
    let found = store.result(key).map_err(Failure::of)?;
    Ok(found.and_then(|bytes| postcard::from_bytes(&bytes).ok()))
}

fn image_key(digest: oci::Digest) -> CacheKey {
    let mut hasher = KeyHasher::new("oci-image/1");
    hasher.text(&digest.to_string());
    hasher.cache_key()
}

fn name_key(reference: &Reference) -> CacheKey {
    let mut hasher = KeyHasher::new("oci-name/1");
    hasher.text(&reference.to_string());
    hasher.cache_key()
}

fn index_key(index: oci::Digest, platform: &Platform) -> CacheKey {
    let mut hasher = KeyHasher::new("oci-index/1");
    hasher.text(&index.to_string());
    hasher.text(&platform.to_string());
    hasher.cache_key()
}

fn blob_key(digest: oci::Digest) -> CacheKey {
    let mut hasher = KeyHasher::new("oci-blob/1");
    hasher.text(&digest.to_string());
    hasher.cache_key()
}
