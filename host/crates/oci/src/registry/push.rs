//! Uploads images to a registry.
//!
//! Source: OCI distribution-spec 1.1, "Push".

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::stream::{self, TryStreamExt as _};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Response, StatusCode, Url};

use super::endpoint::Endpoint;
use super::error::{Problem, RegistryError};
use super::manifest::{ACCEPTED, check_claim};
use super::transport::{Payload, Request};
use super::upload::{BlobSource, Upload};
use super::{Client, pull_scopes, push_scopes};
use crate::Digest;
use crate::image::{Descriptor, Manifest};
use graph::reference::Reference;

/// The number of blobs that are uploaded at the same time.
const PARALLEL: usize = 3;

/// An image to upload.
pub struct Push<'a> {
    /// The name under which the image is stored.
    pub target: &'a Reference,
    /// The image manifest, as it is stored.
    pub manifest: Bytes,
    /// The media type of the image manifest.
    pub media_type: &'a str,
    /// The source of the blobs.
    pub source: &'a dyn BlobSource,
    /// A repository of the same registry that may have some of the blobs, such as `library/alpine`.
    pub mount_from: Option<&'a str>,
}

/// The result of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The name with the digest of the image manifest.
    pub reference: Reference,
    /// The number of blobs that were sent.
    pub n_uploaded: usize,
    /// The number of blobs that the repository had.
    pub n_skipped: usize,
    /// The number of blobs that were taken from another repository.
    pub n_mounted: usize,
}

/// How a blob came into the repository.
enum Step {
    Uploaded,
    Skipped,
    Mounted,
}

impl Client {
    /// Uploads an image. Blobs that the registry does not have are sent first, and the manifest
    /// last. If the name points to this manifest already, nothing is sent.
    ///
    /// # Errors
    /// If the manifest is not valid, a blob cannot be read, or the registry cannot be asked or
    /// refuses.
    pub async fn push_image(&self, push: &Push<'_>) -> Result<Pushed, RegistryError> {
        let (target, digest) = (push.target, Digest::of(&push.manifest));
        let blobs = blobs_of(&push.manifest).map_err(|problem| self.push_error(target, problem))?;
        let mut pushed = Pushed { reference: target.with_digest(digest), n_uploaded: 0, n_skipped: 0, n_mounted: 0 };
        if self.digest_with(target, push_scopes(target.repository())).await? == Some(digest) {
            pushed.n_skipped = blobs.len();
            return Ok(pushed);
        }
        let steps: Vec<_> = blobs.values().map(|blob| Ok(self.push_blob(push, blob))).collect();
        let steps: Vec<Step> = stream::iter(steps).try_buffer_unordered(PARALLEL).try_collect().await?;
        for step in steps {
            match step {
                Step::Uploaded => pushed.n_uploaded += 1,
                Step::Skipped => pushed.n_skipped += 1,
                Step::Mounted => pushed.n_mounted += 1,
            }
        }
        self.put_manifest(target, push.media_type, push.manifest.clone()).await?;
        Ok(pushed)
    }

    async fn push_blob(&self, push: &Push<'_>, blob: &Descriptor) -> Result<Step, RegistryError> {
        if self.has_blob(push.target, blob).await? {
            return Ok(Step::Skipped);
        }
        if let Some(from) = push.mount_from.filter(|from| *from != push.target.repository())
            && self.mount_blob(push.target, blob, from).await?
        {
            return Ok(Step::Mounted);
        }
        self.upload_blob(push.target, blob, push.source).await?;
        Ok(Step::Uploaded)
    }

    /// Returns the digest of the manifest that a name points to, without reading the manifest. It
    /// is `None` if the registry does not know the name or does not send the digest. Mirrors are
    /// not asked.
    ///
    /// # Errors
    /// If the registry cannot be asked or refuses.
    pub async fn manifest_digest(&self, reference: &Reference) -> Result<Option<Digest>, RegistryError> {
        self.digest_with(reference, pull_scopes(reference.repository())).await
    }

