//! Finds an image in an OCI layout.

use graph::Platform;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Files, FoundImage, FoundLayer, LayoutError, blob_path};
use crate::Digest;
use crate::image::{ConfigFile, DOCKER_LIST, Descriptor, INDEX, ImagePlatform, Index, Manifest};
use crate::platform;

/// The annotation of the specification for a tag.
pub(super) const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The annotation of containerd for the whole name.
pub(super) const IMAGE_NAME: &str = "io.containerd.image.name";
/// The annotation of BuildKit for an entry that belongs to an image and is not an image.
const ATTESTATION: &str = "vnd.docker.reference.type";
/// The maximum depth of nested indexes. One level is usual.
const MAX_DEPTH: usize = 4;

/// The file `oci-layout`.
#[derive(Deserialize)]
struct Version {
    #[serde(rename = "imageLayoutVersion")]
    version: String,
}

pub(super) fn find(
    files: &dyn Files,
    index: &[u8],
    tag: Option<&str>,
    wanted: &Platform,
) -> Result<FoundImage, LayoutError> {
    // Some tools do not write this file.
    if let Ok(bytes) = files.read("oci-layout") {
        let Version { version } = parse("oci-layout", &bytes)?;
        if version != "1.0.0" {
            return Err(LayoutError::Version(version));
        }
    }
    let index: Index = parse("index.json", index)?;
    let tagged = tagged(index.manifests.into_iter().filter(is_image).collect(), tag)?;
    let mut images = Vec::new();
    for descriptor in tagged {
        expand(files, descriptor, &mut images, 0)?;
    }
    choose(images, wanted)
}

fn is_image(descriptor: &Descriptor) -> bool {
    let is_attestation = descriptor.annotations.contains_key(ATTESTATION)
        || descriptor.platform.as_ref().is_some_and(|platform| platform.os == "unknown");
    !is_attestation
}

/// Returns all names of an entry.
fn names(descriptor: &Descriptor) -> impl Iterator<Item = &String> {
    [IMAGE_NAME, REF_NAME].into_iter().filter_map(|key| descriptor.annotations.get(key))
}

/// Returns the entries with a tag, or those of the only image.
fn tagged(entries: Vec<Descriptor>, tag: Option<&str>) -> Result<Vec<Descriptor>, LayoutError> {
    let mut known: Vec<String> = entries.iter().filter_map(|entry| names(entry).next().cloned()).collect();
    known.sort();
    known.dedup();
    if let Some(tag) = tag {
        let tagged: Vec<_> =
            entries.into_iter().filter(|entry| names(entry).any(|name| is_called(name, tag))).collect();
        if tagged.is_empty() {
            return Err(LayoutError::NoTag { tag: tag.to_owned(), known });
        }
        return Ok(tagged);
    }
    let is_one = entries.iter().all(|entry| entry.digest == entries[0].digest);
    if known.len() > 1 && !is_one {
        return Err(LayoutError::Several(known));
    }
    Ok(entries)
}

/// Returns whether a tag means this name: it is equal to the name, or to the part after the last
/// colon.
pub(super) fn is_called(name: &str, tag: &str) -> bool {
    name == tag || name.rsplit_once(':').is_some_and(|(_, last)| last == tag && !last.contains('/'))
}

/// An image whose documents were read.
struct Candidate {
    descriptor: Descriptor,
    platform: ImagePlatform,
    image: FoundImage,
}

/// Reads the image of an entry, or the images of an index.
fn expand(
    files: &dyn Files,
    descriptor: Descriptor,
    images: &mut Vec<Candidate>,
    depth: usize,
) -> Result<(), LayoutError> {
    if images.iter().any(|image| image.descriptor.digest == descriptor.digest) {
        return Ok(());
    }
    if descriptor.media_type == INDEX || descriptor.media_type == DOCKER_LIST {
        if depth == MAX_DEPTH {
            return Err(LayoutError::Deep(MAX_DEPTH));
        }
        let path = blob_path(&descriptor.digest);
        let index: Index = parse(&path, &read_verified(files, &path, &descriptor.digest)?)?;
        return index
            .manifests
            .into_iter()
            .filter(is_image)
            .try_for_each(|entry| expand(files, entry, images, depth + 1));
    }
    // A layout may contain an index of many platforms and the files of only one.
    let image = match read_image(files, &descriptor) {
        Err(LayoutError::Read { source, .. }) if depth > 0 && source.kind() == std::io::ErrorKind::NotFound => {
            return Ok(());
        }
        image => image?,
    };
    let platform = descriptor.platform.clone().unwrap_or_else(|| platform_of(&image.config));
    images.push(Candidate { descriptor, platform, image });
    Ok(())
}

