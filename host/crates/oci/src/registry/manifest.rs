//! Finds the image manifest and the configuration for the name of an image.
//!
//! Source: OCI distribution-spec 1.1, "Pulling manifests".

use bytes::Bytes;
use graph::Platform;
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::endpoint::Endpoint;
use super::error::{Missing, Problem, RegistryError};
use super::select::{check_config, select};
use super::transport::{Request, Transport};
use super::{Client, pull_scopes};
use crate::Digest;
use crate::image::{
    CONFIG, ConfigFile, DOCKER_CONFIG, DOCKER_LIST, DOCKER_MANIFEST, Descriptor, INDEX, Index, MANIFEST, Manifest,
};
use graph::reference::Reference;

/// The maximum size of a manifest, which is that of registries.
const MAX_MANIFEST: u64 = 4 << 20;
/// The maximum size of a configuration.
const MAX_CONFIG: u64 = 8 << 20;
/// Docker's media type of a configuration.
/// The media types of the supported manifests.
pub(super) const ACCEPTED: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// The image that a name means on a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The name, with the digest that its tag pointed to: that of the index, if there is one.
    pub reference: Reference,
    /// The digest of the image manifest.
    pub digest: Digest,
    /// The media type of the image manifest.
    pub media_type: String,
    /// The image manifest.
    pub manifest: Manifest,
    /// The image manifest as it was sent.
    pub manifest_bytes: Bytes,
    /// The configuration of the image.
    pub config: ConfigFile,
    /// The configuration as it was sent.
    pub config_bytes: Bytes,
}

impl Client {
    /// Finds the image that a name means on a platform, and reads its manifest and its
    /// configuration. If a mirror fails for any reason, the registry is asked.
    ///
    /// # Errors
    /// If the image does not exist, or not for the platform; if the registry cannot be asked or
    /// contradicts itself.
    pub async fn resolve(&self, reference: &Reference, platform: &Platform) -> Result<Resolved, RegistryError> {
        let subject = format!("image `{reference}`");
        let servers = self.transport.endpoints.to_read(reference);
        let servers = servers.map_err(|problem| RegistryError::new(&subject, reference.registry(), problem))?;
        for mirror in &servers.mirrors {
            let source = Source::new(&self.transport, mirror, reference.repository());
            if let Ok(resolved) = source.resolve(reference, platform).await {
                return Ok(resolved);
            }
        }
        let source = Source::new(&self.transport, &servers.own, reference.repository());
        let resolved = source.resolve(reference, platform).await;
        resolved.map_err(|problem| RegistryError::new(&subject, &servers.own.name, problem))
    }
}

/// A manifest or an index, as it was sent.
struct Fetched {
    digest: Digest,
    content_type: String,
    bytes: Bytes,
}

/// A repository on one server.
struct Source<'a> {
    transport: &'a Transport,
    endpoint: &'a Endpoint,
    repository: &'a str,
    scopes: Vec<String>,
}

impl<'a> Source<'a> {
    /// Returns a source without contacting the server.
    fn new(transport: &'a Transport, endpoint: &'a Endpoint, repository: &'a str) -> Self {
        Self { transport, endpoint, repository, scopes: pull_scopes(repository) }
    }

    async fn resolve(&self, reference: &Reference, platform: &Platform) -> Result<Resolved, Problem> {
        let first = self.first(reference).await?;
        let top = first.digest;
        let (fetched, is_chosen) = match understand(&first)? {
            Kind::Manifest => (first, false),
            Kind::Index => {
                let index: Index = parse(&first.bytes, "the index")?;
                let descriptor = select(&index, platform)?;
                (self.chosen(descriptor).await?, descriptor.platform.is_some())
            }
        };
        let manifest: Manifest = parse(&fetched.bytes, "the manifest")?;
        let config_bytes = self.config(&manifest.config).await?;
        let config: ConfigFile = parse(&config_bytes, "the configuration")?;
        check_layers(&manifest, &config)?;
        if !is_chosen {
            check_config(&config, platform)?;
        }
        Ok(Resolved {
            reference: reference.with_digest(top),
            digest: fetched.digest,
            media_type: manifest.media_type.clone().unwrap_or(fetched.content_type),
            manifest,
            manifest_bytes: fetched.bytes,
            config,
            config_bytes,
        })
    }

