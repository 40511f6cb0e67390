//! Runs one command: a volume with what it needs, a container beside it that holds the volume, and one that runs it.
//!
//! All three go when the command has ended, however it did. What stays is an image of the container, from which the next
//! command of a chain starts.

use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::models::{ContainerConfig, ContainerState};
use bollard::query_parameters::{
    AttachContainerOptions, CommitContainerOptions, InspectContainerOptions, StartContainerOptions,
    WaitContainerOptions,
};
use engine::{ExecStatus, Failure, FailureCode, OutputStream};
use evaluate::{Command, Ended, Report, Tree};
use futures::StreamExt as _;
use graph::{ContentDigest, Limits};
use store::{Owned, Store};
use tokio_util::sync::CancellationToken;

use super::labelled::{LabelledDocker, Medium};
use super::mounts::{self, Prepared, Writable};
use super::root_images::{RootImage, RootImages};
use super::volume::{SECRETS, Volumes, archive_of, entry_name};
use super::{container, stubs};
use crate::buildkit::random;
use crate::images::read_archive;
use crate::step::trailer::{self, Trailer};
use crate::step::{self, Bounds, TOOLS};

/// How many commands may leave images one over the other; Docker takes 125 layers.
const MAX_DEPTH: usize = 60;

/// A command that runs. Its volume and its container have its name.
pub(crate) struct Run<'a> {
    store: &'a Store,
    docker: &'a LabelledDocker,
    images: &'a RootImages,
    is_podman: bool,
    command: &'a Command<'a, ()>,
    report: &'a Report,
    name: String,
}

/// What came on the streams of a container.
#[derive(Default)]
struct Printed {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// How much of standard error is the command's own and was passed on.
    n_shown: usize,
}

impl<'a> Run<'a> {
    /// Makes a run. Nothing is in Docker yet.
    pub(crate) fn new(
        store: &'a Store,
        docker: &'a LabelledDocker,
        images: &'a RootImages,
        is_podman: bool,
        command: &'a Command<'a, ()>,
        report: &'a Report,
    ) -> Self {
        let name = format!("host-run-{}", random());
        Self { store, docker, images, is_podman, command, report, name }
    }

    /// Returns the name of the container that holds the volumes.
    fn holder(&self) -> String {
        format!("{}-files", self.name)
    }

    /// Returns the name of the volume in memory.
    fn secret_volume(&self) -> String {
        format!("{}-secret", self.name)
    }

    /// Removes what was made for the command.
    pub(crate) async fn remove(&self) {
        let (docker, holder) = (self.docker, self.holder());
        tokio::join!(docker.remove_container(&self.name), docker.remove_container(&holder));
        docker.remove_volume(&self.name).await;
        if self.has_secrets() {
            docker.remove_volume(&self.secret_volume()).await;
        }
    }

    fn has_secrets(&self) -> bool {
        !self.command.secrets.is_empty()
    }

    /// Runs the command to its end, and makes trees of what it wrote.
    pub(crate) async fn work(&self, cancel: &CancellationToken) -> Result<Ended<()>, Failure> {
        let image = self.images.get(self.store, self.command.root.digest).await?;
        let prepared = mounts::prepare(self.store, self.docker, self.command, image, cancel).await?;
        let volumes = self.fill(&prepared).await?;
        self.create(&prepared, &volumes).await?;
        let printed = self.run().await?;
        let state = self.state().await?;
        match trailer::read(&printed.stdout, &printed.stderr, self.bounds()) {
            Some(trailer) => self.failed(trailer, &state),
            None if state.exit_code == Some(0) => self.collect(&prepared).await,
            None if state.oom_killed == Some(true) => {
                let (stdout_tail, stderr_tail) = Default::default();
                Ok(Ended::Failed { status: ExecStatus::OutOfMemory, stdout_tail, stderr_tail })
            }
            None => Err(self.not_run(&state)),
        }
    }

