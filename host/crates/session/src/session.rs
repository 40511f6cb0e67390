//! The session: what one run has, and the work that ends with it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use api::{LogLevel, Origins};
use backend::{Backend, Failure};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::events::StageSink;
use crate::modules::Modules;
use crate::once::Calls;
use crate::secrets::Secrets;

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
