//! Images: found, fetched, made and put.
//!
//! [`Images`] belongs to one session: a name is looked up once in it. Manifests and configurations
//! are kept in the store by their digests, so that an image that is pinned and was seen before needs no
//! registry.

mod config;
mod fetch;
mod known;
mod pack;
mod publish;
mod within;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use engine::image::DOCKER_DAEMON;
use engine::{
    DockerImages, Event, EventSink, Failure, FailureCode, ImageAccess, ImageSource, ResolvedImage, SecretProvider,
};
use graph::{Diagnostic as _, ImageOp, ImageOrigin, Op, Platform, Selection};
use oci::credentials::{Anonymous, Credentials, DockerConfig};
use oci::image::{ConfigFile, Manifest};
use oci::reference::Reference;
use oci::registry::{Client, Options};
use store::Store;
use tokio::sync::OnceCell;

use crate::{Input, Trees};

pub use fetch::{Download, Layer};

/// The images of a session.
pub struct Images {
    store: Store,
    access: ImageAccess,
    secrets: Arc<dyn SecretProvider>,
    events: EventSink,
    client: OnceLock<Arc<Client>>,
    /// What names mean in this session.
    found: Mutex<HashMap<(String, Platform), Found>>,
}

/// An image that is looked up once, however many ask for it at the same time.
type Found = Arc<OnceCell<ResolvedImage>>;

/// An image whose manifest was read: what it says, and where its layers are.
#[derive(Debug, Clone)]
pub struct Image {
    /// The manifest of the image.
    pub manifest: Manifest,
    /// The configuration of the image.
    pub config: ConfigFile,
    /// Both as they are stored.
    pub(crate) bytes: known::Bytes,
}

impl Images {
    /// Makes the images of a session; asks nobody.
    #[must_use]
    pub fn new(store: Store, access: ImageAccess, secrets: Arc<dyn SecretProvider>, events: EventSink) -> Self {
        Self { store, access, secrets, events, client: OnceLock::new(), found: Mutex::default() }
    }

    /// Returns the images of the local Docker.
    ///
    /// # Errors
    /// `Environment` where it must not be used.
    pub fn docker(&self) -> Result<&dyn DockerImages, Failure> {
        self.access
            .docker
            .as_deref()
            .ok_or_else(|| Failure::environment("there is no Docker to ask for an image", None))
    }

    /// Finds the image that a name means in this session.
    ///
    /// # Errors
    /// As `engine::Engine::resolve_image`.
    pub async fn named(&self, name: &str, platform: &Platform) -> Result<ResolvedImage, Failure> {
        let cell = {
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(found.entry((name.to_owned(), platform.clone())).or_default())
        };
        let find = async {
            let image = match name.strip_prefix(DOCKER_DAEMON) {
                Some(name) => self.in_docker(name, platform).await?,
                None => self.in_registry(name, platform).await?,
            };
            (self.events)(Event::Image { name: name.to_owned(), reference: image.reference.clone() });
            Ok(image)
        };
        cell.get_or_try_init(|| find).await.cloned()
    }

    async fn in_registry(&self, name: &str, platform: &Platform) -> Result<ResolvedImage, Failure> {
        let reference: Reference = name.parse().map_err(Failure::of)?;
        if let Some(pinned) = self.pinned(&reference).await?
            && let Some((manifest, image)) = self.recall_pinned(&pinned, platform)?
        {
            return Ok(resolved(manifest, &pinned, platform, &image));
        }
        let found = self.client()?.resolve(&reference, platform).await.map_err(|error| registry_failure(&error))?;
        let bytes = known::Bytes { manifest: found.manifest_bytes.to_vec(), config: found.config_bytes.to_vec() };
        let image = Image { manifest: found.manifest, config: found.config, bytes };
        self.remember(found.digest, &image)?;
        if let Some(digest) = found.reference.digest() {
            self.remember_index(digest, platform, found.digest)?;
            self.remember_name(&reference, digest)?;
        }
        let mut resolved = resolved(found.digest, &reference, platform, &image);
        resolved.reference = found.reference.to_string();
        Ok(resolved)
    }

    async fn in_docker(&self, name: &str, platform: &Platform) -> Result<ResolvedImage, Failure> {
        let Some(id) = self.docker()?.id(name, platform).await? else {
            let message = format!("image `{name}` for {platform} is not in the local Docker");
            let hint = Some(format!("`docker pull {name}` gets it, or leave `{DOCKER_DAEMON}` out"));
            return Err(Failure::Invalid { code: FailureCode::NotFound, message, hint });
        };
        let origin = ImageOrigin::Docker { name: name.to_owned() };
        let digest = id.parse().map_err(|error: oci::DigestError| {
            Failure::environment(format!("Docker has a strange id for image `{name}`: {error}"), None)
        })?;
        let op = ImageOp { origin, digest };
        let image = self.image(&op, None).await?;
        Ok(ResolvedImage {
            reference: format!("{DOCKER_DAEMON}{name}@{}", op.digest),
            rootfs: Selection::of(Op::Image(Box::new(op)), Vec::new()),
            platform: config::platform(&image.config),
            config: config::from_file(&image.config),
        })
    }