    /// Reads the manifest or index that a name means.
    async fn first(&self, reference: &Reference) -> Result<Fetched, Problem> {
        let fetched = self.manifest(&reference.selector(), reference.digest()).await;
        fetched.map_err(|problem| match problem {
            Problem::NotFound(Missing::Tag) if reference.digest().is_some() => Problem::NotFound(Missing::Manifest),
            other => other,
        })
    }

    /// Reads the manifest that an index names.
    async fn chosen(&self, descriptor: &Descriptor) -> Result<Fetched, Problem> {
        let digest = descriptor.digest;
        let fetched = self.manifest(&digest.to_string(), Some(digest)).await.map_err(|problem| match problem {
            Problem::NotFound(_) => Problem::Gone(format!("the manifest {digest} that its index names")),
            other => other,
        })?;
        check_size(&fetched.bytes, descriptor, "the index")?;
        match understand(&fetched)? {
            Kind::Manifest => Ok(fetched),
            Kind::Index => Err(Problem::Unsupported("its index names an index, and not an image".to_owned())),
        }
    }

    /// Reads a manifest or an index by tag or digest.
    async fn manifest(&self, selector: &str, expected: Option<Digest>) -> Result<Fetched, Problem> {
        let mut request = self.get("manifests", selector);
        request.headers.insert(ACCEPT, HeaderValue::from_static(ACCEPTED));
        let (headers, bytes) = self.read(&request, "the manifest", MAX_MANIFEST).await?;
        let digest = Digest::of(&bytes);
        verify(expected.unwrap_or(digest), digest)?;
        check_claim(&headers, digest)?;
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let content_type = content_type.split(';').next().unwrap_or_default().trim().to_owned();
        Ok(Fetched { digest, content_type, bytes })
    }

    async fn config(&self, descriptor: &Descriptor) -> Result<Bytes, Problem> {
        if ![CONFIG, DOCKER_CONFIG].contains(&descriptor.media_type.as_str()) {
            let kind = &descriptor.media_type;
            return Err(Problem::Unsupported(format!(
                "it is not an image of a container: its configuration is `{kind}`"
            )));
        }
        let digest = descriptor.digest;
        let request = self.get("blobs", &digest.to_string());
        let read = self.read(&request, "the configuration", MAX_CONFIG).await;
        let (_, bytes) = read.map_err(|problem| match problem {
            Problem::NotFound(_) => Problem::Gone(format!("the configuration {digest} that its manifest names")),
            other => other,
        })?;
        check_size(&bytes, descriptor, "the manifest")?;
        verify(digest, Digest::of(&bytes))?;
        Ok(bytes)
    }

    fn get(&self, kind: &str, name: &str) -> Request<'_> {
        Request::new(Method::GET, self.endpoint.url(self.repository, kind, name), &self.scopes)
    }

    /// Reads a short document, again if the connection breaks.
    async fn read(&self, request: &Request<'_>, what: &str, limit: u64) -> Result<(HeaderMap, Bytes), Problem> {
        let mut retries = self.transport.retries(self.endpoint);
        loop {
            match self.read_once(request, what, limit).await {
                Ok(read) => return Ok(read),
                Err(problem) => retries.after(problem).await?,
            }
        }
    }

    async fn read_once(&self, request: &Request<'_>, what: &str, limit: u64) -> Result<(HeaderMap, Bytes), Problem> {
        let response = self.transport.send(self.endpoint, request).await?;
        if !response.status().is_success() {
            return Err(self.transport.complaint(response, "the request").await);
        }
        refuse_web_page(response.headers())?;
        let headers = response.headers().clone();
        Ok((headers, self.transport.http.body(response, what, limit).await?))
    }
}

