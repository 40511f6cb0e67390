//! Archives that Docker before 25 wrote with `docker save`, without an OCI layout.

use std::io::Read;

use graph::Platform;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::find::{assemble, is_called, parse, platform_of, read, read_verified};
use super::{Files, FoundImage, LayoutError};
use crate::Digest;
use crate::compression::{Compression, Decoder};
use crate::image::{CONFIG, ConfigFile, Descriptor, MANIFEST, Manifest};
use crate::platform;

/// An image in `manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Saved {
    /// The path of the configuration.
    pub(super) config: String,
    /// The names with tags.
    #[serde(default)]
    pub(super) repo_tags: Option<Vec<String>>,
    /// The paths of the layers, the lowest one first.
    #[serde(default)]
    pub(super) layers: Option<Vec<String>>,
}

pub(super) fn find(
    files: &dyn Files,
    manifest: &[u8],
    tag: Option<&str>,
    wanted: &Platform,
) -> Result<FoundImage, LayoutError> {
    let saved = choose(parse("manifest.json", manifest)?, tag)?;
    let config_bytes = match digest_in(&saved.config) {
        Some(digest) => read_verified(files, &saved.config, &digest)?,
        None => read(files, &saved.config)?,
    };
    let config: ConfigFile = parse(&saved.config, &config_bytes)?;
    let found = platform_of(&config);
    if platform::rank(&found, wanted).is_none() {
        return Err(LayoutError::Platform { wanted: wanted.to_string(), known: vec![platform::show(&found)] });
    }
    let paths = saved.layers.unwrap_or_default();
    let (in_config, in_manifest) = (config.rootfs.diff_ids.len(), paths.len());
    if in_config != in_manifest {
        return Err(LayoutError::Layers { in_config, in_manifest });
    }
    let layers = paths.iter().zip(&config.rootfs.diff_ids).map(|(path, diff_id)| describe(files, path, *diff_id));
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(MANIFEST.to_owned()),
        config: descriptor(CONFIG, Digest::of(&config_bytes), config_bytes.len() as u64),
        layers: layers.collect::<Result<_, _>>()?,
        annotations: Default::default(),
    };
    let manifest_bytes = serde_json::to_vec(&manifest)
        .map_err(|source| LayoutError::Json { path: "manifest.json".to_owned(), source })?;
    assemble(Digest::of(&manifest_bytes), manifest, manifest_bytes, config, config_bytes, paths)
}

fn choose(mut images: Vec<Saved>, tag: Option<&str>) -> Result<Saved, LayoutError> {
    let tags = |saved: &Saved| saved.repo_tags.clone().unwrap_or_default();
    let known =
        || images.iter().map(|saved| tags(saved).first().cloned().unwrap_or_else(|| saved.config.clone())).collect();
    match tag {
        None if images.is_empty() => Err(LayoutError::NoImage),
        None if images.len() > 1 => Err(LayoutError::Several(known())),
        None => Ok(images.swap_remove(0)),
        Some(tag) => {
            let found: Vec<usize> =
                (0..images.len()).filter(|&i| tags(&images[i]).iter().any(|name| is_called(name, tag))).collect();
            match found[..] {
                [] => Err(LayoutError::NoTag { tag: tag.to_owned(), known: images.iter().flat_map(tags).collect() }),
                [only] => Ok(images.swap_remove(only)),
                // Several names have the tag `latest`.
                _ => Err(LayoutError::Several(found.iter().flat_map(|&i| tags(&images[i])).collect())),
            }
        }
    }
}

/// Returns the digest that is the name of a file, such as `HEX.json` or `blobs/sha256/HEX`.
fn digest_in(path: &str) -> Option<Digest> {
    let name = path.rsplit('/').next()?;
    format!("sha256:{}", name.strip_suffix(".json").unwrap_or(name)).parse().ok()
}

fn descriptor(media_type: &str, digest: Digest, size: u64) -> Descriptor {
    Descriptor { media_type: media_type.to_owned(), digest, size, platform: None, annotations: Default::default() }
}

/// Returns the descriptor of a layer's file. The digest of an uncompressed layer is its diff id,
/// which is compared when the layer is unpacked. A compressed layer is read to compute it.
fn describe(files: &dyn Files, path: &str, diff_id: Digest) -> Result<Descriptor, LayoutError> {
    let failed = |source| LayoutError::Read { path: path.to_owned(), source };
    let decoder = Decoder::new(files.open(path).map_err(failed)?);
    let compression = decoder.map_err(|source| LayoutError::Layer { path: path.to_owned(), source })?.compression();
    let size = files.size(path).map_err(failed)?;
    if compression == Compression::None {
        return Ok(descriptor(compression.media_type(), diff_id, size));
    }
    let mut file = files.open(path).map_err(failed)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => hasher.update(&buffer[..n]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(descriptor(compression.media_type(), Digest::from_bytes(hasher.finalize().into()), size))
}
