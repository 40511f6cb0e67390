//! A session over an engine, as a run of the product has one: bridge, secrets and events.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use api::{Bridge, LogLevel, Object, Value};
use engine::{
    Engine, Event, Failure, FailureCode, ImageAccess, MAX_OUTPUT_BYTES, Outcome, OutputStream, Rules, SecretProvider,
    SessionIo,
};
use graph::SecretName;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Options of a session.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// The number of commands that may run at the same time.
    pub n_jobs: usize,
    /// Whether results of other sessions may be used.
    pub is_cache_used: bool,
    /// The time-out of commands that have no shorter one of their own.
    pub timeout: Option<Duration>,
    /// The most bytes of each stream of a command that are kept.
    pub max_output_bytes: usize,
    /// What the session allows commands.
    pub rules: Rules,
    /// Whether commands are only reported, and not run.
    pub is_dry: bool,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            n_jobs: 4,
            is_cache_used: true,
            timeout: None,
            max_output_bytes: MAX_OUTPUT_BYTES,
            rules: Rules::default(),
            is_dry: false,
        }
    }
}

/// A session over the engine under test.
pub struct Session {
    this: Weak<Self>,
    engine: Arc<dyn Engine>,
    secrets: Arc<Secrets>,
    events: Arc<Mutex<Vec<Event>>>,
    cancel: CancellationToken,
    exports: PathBuf,
    background: Mutex<JoinSet<()>>,
}

/// The values of secrets, by name.
#[derive(Default)]
pub(crate) struct Secrets {
    values: Mutex<BTreeMap<String, Vec<u8>>>,
    /// The secrets of whose value no key has anything.
    by_name: Mutex<BTreeSet<String>>,
}

/// A session whose engine is not open yet.
pub(crate) struct Draft {
    /// The part that the engine gets.
    pub(crate) io: SessionIo,
    secrets: Arc<Secrets>,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Draft {
    /// Prepares a session over the store at a path.
    pub(crate) fn new(options: &SessionOptions, store: PathBuf) -> Self {
        let (secrets, events) = (Arc::new(Secrets::default()), Arc::new(Mutex::new(Vec::new())));
        let sink = Arc::clone(&events);
        let io = SessionIo {
            events: Arc::new(move |event| lock(&sink).push(event)),
            secrets: Arc::clone(&secrets) as Arc<dyn SecretProvider>,
            cancel: CancellationToken::new(),
            n_jobs: options.n_jobs,
            is_cache_used: options.is_cache_used,
            timeout: options.timeout,
            max_output_bytes: options.max_output_bytes,
            rules: options.rules,
            images: ImageAccess::default(),
            store,
            is_dry: options.is_dry,
        };
        Self { io, secrets, events }
    }

    /// Makes the session over an engine that was opened with `io`. Exports go below `exports`.
    pub(crate) fn over(self, engine: Arc<dyn Engine>, exports: PathBuf) -> Arc<Session> {
        Arc::new_cyclic(|this| Session {
            this: Weak::clone(this),
            engine,
            secrets: self.secrets,
            events: self.events,
            cancel: self.io.cancel,
            exports,
            background: Mutex::new(JoinSet::new()),
        })
    }
}

impl Session {
    /// Sets the value of a secret.
    pub fn add_secret(&self, name: &str, value: &[u8]) {
        lock(&self.secrets.values).insert(name.to_owned(), value.to_vec());
    }

    /// Has keys know a secret by its name alone.
    pub fn know_by_name(&self, name: &str) {
        lock(&self.secrets.by_name).insert(name.to_owned());
    }

    /// Cancels the session.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Waits until the session does nothing any more.
    pub async fn settle(&self) {
        let mut background = std::mem::take(&mut *lock(&self.background));
        while background.join_next().await.is_some() {}
        self.engine.settle().await;
    }

    /// Returns the directory of exports.
    pub fn exports(&self) -> &PathBuf {
        &self.exports
    }

    /// Returns the names of vertices that begin with `prefix` and ended with an outcome, in order.
    pub fn finished(&self, prefix: &str, as_expected: impl Fn(&Outcome) -> bool) -> Vec<String> {
        let events = lock(&self.events);
        let names = events.iter().filter_map(|event| match event {
            Event::Finished { vertex, outcome, .. } if vertex.name.starts_with(prefix) && as_expected(outcome) => {
                Some(vertex.name.to_string())
            }
            _ => None,
        });
        names.collect()
    }

    /// Returns the commands that ran, in the order in which they ended.
    pub fn ran(&self) -> Vec<String> {
        self.finished("exec ", |outcome| *outcome == Outcome::Ran)
    }

    /// Returns how often a command was started whose name contains `part`.
    pub fn n_started(&self, part: &str) -> usize {
        let events = lock(&self.events);
        events.iter().filter(|event| matches!(event, Event::Started(vertex) if vertex.name.contains(part))).count()
    }

    /// Returns the output of all commands so far, as the events had it.
    pub fn printed(&self, wanted: OutputStream) -> String {
        let mut all = Vec::new();
        for event in lock(&self.events).iter() {
            if let Event::Output { stream, bytes, .. } = event
                && *stream == wanted
            {
                all.extend_from_slice(bytes);
            }
        }
        String::from_utf8_lossy(&all).into_owned()
    }
}

impl Bridge for Session {
    fn engine(&self) -> &dyn Engine {
        &*self.engine
    }

    fn start(&self, object: Object) {
        let Some(this) = self.this.upgrade() else { return };
        let mut background = lock(&self.background);
        background.spawn(async move {
            // A failure is returned to the call that asks for the value later.
            if let Ok(Value::Object(object)) = api::force(&*this, Value::Object(object)).await {
                let _ = this.engine.solve(&object.edges()).await;
            }
        });
    }

    fn log(&self, _: LogLevel, _: &str) {}

    fn plaintext(&self, name: &SecretName) -> Result<String, Failure> {
        let value = self.secrets.value(name)?;
        String::from_utf8(value).map_err(|_| Failure::environment(format!("secret `{}` is not UTF-8", name.0), None))
    }

    fn export_target(&self, path: &str) -> Result<PathBuf, Failure> {
        let inner = graph::TreePath::parse(path)
            .map_err(|error| Failure::invalid(FailureCode::InvalidPath, error.to_string()))?;
        Ok(self.exports.join(inner.as_str()))
    }
}

impl SecretProvider for Secrets {
    fn value(&self, name: &SecretName) -> Result<Vec<u8>, Failure> {
        let value = lock(&self.values).get(&name.0).cloned();
        value.ok_or_else(|| Failure::environment(format!("there is no secret `{}`", name.0), None))
    }

    fn is_known_by_name(&self, name: &SecretName) -> bool {
        lock(&self.by_name).contains(&name.0)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change is one call, so a panic leaves no half of one.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
