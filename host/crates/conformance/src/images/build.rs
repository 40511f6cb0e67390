//! Builds images for a registry: configuration, manifest and layers.
//!
//! Source: OCI image-spec 1.1, `manifest.md` and `config.md`; Docker's image manifest version 2, schema 2.

use std::io::{self, Write as _};

use oci::compression::{Compression, Encoder};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::layer::Layer;

/// The media types of an image and the compression of its layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// Docker's media types, layers with gzip.
    Docker,
    /// OCI's media types, layers with gzip.
    Oci,
    /// OCI's media types, layers with zstd.
    OciZstd,
    /// OCI's media types, layers without compression.
    OciTar,
}

/// An image that is being built.
pub(super) struct Image {
    config: Value,
    architecture: String,
    packing: Packing,
    layers: Vec<Layer>,
    raw_layer: Option<Vec<u8>>,
    raw_config: Option<Vec<u8>>,
    has_wrong_diff_id: bool,
}

/// Bytes that are stored under their digest.
pub(super) struct Blob {
    pub(super) media_type: &'static str,
    pub(super) bytes: Vec<u8>,
}

/// An image as a registry has it.
pub(super) struct Written {
    pub(super) blobs: Vec<Blob>,
    pub(super) manifest: Blob,
    pub(super) architecture: String,
}

/// Returns the architecture of this machine, as images name it.
pub(super) fn machine() -> &'static str {
    if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" }
}

impl Blob {
    /// Returns the digest of the bytes.
    pub(super) fn digest(&self) -> String {
        digest(&self.bytes)
    }

    /// Returns the descriptor with which a manifest refers to it.
    pub(super) fn descriptor(&self) -> Value {
        json!({ "mediaType": self.media_type, "digest": self.digest(), "size": self.bytes.len() })
    }
}

fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

impl Image {
    /// Makes an image with a configuration, for this machine, without layers.
    pub(super) fn new(config: Value) -> Self {
        Self {
            config,
            architecture: machine().to_owned(),
            packing: Packing::Docker,
            layers: Vec::new(),
            raw_layer: None,
            raw_config: None,
            has_wrong_diff_id: false,
        }
    }

    /// Adds a layer.
    pub(super) fn layer(mut self, layer: Layer) -> Self {
        self.layers.push(layer);
        self
    }

    /// Sets the media types and the compression.
    pub(super) fn packed(self, packing: Packing) -> Self {
        Self { packing, ..self }
    }

    /// Sets the architecture.
    pub(super) fn of(self, architecture: &str) -> Self {
        Self { architecture: architecture.to_owned(), ..self }
    }

    /// Adds bytes as the last layer.
    pub(super) fn with_raw_layer(self, bytes: Vec<u8>) -> Self {
        Self { raw_layer: Some(bytes), ..self }
    }

    /// Sets the bytes of the configuration.
    pub(super) fn with_raw_config(self, bytes: Vec<u8>) -> Self {
        Self { raw_config: Some(bytes), ..self }
    }

    /// Makes the configuration name digests that the layers do not have.
    pub(super) fn with_wrong_diff_id(self) -> Self {
        Self { has_wrong_diff_id: true, ..self }
    }

    /// Builds the blobs and the manifest.
    pub(super) fn write(&self) -> io::Result<Written> {
        let (mut blobs, mut diff_ids) = (Vec::new(), Vec::new());
        for layer in &self.layers {
            let tar = layer.tar()?;
            diff_ids.push(if self.has_wrong_diff_id { digest(b"another layer") } else { digest(&tar) });
            blobs.push(self.packing.layer(&tar)?);
        }
        if let Some(bytes) = &self.raw_layer {
            diff_ids.push(digest(bytes));
            blobs.push(Blob { media_type: self.packing.layer_type(), bytes: bytes.clone() });
        }
        let config = json!({
            "architecture": self.architecture,
            "os": "linux",
            "config": self.config,
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        let bytes = self.raw_config.clone().unwrap_or_else(|| config.to_string().into_bytes());
        let config = Blob { media_type: self.packing.config_type(), bytes };
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": self.packing.manifest_type(),
            "config": config.descriptor(),
            "layers": blobs.iter().map(Blob::descriptor).collect::<Vec<_>>(),
        });
        blobs.push(config);
        let manifest = Blob { media_type: self.packing.manifest_type(), bytes: manifest.to_string().into_bytes() };
        Ok(Written { blobs, manifest, architecture: self.architecture.clone() })
    }
}

impl Packing {
    fn manifest_type(self) -> &'static str {
        match self {
            Self::Docker => "application/vnd.docker.distribution.manifest.v2+json",
            Self::Oci | Self::OciZstd | Self::OciTar => "application/vnd.oci.image.manifest.v1+json",
        }
    }

    fn config_type(self) -> &'static str {
        match self {
            Self::Docker => "application/vnd.docker.container.image.v1+json",
            Self::Oci | Self::OciZstd | Self::OciTar => "application/vnd.oci.image.config.v1+json",
        }
    }

    fn layer_type(self) -> &'static str {
        match self {
            Self::Docker => "application/vnd.docker.image.rootfs.diff.tar.gzip",
            Self::Oci => "application/vnd.oci.image.layer.v1.tar+gzip",
            Self::OciZstd => "application/vnd.oci.image.layer.v1.tar+zstd",
            Self::OciTar => "application/vnd.oci.image.layer.v1.tar",
        }
    }

    fn layer(self, tar: &[u8]) -> io::Result<Blob> {
        let compression = match self {
            Self::Docker | Self::Oci => Compression::Gzip,
            Self::OciZstd => Compression::Zstd,
            Self::OciTar => Compression::None,
        };
        let mut encoder = Encoder::new(Vec::new(), compression)?;
        encoder.write_all(tar)?;
        let bytes = encoder.finish()?;
        Ok(Blob { media_type: self.layer_type(), bytes })
    }
}
