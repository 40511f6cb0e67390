//! The session of a run, and the work that ends with it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use api::{LogLevel, Origins};
use engine::{Engine, Failure};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::effects::Effects;
use crate::events::StageSink;
use crate::modules::Modules;
use crate::once::Calls;
use crate::secrets::Secrets;

/// Takes a message of a stage: its level, the name of the stage, and the text.
pub type LogSink = Arc<dyn Fn(LogLevel, &str, &str) + Send + Sync>;

/// The parts that a session is made of.
pub struct SessionOptions {
    /// The engine that evaluates the graph.
    pub engine: Arc<dyn Engine>,
    /// The secrets of the run.
    pub secrets: Arc<Secrets>,
    /// The directory that exports of functions must stay in.
    pub export_root: PathBuf,
    /// Takes the messages of stages.
    pub log: LogSink,
    /// Cancels all work of the session.
    pub cancel: CancellationToken,
    /// Keeps who asked for which vertex.
    pub origins: Arc<Origins>,
    /// Takes the events of stages.
    pub stages: StageSink,
}

/// The session of one run.
pub struct Session {
    pub(crate) options: SessionOptions,
    modules: Modules,
    pub(crate) calls: Calls,
    pub(crate) effects: Effects,
    n_pipelines: AtomicU64,
    /// Work that was begun in the background. It ends with the session.
    background: Mutex<JoinSet<()>>,
}

impl Session {
    /// Makes the session of a run.
    #[must_use]
    pub fn new(options: SessionOptions, modules: Modules) -> Arc<Self> {
        let background = Mutex::new(JoinSet::new());
        let (calls, effects, n_pipelines) = (Calls::default(), Effects::default(), AtomicU64::new(0));
        Arc::new(Self { options, modules, calls, effects, n_pipelines, background })
    }

    /// Returns the number of the next pipeline.
    pub(crate) fn next_pipeline(&self) -> u64 {
        self.n_pipelines.fetch_add(1, Ordering::Relaxed)
    }

    /// Returns the modules of the run.
    pub(crate) fn modules(&self) -> &Modules {
        &self.modules
    }

    /// Begins work in the background. It ends with the session.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut background = self.background.lock().unwrap_or_else(PoisonError::into_inner);
        while background.try_join_next().is_some() {}
        background.spawn(work);
    }

    /// Stops the work that nobody waits for any more, and waits until it has ended, so that its events are told and it
    /// leaves nothing.
    pub async fn close(&self) {
        let mut background = std::mem::take(&mut *self.background.lock().unwrap_or_else(PoisonError::into_inner));
        background.shutdown().await;
        self.options.engine.settle().await;
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
