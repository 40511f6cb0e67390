//! Cache volumes: volumes of Docker, which are locked by files of the store.

use std::collections::HashMap;

use bollard::errors::Error;
use engine::Failure;
use evaluate::{CacheMount, OpenVolume, open_volume};
use graph::{ContentDigest, KeyHasher};
use store::Store;
use tokio_util::sync::CancellationToken;

use super::labelled::{LabelledDocker, Medium};
use crate::buildkit::random;
use crate::step::TOOLS;

/// The label of cache volumes; its value is their key.
const LABEL: &str = "host.cache";

/// A volume that a command uses.
pub(crate) struct Cache {
    /// Its name in Docker.
    pub(crate) name: String,
    /// Held for as long as the command runs.
    _opened: OpenVolume,
}

/// Opens a volume for a command; makes it, with what it starts with, if it is not there. Any image will do for that.
pub(crate) async fn open(
    docker: &LabelledDocker,
    store: &Store,
    mount: &CacheMount<'_>,
    image: &str,
    cancel: &CancellationToken,
) -> Result<Cache, Failure> {
    let mut opened = open_volume(store, mount, cancel).await?;
    let name = name(store, &opened.key);
    match docker.api.docker.inspect_volume(&name).await {
        Ok(_) => {}
        Err(Error::DockerResponseServerError { status_code: 404, .. }) => {
            let labels = HashMap::from([(LABEL.to_owned(), opened.key.clone())]);
            docker.labelled_volume(&name, Medium::Disk, labels).await?;
            if let Some(seed) = mount.first_contents(store)? {
                fill(docker, store, &name, seed, image).await?;
            }
        }
        Err(error) => return Err(docker.api.failed("find a volume", &error)),
    }
    opened.share();
    Ok(Cache { name, _opened: opened })
}

/// Returns the name of a volume: those of different stores are different, although one Docker has them.
fn name(store: &Store, key: &str) -> String {
    let mut hasher = KeyHasher::new("docker-classic-volumes/1");
    hasher.bytes(store.root().as_os_str().as_encoded_bytes());
    hasher.text(key);
    format!("host-cache-{}", &hasher.cache_key().to_hex()[..32])
}

async fn fill(
    docker: &LabelledDocker,
    store: &Store,
    name: &str,
    seed: ContentDigest,
    image: &str,
) -> Result<(), Failure> {
    let holder = format!("host-seed-{}", random());
    let filled = async {
        docker.holder(&holder, image, &[(name, TOOLS)]).await?;
        docker.upload(store, &holder, seed).await
    };
    let filled = filled.await;
    docker.remove_container(&holder).await;
    if filled.is_err() {
        // Half of what it starts with would stay for ever.
        docker.remove_volume(name).await;
    }
    filled
}