    /// Makes the volumes of the command, and fills them.
    async fn fill(&self, prepared: &Prepared) -> Result<Volumes, Failure> {
        let (docker, holder) = (self.docker, self.holder());
        let own = (self.name.clone(), docker.volume(&self.name, Medium::Disk).await?);
        let secret = match self.has_secrets() {
            true => Some((self.secret_volume(), docker.volume(&self.secret_volume(), Medium::Memory).await?)),
            false => None,
        };
        let mut held = vec![(own.0.as_str(), TOOLS)];
        held.extend(secret.iter().map(|(name, _)| (name.as_str(), SECRETS)));
        docker.holder(&holder, &prepared.image.reference, &held).await?;
        docker.upload(self.store, &holder, prepared.volume(self.store, self.command)?).await?;
        let archive = archive_of(&self.params(), &prepared.secrets)
            .map_err(|error| Failure::bug(format!("an archive of params: {error}")))?;
        if secret.is_some() {
            // The volume is in memory for as long as a container runs that has it.
            docker.start(&holder).await?;
        }
        let at = if secret.is_some() { SECRETS } else { TOOLS };
        docker.api.upload(&holder, at, std::io::Cursor::new(archive)).await?;
        Ok(Volumes { own, secret })
    }

    /// Returns what the shim reads that no key depends on. All variables are in it, so that no image has any.
    fn params(&self) -> Vec<u8> {
        let Command { op, secret_env, secrets, .. } = self.command;
        let plain = step::environment(op).into_iter().map(|(name, value)| (name, value.into_bytes()));
        let env: Vec<(String, Vec<u8>)> =
            plain.chain(step::volatile_environment(op)).chain(secret_env.iter().cloned()).collect();
        step::params(self.bounds(), &env, secrets)
    }

    fn bounds(&self) -> Bounds {
        Bounds { timeout: self.command.timeout, max_output_bytes: self.command.max_output_bytes }
    }

    async fn create(&self, prepared: &Prepared, volumes: &Volumes) -> Result<(), Failure> {
        let body = container::body(self.docker, self.command, prepared, volumes);
        let warnings = self.docker.create(&self.name, body).await?;
        match warnings.into_iter().find(|warning| warning.to_lowercase().contains("discard")) {
            Some(warning) if self.command.op.limits != Limits::default() => Err(Failure::Invalid {
                code: FailureCode::Incapable,
                message: format!("a limit is not available with this Docker: {warning}"),
                hint: Some("take the limit away, or use `--engine embedded`".to_owned()),
            }),
            _ => Ok(()),
        }
    }

    /// Runs the container to its end, and passes on what it prints.
    async fn run(&self) -> Result<Printed, Failure> {
        let api = &self.docker.api;
        let options = AttachContainerOptions { stream: true, stdout: true, stderr: true, ..Default::default() };
        let attached = api.docker.attach_container(&self.name, Some(options)).await;
        let mut attached = attached.map_err(|error| api.failed("attach to a container", &error))?;
        let started = api.patient.start_container(&self.name, None::<StartContainerOptions>).await;
        started.map_err(|error| match error {
            Error::DockerResponseServerError { message, .. } => {
                self.not_run(&ContainerState { error: Some(message), ..ContainerState::default() })
            }
            error => api.failed("start a container", &error),
        })?;
        let mut printed = Printed::default();
        while let Some(part) = attached.output.next().await {
            let part = part.map_err(|error| api.failed("pass on what a command prints", &error))?;
            self.show(&mut printed, part);
        }
        let waited = api.patient.wait_container(&self.name, None::<WaitContainerOptions>).next().await;
        match waited {
            // Bollard takes an exit code for an error.
            None | Some(Ok(_) | Err(Error::DockerContainerWaitError { .. })) => Ok(printed),
            Some(Err(error)) => Err(api.failed("wait for a container", &error)),
        }
    }

    fn show(&self, printed: &mut Printed, part: LogOutput) {
        match part {
            LogOutput::StdErr { message } => {
                printed.stderr.extend_from_slice(&message);
                let from = std::mem::replace(&mut printed.n_shown, trailer::shown(&printed.stderr));
                let shown = printed.stderr.get(from..printed.n_shown).unwrap_or_default();
                self.report.printed(OutputStream::Stderr, shown);
            }
            LogOutput::StdOut { message } | LogOutput::Console { message } => {
                printed.stdout.extend_from_slice(&message);
                self.report.printed(OutputStream::Stdout, &message);
            }
            LogOutput::StdIn { .. } => {}
        }
    }

