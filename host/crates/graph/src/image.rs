//! Images, as far as a definition names them.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::KeyHasher;
use crate::image_digest::ImageDigest;
use crate::platform::Platform;
use crate::reference::Repository;

/// What commands and other programs take from an image besides files.
///
/// Source: OCI image-spec 1.1, `config.md`; Docker's image specification 1.2 for `healthcheck`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageConfig {
    /// Variables in the order in which they were set, names unique.
    pub env: Vec<(String, String)>,
    /// What is put before the arguments.
    pub entrypoint: Vec<String>,
    /// The default arguments.
    pub default_args: Vec<String>,
    /// `name`, `name:group`, `uid` or `uid:gid`; empty for root.
    pub user: String,
    /// The working directory; empty for the root.
    pub workdir: String,
    /// Free texts.
    pub labels: BTreeMap<String, String>,
    /// As in `80/tcp`.
    pub ports: BTreeSet<String>,
    /// Directories that are to be volumes.
    pub volumes: BTreeSet<String>,
    /// As in `SIGTERM`.
    pub stop_signal: Option<String>,
    /// As Docker writes it, in JSON.
    pub healthcheck: Option<String>,
}

/// Unpacks an image: its root file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageOp {
    /// Where it is had from.
    pub origin: ImageOrigin,
    /// The digest of the manifest for its platform. An image of the local Docker has no manifest: it is the
    /// image's id.
    pub digest: ImageDigest,
}

/// Where an image is had from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageOrigin {
    /// A registry.
    Registry {
        /// The repository that has it.
        repository: Repository,
    },
    /// The local Docker.
    Docker {
        /// As Docker knows it.
        name: String,
    },
    /// What input 0 selects: an archive in a file, or an OCI layout in a directory.
    Input {
        /// Which of several.
        tag: Option<String>,
        /// Which of several.
        platform: Platform,
    },
}

/// Makes an image: a tree that is an OCI layout, or that has one file, an archive of it.
///
/// The inputs are root file systems, lowest first; each but the first becomes a layer with what it
/// changes. An input that an [`ImageOp`] makes brings the layers of that image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackOp {
    /// What the image is to say.
    pub config: ImageConfig,
    /// Of its manifest.
    pub annotations: BTreeMap<String, String>,
    /// What it runs on.
    pub platform: Platform,
    /// What is made.
    pub form: PackForm,
}

/// The name of the file in a tree of form [`PackForm::Archive`].
pub const ARCHIVE: &str = "image.tar";

/// What is made of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackForm {
    /// The directory of an OCI layout.
    Layout,
    /// The file [`ARCHIVE`], an OCI layout that `docker load` takes too.
    Archive,
}

impl ImageOp {
    /// Feeds `hasher` with what decides reuse: the digest says what is in it, wherever it comes from.
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
        hasher.flag(*form == PackForm::Archive);
    }

    pub(crate) fn describe(&self) -> String {
        match self.form {
            PackForm::Layout => "image layout".to_owned(),
            PackForm::Archive => "image archive".to_owned(),
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
