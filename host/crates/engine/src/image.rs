//! Images: how they are named, found and published.

use std::path::Path;
use std::sync::Arc;
use std::{collections::BTreeMap, path::PathBuf};

use async_trait::async_trait;
use graph::{ImageConfig, Platform, SecretName, Selection};

use crate::failure::Failure;

/// An image that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageSource {
    /// An image with a name: the reference of an image in a registry, or the name of an image of the local Docker with
    /// `docker-daemon:` before it.
    Named(String),
    /// An image in a file (an archive) or in a directory (an OCI layout).
    Within {
        /// The file or the directory.
        selection: Selection,
        /// The tag of the image, if there are several.
        tag: Option<String>,
    },
}

/// The prefix of a name that means an image of the local Docker, as skopeo writes it.
pub const DOCKER_DAEMON: &str = "docker-daemon:";

/// An image that was found. Its layers may not be fetched yet.
#[derive(Debug, Clone)]
pub struct ResolvedImage {
    /// The root file system: a vertex that names the image by its digest.
    pub rootfs: Selection,
    /// The full reference, pinned by the digest that its tag stood for, as in
    /// `docker.io/library/alpine:3@sha256:0123...`.
    pub reference: String,
    /// The platform of the image.
    pub platform: Platform,
    /// The configuration that commands take over.
    pub config: ImageConfig,
}

/// The place where an image is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageTarget {
    /// The image is pushed to a registry.
    Registry {
        /// The reference as the caller wrote it.
        reference: String,
        /// Credentials that are used instead of the caller's own.
        login: Option<Login>,
    },
    /// The local Docker.
    Docker {
        /// The name that the image gets.
        name: String,
    },
}

/// Credentials for a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The name of the user.
    pub username: String,
    /// The secret that has the password.
    pub password: SecretName,
}

/// The settings for registries and the images of the local Docker.
#[derive(Clone, Default)]
pub struct ImageAccess {
    /// The path of Docker's `config.json`, which has credentials.
    pub docker_config: Option<PathBuf>,
    /// Base URLs that are tried before a registry, by the registry's name.
    pub mirrors: BTreeMap<String, Vec<String>>,
    /// Registries that are reached without TLS, besides those on the loopback interface.
    pub insecure: Vec<String>,
    /// The local Docker; `None` where it must not be used.
    pub docker: Option<Arc<dyn DockerImages>>,
}

/// The images of the local Docker.
#[async_trait]
pub trait DockerImages: Send + Sync {
    /// Returns the id of an image, as in `sha256:0123...`; none if there is none of this name for the platform.
    ///
    /// # Errors
    /// `Environment` if Docker cannot be reached.
    async fn id(&self, name: &str, platform: &Platform) -> Result<Option<String>, Failure>;

    /// Writes an image to a file, as `docker save` does.
    ///
    /// # Errors
    /// `Environment` if Docker cannot be reached or the file cannot be written, `NotFound` for the image.
    async fn save(&self, name: &str, target: &Path) -> Result<(), Failure>;

    /// Takes an image from an archive that `docker load` understands, gives it a name, and returns its id.
    ///
    /// # Errors
    /// `Environment` if Docker cannot be reached or refuses it.
    async fn load(&self, archive: &Path, name: &str) -> Result<String, Failure>;
}
