//! From an image to a container, and from a container to an image.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine::ResolvedImage;
use graph::image::ARCHIVE;
use graph::{ImageConfig, Op, PackForm, PackOp, Pairs, Selection, TreePath};

use super::{Config, Container, Port};
use crate::file::File;

/// The limit on the layers of an image, besides those of the image that it started from.
/// Source: Docker's overlay2 takes 128 in all.
const MAX_LAYERS: usize = 64;

impl Container {
    /// Returns the container with the root file system and the configuration of an image. Variables, labels and ports
    /// that were set before stay unless the image sets them. All other settings are those of the image.
    #[must_use]
    pub fn based_on(&self, image: &ResolvedImage) -> Self {
        let mut config = Config {
            env: self.config.env.clone(),
            volatile_env: self.config.volatile_env.clone(),
            secret_env: self.config.secret_env.clone(),
            labels: self.config.labels.clone(),
            annotations: self.config.annotations.clone(),
            ports: self.config.ports.clone(),
            ..Config::default()
        };
        config.take(&image.config);
        let mut container = Self {
            platform: image.platform.clone(),
            rootfs: image.rootfs.clone(),
            config,
            last_exec: None,
            image_ref: None,
            ..self.clone()
        };
        container.image_ref = Some((image.reference.clone(), container.id()));
        container
    }

    /// Returns the reference of the image, if the container is the unchanged image.
    #[must_use]
    pub fn image_ref(&self) -> Option<&str> {
        let (reference, id) = self.image_ref.as_ref()?;
        (*id == self.id()).then_some(reference)
    }

    /// Returns a file with the container as an image: an OCI layout that `docker load` accepts.
    #[must_use]
    pub fn as_tarball(&self) -> File {
        self.archive(PackForm::Archive)
    }

    /// Returns the same file with Docker's media types.
    #[must_use]
    pub fn as_docker_tarball(&self) -> File {
        self.archive(PackForm::DockerArchive)
    }

    fn archive(&self, form: PackForm) -> File {
        let packed = self.packed(form);
        let name = TreePath::parse(ARCHIVE).unwrap_or_default();
        File::at(packed.edge.at(name))
    }

    /// Returns the tree that has the container as an image.
    #[must_use]
    pub fn packed(&self, form: PackForm) -> Selection {
        if self.failure().is_some() {
            return self.rootfs.clone();
        }
        let op = PackOp {
            config: self.config.to_image(),
            annotations: owned(&self.config.annotations),
            platform: self.platform.clone(),
            form,
        };
        Selection::of(Op::Pack(Box::new(op)), self.layers())
    }

    /// Returns the root file systems that become layers, lowest first: the image that the container started from, the
    /// result of each command, and the container as it is now.
    fn layers(&self) -> Vec<Selection> {
        let mut above = Vec::new();
        let mut at = &self.rootfs;
        loop {
            let is_whole = at.path.is_root() && at.edge.output == 0;
            match at.edge.vertex.op() {
                Op::Exec(_) if is_whole => above.push(at.clone()),
                Op::File(_) if is_whole => {}
                Op::Image(_) if is_whole => {
                    above.push(at.clone());
                    break;
                }
                _ => break,
            }
            let Some(below) = at.edge.vertex.inputs().first() else { break };
            at = below;
        }
        above.reverse();
        above.truncate(MAX_LAYERS);
        if above.last() != Some(&self.rootfs) {
            above.push(self.rootfs.clone());
        }
        above
    }
}

impl Config {
    /// Takes over the configuration of an image.
    fn take(&mut self, image: &ImageConfig) {
        for (name, value) in &image.env {
            self.forget_secret(name);
            self.env.set(name, value);
        }
        image.labels.iter().for_each(|(name, value)| self.labels.set(name, value));
        Arc::make_mut(&mut self.ports).extend(image.ports.iter().filter_map(|text| Port::parse(text)));
        self.workdir = TreePath::parse(&image.workdir).unwrap_or_default();
        self.user = Some(image.user.clone()).filter(|user| !user.is_empty());
        self.entrypoint = image.entrypoint.as_slice().into();
        self.default_args = image.default_args.as_slice().into();
        self.volumes = Arc::new(image.volumes.clone());
        self.stop_signal.clone_from(&image.stop_signal);
        self.healthcheck.clone_from(&image.healthcheck);
    }

    /// Returns the configuration of an image of the container. Secrets are not part of it.
    fn to_image(&self) -> ImageConfig {
        ImageConfig {
            env: self.env.to_vec(),
            entrypoint: self.entrypoint.to_vec(),
            default_args: self.default_args.to_vec(),
            user: self.user.clone().unwrap_or_default(),
            workdir: if self.workdir.is_root() { String::new() } else { self.workdir.to_absolute() },
            labels: owned(&self.labels),
            ports: self.ports.iter().map(ToString::to_string).collect(),
            volumes: BTreeSet::clone(&self.volumes),
            stop_signal: self.stop_signal.clone(),
            healthcheck: self.healthcheck.clone(),
        }
    }
}

/// Returns pairs as an image has them.
fn owned(pairs: &Pairs) -> BTreeMap<String, String> {
    pairs.to_vec().into_iter().collect()
}

impl Port {
    /// Parses a port in the form of images: `80`, `80/tcp` or `80/udp`. Returns none for any other text.
    fn parse(text: &str) -> Option<Self> {
        let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let protocol = Some(protocol).filter(|protocol| ["tcp", "udp"].contains(protocol))?;
        Some(Self { number: number.parse().ok()?, protocol: protocol.to_owned() })
    }
}

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.number, self.protocol)
    }
}

#[cfg(test)]
mod tests {
    use graph::SecretName;

    use super::*;

    #[test]
    fn an_image_replaces_variables_in_place_however_many_it_has() {
        const N_VARIABLES: usize = 300_000;
        let mut config = Config {
            env: [("KEPT", "1"), ("V7", "old")].into_iter().collect(),
            secret_env: vec![("V8".into(), SecretName("gone".into())), ("T".into(), SecretName("kept".into()))].into(),
            ..Config::default()
        };
        let mut env: Vec<(String, String)> = (0..N_VARIABLES).map(|n| (format!("V{n}"), n.to_string())).collect();
        env.push(("V9".into(), "the last".into()));
        // Each one that is searched among all before it would make this take many minutes.
        config.take(&ImageConfig { env, ..ImageConfig::default() });
        let env = config.env.entries();
        assert_eq!(env.len(), N_VARIABLES + 1);
        assert_eq!(env[..3].iter().map(|(_, value)| *value).collect::<Vec<_>>(), ["1", "7", "0"]);
        assert_eq!(config.env.get("V9"), Some("the last"));
        assert_eq!(*config.secret_env, [("T".into(), SecretName("kept".into()))]);
    }
}
