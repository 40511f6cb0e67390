//! Images in files, in directories, and in the local Docker.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::Arc;

use engine::{Failure, FailureCode, ResolvedImage};
use graph::{ContentDigest, ImageOp, ImageOrigin, Op, Platform, Selection, TreePath};
use oci::Reference;
use oci::archive::TarFiles;
use oci::image::Descriptor;
use oci::layout::{Files, FoundImage, FoundLayer, LayoutError, find_image};
use sha2::{Digest as _, Sha256};
use store::{Selected, Store};

use super::fetch::broken;
use super::{Image, Images, config, known, scratch_file};
use crate::Input;
use crate::failure::read_failure;

/// How much is copied at once.
const CHUNK: usize = 256 << 10;

/// Where the layers of an image are.
#[derive(Clone)]
pub(super) enum Source {
    Registry(Box<Reference>),
    Files(Arc<Opened>),
}

/// An image among files.
pub(super) struct Opened {
    files: Box<dyn Files + Send + Sync>,
    layers: Vec<FoundLayer>,
}

impl Opened {
    /// Copies a layer into a file, verified.
    pub(super) async fn copy(self: &Arc<Self>, layer: &Descriptor, target: File) -> Result<(), Failure> {
        let (opened, layer) = (Arc::clone(self), layer.clone());
        let task = tokio::task::spawn_blocking(move || opened.copy_blocking(&layer, target));
        task.await.unwrap_or_else(|error| Err(Failure::bug(format!("copying a layer panicked: {error}"))))
    }

    fn copy_blocking(&self, layer: &Descriptor, mut target: File) -> Result<(), Failure> {
        let what = || format!("layer {} of an image", layer.digest);
        let found = self.layers.iter().find(|found| found.descriptor.digest == layer.digest);
        let found = found.ok_or_else(|| broken(&what(), "it is not in the file any more"))?;
        let digest = copy(&mut *self.files.open(&found.path).map_err(|error| broken(&what(), error))?, &mut target)
            .map_err(|error| Failure::environment(format!("{} cannot be copied: {error}", what()), None))?;
        if digest != layer.digest {
            return Err(broken(&what(), format!("its bytes have the digest {digest}")));
        }
        Ok(())
    }
}

/// Copies all of it and returns its digest.
fn copy(source: &mut dyn Read, target: &mut dyn Write) -> io::Result<oci::Digest> {
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; CHUNK]);
    loop {
        match source.read(&mut buffer)? {
            0 => return Ok(oci::Digest::from_bytes(hasher.finalize().into())),
            n => {
                hasher.update(&buffer[..n]);
                target.write_all(&buffer[..n])?;
            }
        }
    }
}

impl Images {
    /// Finds an image in a file or a directory.
    pub(super) async fn within(
        &self,
        selection: &Selection,
        tag: Option<&str>,
        platform: &Platform,
        input: Input<'_>,
    ) -> Result<ResolvedImage, Failure> {
        let origin = ImageOrigin::Input { tag: tag.map(str::to_owned), platform: platform.clone() };
        let (found, _) = self.open_input(input, tag, platform).await?;
        let op = ImageOp { origin, digest: found.digest };
        let image = image_of(found);
        self.remember(op.digest, &image)?;
        Ok(ResolvedImage {
            reference: op.digest.to_string(),
            rootfs: Selection::of(Op::Image(Box::new(op)), vec![selection.clone()]),
            platform: config::platform(&image.config),
            config: config::from_file(&image.config),
        })
    }

    /// Opens an image that is in no registry, and keeps its manifest.
    pub(super) async fn open(&self, op: &ImageOp, input: Option<Input<'_>>) -> Result<(Image, Source), Failure> {
        let (found, source) = match (&op.origin, input) {
            (ImageOrigin::Input { tag, platform }, Some(input)) => {
                self.open_input(input, tag.as_deref(), platform).await?
            }
            (ImageOrigin::Docker { name }, _) => self.open_saved(name).await?,
            (ImageOrigin::Input { .. }, None) | (ImageOrigin::Registry { .. }, _) => {
                return Err(Failure::bug("an image of a file is to be opened without the file"));
            }
        };
        let image = image_of(found);
        self.remember(op.digest, &image)?;
        Ok((image, source))
    }

