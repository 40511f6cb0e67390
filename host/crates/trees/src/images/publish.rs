//! Putting images where they belong.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use engine::{Failure, FailureCode, ImageTarget, Login};
use graph::image::ARCHIVE;
use graph::{ContentDigest, Edge, ImageOrigin, Op, TreePath};
use oci::credentials::{Anonymous, Credential, Credentials, DockerConfig, Given, Secret};
use oci::image::Index;
use oci::layout::blob_path;
use oci::reference::Reference;
use oci::registry::{BlobReader, BlobSource, Client, Push};
use store::Store;

use super::{Images, registry_failure};
use crate::Trees;
use crate::failure::read_failure;

impl Trees {
    /// Puts an image somewhere: `tree` is what `image`, the vertex that packed it, evaluated to. Returns the
    /// reference that it has there.
    ///
    /// # Errors
    /// As `engine::Engine::publish`.
    pub async fn publish(&self, image: &Edge, tree: ContentDigest, target: &ImageTarget) -> Result<String, Failure> {
        self.check_outward(|| "publish an image".to_owned())?;
        match target {
            ImageTarget::Registry { reference, login } => {
                let target: Reference = reference.parse().map_err(Failure::of)?;
                self.images.push(image, tree, &target, login.as_ref()).await
            }
            ImageTarget::Docker { name } => {
                let path = TreePath::parse(ARCHIVE).unwrap_or_default();
                let archive = self.store.contents_digest(tree, &path).map_err(read_failure)?;
                let (_, _, archive) = self.store.open_blob(&archive).map_err(Failure::of)?;
                let id = self.images.docker()?.load(&archive, name).await?;
                Ok(format!("{name}@{id}"))
            }
        }
    }
}

impl Images {
    async fn push(
        &self,
        image: &Edge,
        tree: ContentDigest,
        target: &Reference,
        login: Option<&Login>,
    ) -> Result<String, Failure> {
        if target.digest().is_some() {
            let message = format!("image `{target}` cannot be pushed by its digest");
            let hint = Some("leave the digest out: it is what the registry answers".to_owned());
            return Err(Failure::Invalid { code: FailureCode::InvalidArgument, message, hint });
        }
        let client = self.client_for(target, login)?;
        let layout = Layout { store: &self.store, tree };
        let index: Index = serde_json::from_slice(&layout.read("index.json")?)
            .map_err(|error| Failure::bug(format!("the index of a packed image: {error}")))?;
        let manifest = index.manifests.first().ok_or_else(|| Failure::bug("a packed image has no manifest"))?;
        let mount_from = mountable(image, target);
        let push = Push {
            target,
            manifest: layout.read(&blob_path(&manifest.digest))?.into(),
            media_type: &manifest.media_type,
            source: &layout,
            mount_from: mount_from.as_deref(),
        };
        let pushed = client.push_image(&push).await.map_err(|error| registry_failure(&error))?;
        Ok(pushed.reference.to_string())
    }

    /// Returns the client of registries, or one that shows other credentials to this one.
    fn client_for(&self, target: &Reference, login: Option<&Login>) -> Result<Arc<Client>, Failure> {
        let Some(Login { username, password }) = login else { return self.client() };
        let password = String::from_utf8(self.secrets.value(password)?).map_err(|_| {
            let message = format!("secret `{}` is not UTF-8, so that it is no password of a registry", password.0);
            Failure::invalid(FailureCode::InvalidArgument, message)
        })?;
        let password = Secret::new(password.trim_end_matches('\n'));
        let credential = Credential::Password { username: username.clone(), password };
        let credentials: Arc<dyn Credentials> = match &self.access.docker_config {
            Some(path) => Arc::new(Given::before(DockerConfig::new(path)).with(target.registry(), credential)),
            None => Arc::new(Given::before(Anonymous).with(target.registry(), credential)),
        };
        Ok(Arc::new(self.client_with(credentials)?))
    }
}

/// Returns the repository that the image started from, if it is in the registry where the image goes.
fn mountable(image: &Edge, target: &Reference) -> Option<String> {
    let Op::Image(base) = image.vertex.inputs().first()?.edge.vertex.op() else { return None };
    let ImageOrigin::Registry { repository } = &base.origin else { return None };
    (repository.registry() == target.registry()).then(|| repository.path().to_owned())
}

/// A layout as a tree of the store.
struct Layout<'a> {
    store: &'a Store,
    tree: ContentDigest,
}

impl Layout<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, Failure> {
        let path = TreePath::parse(path).unwrap_or_default();
        self.store.read_file(self.tree, &path, 0, None).map_err(read_failure)
    }

    fn file(&self, digest: &oci::Digest) -> Result<PathBuf, Failure> {
        let path = TreePath::parse(&blob_path(digest)).unwrap_or_default();
        let blob = self.store.contents_digest(self.tree, &path).map_err(read_failure)?;
        let (_, _, path) = self.store.open_blob(&blob).map_err(Failure::of)?;
        Ok(path)
    }
}

#[async_trait]
impl BlobSource for Layout<'_> {
    async fn open(&self, digest: &oci::Digest) -> io::Result<BlobReader> {
        let path = self.file(digest).map_err(|failure| io::Error::other(failure.to_string()))?;
        Ok(Box::pin(tokio::fs::File::open(path).await?))
    }
}
