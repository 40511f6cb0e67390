//! Making images: layers of trees, and the files of a layout.

mod diff;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Read};

use engine::{Failure, FailureCode};
use graph::image::ARCHIVE;
use graph::{ContentDigest, ImageOp, ImageOrigin, Op, PackForm, PackOp, Selection};
use oci::archive::write_tar;
use oci::image::{
    CONFIG, ConfigFile, DOCKER_CONFIG, DOCKER_MANIFEST, Descriptor, History, MANIFEST, Manifest, docker_layer,
};
use oci::layout::{ImageFiles, LayoutContents, LayoutFile, layout_files};
use store::{Entry, Kind, Node, Owned, Store};

use self::diff::PackedLayer;
use super::{Image, Images, config, known, scratch_file};
use crate::{Input, Trees};

/// When images say that they were made: whenever it is, the same image is made.
const CREATED: &str = "1970-01-01T00:00:00Z";

impl Trees {
    /// Fetches what [`Trees::pack`] needs of the image that is packed over.
    ///
    /// # Errors
    /// If a layer of it cannot be fetched.
    pub async fn prepare_pack(&self, inputs: &[Selection]) -> Result<(), Failure> {
        let Some(op) = base_of(inputs).filter(|op| matches!(op.origin, ImageOrigin::Registry { .. })) else {
            return Ok(());
        };
        let image = self.images.image(op, None).await?;
        if self.images.layers_of(&image)?.is_none() {
            for download in self.images.fetch(op, &image, None, 0).await? {
                download.finished().await?;
            }
        }
        Ok(())
    }

    /// Makes an image of root file systems, lowest first: the tree of a layout, or one with an archive. Blocks.
    ///
    /// # Errors
    /// If files cannot be read or written, or if a tree shows directories of this machine.
    pub fn pack(&self, op: &PackOp, inputs: &[Selection], trees: &[Input<'_>]) -> Result<ContentDigest, Failure> {
        let store = &self.store;
        let base = match base_of(inputs) {
            Some(op) => self.images.recall(op.digest)?,
            None => None,
        };
        let layers = match &base {
            Some(image) => self.images.layers_of(image)?,
            None => None,
        };
        // An image whose layers are not here as they were is one layer: all of its files.
        let mut below = layers.is_some().then(|| trees.first().map(|input| input.tree)).flatten();
        let (base, mut layers) = (base.filter(|_| layers.is_some()), layers.unwrap_or_default());
        let n_base = layers.len();
        for input in trees.iter().skip(usize::from(base.is_some())) {
            let tree = store.subtree(input.tree, input.path).map_err(crate::failure::read_failure)?;
            refuse_machine(store, tree)?;
            if below != Some(tree) {
                layers.push(diff::layer(store, below, tree)?);
                below = Some(tree);
            }
        }
        let files = files_of(op, base.as_ref(), &layers, n_base)?;
        match op.form {
            PackForm::Layout => layout(store, &files, &layers),
            PackForm::Archive | PackForm::DockerArchive => archive(store, &files, &layers),
        }
    }
}

/// Returns the image that the lowest input is.
fn base_of(inputs: &[Selection]) -> Option<&ImageOp> {
    match inputs.first()?.edge.vertex.op() {
        Op::Image(op) => Some(op),
        _ => None,
    }
}

fn refuse_machine(store: &Store, tree: ContentDigest) -> Result<(), Failure> {
    if store.machine_views(tree).map_err(Failure::of)?.is_empty() {
        return Ok(());
    }
    let message = "a container with directories of this machine cannot be made an image: they are not its own files";
    let hint = Some("start from an image, or from a directory with what the image needs".to_owned());
    Err(Failure::Invalid { code: FailureCode::InvalidArgument, message: message.to_owned(), hint })
}

impl Images {
    /// Returns the layers of an image, if all of them are blobs of the store.
    fn layers_of(&self, image: &Image) -> Result<Option<Vec<PackedLayer>>, Failure> {
        let mut layers = Vec::new();
        for layer in image.layers() {
            let Some(blob) = known::recall_blob(&self.store, layer.descriptor.digest)? else { return Ok(None) };
            layers.push(PackedLayer { descriptor: layer.descriptor, diff_id: layer.diff_id, blob });
        }
        Ok(Some(layers))
    }
}

/// Returns the files of an image: its configuration, its manifest, and what points to them.
fn files_of(
    op: &PackOp,
    base: Option<&Image>,
    layers: &[PackedLayer],
    n_base: usize,
) -> Result<Vec<LayoutFile>, Failure> {
    let mut file: ConfigFile = config::to_file(&op.config, &op.platform);
    file.created = Some(CREATED.to_owned());
    file.rootfs.diff_ids = layers.iter().map(|layer| layer.diff_id).collect();
    file.history = base.map(|base| base.config.history.clone()).unwrap_or_default();
    if file.history.iter().filter(|step| !step.empty_layer).count() != n_base {
        // It says nothing of the layers that there are.
        file.history.clear();
        file.history.resize(n_base, History::default());
    }
    let made = History { created: Some(CREATED.to_owned()), created_by: Some("host".to_owned()), ..History::default() };
    file.history.extend(std::iter::repeat_n(made, layers.len() - n_base));
    let config = json(&file)?;
    let is_for_docker = op.form == PackForm::DockerArchive;
    let (manifest_type, config_type) =
        if is_for_docker { (DOCKER_MANIFEST, DOCKER_CONFIG) } else { (MANIFEST, CONFIG) };
    let layer = |layer: &PackedLayer| match is_for_docker {
        true => Descriptor { media_type: docker_layer(&layer.descriptor.media_type), ..layer.descriptor.clone() },
        false => layer.descriptor.clone(),
    };
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(manifest_type.to_owned()),
        config: Descriptor {
            media_type: config_type.to_owned(),
            digest: oci::Digest::of(&config),
            size: config.len() as u64,
            platform: None,
            annotations: BTreeMap::new(),
        },
        layers: layers.iter().map(layer).collect(),
        annotations: op.annotations.clone(),
    };
    let manifest = json(&manifest)?;
    layout_files(&[ImageFiles { manifest: &manifest, config: &config }], &[]).map_err(Failure::of)
}

