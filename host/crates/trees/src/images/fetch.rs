//! Fetching layers: each into a file that can be read while it grows.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use engine::{Failure, FailureCode};
use graph::{ImageOp, ImageOrigin};
use oci::image::Descriptor;
use oci::registry::BlobSink;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::within::Source;
use super::{Image, Images, known, registry_failure, scratch_file};

/// How much is copied at once.
const CHUNK: usize = 1 << 20;

/// A layer of an image.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Its compressed bytes.
    pub descriptor: Descriptor,
    /// The digest of its tar file.
    pub diff_id: oci::Digest,
}

impl Image {
    /// Returns the layers, lowest first.
    #[must_use]
    pub fn layers(&self) -> Vec<Layer> {
        let pairs = self.manifest.layers.iter().zip(&self.config.rootfs.diff_ids);
        pairs.map(|(descriptor, diff_id)| Layer { descriptor: descriptor.clone(), diff_id: *diff_id }).collect()
    }
}

/// How far a download is.
#[derive(Debug, Clone, Default)]
struct Progress {
    /// So many bytes are in the file.
    n_bytes: u64,
    /// How often what was written turned out to be worthless, and it began anew.
    n_restarts: u32,
    /// The file that has all of it, verified; or why it cannot be had.
    end: Option<Result<PathBuf, Failure>>,
}

/// A layer that is being fetched. Dropping it ends that.
pub struct Download {
    path: PathBuf,
    progress: watch::Receiver<Progress>,
    /// What fetches it; ends with it.
    _task: JoinSet<()>,
}

impl Drop for Download {
    fn drop(&mut self) {
        // Once it is a blob it has another name.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Download {
    /// Waits until all of it is there, and returns the file.
    ///
    /// # Errors
    /// If it cannot be had.
    pub async fn finished(&self) -> Result<PathBuf, Failure> {
        let mut progress = self.progress.clone();
        let progress = progress.wait_for(|progress| progress.end.is_some()).await.map_err(|_| ended())?;
        progress.end.clone().unwrap_or_else(|| Err(ended()))
    }

    /// Copies it to `target` while it is fetched. Returns false if it had to begin anew meanwhile, so that
    /// what was copied is worthless.
    ///
    /// # Errors
    /// If it cannot be had. That `target` is closed by its reader is no error.
    pub async fn copy_to(&self, mut target: impl AsyncWrite + Unpin) -> Result<bool, Failure> {
        let mut progress = self.progress.clone();
        let n_restarts = progress.borrow().n_restarts;
        let (mut file, mut n_copied) = (None, 0);
        loop {
            let seen = progress.borrow_and_update().clone();
            if seen.n_restarts != n_restarts {
                return Ok(false);
            }
            let end = seen.end.transpose()?;
            let n_bytes = if end.is_some() { None } else { Some(seen.n_bytes - n_copied) };
            if n_bytes != Some(0) {
                let file = match &mut file {
                    Some(file) => file,
                    // An open file is the same under the name that it gets in the end.
                    none => none.insert(open(end.as_deref().unwrap_or(&self.path))?),
                };
                if !copy(file, &mut target, n_bytes).await {
                    return Ok(true);
                }
            }
            if end.is_some() {
                return Ok(true);
            }
            n_copied = seen.n_bytes;
            progress.changed().await.map_err(|_| ended())?;
        }
    }
}

/// Copies so many bytes, or all that is left; returns false when nobody reads any more.
async fn copy(file: &mut File, target: &mut (impl AsyncWrite + Unpin), n_bytes: Option<u64>) -> bool {
    let mut rest = file.take(n_bytes.unwrap_or(u64::MAX));
    let mut buffer = vec![0; CHUNK];
    loop {
        // Out of the page cache, which is faster than a thread can be asked.
        match rest.read(&mut buffer) {
            Ok(0) | Err(_) => return true,
            Ok(n_read) if target.write_all(&buffer[..n_read]).await.is_err() => return false,
            Ok(_) => {}
        }
    }
}

impl Images {
    /// Reads the manifest and the configuration of an image. For one of a file or a directory, `input` is
    /// what that evaluated to.
    ///
    /// # Errors
    /// If it is not there any more, or cannot be reached.
    pub async fn image(&self, op: &ImageOp, input: Option<crate::Input<'_>>) -> Result<Image, Failure> {
        if let Some(image) = self.recall(op.digest)? {
            return Ok(image);
        }
        match &op.origin {
            ImageOrigin::Registry { repository } => {
                let reference = repository.pinned(op.digest);
                let platform = graph::Platform::of_this_machine();
                let found = self.client()?.resolve(&reference, &platform).await;
                let found = found.map_err(|error| registry_failure(&error))?;
                let bytes =
                    known::Bytes { manifest: found.manifest_bytes.to_vec(), config: found.config_bytes.to_vec() };
                let image = Image { manifest: found.manifest, config: found.config, bytes };
                self.remember(op.digest, &image)?;
                Ok(image)
            }
            ImageOrigin::Docker { .. } | ImageOrigin::Input { .. } => {
                let (image, _) = self.open(op, input).await?;
                Ok(image)
            }
        }
    }

