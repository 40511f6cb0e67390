//! Runs one command: a volume with what it needs, a container that waits beside it, a container that runs it.
//!
//! All three go when the command has ended, however it did. What stays is an image of the container, from which
//! the next command of a chain starts.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use backend::{Event, Failure, FailureCode, OutputStream};
use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::models::ContainerConfig;
use bollard::query_parameters::{
    AttachContainerOptions, CommitContainerOptions, InspectContainerOptions, StartContainerOptions,
    WaitContainerOptions,
};
use futures::StreamExt as _;
use graph::{ContentDigest, ExecOp, Limits, Vertex};
use store::{Owned, empty_tree};
use tokio_util::sync::CancellationToken;
use trees::failure::failure;

use super::cache::retry;
use super::engine::{Engine, Found, Job, TreeImage};
use super::mounts::{self, Gathered};
use super::outcome::{self, Ended, Left};
use super::value::Value;
use super::volume::{archive_of, entry_name};
use super::{container, files, reap, stubs};
use crate::buildkit::random;
use crate::images::ingest;
use crate::step::{self, TOOLS};
use crate::step::{secrets, trailer};

/// How many commands may leave images one over the other; Docker takes 125 layers.
const MAX_DEPTH: usize = 60;

/// Evaluates a command.
pub(crate) async fn evaluate(
    engine: &Arc<Engine>,
    vertex: &Vertex,
    op: &ExecOp,
    inputs: &[Value],
    job: &Job,
    cancel: CancellationToken,
) -> Result<(Value, Found), Failure> {
    check(engine, op)?;
    // One process at a time evaluates a key; whoever waited finds the result of the other.
    let _lock = match job.key {
        Some(key) if job.is_reusable() => {
            let mut has_waited = false;
            let lock = retry(&cancel, || {
                let lock = engine.store().try_lock_key(key).map_err(|error| failure(&error))?;
                has_waited |= lock.is_none();
                Ok(lock)
            });
            let lock = lock.await?;
            if has_waited && let Some(value) = engine.recorded(key)? {
                return Ok((value, Found::ByAnother));
            }
            Some(lock)
        }
        _ => None,
    };
    let run = Run { engine, vertex, op, name: format!("host-run-{}", random()) };
    let worked = tokio::select! {
        worked = run.work(inputs) => worked,
        () = cancel.cancelled() => Err(Failure::Cancelled),
    };
    run.remove().await;
    let value = worked?;
    engine.record(vertex, job, &value)?;
    Ok((value, Found::Made))
}

/// Refuses what cannot be run.
fn check(engine: &Engine, op: &ExecOp) -> Result<(), Failure> {
    let refuse = |message: String| Err(Failure::invalid(FailureCode::InvalidArgument, message));
    let words = op.args.iter().chain(op.env.iter().flat_map(|(name, value)| [name, value]));
    if let Some(word) = words.into_iter().find(|word| word.contains('\0')) {
        return refuse(format!("argument or variable {word:?} has a NUL byte, which no command can get"));
    }
    let machine = &engine.platform;
    if (&op.platform.os, &op.platform.architecture) != (&machine.os, &machine.architecture) {
        let message = format!("platform `{}` cannot be run by Docker here, which is `{machine}`", op.platform);
        return Err(Failure::invalid(FailureCode::Unavailable, message));
    }
    Ok(())
}

/// A command that runs. Its volume and its container have its name.
struct Run<'a> {
    engine: &'a Arc<Engine>,
    vertex: &'a Vertex,
    op: &'a ExecOp,
    name: String,
}