    /// Returns a reference with the digest that it stands for, if that can be had cheaply: it has one, or its tag
    /// is where it was the last time. That takes one request, which registries do not count as a pull.
    async fn pinned(&self, reference: &Reference) -> Result<Option<Reference>, Failure> {
        if reference.digest().is_some() {
            return Ok(Some(reference.clone()));
        }
        // A mirror is there so that the registry need not be asked.
        if self.access.mirrors.contains_key(reference.registry()) {
            return Ok(None);
        }
        let Some(last) = self.recall_name(reference)? else { return Ok(None) };
        // What is wrong with the registry is told by whoever asks it for more.
        let now = self.client()?.manifest_digest(reference).await.unwrap_or_default();
        Ok((now == Some(last)).then(|| reference.with_digest(last)))
    }

    /// Returns an image that is pinned by a digest and was seen before.
    fn recall_pinned(
        &self,
        reference: &Reference,
        platform: &Platform,
    ) -> Result<Option<(oci::Digest, Image)>, Failure> {
        let Some(digest) = reference.digest() else { return Ok(None) };
        let Some(manifest) = self.recall_index(digest, platform)? else { return Ok(None) };
        Ok(self.recall(manifest)?.map(|image| (manifest, image)))
    }

    /// Returns the client of registries; made when it is first needed.
    fn client(&self) -> Result<Arc<Client>, Failure> {
        if let Some(client) = self.client.get() {
            return Ok(Arc::clone(client));
        }
        let credentials: Arc<dyn Credentials> = match &self.access.docker_config {
            Some(path) => Arc::new(DockerConfig::new(path)),
            None => Arc::new(Anonymous),
        };
        let client = Arc::new(self.client_with(credentials)?);
        Ok(Arc::clone(self.client.get_or_init(|| client)))
    }

    fn client_with(&self, credentials: Arc<dyn Credentials>) -> Result<Client, Failure> {
        let options = Options {
            credentials,
            mirrors: self.access.mirrors.clone(),
            insecure: self.access.insecure.clone(),
            ..Options::default()
        };
        Client::new(options).map_err(Failure::of)
    }
}

impl Trees {
    /// Finds an image. For one within a file or a directory, `input` is what that evaluated to.
    ///
    /// # Errors
    /// As `engine::Engine::resolve_image`.
    pub async fn resolve_image(
        &self,
        source: &ImageSource,
        platform: &Platform,
        input: Option<Input<'_>>,
    ) -> Result<ResolvedImage, Failure> {
        match (source, input) {
            (ImageSource::Named(name), _) => self.images.named(name, platform).await,
            (ImageSource::Within { selection, tag }, Some(input)) => {
                self.images.within(selection, tag.as_deref(), platform, input).await
            }
            (ImageSource::Within { .. }, None) => {
                Err(Failure::bug("an image of a file was asked for without the file"))
            }
        }
    }
}

/// Returns the path of a new temporary file.
fn scratch_file(store: &Store, what: &str) -> Result<PathBuf, Failure> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let parent = store.temporary_dir().map_err(Failure::of)?;
    Ok(parent.join(format!("{what}-{}", NEXT.fetch_add(1, Ordering::Relaxed))))
}

/// Describes an image of a registry.
fn resolved(manifest: oci::Digest, reference: &Reference, platform: &Platform, image: &Image) -> ResolvedImage {
    let origin = ImageOrigin::Registry { repository: reference.full_repository().clone() };
    let op = ImageOp { origin, digest: manifest };
    let known = config::platform(&image.config);
    ResolvedImage {
        rootfs: Selection::of(Op::Image(Box::new(op)), Vec::new()),
        reference: reference.to_string(),
        platform: if known.architecture.is_empty() { platform.clone() } else { known },
        config: config::from_file(&image.config),
    }
}

/// Makes a failure of an error of a registry, with the code of what is not there.
fn registry_failure(error: &oci::registry::RegistryError) -> Failure {
    use oci::registry::Problem;
    match (error.problem(), Failure::of(error)) {
        (Problem::NotFound(_) | Problem::WrongPlatform { .. }, Failure::Invalid { message, hint, .. }) => {
            Failure::Invalid { code: FailureCode::NotFound, message, hint }
        }
        (Problem::Invalid { .. } | Problem::Unsupported(_), _) => {
            Failure::Invalid { code: FailureCode::InvalidArgument, message: error.to_string(), hint: error.hint() }
        }
        (_, failure) => failure,
    }
}