fn json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(value).map_err(|error| Failure::bug(format!("an image cannot be described: {error}")))
}

/// Returns the blob of a layer.
fn blob_of(layers: &[PackedLayer], digest: &oci::Digest) -> Option<ContentDigest> {
    layers.iter().find(|layer| layer.descriptor.digest == *digest).map(|layer| layer.blob)
}

/// Makes the tree of a layout.
fn layout(store: &Store, files: &[LayoutFile], layers: &[PackedLayer]) -> Result<ContentDigest, Failure> {
    let (mut root, mut blobs) = (Vec::new(), Vec::new());
    for file in files {
        let (digest, size) = match &file.contents {
            LayoutContents::Bytes(bytes) => (store.put_blob(bytes).map_err(Failure::of)?, bytes.len() as u64),
            LayoutContents::Blob { digest, size } => {
                let blob = blob_of(layers, digest).ok_or_else(|| Failure::bug("a layout has a layer of nobody"))?;
                (blob, *size)
            }
        };
        let (name, into) = match file.path.strip_prefix("blobs/sha256/") {
            Some(name) => (name, &mut blobs),
            None => (file.path.as_str(), &mut root),
        };
        into.push(Entry::new(name.as_bytes(), Kind::File { digest, size }, Owned::FILE));
    }
    let blobs = put_node(store, blobs)?;
    let sha256 = put_node(store, vec![directory(b"sha256", blobs)])?;
    root.push(directory(b"blobs", sha256));
    put_node(store, root)
}

fn directory(name: &[u8], digest: ContentDigest) -> Entry {
    Entry::new(name, Kind::Directory { digest }, Owned::DIRECTORY)
}

fn put_node(store: &Store, mut entries: Vec<Entry>) -> Result<ContentDigest, Failure> {
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    store.put_node(Node { root: None, entries }).map_err(Failure::of)
}

/// Makes a tree with one file, an archive of the layout.
fn archive(store: &Store, files: &[LayoutFile], layers: &[PackedLayer]) -> Result<ContentDigest, Failure> {
    let path = scratch_file(store, "archive")?;
    let written = write_archive(store, files, layers, &path);
    let kept = written
        .map_err(|error| Failure::environment(format!("`{}` cannot be written: {error}", path.display()), None))
        .and_then(|()| store.put_hardlink(&path).map_err(Failure::of));
    // The blob is another name of the file.
    let _ = std::fs::remove_file(&path);
    let (digest, size) = kept?;
    put_node(store, vec![Entry::new(ARCHIVE.as_bytes(), Kind::File { digest, size }, Owned::FILE)])
}

fn write_archive(
    store: &Store,
    files: &[LayoutFile],
    layers: &[PackedLayer],
    path: &std::path::Path,
) -> io::Result<()> {
    let mut writer = BufWriter::with_capacity(1 << 20, File::create(path)?);
    write_tar(files, &mut writer, |digest| {
        let blob = blob_of(layers, digest).ok_or(io::ErrorKind::NotFound)?;
        let (file, _, _) = store.open_blob(&blob).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Box::new(file) as Box<dyn Read + Send>)
    })?;
    writer.into_inner().map_err(io::IntoInnerError::into_error).map(drop)
}