    async fn open_input(
        &self,
        input: Input<'_>,
        tag: Option<&str>,
        platform: &Platform,
    ) -> Result<(FoundImage, Source), Failure> {
        let (store, tree, path) = (self.store.clone(), input.tree, input.path.clone());
        let (tag, platform) = (tag.map(str::to_owned), platform.clone());
        blocking(move || {
            let files = files_of(&store, tree, &path)?;
            find(files, tag.as_deref(), &platform)
        })
        .await
    }

    /// Has Docker write an image to a file, and opens that.
    async fn open_saved(&self, name: &str) -> Result<(FoundImage, Source), Failure> {
        let scratch = self.store.temporary_dir().map_err(Failure::of)?;
        let path = scratch_file(&self.store, "saved")?;
        self.docker()?.save(name, &path).await?;
        blocking(move || {
            let files = TarFiles::open(&path, &scratch);
            // What was opened can be read without a name.
            let _ = std::fs::remove_file(&path);
            find(Box::new(files.map_err(Failure::of)?), None, &Platform::of_this_machine())
        })
        .await
    }
}

fn find(
    files: Box<dyn Files + Send + Sync>,
    tag: Option<&str>,
    platform: &Platform,
) -> Result<(FoundImage, Source), Failure> {
    let found = find_image(&*files, tag, platform).map_err(|error| match (&error, Failure::of(&error)) {
        (LayoutError::NoTag { .. } | LayoutError::Platform { .. }, Failure::Invalid { message, hint, .. }) => {
            Failure::Invalid { code: FailureCode::NotFound, message, hint }
        }
        (_, failure) => failure,
    })?;
    let source = Source::Files(Arc::new(Opened { files, layers: found.layers.clone() }));
    Ok((found, source))
}

fn image_of(found: FoundImage) -> Image {
    let bytes = known::Bytes { manifest: found.manifest_bytes, config: found.config_bytes };
    Image { manifest: found.manifest, config: found.config, bytes }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Failure> + Send + 'static) -> Result<T, Failure> {
    let task = tokio::task::spawn_blocking(work);
    task.await.unwrap_or_else(|error| Err(Failure::bug(format!("opening an image panicked: {error}"))))
}

/// Returns the files of an image: those in a file, or those in a directory.
fn files_of(store: &Store, tree: ContentDigest, path: &TreePath) -> Result<Box<dyn Files + Send + Sync>, Failure> {
    match store.select(tree, path).map_err(read_failure)? {
        Selected::Directory(tree) => Ok(Box::new(TreeFiles { store: store.clone(), tree })),
        Selected::File(_) => {
            let blob = store.contents_digest(tree, path).map_err(read_failure)?;
            let (_, _, file) = store.open_blob(&blob).map_err(Failure::of)?;
            let scratch = store.temporary_dir().map_err(Failure::of)?;
            Ok(Box::new(TarFiles::open(&file, &scratch).map_err(Failure::of)?))
        }
    }
}

/// The files of a tree.
struct TreeFiles {
    store: Store,
    tree: ContentDigest,
}

impl TreeFiles {
    fn find(&self, path: &str) -> io::Result<(File, u64)> {
        let path = TreePath::parse(path).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let blob = self.store.contents_digest(self.tree, &path).map_err(|error| match error {
            store::ReadError::NotFound { .. } => io::ErrorKind::NotFound.into(),
            error => io::Error::other(error.to_string()),
        })?;
        let (file, size, _) = self.store.open_blob(&blob).map_err(|error| io::Error::other(error.to_string()))?;
        Ok((file, size))
    }
}

impl Files for TreeFiles {
    fn open(&self, path: &str) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(self.find(path)?.0))
    }

    fn size(&self, path: &str) -> io::Result<u64> {
        self.find(path).map(|(_, size)| size)
    }
}
