//! Small images for tests.

use oci::Digest;
use oci::image::{CONFIG, LAYER_GZIP, MANIFEST};
use serde_json::{Value, json};

use super::fake::Fake;

/// An image with one layer for each text. Its layers are not tar files, because a registry does not
/// read them.
#[derive(Clone)]
pub(crate) struct Image {
    pub(crate) layers: Vec<Vec<u8>>,
    pub(crate) config: Vec<u8>,
    pub(crate) manifest: Vec<u8>,
}

/// Returns the descriptor of some bytes.
pub(crate) fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": Digest::of(bytes).to_string(), "size": bytes.len() })
}

impl Image {
    /// Returns an image for `linux/amd64`.
    pub(crate) fn new(layers: &[&[u8]]) -> Self {
        Self::with_config(layers, |_| {})
    }

    /// Returns an image with another configuration.
    pub(crate) fn with_config(layers: &[&[u8]], change: impl FnOnce(&mut Value)) -> Self {
        let diff_ids: Vec<String> = layers.iter().map(|layer| Digest::of(layer).to_string()).collect();
        let mut config = json!({
            "architecture": "amd64", "os": "linux", "config": { "Env": ["A=b"], "Cmd": null },
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        change(&mut config);
        let layers = layers.iter().map(|layer| layer.to_vec()).collect();
        Self::of(layers, serde_json::to_vec(&config).unwrap())
    }

    /// Returns an image with these bytes as its configuration.
    pub(crate) fn of(layers: Vec<Vec<u8>>, config: Vec<u8>) -> Self {
        let described: Vec<Value> = layers.iter().map(|layer| descriptor(LAYER_GZIP, layer)).collect();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": descriptor(CONFIG, &config), "layers": described,
        });
        Self { layers, config, manifest: serde_json::to_vec(&manifest).unwrap() }
    }

    /// Returns the same image with a changed manifest.
    pub(crate) fn with_manifest(&self, change: impl FnOnce(&mut Value)) -> Self {
        let mut manifest = serde_json::from_slice(&self.manifest).unwrap();
        change(&mut manifest);
        Self { manifest: serde_json::to_vec(&manifest).unwrap(), ..self.clone() }
    }

    /// Stores the image in a registry, and sets the names of its parts in reports.
    pub(crate) fn put(&self, fake: &Fake, repository: &str, tag: &str) {
        for (number, layer) in self.layers.iter().enumerate() {
            fake.put_blob(repository, layer, &format!("<layer {}>", number + 1));
        }
        fake.put_blob(repository, &self.config, "<config>");
        fake.put_manifest(repository, tag, MANIFEST, &self.manifest, "<manifest>");
    }
}