/// Returns an error for a web page. Networks with a login page answer every request with one.
pub(super) fn refuse_web_page(headers: &HeaderMap) -> Result<(), Problem> {
    let is_page = headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
    if is_page { Err(Problem::WebPage) } else { Ok(()) }
}

fn verify(expected: Digest, found: Digest) -> Result<(), Problem> {
    if expected == found { Ok(()) } else { Err(Problem::DigestMismatch { expected, found }) }
}

/// Compares the digest that the registry claims with the digest of the bytes.
pub(super) fn check_claim(headers: &HeaderMap, found: Digest) -> Result<(), Problem> {
    let claimed = headers.get("docker-content-digest").and_then(|value| value.to_str().ok()).unwrap_or_default();
    // The claim may use another algorithm.
    if !claimed.starts_with("sha256:") || claimed == found.to_string() {
        return Ok(());
    }
    Err(Problem::ClaimMismatch { claimed: claimed.to_owned(), found })
}

fn check_size(bytes: &Bytes, descriptor: &Descriptor, announcer: &'static str) -> Result<(), Problem> {
    let (received, announced) = (bytes.len() as u64, descriptor.size);
    match received.cmp(&announced) {
        std::cmp::Ordering::Less => Err(Problem::TooShort { received, announced, announcer }),
        std::cmp::Ordering::Greater => Err(Problem::TooLong { announced, announcer }),
        std::cmp::Ordering::Equal => Ok(()),
    }
}

fn check_layers(manifest: &Manifest, config: &ConfigFile) -> Result<(), Problem> {
    let (layers, diff_ids) = (manifest.layers.len(), config.rootfs.diff_ids.len());
    if layers == diff_ids {
        return Ok(());
    }
    let why = format!("it has diff_ids for {diff_ids} layers, and the manifest has {layers}");
    Err(Problem::Invalid { what: "the configuration".to_owned(), why })
}

enum Kind {
    Manifest,
    Index,
}

/// The fields that decide what a JSON document is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Probe {
    schema_version: Option<u32>,
    manifests: Option<IgnoredAny>,
    config: Option<IgnoredAny>,
    layers: Option<IgnoredAny>,
    fs_layers: Option<IgnoredAny>,
}

/// Returns the kind of document. A document that can be read as an index and as a manifest is
/// refused, because its signer may have meant the other one.
///
/// Source: CVE-2021-41190, "ambiguous OCI manifest parsing".
fn understand(fetched: &Fetched) -> Result<Kind, Problem> {
    let invalid = |why: &str| Problem::Invalid { what: "the manifest".to_owned(), why: why.to_owned() };
    let probe: Probe = parse(&fetched.bytes, "the manifest")?;
    if probe.schema_version == Some(1) || probe.fs_layers.is_some() {
        return Err(Problem::Schema1);
    }
    let is_list = [INDEX, DOCKER_LIST].contains(&fetched.content_type.as_str());
    let is_manifest = [MANIFEST, DOCKER_MANIFEST].contains(&fetched.content_type.as_str());
    match (probe.manifests, probe.config.or(probe.layers)) {
        (Some(_), Some(_)) => Err(invalid("it is an index and a manifest at once")),
        (Some(_), None) if is_manifest => Err(invalid("it is an index and is sent as a manifest")),
        (None, Some(_)) if is_list => Err(invalid("it is a manifest and is sent as an index")),
        (Some(_), None) => Ok(Kind::Index),
        (None, Some(_)) => Ok(Kind::Manifest),
        (None, None) => Err(invalid("it has neither `manifests` nor `config`")),
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| Problem::Invalid { what: what.to_owned(), why: error.to_string() })
}
