//! Images in a definition: their configuration, and the operations that unpack and make them.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::KeyHasher;
use crate::image_digest::ImageDigest;
use crate::platform::Platform;
use crate::reference::Repository;

/// The configuration of an image: everything in it besides its files.
///
/// Source: OCI image-spec 1.1, `config.md`; Docker's image specification 1.2 for `healthcheck`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageConfig {
    /// The environment variables, in the order in which they were set. Names are unique.
    pub env: Vec<(String, String)>,
    /// The words that are put before the arguments of a command.
    pub entrypoint: Vec<String>,
    /// The command that runs if no other is given.
    pub default_args: Vec<String>,
    /// The user: `name`, `name:group`, `uid` or `uid:gid`; empty for root.
    pub user: String,
    /// The working directory; empty for the root directory.
    pub workdir: String,
    /// The labels of the image. Their meaning is up to their readers.
    pub labels: BTreeMap<String, String>,
    /// The exposed ports, as in `80/tcp`.
    pub ports: BTreeSet<String>,
    /// The directories that become volumes.
    pub volumes: BTreeSet<String>,
    /// The signal that stops a container, as in `SIGTERM`.
    pub stop_signal: Option<String>,
    /// The health check as JSON, in Docker's format.
    pub healthcheck: Option<String>,
}

/// An operation that unpacks an image to its root file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageOp {
    /// The place of the image.
    pub origin: ImageOrigin,
    /// The digest of the manifest for the image's platform. An image of the local Docker has no manifest: then it is
    /// the id of the image.
    pub digest: ImageDigest,
}

/// The place of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageOrigin {
    /// The image is in a registry.
    Registry {
        /// The repository in the registry.
        repository: Repository,
    },
    /// The image is in the local Docker.
    Docker {
        /// The name of the image in Docker.
        name: String,
    },
    /// The image is in the selection of input 0: an archive in a file, or an OCI layout in a directory.
    Input {
        /// The tag of the image, if there are several images.
        tag: Option<String>,
        /// The platform of the image, if there are several platforms.
        platform: Platform,
    },
}

/// An operation that makes an image. The result is a tree: an OCI layout, or a single file with an archive of one.
///
/// The inputs are root file systems, lowest first. Each but the first becomes a layer of the changes that it adds. If
/// an [`ImageOp`] made an input, the layers of that image are used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackOp {
    /// The configuration of the image.
    pub config: ImageConfig,
    /// The annotations of the image's manifest.
    pub annotations: BTreeMap<String, String>,
    /// The platform that the image is for.
    pub platform: Platform,
    /// The form of the result.
    pub form: PackForm,
}

/// The name of the file in a tree of form [`PackForm::Archive`] or [`PackForm::DockerArchive`].
pub const ARCHIVE: &str = "image.tar";

/// The form of a packed image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackForm {
    /// A directory: an OCI layout.
    Layout,
    /// The file [`ARCHIVE`]: an OCI layout that `docker load` accepts too.
    Archive,
    /// The same, with Docker's media types in place of those of the OCI, for programs that do not know these.
    DockerArchive,
}

impl ImageOp {
    /// The digest identifies the contents of the image, wherever the image comes from.
    pub(crate) fn hash_into(&self, hasher: &mut KeyHasher) {
        let Self { origin: _, digest } = self;
        hasher.text("image/1");
        hasher.text(&digest.to_string());
    }

    pub(crate) fn hash_definition_only(&self, hasher: &mut KeyHasher) {
        match &self.origin {
            ImageOrigin::Registry { repository } => hasher.text(&repository.to_string()),
            ImageOrigin::Docker { name } => hasher.text(name),
            ImageOrigin::Input { tag, platform } => {
                hasher.option(tag.as_ref(), |h, tag| h.text(tag));
                hasher.text(&platform.to_string());
            }
        }
    }

    pub(crate) fn describe(&self) -> String {
        let digest = &self.digest;
        match &self.origin {
            ImageOrigin::Registry { repository } => format!("image {repository}@{digest}"),
            ImageOrigin::Docker { name } => format!("image docker-daemon:{name} ({digest})"),
            ImageOrigin::Input { tag: Some(tag), .. } => format!("image {tag} of a file ({digest})"),
            ImageOrigin::Input { tag: None, .. } => format!("image of a file ({digest})"),
        }
    }
}

impl PackOp {
    pub(crate) fn hash_into(&self, hasher: &mut KeyHasher) {
        let Self { config, annotations, platform, form } = self;
        hasher.text("pack/1");
        config.hash_into(hasher);
        pairs(hasher, annotations);
        hasher.text(&platform.to_string());
        hasher.number(match form {
            PackForm::Layout => 0,
            PackForm::Archive => 1,
            PackForm::DockerArchive => 2,
        });
    }

    pub(crate) fn describe(&self) -> String {
        match self.form {
            PackForm::Layout => "image layout".to_owned(),
            PackForm::Archive => "image archive".to_owned(),
            PackForm::DockerArchive => "image archive for Docker".to_owned(),
        }
    }
}

impl ImageConfig {
    fn hash_into(&self, hasher: &mut KeyHasher) {
        let Self { env, entrypoint, default_args, user, workdir, labels, ports, volumes, stop_signal, healthcheck } =
            self;
        hasher.list(env.iter(), |h, (name, value)| {
            h.text(name);
            h.text(value);
        });
        for texts in [entrypoint, default_args] {
            hasher.list(texts.iter(), |h, text| h.text(text));
        }
        hasher.text(user);
        hasher.text(workdir);
        pairs(hasher, labels);
        for texts in [ports, volumes] {
            hasher.list(texts.iter(), |h, text| h.text(text));
        }
        for text in [stop_signal, healthcheck] {
            hasher.option(text.as_ref(), |h, text| h.text(text));
        }
    }
}

fn pairs(hasher: &mut KeyHasher, pairs: &BTreeMap<String, String>) {
    hasher.list(pairs.iter(), |h, (name, value)| {
        h.text(name);
        h.text(value);
    });
}
