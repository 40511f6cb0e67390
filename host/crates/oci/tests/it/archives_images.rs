//! Small images for tests, and files in memory.

use std::collections::BTreeMap;
use std::io::{self, Read};

use oci::Digest;
use oci::compression::Compression;
use oci::image::{CONFIG, ConfigFile, Descriptor, MANIFEST, Manifest};
use oci::layer::{LayerWriter, Meta};
use oci::layout::{Files, ImageFiles, LayoutContents, blob_path, layout_files};

/// Files in memory, by path.
#[derive(Default, Clone)]
pub(crate) struct Memory(pub(crate) BTreeMap<String, Vec<u8>>);

impl Files for Memory {
    fn open(&self, path: &str) -> io::Result<Box<dyn Read + Send>> {
        let bytes = self.0.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(io::Cursor::new(bytes.clone())))
    }

    fn size(&self, path: &str) -> io::Result<u64> {
        Ok(self.0.get(path).ok_or(io::ErrorKind::NotFound)?.len() as u64)
    }
}

/// An image with one layer.
pub(crate) struct Image {
    pub(crate) manifest: Vec<u8>,
    pub(crate) config: Vec<u8>,
    pub(crate) layer: Vec<u8>,
    pub(crate) diff_id: Digest,
}

impl Image {
    /// Returns an image with one file with these contents, for a platform such as `linux/arm/v7`.
    pub(crate) fn new(platform: &str, contents: &str, compression: Compression) -> Self {
        let mut writer = LayerWriter::new(Vec::new(), compression).unwrap();
        let meta = Meta { mode: 0o644, ..Meta::default() };
        writer.file(b"f", &meta, contents.len() as u64, &mut contents.as_bytes()).unwrap();
        let (layer, packed) = writer.finish().unwrap();
        let mut parts = platform.split('/').map(str::to_owned);
        let mut config = ConfigFile {
            os: parts.next().unwrap(),
            architecture: parts.next().unwrap(),
            variant: parts.next(),
            ..ConfigFile::default()
        };
        config.rootfs.diff_ids.push(packed.diff_id);
        let config = serde_json::to_vec(&config).unwrap();
        let manifest = Manifest {
            schema_version: 2,
            media_type: Some(MANIFEST.to_owned()),
            config: Descriptor {
                media_type: CONFIG.to_owned(),
                digest: Digest::of(&config),
                size: config.len() as u64,
                platform: None,
                annotations: BTreeMap::new(),
            },
            layers: vec![packed.descriptor],
            annotations: BTreeMap::new(),
        };
        Self { manifest: serde_json::to_vec(&manifest).unwrap(), config, layer, diff_id: packed.diff_id }
    }

    /// Adds the files of the image to a layout without an index.
    pub(crate) fn put_blobs(&self, memory: &mut Memory) {
        for bytes in [&self.manifest, &self.config, &self.layer] {
            memory.0.insert(blob_path(&Digest::of(bytes)), bytes.clone());
        }
    }
}

/// Writes images for several platforms as this crate does.
pub(crate) fn layout(images: &[&Image], names: &[&str]) -> Memory {
    let blobs: BTreeMap<Digest, &Image> = images.iter().map(|image| (Digest::of(&image.layer), *image)).collect();
    let files: Vec<_> =
        images.iter().map(|image| ImageFiles { manifest: &image.manifest, config: &image.config }).collect();
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let files = layout_files(&files, &names).unwrap().into_iter().map(|file| {
        let bytes = match file.contents {
            LayoutContents::Bytes(bytes) => bytes,
            LayoutContents::Blob { digest, .. } => blobs[&digest].layer.clone(),
        };
        (file.path, bytes)
    });
    Memory(files.collect())
}
