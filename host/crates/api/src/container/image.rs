//! From an image to a container, and from a container to an image.

use std::collections::{HashMap, HashSet};

use engine::ResolvedImage;
use graph::image::ARCHIVE;
use graph::{ImageConfig, Op, PackForm, PackOp, Selection, TreePath};

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
        let packed = self.packed(PackForm::Archive);
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
            annotations: self.config.annotations.clone(),
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
        self.take_env(&image.env);
        self.labels.extend(image.labels.clone());
        self.ports.extend(image.ports.iter().filter_map(|text| Port::parse(text)));
        self.workdir = TreePath::parse(&image.workdir).unwrap_or_default();
        self.user = Some(image.user.clone()).filter(|user| !user.is_empty());
        self.entrypoint.clone_from(&image.entrypoint);
        self.default_args.clone_from(&image.default_args);
        self.volumes.clone_from(&image.volumes);
        self.stop_signal.clone_from(&image.stop_signal);
        self.healthcheck.clone_from(&image.healthcheck);
    }

    /// Takes over the variables of an image, of which there may be very many.
    fn take_env(&mut self, env: &[(String, String)]) {
        let taken: HashSet<&str> = env.iter().map(|(name, _)| name.as_str()).collect();
        self.secret_env.retain(|(name, _)| !taken.contains(name.as_str()));
        let mut places: HashMap<String, usize> =
            self.env.iter().enumerate().map(|(place, (name, _))| (name.clone(), place)).collect();
        for (name, value) in env {
            match places.get(name) {
                Some(place) => self.env[*place].1.clone_from(value),
                None => {
                    places.insert(name.clone(), self.env.len());
                    self.env.push((name.clone(), value.clone()));
                }
            }
        }
    }

    /// Returns the configuration of an image of the container. Secrets are not part of it.
    fn to_image(&self) -> ImageConfig {
        ImageConfig {
            env: self.env.clone(),
            entrypoint: self.entrypoint.clone(),
            default_args: self.default_args.clone(),
            user: self.user.clone().unwrap_or_default(),
            workdir: if self.workdir.is_root() { String::new() } else { self.workdir.to_absolute() },
            labels: self.labels.clone(),
            ports: self.ports.iter().map(ToString::to_string).collect(),
            volumes: self.volumes.clone(),
            stop_signal: self.stop_signal.clone(),
            healthcheck: self.healthcheck.clone(),
        }
    }
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
            env: vec![("KEPT".into(), "1".into()), ("V7".into(), "old".into())],
            secret_env: vec![("V8".into(), SecretName("gone".into())), ("T".into(), SecretName("kept".into()))],
            ..Config::default()
        };
        let mut env: Vec<(String, String)> = (0..N_VARIABLES).map(|n| (format!("V{n}"), n.to_string())).collect();
        env.push(("V9".into(), "the last".into()));
        // Each one that is searched among all before it would make this take many minutes.
        config.take(&ImageConfig { env, ..ImageConfig::default() });
        assert_eq!(config.env.len(), N_VARIABLES + 1);
        assert_eq!(config.env[..3].iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>(), ["1", "7", "0"]);
        assert!(config.env.contains(&("V9".into(), "the last".into())));
        assert_eq!(config.secret_env, [("T".into(), SecretName("kept".into()))]);
    }
}