impl Run<'_> {
    /// Returns the name of the container that holds the volume.
    fn holder(&self) -> String {
        format!("{}-files", self.name)
    }

    /// Removes what was made for the command.
    async fn remove(&self) {
        let api = &self.engine.api;
        let holder = self.holder();
        tokio::join!(reap::remove_container(api, &self.name), reap::remove_container(api, &holder));
        reap::remove_volume(api, &self.name).await;
    }

    async fn work(&self, inputs: &[Value]) -> Result<Value, Failure> {
        let gathered = mounts::gather(self.engine, self.vertex, self.op, inputs).await?;
        let place = self.fill(&gathered).await?;
        self.create(&gathered, &place).await?;
        let printed = self.run().await?;
        let ended = self.ended().await?;
        let trailer = trailer::read(&printed.stdout, &printed.stderr);
        if ended.code != 0 || trailer.is_some() {
            let after_ms = self.timeout().map_or(0, |after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
            return Err(outcome::refused(self.vertex, self.op, &ended, trailer, after_ms));
        }
        self.collect(&gathered).await
    }

    /// Makes the volume of the command; returns where it is, as Docker sees it.
    async fn fill(&self, gathered: &Gathered) -> Result<String, Failure> {
        let engine = self.engine;
        let place = files::volume(engine, &self.name, [(reap::LABEL, engine.session.as_str())]).await?;
        files::holder(engine, &self.holder(), &gathered.image.reference, &self.name).await?;
        files::upload(engine, &self.holder(), gathered.volume(engine.store(), self.op)?).await?;
        let needles = secrets::needles(&gathered.values);
        let params = step::params(self.timeout(), &gathered.env, &needles);
        let archive = archive_of(&params, &gathered.secrets)
            .map_err(|error| Failure::bug(format!("an archive of secrets: {error}")))?;
        engine.api.upload(&self.holder(), TOOLS, std::io::Cursor::new(archive)).await?;
        Ok(place)
    }

    fn timeout(&self) -> Option<Duration> {
        [self.op.timeout, self.engine.io.timeout].into_iter().flatten().min()
    }

    async fn create(&self, gathered: &Gathered, place: &str) -> Result<(), Failure> {
        let Self { engine, op, .. } = self;
        let body = container::body(engine, op, gathered, &self.name, place);
        let warnings = files::create(engine, &self.name, body).await?;
        match warnings.into_iter().find(|warning| warning.to_lowercase().contains("discard")) {
            Some(warning) if op.limits != Limits::default() => Err(Failure::Invalid {
                code: FailureCode::Incapable,
                message: format!("a limit is not available with this Docker: {warning}"),
                hint: Some("take the limit away, or use `--engine embedded`".to_owned()),
            }),
            _ => Ok(()),
        }
    }

    /// Runs the command to its end, and passes on what it prints.
    async fn run(&self) -> Result<Printed, Failure> {
        let api = &self.engine.api;
        let options = AttachContainerOptions { stream: true, stdout: true, stderr: true, ..Default::default() };
        let attached = api.docker.attach_container(&self.name, Some(options)).await;
        let mut attached = attached.map_err(|error| api.failed("attach to a container", &error))?;
        let started = api.patient.start_container(&self.name, None::<StartContainerOptions>).await;
        started.map_err(|error| self.not_started(&error))?;
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

    fn not_started(&self, error: &Error) -> Failure {
        let Error::DockerResponseServerError { message, .. } = error else {
            return self.engine.api.failed("start a container", error);
        };
        let ended = Ended { code: -1, is_out_of_memory: false, error: message.clone() };
        outcome::refused(self.vertex, self.op, &ended, None, 0)
    }

    fn show(&self, printed: &mut Printed, part: LogOutput) {
        let (stream, shown) = match part {
            LogOutput::StdErr { message } => {
                printed.stderr.extend_from_slice(&message);
                let from = std::mem::replace(&mut printed.n_shown, trailer::shown(&printed.stderr));
                (OutputStream::Stderr, printed.stderr.get(from..printed.n_shown).unwrap_or_default().to_vec())
            }
            LogOutput::StdOut { message } | LogOutput::Console { message } => {
                printed.stdout.extend_from_slice(&message);
                (OutputStream::Stdout, message.to_vec())
            }
            LogOutput::StdIn { .. } => return,
        };
        if !shown.is_empty() {
            let vertex = self.vertex.digest();
            (self.engine.io.events)(Event::Output { vertex, stream, bytes: shown.into() });
        }
    }

    async fn ended(&self) -> Result<Ended, Failure> {
        let api = &self.engine.api;
        let inspected = api.docker.inspect_container(&self.name, None::<InspectContainerOptions>).await;
        let state = inspected.map_err(|error| api.failed("look at a container", &error))?.state;
        let state = state.ok_or_else(|| Failure::bug("Docker says nothing of a container"))?;
        Ok(Ended {
            code: state.exit_code.unwrap_or(-1),
            is_out_of_memory: state.oom_killed.unwrap_or(false),
            error: state.error.unwrap_or_default(),
        })
    }

    /// Makes the value of a command that did what was expected.
    async fn collect(&self, gathered: &Gathered) -> Result<Value, Failure> {
        let engine = self.engine;
        let store = engine.store().clone();
        let read = move |archive| {
            let files = ingest::read(archive, &store)?.take("output");
            outcome::left(&store, &files.ok_or_else(|| Failure::bug("the output of a command is missing"))?)
        };
        let Left { exec, root } = engine.api.download(&self.holder(), &format!("{TOOLS}/output"), read).await?;
        let n_outputs = gathered.outputs.iter().map(|writable| writable.output as usize + 1).max().unwrap_or(1);
        let mut outputs = vec![empty_tree(); n_outputs];
        for writable in &gathered.outputs {
            outputs[writable.output as usize] = self.writable(writable).await?;
        }
        outputs[0] = self.root(gathered, root).await?;
        Ok(Value::exec(outputs, exec))
    }

    /// Returns what is in a mount after the command.
    async fn writable(&self, writable: &mounts::Writable) -> Result<ContentDigest, Failure> {
        let (store, name) = (self.engine.store().clone(), entry_name(writable.entry));
        let (before, below) = (writable.before, writable.below.clone());
        let path = format!("{TOOLS}/mounts/{name}");
        let read = move |archive| {
            let files = ingest::read(archive, &store)?.take(&name);
            let files = files.ok_or_else(|| Failure::bug("the contents of a mount are missing"))?;
            Ok(stubs::remove(&store, files.put(&store)?, before, &below)?.0)
        };
        self.engine.api.download(&self.holder(), &path, read).await
    }

    /// Returns what is in the root after the command; keeps an image of it for the next one.
    async fn root(&self, gathered: &Gathered, owned: Owned) -> Result<ContentDigest, Failure> {
        let engine = self.engine;
        let (store, before) = (engine.store().clone(), gathered.root);
        let candidates = stubs::candidates(self.op, engine.is_podman);
        let read = move |archive| {
            let mut files = ingest::read(archive, &store)?;
            files.set_owned(owned);
            stubs::remove(&store, files.put(&store)?, before, &candidates)
        };
        let (tree, removed) = engine.api.export(&self.name, read).await?;
        let depth = gathered.image.depth + 1;
        if tree == gathered.root || depth > MAX_DEPTH || engine.image(tree).is_some() {
            return Ok(tree);
        }
        let options = CommitContainerOptions { container: Some(self.name.clone()), ..Default::default() };
        let committed = engine.api.patient.commit_container(options, ContainerConfig::default()).await;
        let reference = committed.map_err(|error| engine.api.failed("commit a container", &error))?.id;
        let image = TreeImage { reference, stubs: removed, depth };
        engine.images.lock().unwrap_or_else(PoisonError::into_inner).insert(tree, image);
        Ok(tree)
    }
}

/// What came on the streams of a container.
#[derive(Default)]
struct Printed {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// How much of standard error is the command's own and was passed on.
    n_shown: usize,
}
