//! Files on their way into Docker: a volume is filled through a container that is never started.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Seek as _};

use backend::Failure;
use bollard::models::{ContainerCreateBody, HostConfig, Mount, MountType, MountVolumeOptions, VolumeCreateRequest};
use bollard::query_parameters::CreateContainerOptions;
use graph::{ContentDigest, Platform};
use store::{Entry, Kind, Node, Owned, Store};
use tokio::io::AsyncReadExt as _;
use trees::failure::failure;

use super::engine::Engine;
use super::reap::LABEL;
use crate::images::archive::{self, Label};
use crate::step::TOOLS;

/// Makes a volume; returns where it is, as Docker sees it.
pub(crate) async fn volume(engine: &Engine, name: &str, labels: [(&str, &str); 1]) -> Result<String, Failure> {
    let request = VolumeCreateRequest {
        name: Some(name.to_owned()),
        labels: Some(labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into()),
        ..VolumeCreateRequest::default()
    };
    let made = engine.api.docker.create_volume(request).await;
    Ok(made.map_err(|error| engine.api.failed("make a volume", &error))?.mountpoint)
}

/// Makes a container that holds a volume at [`TOOLS`] and does nothing.
pub(crate) async fn holder(engine: &Engine, name: &str, image: &str, volume: &str) -> Result<(), Failure> {
    let body = ContainerCreateBody {
        image: Some(image.to_owned()),
        entrypoint: Some(vec![format!("{TOOLS}/shim")]),
        labels: Some(label(engine)),
        host_config: Some(HostConfig {
            network_mode: Some("none".to_owned()),
            mounts: Some(vec![mount(volume, TOOLS)]),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    create(engine, name, body).await.map(drop)
}

/// Makes a container; returns what Docker warns of.
pub(crate) async fn create(engine: &Engine, name: &str, body: ContainerCreateBody) -> Result<Vec<String>, Failure> {
    let options = CreateContainerOptions { name: Some(name.to_owned()), ..CreateContainerOptions::default() };
    let made = engine.api.docker.create_container(Some(options), body).await;
    Ok(made.map_err(|error| engine.api.failed("make a container", &error))?.warnings)
}

/// Returns the labels of what goes with its session.
pub(crate) fn label(engine: &Engine) -> HashMap<String, String> {
    HashMap::from([(LABEL.to_owned(), engine.session.clone())])
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

/// Fills the volume of a holder with a tree.
pub(crate) async fn upload(engine: &Engine, container: &str, tree: ContentDigest) -> Result<(), Failure> {
    let (store, platform) = (engine.store().clone(), engine.platform.clone());
    let (parent, name) = TOOLS.rsplit_once('/').unwrap_or_default();
    // Docker sets the mode and the owner of what is in an archive, but not those of where it is unpacked.
    let (kind, owned) = directory(&store, tree)?;
    let wrapped = Node::of(vec![Entry::new(name.as_bytes(), kind, owned)]);
    let tree = store.put_node(wrapped).map_err(|error| failure(&error))?;
    let task = tokio::task::spawn_blocking(move || archive_of(&store, &platform, tree));
    let (file, size) = task.await.unwrap_or_else(|error| Err(Failure::bug(format!("an archive panicked: {error}"))))?;
    engine.api.upload(container, parent, tokio::fs::File::from_std(file).take(size)).await
}

/// Returns what an entry of a tree is that is another tree: the entry has the mode and the owner, and its node has none.
pub(crate) fn directory(store: &Store, tree: ContentDigest) -> Result<(Kind, Owned), Failure> {
    let node = store.node(tree).map_err(|error| failure(&error))?;
    let owned = node.owned();
    let digest = store.put_node(Node { root: None, ..(*node).clone() }).map_err(|error| failure(&error))?;
    Ok((Kind::Directory { digest }, owned))
}

/// Makes the archive of a tree: it is the layer in the archive of an image. Blocks.
fn archive_of(store: &Store, platform: &Platform, tree: ContentDigest) -> Result<(File, u64), Failure> {
    let label = Label { name: "host.invalid/files:1", platform, created: "1970-01-01T00:00:00Z" };
    let mut file = archive::write(store, &label, vec![archive::layer_of_tree(store, tree)?])?;
    let unreadable = |error: io::Error| Failure::environment(format!("an archive cannot be read: {error}"), None);
    let mut found = None;
    for entry in tar::Archive::new(&file).entries().map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if entry.path_bytes().ends_with(b".tar") {
            found = Some((entry.raw_file_position(), entry.size()));
        }
    }
    let (at, size) = found.ok_or_else(|| Failure::bug("an archive has no layer"))?;
    file.seek(io::SeekFrom::Start(at)).map_err(unreadable)?;
    Ok((file, size))
}
