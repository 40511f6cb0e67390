//! The engine for every Docker, also one without BuildKit such as Podman: create, start, wait, commit.
//!
//! A command runs in a container of an image that has the files of its root. The image is uploaded once, or is the one
//! that the command before was committed to. Afterwards all files of the container are fetched. That is right without
//! asking what changed, and costs as much as the root is large.

mod api;
mod cache;
mod container;
mod labelled;
mod mounts;
mod reap;
mod root_images;
mod run;
mod stubs;
mod volume;

use async_trait::async_trait;
use engine::{Caps, Failure, SessionIo};
use evaluate::{Command, Ended, Evaluator, LayerFault, NewLayer, Report, Runner, Tree, UnpackedLayer};
use graph::Platform;
use store::Store;
use tokio_util::sync::CancellationToken;

use crate::connection::Connection;
use crate::connection::settings::DockerSettings;
use crate::facts::Facts;
use crate::images::{TreeImages, read_layer};
use api::Api;
use labelled::LabelledDocker;
use root_images::RootImages;
use run::Run;

/// Runs commands in containers of a Docker.
pub struct ContainerRunner {
    store: Store,
    docker: LabelledDocker,
    images: RootImages,
    facts: Facts,
}

/// Connects to Docker, removes what dead sessions of this machine left there, and makes the engine of a session. Must be
/// called inside a tokio runtime.
///
/// # Errors
/// `Environment` if Docker cannot be reached or is too old.
pub async fn classic(
    settings: &DockerSettings,
    store: Store,
    io: SessionIo,
) -> Result<Evaluator<ContainerRunner>, Failure> {
    let connection = Connection::new(settings)?;
    let facts = Facts::of(&connection).await?;
    let api = Api::new(connection.clone(), &facts)?;
    let session = reap::Session::own();
    reap::reap(&api, &session).await;
    let runner = ContainerRunner {
        store: store.clone(),
        docker: LabelledDocker::new(api, session.to_string()),
        images: RootImages::new(TreeImages::new(connection, facts.platform.clone())),
        facts,
    };
    Ok(Evaluator::new(store, io, runner))
}

#[async_trait]
impl Runner for ContainerRunner {
    type Form = ();

    const DOMAIN: &'static str = "docker-classic/2";
    const PLACE: &'static str = "by Docker here";

    fn caps(&self) -> Caps {
        let mut notes = vec![format!("Docker {} at `{}`", self.facts.version, self.facts.address)];
        if self.facts.is_rootless {
            notes.push("Docker runs without root's rights; limits need its cgroups".to_owned());
        }
        Caps {
            name: "docker-classic".to_owned(),
            network: true,
            owners: true,
            limits: true,
            images: true,
            services: false,
            machine: false,
            sized_temp: true,
            content_keys: true,
            checked_layers: true,
            notes,
        }
    }

    fn platform(&self) -> Platform {
        self.facts.platform.clone()
    }

    fn is_there(&self, _: &Tree<()>) -> bool {
        true
    }

    async fn run(
        &self,
        command: &Command<'_, ()>,
        report: &Report,
        cancel: &CancellationToken,
    ) -> Result<Ended<()>, Failure> {
        let Self { store, docker, images, facts } = self;
        let run = Run::new(store, docker, images, facts.is_podman, command, report);
        let ended = tokio::select! {
            ended = run.work(cancel) => ended,
            () = cancel.cancelled() => Err(Failure::Cancelled),
        };
        run.remove().await;
        ended
    }

    /// Unpacks a layer into the store, without Docker: what a container shows has files of Docker's own in it.
    async fn unpack(&self, layer: NewLayer<'_>, below: Tree<()>) -> Result<UnpackedLayer<()>, LayerFault> {
        let NewLayer { layer, download } = layer;
        let (path, store, diff_id) = (download.finished().await?, self.store.clone(), layer.diff_id);
        let task = tokio::task::spawn_blocking(move || read_layer(&store, below, &path, diff_id));
        task.await.unwrap_or_else(|error| Err(Failure::bug(format!("unpacking a layer panicked: {error}")).into()))
    }
}