    async fn digest_with(&self, reference: &Reference, scopes: Vec<String>) -> Result<Option<Digest>, RegistryError> {
        let subject = format!("image `{reference}`");
        let endpoint = self.own(reference, &subject)?;
        let url = endpoint.url(reference.repository(), "manifests", &target_name(reference));
        let mut request = Request::new(Method::HEAD, url, &scopes);
        request.headers.insert(ACCEPT, HeaderValue::from_static(ACCEPTED));
        let answered = self.ask(&endpoint, &request).await;
        let response = answered.map_err(|problem| RegistryError::new(&subject, &endpoint.name, problem))?;
        let digest = response.as_ref().and_then(|response| response.headers().get("docker-content-digest"));
        Ok(digest.and_then(|digest| digest.to_str().ok()?.parse().ok()))
    }

    /// Returns whether a repository has a blob.
    ///
    /// # Errors
    /// If the registry cannot be asked or refuses.
    pub async fn has_blob(&self, reference: &Reference, blob: &Descriptor) -> Result<bool, RegistryError> {
        let subject = blob_subject(reference, blob);
        let endpoint = self.own(reference, &subject)?;
        let scopes = push_scopes(reference.repository());
        let url = endpoint.url(reference.repository(), "blobs", &blob.digest.to_string());
        let answered = self.ask(&endpoint, &Request::new(Method::HEAD, url, &scopes)).await;
        Ok(answered.map_err(|problem| RegistryError::new(&subject, &endpoint.name, problem))?.is_some())
    }

    /// Adds a blob of another repository of the same registry to this repository. Returns `false`
    /// if the registry does not do that.
    ///
    /// # Errors
    /// If the registry cannot be asked or refuses.
    pub async fn mount_blob(
        &self,
        reference: &Reference,
        blob: &Descriptor,
        from: &str,
    ) -> Result<bool, RegistryError> {
        let subject = blob_subject(reference, blob);
        let endpoint = self.own(reference, &subject)?;
        let scopes: Vec<String> = push_scopes(reference.repository()).into_iter().chain(pull_scopes(from)).collect();
        let mut url = endpoint.url(reference.repository(), "blobs", "uploads/");
        url.query_pairs_mut().append_pair("mount", &blob.digest.to_string()).append_pair("from", from);
        let mounted = self.mount(&endpoint, Request::new(Method::POST, url, &scopes)).await;
        mounted.map_err(|problem| RegistryError::new(&subject, &endpoint.name, problem))
    }

    async fn mount(&self, endpoint: &Endpoint, request: Request<'_>) -> Result<bool, Problem> {
        let response = self.transport.send_repeatedly(endpoint, &request).await?;
        match response.status() {
            StatusCode::CREATED => Ok(true),
            // The registry has started an upload instead, which is cancelled here.
            StatusCode::ACCEPTED => {
                if let Ok(url) = self.transport.redirected(&request.url, &response) {
                    let cancel = Request::new(Method::DELETE, url, request.scopes);
                    let _ = self.transport.send(endpoint, &cancel).await;
                }
                Ok(false)
            }
            // Without access to the other repository, the blob is uploaded.
            status if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => Ok(false),
            _ => Err(self.transport.complaint(response, "the blob").await),
        }
    }

    /// Uploads a blob.
    ///
    /// # Errors
    /// If the blob cannot be read or has another size, or the registry cannot be asked or refuses
    /// it.
    pub async fn upload_blob(
        &self,
        reference: &Reference,
        blob: &Descriptor,
        source: &dyn BlobSource,
    ) -> Result<(), RegistryError> {
        let subject = blob_subject(reference, blob);
        let endpoint = self.own(reference, &subject)?;
        let upload = Upload { descriptor: blob, source };
        let mut retries = self.transport.retries(&endpoint);
        loop {
            let Err(problem) = self.upload_once(reference, &endpoint, &upload).await else { return Ok(()) };
            let repeated = retries.after(problem).await;
            repeated.map_err(|problem| RegistryError::new(&subject, &endpoint.name, problem))?;
        }
    }