    /// Returns what Docker says of the container, which has ended.
    async fn state(&self) -> Result<ContainerState, Failure> {
        let api = &self.docker.api;
        let inspected = api.docker.inspect_container(&self.name, None::<InspectContainerOptions>).await;
        let state = inspected.map_err(|error| api.failed("look at a container", &error))?.state;
        state.ok_or_else(|| Failure::bug("Docker says nothing of a container"))
    }

    /// Says how a command ended that did not do what was expected.
    fn failed(&self, trailer: Trailer, state: &ContainerState) -> Result<Ended<()>, Failure> {
        let Trailer { end, stdout: stdout_tail, stderr: stderr_tail } = trailer;
        match end {
            trailer::End::Status(ExecStatus::Exited { .. } | ExecStatus::Killed { .. })
                if state.oom_killed == Some(true) =>
            {
                Ok(Ended::Failed { status: ExecStatus::OutOfMemory, stdout_tail, stderr_tail })
            }
            trailer::End::Status(status) => Ok(Ended::Failed { status, stdout_tail, stderr_tail }),
            trailer::End::Refused(refusal) => Ok(Ended::Refused(refusal)),
            trailer::End::NoSize => {
                Err(Failure::bug("Docker made a directory in memory that is larger than it was asked to"))
            }
        }
    }

    /// Makes the failure of a command that Docker could not run.
    fn not_run(&self, state: &ContainerState) -> Failure {
        let args = graph::op::shell_words(&self.command.op.args);
        let why = match state.error.as_deref() {
            Some(error) if !error.is_empty() => error.to_owned(),
            _ => format!("it ended with {}", state.exit_code.unwrap_or(-1)),
        };
        Failure::environment(
            format!("Docker could not run `{args}`: {why}"),
            Some("`--engine embedded` runs commands without Docker"),
        )
    }

    /// Makes trees of what a command wrote that did what was expected.
    async fn collect(&self, prepared: &Prepared) -> Result<Ended<()>, Failure> {
        let store = self.store.clone();
        let read = move |archive| {
            let files = read_archive(archive, &store)?.take("output");
            step::record(&store, &files.ok_or_else(|| Failure::bug("the output of a command is missing"))?)
        };
        let record = self.docker.api.download(&self.holder(), &format!("{TOOLS}/output"), read).await?;
        let root = self.root(prepared, record.root(0)).await?;
        let mut trees = vec![Tree::of(root)];
        for writable in &prepared.outputs {
            trees.push(Tree::of(self.writable(writable).await?));
        }
        Ok(Ended::Done { exec: (*record.exec).clone(), trees })
    }

    /// Returns what is in a mount after the command.
    async fn writable(&self, writable: &Writable) -> Result<ContentDigest, Failure> {
        let (store, name) = (self.store.clone(), entry_name(writable.entry));
        let (before, below) = (writable.before, writable.below.clone());
        let path = format!("{TOOLS}/mounts/{name}");
        let read = move |archive| {
            let files = read_archive(archive, &store)?.take(&name);
            let files = files.ok_or_else(|| Failure::bug("the contents of a mount are missing"))?;
            Ok(stubs::remove(&store, files.put()?, before, &below)?.0)
        };
        self.docker.api.download(&self.holder(), &path, read).await
    }

    /// Returns what is in the root after the command. Keeps an image of it for the next one.
    async fn root(&self, prepared: &Prepared, owned: Owned) -> Result<ContentDigest, Failure> {
        let api = &self.docker.api;
        let before = self.command.root.digest;
        let (store, candidates) = (self.store.clone(), stubs::candidates(self.command.op, self.is_podman));
        let read = move |archive| {
            let mut files = read_archive(archive, &store)?;
            files.set_owned(owned);
            stubs::remove(&store, files.put()?, before, &candidates)
        };
        let (tree, removed) = api.export(&self.name, read).await?;
        let depth = prepared.image.depth + 1;
        if tree == before || depth > MAX_DEPTH || self.images.left(tree).is_some() {
            return Ok(tree);
        }
        let options = CommitContainerOptions { container: Some(self.name.clone()), ..Default::default() };
        let committed = api.patient.commit_container(options, ContainerConfig::default()).await;
        let reference = committed.map_err(|error| api.failed("commit a container", &error))?.id;
        self.images.keep(tree, RootImage { reference, stubs: removed, depth });
        Ok(tree)
    }
}
