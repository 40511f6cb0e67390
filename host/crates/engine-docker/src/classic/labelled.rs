//! Docker as one session uses it: what is made there has the label of the session, and goes with it.

use std::collections::HashMap;

use bollard::models::{ContainerCreateBody, HostConfig, Mount, MountType, MountVolumeOptions, VolumeCreateRequest};
use bollard::query_parameters::{CreateContainerOptions, StartContainerOptions};
use engine::Failure;
use graph::ContentDigest;
use store::{Entry, Kind, Node, Owned, Store};

use super::api::Api;
use super::reap::{self, LABEL};
use crate::images::archive;
use crate::step::TOOLS;

/// The way to a Docker, and the label of this session.
#[derive(Clone)]
pub(crate) struct LabelledDocker {
    pub(crate) api: Api,
    session: String,
}

/// What a volume is kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Medium {
    /// In a directory of Docker, which is on a disk.
    Disk,
    /// In memory, for as long as a container runs that has the volume.
    Memory,
}

impl LabelledDocker {
    /// Makes the handle of a session.
    pub(crate) fn new(api: Api, session: String) -> Self {
        Self { api, session }
    }

    /// Makes a volume that goes with the session; returns where it is, as Docker sees it.
    pub(crate) async fn volume(&self, name: &str, medium: Medium) -> Result<String, Failure> {
        self.labelled_volume(name, medium, self.label()).await
    }

    /// Makes a volume with other labels, which stays.
    pub(crate) async fn labelled_volume(
        &self,
        name: &str,
        medium: Medium,
        labels: HashMap<String, String>,
    ) -> Result<String, Failure> {
        let option = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let driver_opts = match medium {
            Medium::Disk => None,
            Medium::Memory => Some([("type", "tmpfs"), ("device", "tmpfs"), ("o", "mode=0700")].map(option).into()),
        };
        let request = VolumeCreateRequest {
            name: Some(name.to_owned()),
            labels: Some(labels),
            driver_opts,
            ..VolumeCreateRequest::default()
        };
        let made = self.api.docker.create_volume(request).await;
        Ok(made.map_err(|error| self.api.failed("make a volume", &error))?.mountpoint)
    }

    /// Makes a container that holds volumes at the paths beside them. It does nothing when it is started.
    pub(crate) async fn holder(&self, name: &str, image: &str, volumes: &[(&str, &str)]) -> Result<(), Failure> {
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            entrypoint: Some(vec![format!("{TOOLS}/shim"), "hold".to_owned()]),
            labels: Some(self.label()),
            host_config: Some(HostConfig {
                network_mode: Some("none".to_owned()),
                mounts: Some(volumes.iter().map(|(volume, dest)| mount(volume, dest)).collect()),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        self.create(name, body).await.map(drop)
    }

    /// Makes a container; returns what Docker warns of.
    pub(crate) async fn create(&self, name: &str, body: ContainerCreateBody) -> Result<Vec<String>, Failure> {
        let options = CreateContainerOptions { name: Some(name.to_owned()), ..CreateContainerOptions::default() };
        let made = self.api.docker.create_container(Some(options), body).await;
        Ok(made.map_err(|error| self.api.failed("make a container", &error))?.warnings)
    }

    /// Starts a container that holds volumes.
    pub(crate) async fn start(&self, name: &str) -> Result<(), Failure> {
        let started = self.api.docker.start_container(name, None::<StartContainerOptions>).await;
        started.map_err(|error| self.api.failed("start a container", &error))
    }

    /// Ends and removes a container, if it is there.
    pub(crate) async fn remove_container(&self, name: &str) {
        reap::remove_container(&self.api, name).await;
    }

    /// Removes a volume, if it is there.
    pub(crate) async fn remove_volume(&self, name: &str) {
        reap::remove_volume(&self.api, name).await;
    }

    /// Returns the labels of what goes with its session.
    pub(crate) fn label(&self) -> HashMap<String, String> {
        HashMap::from([(LABEL.to_owned(), self.session.clone())])
    }

    /// Fills the volume at [`TOOLS`] of a holder with a tree.
    pub(crate) async fn upload(&self, store: &Store, container: &str, tree: ContentDigest) -> Result<(), Failure> {
        let (parent, name) = TOOLS.rsplit_once('/').unwrap_or_default();
        // Docker sets the mode and the owner of what is in an archive, but not those of where it is unpacked.
        let (kind, owned) = directory(store, tree)?;
        let wrapped = Node::of(vec![Entry::new(name.as_bytes(), kind, owned)]);
        let tree = store.put_node(wrapped).map_err(Failure::of)?;
        let store = store.clone();
        let task = tokio::task::spawn_blocking(move || archive::layer_of_tree(&store, tree)?.into_file());
        let file =
            task.await.unwrap_or_else(|error| Err(Failure::bug(format!("making an archive panicked: {error}"))))?;
        self.api.upload(container, parent, tokio::fs::File::from_std(file)).await
    }
}

/// Mounts a volume as it is: Docker would copy what the image has there into a new one.
pub(crate) fn mount(volume: &str, dest: &str) -> Mount {
    Mount {
        typ: Some(MountType::VOLUME),
        source: Some(volume.to_owned()),
        target: Some(dest.to_owned()),
        volume_options: Some(MountVolumeOptions { no_copy: Some(true), ..MountVolumeOptions::default() }),
        ..Mount::default()
    }
}

/// Returns the entry that a tree is in another one: the entry has the mode and the owner, and its node has none.
pub(crate) fn directory(store: &Store, tree: ContentDigest) -> Result<(Kind, Owned), Failure> {
    let node = store.node(tree).map_err(Failure::of)?;
    let owned = node.owned();
    let digest = store.put_node(Node { root: None, ..(*node).clone() }).map_err(Failure::of)?;
    Ok((Kind::Directory { digest }, owned))
}
