//! The files of an image to be written.

use std::collections::BTreeMap;

use serde::Serialize;

use super::docker::Saved;
use super::find::{IMAGE_NAME, REF_NAME, platform_of};
use super::{LayoutError, blob_path};
use crate::Digest;
use crate::image::{ConfigFile, Descriptor, INDEX, Index, MANIFEST, Manifest};

/// An image to be written.
#[derive(Debug, Clone, Copy)]
pub struct ImageFiles<'a> {
    /// The bytes of the image manifest.
    pub manifest: &'a [u8],
    /// The bytes of the configuration.
    pub config: &'a [u8],
}

/// The contents of a file of a layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayoutContents {
    /// The contents are these bytes.
    Bytes(Vec<u8>),
    /// The contents are a layer, which the caller has.
    Blob {
        /// The digest of the layer's file.
        digest: Digest,
        /// The size in bytes.
        size: u64,
    },
}

impl LayoutContents {
    /// Returns the size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Blob { size, .. } => *size,
        }
    }
}

/// A file of a layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutFile {
    /// The path, without a leading `/`.
    pub path: String,
    /// The contents of the file.
    pub contents: LayoutContents,
}

/// Returns the files of a layout, sorted by path, for one image or for one image per platform.
/// `names` are whole names with tags, such as `docker.io/library/x:1`; each of them means the image
/// of every platform.
///
/// `manifest.json` is for Docker before 25, which reads nothing else and supports one image per
/// name; it gets the first image. Docker before 23 does not support zstd.
///
/// # Errors
/// If a manifest or a configuration makes no sense.
pub fn layout_files(images: &[ImageFiles<'_>], names: &[String]) -> Result<Vec<LayoutFile>, LayoutError> {
    let mut files = BTreeMap::new();
    let mut entries = Vec::new();
    let mut saved = Vec::new();
    for image in images {
        let manifest: Manifest = super::find::parse("the manifest", image.manifest)?;
        let config: ConfigFile = super::find::parse("the configuration", image.config)?;
        let bytes = |bytes: &[u8]| LayoutContents::Bytes(bytes.to_vec());
        files.insert(blob_path(&Digest::of(image.manifest)), bytes(image.manifest));
        files.insert(blob_path(&manifest.config.digest), bytes(image.config));
        for layer in &manifest.layers {
            let contents = LayoutContents::Blob { digest: layer.digest, size: layer.size };
            files.insert(blob_path(&layer.digest), contents);
        }
        if saved.is_empty() {
            saved.push(Saved {
                config: blob_path(&manifest.config.digest),
                repo_tags: Some(names.to_vec()),
                layers: Some(manifest.layers.iter().map(|layer| blob_path(&layer.digest)).collect()),
            });
        }
        entries.push(Descriptor {
            media_type: manifest.media_type.clone().unwrap_or_else(|| MANIFEST.to_owned()),
            digest: Digest::of(image.manifest),
            size: image.manifest.len() as u64,
            platform: Some(platform_of(&config)),
            annotations: BTreeMap::new(),
        });
    }
    // The images of several platforms are in an index of their own, and the index gets the names.
    if entries.len() > 1 {
        let index = json(&index_of(std::mem::take(&mut entries)))?;
        entries.push(Descriptor {
            media_type: INDEX.to_owned(),
            digest: Digest::of(&index),
            size: index.len() as u64,
            platform: None,
            annotations: BTreeMap::new(),
        });
        files.insert(blob_path(&Digest::of(&index)), LayoutContents::Bytes(index));
    }
    files.insert("index.json".to_owned(), LayoutContents::Bytes(json(&index_of(named(entries, names)))?));
    files.insert("manifest.json".to_owned(), LayoutContents::Bytes(json(&saved)?));
    let version = br#"{"imageLayoutVersion":"1.0.0"}"#;
    files.insert("oci-layout".to_owned(), LayoutContents::Bytes(version.to_vec()));
    Ok(files.into_iter().map(|(path, contents)| LayoutFile { path, contents }).collect())
}

fn index_of(manifests: Vec<Descriptor>) -> Index {
    Index { schema_version: 2, media_type: Some(INDEX.to_owned()), manifests, annotations: BTreeMap::new() }
}

/// Returns an index entry for each name.
fn named(entries: Vec<Descriptor>, names: &[String]) -> Vec<Descriptor> {
    if names.is_empty() {
        return entries;
    }
    let with = |entry: &Descriptor, name: &String| {
        let tag = name.rsplit_once(':').map(|(_, tag)| tag).filter(|tag| !tag.contains('/')).unwrap_or("latest");
        let annotations =
            BTreeMap::from([(IMAGE_NAME.to_owned(), name.clone()), (REF_NAME.to_owned(), tag.to_owned())]);
        Descriptor { annotations, ..entry.clone() }
    };
    names.iter().flat_map(|name| entries.iter().map(move |entry| with(entry, name))).collect()
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, LayoutError> {
    serde_json::to_vec(value).map_err(|source| LayoutError::Json { path: "index.json".to_owned(), source })
}
