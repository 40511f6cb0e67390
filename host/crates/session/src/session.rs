//! The session: evaluates, exports and publishes objects.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use api::{Container, Directory, LogLevel, Object, Origins, Value};
use backend::{Backend, Failure, FailureCode, ImageTarget};
use graph::PackForm;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::bridge::StageBridge;
use crate::calls::Calls;
use crate::modules::Modules;
use crate::secrets::Secrets;
use crate::stages::StageSink;

/// Takes what a stage logs: how much it matters, the stage, the message.
pub type LogSink = Arc<dyn Fn(LogLevel, &str, &str) + Send + Sync>;

/// What a session is made of.
pub struct SessionOptions {
    /// What evaluates the graph.
    pub backend: Arc<dyn Backend>,
    /// The values of secrets.
    pub secrets: Arc<Secrets>,
    /// Exports of functions go below it.
    pub export_root: PathBuf,
    /// Takes what stages log.
    pub log: LogSink,
    /// Ends everything.
    pub cancel: CancellationToken,
    /// Keeps which function asked for which command.
    pub origins: Arc<Origins>,
    /// Takes what happens to stages.
    pub stages: StageSink,
}

/// One run.
pub struct Session {
    pub(crate) options: SessionOptions,
    modules: Modules,
    pub(crate) calls: Calls,
    n_pipelines: AtomicU64,
    /// What was begun in the background; ends with the session.
    background: Mutex<JoinSet<()>>,
}

impl Session {
    /// Makes a session.
    #[must_use]
    pub fn new(options: SessionOptions, modules: Modules) -> Arc<Self> {
        let background = Mutex::new(JoinSet::new());
        Arc::new(Self { options, modules, calls: Calls::default(), n_pipelines: AtomicU64::new(0), background })
    }

    /// Returns the number of the next pipeline.
    pub(crate) fn next_pipeline(&self) -> u64 {
        self.n_pipelines.fetch_add(1, Ordering::Relaxed)
    }

    /// Returns the modules of the run.
    pub(crate) fn modules(&self) -> &Modules {
        &self.modules
    }

    /// Begins work that ends with the session.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut background = self.background.lock().unwrap_or_else(PoisonError::into_inner);
        while background.try_join_next().is_some() {}
        background.spawn(work);
    }

    /// Ends what nobody waits for any more, and waits until it has ended, so that it is told of and leaves nothing.
    pub async fn close(&self) {
        let mut background = std::mem::take(&mut *self.background.lock().unwrap_or_else(PoisonError::into_inner));
        background.shutdown().await;
        self.options.backend.settle().await;
    }

    /// Calls a function of the package `pipeline:api`, as in `container` and `[method]container.stdout`.
    ///
    /// # Errors
    /// `Unavailable` if it is not in this version; else what the function fails with.
    pub async fn invoke(self: &Arc<Self>, interface: &str, function: &str, args: Vec<Value>) -> Result<Value, Failure> {
        let bridge = self.own_bridge();
        self.until_cancelled(api::invoke(&bridge, interface, function, args)).await
    }

    /// Returns what the session itself asks with.
    pub(crate) fn own_bridge(self: &Arc<Self>) -> StageBridge {
        StageBridge::new(self, 0, "host".into(), Arc::default())
    }

    /// Writes a container's root file system, a directory or a file to a path of this machine.
    ///
    /// # Errors
    /// If it cannot be evaluated or written, or if it is another kind of object.
    pub async fn export(self: &Arc<Self>, object: &Object, target: &Path) -> Result<(), Failure> {
        let object = self.made(object).await?;
        let selection = match &object {
            Object::Container(container) => &container.rootfs,
            Object::Directory(directory) => &directory.selection,
            Object::File(file) => &file.selection,
            other => {
                let message = format!("a {} cannot be written to a file", other.name());
                return Err(Failure::invalid(FailureCode::InvalidArgument, message));
            }
        };
        self.until_cancelled(async {
            let edge = std::slice::from_ref(&selection.edge);
            let solved = self.options.backend.solve(edge).await?.pop();
            let solved = solved.ok_or_else(|| Failure::bug("a solved edge has no value"))?;
            self.options.backend.export(&solved.snapshot, &selection.path, target).await
        })
        .await
    }

    /// Writes a container as an image to a path of this machine: the directory of an OCI layout, or a file.
    ///
    /// # Errors
    /// If it cannot be evaluated or written, or if it is no container.
    pub async fn export_image(self: &Arc<Self>, object: &Object, form: PackForm, target: &Path) -> Result<(), Failure> {
        let container = self.container(object).await?;
        let image = match form {
            PackForm::Layout => Object::Directory(Arc::new(Directory::at(container.packed(form)))),
            PackForm::Archive => Object::File(Arc::new(container.as_tarball())),
        };
        self.export(&image, target).await
    }

    /// Puts a container as an image into a registry or into Docker, and returns its pinned reference.
    ///
    /// # Errors
    /// As [`Backend::publish`], or if it is no container.
    pub async fn publish(self: &Arc<Self>, object: &Object, target: &ImageTarget) -> Result<String, Failure> {
        let form = match target {
            ImageTarget::Registry { .. } => PackForm::Layout,
            ImageTarget::Docker { .. } => PackForm::Archive,
        };
        let packed = self.container(object).await?.packed(form);
        self.until_cancelled(self.options.backend.publish(&packed.edge, target)).await
    }

    async fn container(self: &Arc<Self>, object: &Object) -> Result<Arc<Container>, Failure> {
        match self.made(object).await? {
            Object::Container(container) => Ok(container),
            other => {
                let message = format!("a {} is no image", other.name());
                Err(Failure::invalid(FailureCode::InvalidArgument, message))
            }
        }
    }

    /// Returns an object as it is once its images are found.
    pub(crate) async fn made(self: &Arc<Self>, object: &Object) -> Result<Object, Failure> {
        let bridge = self.own_bridge();
        match self.until_cancelled(api::force(&bridge, Value::Object(object.clone()))).await? {
            Value::Object(object) => Ok(object),
            _ => Err(Failure::bug("an object became something else")),
        }
    }

    pub(crate) async fn until_cancelled<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            result = work => result,
            () = self.options.cancel.cancelled() => Err(Failure::Cancelled),
        }
    }
}