    /// Begins to fetch the layers of an image from number `first` on.
    ///
    /// # Errors
    /// If the place where they are cannot be opened.
    pub async fn fetch(
        self: &Arc<Self>,
        op: &ImageOp,
        image: &Image,
        input: Option<crate::Input<'_>>,
        first: usize,
    ) -> Result<Vec<Download>, Failure> {
        let layers = image.layers().into_iter().skip(first);
        let source = match &op.origin {
            ImageOrigin::Registry { repository } => Source::Registry(Box::new(repository.pinned(op.digest))),
            ImageOrigin::Docker { .. } | ImageOrigin::Input { .. } => self.open(op, input).await?.1,
        };
        let turns = Arc::new(tokio::sync::Semaphore::new(MAX_DOWNLOADS));
        layers.map(|layer| self.begin(source.clone(), layer.descriptor, Arc::clone(&turns))).collect()
    }

    fn begin(
        self: &Arc<Self>,
        source: Source,
        descriptor: Descriptor,
        turns: Arc<tokio::sync::Semaphore>,
    ) -> Result<Download, Failure> {
        let path = scratch_file(&self.store, "layer")?;
        let (sender, progress) = watch::channel(Progress::default());
        let (images, to) = (Arc::clone(self), path.clone());
        let mut task = JoinSet::new();
        task.spawn(async move {
            let fetched = async {
                if let Some(blob) = known::recall_blob(&images.store, descriptor.digest)? {
                    return Ok(images.store.blob_path(&blob));
                }
                let _turn = turns.acquire().await;
                images.fetch_to(&to, source, &descriptor, &sender).await
            };
            let fetched = fetched.await;
            sender.send_modify(|progress| progress.end = Some(fetched));
        });
        Ok(Download { path, progress, _task: task })
    }

    /// Fetches a blob into a file, verified, and makes it a blob of the store. Returns where it is then.
    async fn fetch_to(
        &self,
        path: &Path,
        source: Source,
        descriptor: &Descriptor,
        progress: &watch::Sender<Progress>,
    ) -> Result<PathBuf, Failure> {
        let file = File::create(path).map_err(|error| unwritable(path, &error))?;
        let mut sink = Growing { file, progress };
        match source {
            Source::Registry(reference) => {
                let fetched = self.client()?.blob(&reference, descriptor, &mut sink).await;
                fetched.map_err(|error| registry_failure(&error))?;
            }
            Source::Files(files) => files.copy(descriptor, sink.file).await?,
        }
        let (store, path, digest) = (self.store.clone(), path.to_owned(), descriptor.digest);
        let task = tokio::task::spawn_blocking(move || {
            let (blob, _) = store.put_hardlink(&path).map_err(Failure::of)?;
            known::remember_blob(&store, digest, blob)?;
            Ok(store.blob_path(&blob))
        });
        task.await.unwrap_or_else(|error| Err(Failure::bug(format!("keeping a layer panicked: {error}"))))
    }
}

/// How many layers of an image are fetched at the same time, as Docker does.
const MAX_DOWNLOADS: usize = 3;

/// A file that grows, and who reads it meanwhile.
struct Growing<'a> {
    file: File,
    progress: &'a watch::Sender<Progress>,
}

impl BlobSink for Growing<'_> {
    async fn write(&mut self, bytes: Bytes) -> std::io::Result<()> {
        // Into the page cache, which is faster than a thread can be asked.
        self.file.write_all(&bytes)?;
        self.progress.send_modify(|progress| progress.n_bytes += bytes.len() as u64);
        Ok(())
    }

    async fn discard(&mut self) -> std::io::Result<bool> {
        self.progress.send_modify(|progress| {
            progress.n_bytes = 0;
            progress.n_restarts += 1;
        });
        self.file.rewind()?;
        self.file.set_len(0)?;
        Ok(true)
    }
}

fn open(path: &Path) -> Result<File, Failure> {
    File::open(path)
        .map_err(|error| Failure::environment(format!("`{}` cannot be read: {error}", path.display()), None))
}

fn ended() -> Failure {
    Failure::bug("fetching a layer ended without a result")
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::environment(format!("`{}` cannot be written: {error}", path.display()), None)
}

/// Makes a failure of an image that is not what it says.
pub(super) fn broken(what: &str, why: impl std::fmt::Display) -> Failure {
    Failure::invalid(FailureCode::InvalidArgument, format!("{what}: {why}"))
}