pub(super) fn platform_of(config: &ConfigFile) -> ImagePlatform {
    let ConfigFile { architecture, os, variant, .. } = config.clone();
    ImagePlatform { architecture, os, variant }
}

/// Returns the image that fits the platform best.
fn choose(images: Vec<Candidate>, wanted: &Platform) -> Result<FoundImage, LayoutError> {
    let ranks: Vec<Option<u32>> = images.iter().map(|image| platform::rank(&image.platform, wanted)).collect();
    let Some(best) = ranks.iter().copied().flatten().max() else {
        let known = images.iter().map(|image| platform::show(&image.platform)).collect();
        return Err(LayoutError::Platform { wanted: wanted.to_string(), known });
    };
    let best: Vec<Candidate> =
        images.into_iter().zip(ranks).filter(|(_, rank)| *rank == Some(best)).map(|(image, _)| image).collect();
    match <[Candidate; 1]>::try_from(best) {
        Ok([only]) => Ok(only.image),
        Err(several) => {
            Err(LayoutError::Several(several.iter().map(|image| image.descriptor.digest.to_string()).collect()))
        }
    }
}

fn read_image(files: &dyn Files, descriptor: &Descriptor) -> Result<FoundImage, LayoutError> {
    let path = blob_path(&descriptor.digest);
    let manifest_bytes = read_verified(files, &path, &descriptor.digest)?;
    let manifest: Manifest = parse(&path, &manifest_bytes)?;
    let path = blob_path(&manifest.config.digest);
    let config_bytes = read_verified(files, &path, &manifest.config.digest)?;
    let config: ConfigFile = parse(&path, &config_bytes)?;
    let paths = manifest.layers.iter().map(|layer| blob_path(&layer.digest)).collect();
    assemble(descriptor.digest, manifest, manifest_bytes, config, config_bytes, paths)
}

/// Returns the image with the file and the diff id of each layer.
pub(super) fn assemble(
    digest: Digest,
    manifest: Manifest,
    manifest_bytes: Vec<u8>,
    config: ConfigFile,
    config_bytes: Vec<u8>,
    paths: Vec<String>,
) -> Result<FoundImage, LayoutError> {
    let (in_config, in_manifest) = (config.rootfs.diff_ids.len(), manifest.layers.len());
    if in_config != in_manifest {
        return Err(LayoutError::Layers { in_config, in_manifest });
    }
    let parts = manifest.layers.iter().zip(&config.rootfs.diff_ids).zip(paths);
    let layers = parts
        .map(|((descriptor, diff_id), path)| FoundLayer { descriptor: descriptor.clone(), diff_id: *diff_id, path })
        .collect();
    Ok(FoundImage { digest, manifest, manifest_bytes, config, config_bytes, layers })
}

pub(super) fn read(files: &dyn Files, path: &str) -> Result<Vec<u8>, LayoutError> {
    files.read(path).map_err(|source| LayoutError::Read { path: path.to_owned(), source })
}

pub(super) fn read_verified(files: &dyn Files, path: &str, expected: &Digest) -> Result<Vec<u8>, LayoutError> {
    let bytes = read(files, path)?;
    let found = Digest::of(&bytes);
    if found == *expected {
        return Ok(bytes);
    }
    Err(LayoutError::Digest { path: path.to_owned(), expected: *expected, found })
}

pub(super) fn parse<T: DeserializeOwned>(path: &str, bytes: &[u8]) -> Result<T, LayoutError> {
    serde_json::from_slice(bytes).map_err(|source| LayoutError::Json { path: path.to_owned(), source })
}