    /// Uploads a blob in one piece. A failed upload starts from the beginning, because few
    /// registries resume one.
    async fn upload_once(
        &self,
        reference: &Reference,
        endpoint: &Endpoint,
        upload: &Upload<'_>,
    ) -> Result<(), Problem> {
        let scopes = push_scopes(reference.repository());
        let url = endpoint.url(reference.repository(), "blobs", "uploads/");
        let begin = Request::new(Method::POST, url, &scopes);
        let response = self.transport.send(endpoint, &begin).await?;
        if response.status() != StatusCode::ACCEPTED {
            return Err(self.transport.complaint(response, "the upload").await);
        }
        let mut url: Url = self.transport.redirected(&begin.url, &response)?;
        url.query_pairs_mut().append_pair("digest", &upload.descriptor.digest.to_string());
        let mut put = Request::new(Method::PUT, url, &scopes);
        put.payload = Payload::Blob(upload);
        let response = self.transport.send(endpoint, &put).await?;
        match response.status() {
            StatusCode::CREATED | StatusCode::NO_CONTENT => Ok(()),
            _ => Err(self.transport.complaint(response, "the blob").await),
        }
    }

    /// Stores a manifest under the tag of a name, or under its digest if the name has no tag.
    ///
    /// # Errors
    /// If the name has another digest, or the registry cannot be asked or refuses the manifest.
    pub async fn put_manifest(
        &self,
        reference: &Reference,
        media_type: &str,
        manifest: Bytes,
    ) -> Result<Digest, RegistryError> {
        let stored = self.put(reference, media_type, manifest).await;
        stored.map_err(|problem| self.push_error(reference, problem))
    }

    async fn put(&self, reference: &Reference, media_type: &str, manifest: Bytes) -> Result<Digest, Problem> {
        let found = Digest::of(&manifest);
        if let Some(expected) = reference.digest().filter(|expected| *expected != found) {
            let text = format!("`{reference}` has the digest {expected}, and the manifest has {found}");
            return Err(Problem::Unsupported(text));
        }
        let endpoint = self.transport.endpoints.own(reference)?;
        let scopes = push_scopes(reference.repository());
        let url = endpoint.url(reference.repository(), "manifests", &target_name(reference));
        let mut request = Request::new(Method::PUT, url, &scopes);
        let invalid = |_| Problem::Unsupported(format!("`{media_type}` is not a media type"));
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_str(media_type).map_err(invalid)?);
        request.payload = Payload::Bytes(manifest);
        let response = self.transport.send_repeatedly(&endpoint, &request).await?;
        if !response.status().is_success() {
            return Err(self.transport.complaint(response, "the manifest").await);
        }
        check_claim(response.headers(), found)?;
        Ok(found)
    }

    /// Asks whether a resource exists, and returns `None` if it does not.
    async fn ask(&self, endpoint: &Endpoint, request: &Request<'_>) -> Result<Option<Response>, Problem> {
        let response = self.transport.send_repeatedly(endpoint, request).await?;
        match response.status() {
            status if status.is_success() => Ok(Some(response)),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(self.transport.complaint(response, "the request").await),
        }
    }

    fn own(&self, reference: &Reference, subject: &str) -> Result<Endpoint, RegistryError> {
        let endpoint = self.transport.endpoints.own(reference);
        endpoint.map_err(|problem| RegistryError::new(subject, reference.registry(), problem))
    }

    fn push_error(&self, reference: &Reference, problem: Problem) -> RegistryError {
        let name =
            self.transport.endpoints.own(reference).map_or_else(|_| reference.registry().to_owned(), |it| it.name);
        RegistryError::new(format!("push of `{reference}`"), name, problem)
    }
}

/// Returns the name of a manifest in the repository: the tag, or the digest if there is no tag.
fn target_name(reference: &Reference) -> String {
    reference.tag().map_or_else(|| reference.selector(), str::to_owned)
}

fn blob_subject(reference: &Reference, blob: &Descriptor) -> String {
    format!("blob {} of `{reference}`", blob.digest)
}

/// Returns the blobs that a manifest names, each once.
fn blobs_of(manifest: &[u8]) -> Result<BTreeMap<Digest, Descriptor>, Problem> {
    let manifest: Manifest = serde_json::from_slice(manifest)
        .map_err(|error| Problem::Invalid { what: "the manifest to push".to_owned(), why: error.to_string() })?;
    let blobs = manifest.layers.into_iter().chain([manifest.config]);
    Ok(blobs.map(|blob| (blob.digest, blob)).collect())
}
